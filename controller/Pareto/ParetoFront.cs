namespace Fleet.Controller.Pareto;

/// <summary>A plan on the front: the way of each device by its place in <see cref="SiteWays.Ways"/>, and what it is expected to give.</summary>
public sealed record ParetoPoint(int[] Choice, PlanFigures Figures);

/// <summary>Plans of which none is at least as good as another in all figures.</summary>
public sealed class ParetoFront
{
    private readonly List<ParetoPoint> points = [];

    /// <summary>In no particular order.</summary>
    public IReadOnlyList<ParetoPoint> Points => points;

    /// <summary>By rising error, then latency.</summary>
    public IReadOnlyList<ParetoPoint> Sorted => [.. points.OrderBy(point => point.Figures.Error).ThenBy(point => point.Figures.Latency.Value).ThenBy(point => point.Figures.Energy.Value).ThenBy(point => point.Figures.Sent.Value)];

    /// <summary>Best of each figure alone; no plan need have them all.</summary>
    public PlanFigures Ideal => Of(figures => figures.Min());

    /// <summary>Worst of each figure on the front.</summary>
    public PlanFigures Nadir => Of(figures => figures.Max());

    /// <summary>
    /// Where one gives up little of everything: the point nearest to the ideal when each figure is scaled from its best to its worst on the
    /// front (the compromise solution: Zeleny, 1973). Throws <see cref="InvalidOperationException"/> when there is none.
    /// </summary>
    public ParetoPoint Knee
    {
        get
        {
            var (ideal, nadir) = (Ideal, Nadir);
            return Sorted.MinBy(point => Enumerable.Range(0, PlanFigures.Count).Sum(figure => Square((point.Figures[figure] - ideal[figure]) / Math.Max(1e-12, nadir[figure] - ideal[figure])))) ?? throw new InvalidOperationException("an empty front has no knee");
        }
    }

    /// <summary>Adds a plan unless one known is at least as good in all figures, and drops those that it beats.</summary>
    public bool Add(ParetoPoint point)
    {
        for (var i = 0; i < points.Count; i++)
        {
            if (!points[i].Figures.IsNoWorse(point.Figures)) continue;
            // Who has just beaten one will soon beat another: it is asked first.
            (points[0], points[i]) = (points[i], points[0]);
            return false;
        }
        points.RemoveAll(known => point.Figures.IsNoWorse(known.Figures));
        points.Add(point);
        return true;
    }

    private PlanFigures Of(Func<IEnumerable<double>, double> of)
    {
        double At(int figure) => of(points.Select(point => point.Figures[figure]));
        return new PlanFigures(At(0), new(At(1)), new(At(2)), new(At(3)));
    }

    private static double Square(double value) => value * value;
}
