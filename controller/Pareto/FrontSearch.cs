using Fleet.Controller.Planning;

namespace Fleet.Controller.Pareto;

/// <summary>
/// Looks for a site's front with the planner's own solver: each figure alone and mixtures of all four, then the least latency within
/// a grid of limits on errors, energy and bytes (epsilon constraints: Haimes, Lasdon and Wismer, 1971), for which the dual finds prices and repair a plan.
/// Where sites are small, single devices are changed in every plan found as long as that finds another.
/// </summary>
public sealed class FrontSearch(SiteWays ways)
{
    /// <summary>Steps of each limit from the best to the worst.</summary>
    private const int Levels = 7;

    /// <summary>Parts that a mixture's weights are made of.</summary>
    private const int Parts = 5;

    /// <summary>Weight of figures that are not asked for, so that nothing is given away for nothing.</summary>
    private const double Aside = 1e-3;

    /// <summary>On larger sites another way of one device makes no plan worth telling apart.</summary>
    private const int ChangedMax = 10;

    /// <summary>Devices summed over all plans that are looked at when single devices are changed.</summary>
    private const int LooksMax = 2_000_000;

    private const int Latency = 1;

    /// <summary>The three that are limited.</summary>
    private static readonly int[] Limited = [0, 2, 3];

    private readonly ParetoFront front = new();

    /// <summary>Worst of each figure that any way has.</summary>
    private readonly double[] scale = [.. Enumerable.Range(0, PlanFigures.Count).Select(figure => ways.Ways.SelectMany(device => device).Select(way => way.Figures[figure]).DefaultIfEmpty().Max())];

    /// <summary>Whether limits are set; without them mixtures are all there is.</summary>
    public bool Limits { get; init; } = true;

    /// <summary>Whether single devices are changed where a site is small.</summary>
    public bool Changes { get; init; } = true;

    /// <param name="progress">Told the share done, 0 to 1.</param>
    public ParetoFront Run(Action<double>? progress = null)
    {
        if (ways.Devices.Count == 0) return front;
        for (var figure = 0; figure < PlanFigures.Count; figure++) Solve(Weights(figure), null);
        var (ideal, nadir) = (front.Ideal, front.Nadir);
        var units = Enumerable.Range(0, PlanFigures.Count).Select(figure => 1 / Math.Max(1e-12, nadir[figure] - ideal[figure])).ToArray();
        var mixtures = Mixtures().ToList();
        var limits = Limits ? Grid(ideal, nadir).ToList() : [];
        for (var i = 0; i < mixtures.Count; i++)
        {
            Solve([.. mixtures[i].Zip(units, (weight, unit) => Math.Max(Aside, weight) * unit)], null);
            progress?.Invoke((i + 1.0) / (mixtures.Count + limits.Count));
        }
        var fastest = units.Select((unit, figure) => figure == Latency ? unit : Aside * unit).ToArray();
        for (var i = 0; i < limits.Count; i++)
        {
            Solve(fastest, limits[i]);
            progress?.Invoke((mixtures.Count + i + 1.0) / (mixtures.Count + limits.Count));
        }
        if (Changes && ways.Devices.Count <= ChangedMax) Change();
        return front;
    }

    /// <summary>One figure, the others aside in their devices' own scale.</summary>
    private double[] Weights(int asked)
    {
        var all = ways.Ways.SelectMany(device => device).ToList();
        return [.. Enumerable.Range(0, PlanFigures.Count).Select(figure => (figure == asked ? 1 : Aside) / Math.Max(1e-12, all.Max(way => way.Figures[figure]) - all.Min(way => way.Figures[figure])))];
    }

    /// <summary>All ways of dealing out the parts among the four figures.</summary>
    private static IEnumerable<double[]> Mixtures()
    {
        for (var a = 0; a <= Parts; a++)
            for (var b = 0; b <= Parts - a; b++)
                for (var c = 0; c <= Parts - a - b; c++)
                    yield return [(double)a / Parts, (double)b / Parts, (double)c / Parts, (double)(Parts - a - b - c) / Parts];
    }

    /// <summary>Errors, energy and bytes, each at every level from its best to its worst.</summary>
    private static IEnumerable<double[]> Grid(PlanFigures ideal, PlanFigures nadir)
    {
        double At(int figure, int level) => ideal[figure] + (nadir[figure] - ideal[figure]) * level / (Levels - 1);
        for (var errors = 0; errors < Levels; errors++)
            for (var energy = 0; energy < Levels; energy++)
                for (var sent = 0; sent < Levels; sent++)
                    yield return [At(Limited[0], errors), At(Limited[1], energy), At(Limited[2], sent)];
    }

    /// <param name="weights">Of each figure.</param>
    /// <param name="limits">Most errors, energy and bytes of a request in the mean; null: none.</param>
    private void Solve(double[] weights, double[]? limits)
    {
        // What rounding to single precision adds up to must not make the best plan impossible, nor nothing be a limit.
        double? Room(int i) => limits is null ? null : limits[i] + 1e-6 * scale[Limited[i]];
        var candidates = new Candidates(ways.Devices.Count, ways.Capacity, errorCapacity: Room(0), energyCapacity: Room(1), sentCapacity: Room(2));
        for (var device = 0; device < ways.Devices.Count; device++) candidates.Put(device, [.. ways.Ways[device].Select((way, i) => Candidate(device, way, i, weights))]);
        // Many plans, each the first that prices and one repair give, are worth more here than a few polished ones.
        var solved = DualSolver.Solve(candidates, polishMax: 0);
        var choice = solved.Choice.Select((j, device) => (int)candidates.At(j).Option).ToArray();
        // A plan that misses a limit is a plan all the same.
        if (ways.IsFeasible(choice)) front.Add(new ParetoPoint(choice, ways.Figures(choice)));
    }

    private Candidate Candidate(int device, SiteWay way, int place, double[] weights)
    {
        var share = ways.Share(device);
        var cost = 0.0;
        for (var figure = 0; figure < PlanFigures.Count; figure++) cost += weights[figure] * way.Figures[figure];
        return new Candidate(
            (float)(cost * share), (float)ways.Load(device, way), (short)(way.Edge < 0 ? ways.Edges.Count : way.Edge), (ushort)place, 0,
            (float)(way.Figures.Error * share), (float)(way.Figures.Energy.Value * share), (float)(way.Figures.Sent.Value * share));
    }

    /// <summary>Pareto local search (Paquete, Chiarandini and Stuetzle, 2004): every plan's neighbours, then theirs.</summary>
    private void Change()
    {
        var waiting = new Queue<ParetoPoint>(front.Sorted);
        var looked = 0;
        while (looked < LooksMax && waiting.TryDequeue(out var point))
        {
            if (!front.Points.Contains(point)) continue;
            for (var device = 0; device < ways.Devices.Count; device++)
            {
                for (var way = 0; way < ways.Ways[device].Count; way++)
                {
                    if (way == point.Choice[device]) continue;
                    looked += ways.Devices.Count;
                    int[] choice = [.. point.Choice];
                    choice[device] = way;
                    if (!ways.IsFeasible(choice)) continue;
                    // Summed anew and in the same order, so that one plan has one set of figures however it was found.
                    var neighbour = new ParetoPoint(choice, ways.Figures(choice));
                    if (front.Add(neighbour)) waiting.Enqueue(neighbour);
                }
            }
        }
    }
}
