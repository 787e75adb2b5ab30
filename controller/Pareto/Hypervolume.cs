namespace Fleet.Controller.Pareto;

/// <summary>
/// How much of the space up to a reference a front commands: the volume of what some point of it is at least as good as, in all figures. Exact, by
/// exclusive volumes (WFG: While, Bradstreet and Barone, IEEE Trans. Evol. Comput. 16(1), 2012). Smaller is better.
/// </summary>
public static class Hypervolume
{
    /// <summary>Of a front whose figures are scaled so that <paramref name="ideal"/> is 0 and <paramref name="nadir"/> is 1; the reference lies a tenth beyond, and all of the box to it would be 1.</summary>
    public static double Of(IEnumerable<PlanFigures> front, PlanFigures ideal, PlanFigures nadir)
    {
        const double Reference = 1.1;
        // A figure in which all plans are alike separates none.
        var used = Enumerable.Range(0, PlanFigures.Count).Where(figure => nadir[figure] - ideal[figure] > 1e-12 * Math.Abs(nadir[figure])).ToArray();
        var points = front.Select(figures => Array.ConvertAll(used, figure => (figures[figure] - ideal[figure]) / (nadir[figure] - ideal[figure])));
        return used.Length == 0 ? 1 : Of(points, [.. used.Select(_ => Reference)]) / Math.Pow(Reference, used.Length);
    }

    /// <param name="points">One array of figures each.</param>
    /// <param name="reference">What lies beyond it in any figure counts nothing.</param>
    public static double Of(IEnumerable<double[]> points, double[] reference)
    {
        var inside = points.Where(point => point.Zip(reference, (a, b) => a < b).All(isBelow => isBelow)).ToList();
        return Volume(Undominated(inside), reference);
    }

    private static double Volume(List<double[]> front, double[] reference)
    {
        if (reference.Length == 1) return front.Count == 0 ? 0 : reference[0] - front.Min(point => point[0]);
        if (reference.Length == 2) return Area(front, reference);
        // Worst in the last figure first: what is left of the others shrinks fast.
        front.Sort((a, b) => b[^1].CompareTo(a[^1]));
        var sum = 0.0;
        for (var i = 0; i < front.Count; i++)
        {
            var point = front[i];
            var depth = reference[^1] - point[^1];
            // Those behind it are no worse in the last figure, so that their limited parts are as deep as the point: one figure less to look at.
            var flat = point[..^1];
            var limited = Undominated([.. front.Skip(i + 1).Select(other => Limit(other, flat))]);
            sum += depth * (Box(flat, reference) - Volume(limited, reference[..^1]));
        }
        return sum;
    }

    private static double Area(List<double[]> front, double[] reference)
    {
        front.Sort((a, b) => a[0].CompareTo(b[0]));
        var (sum, top) = (0.0, reference[1]);
        foreach (var point in front)
        {
            if (!(point[1] < top)) continue;
            sum += (reference[0] - point[0]) * (top - point[1]);
            top = point[1];
        }
        return sum;
    }

    private static double Box(double[] point, double[] reference)
    {
        var volume = 1.0;
        for (var i = 0; i < point.Length; i++) volume *= reference[i] - point[i];
        return volume;
    }

    private static double[] Limit(double[] other, double[] by)
    {
        var limited = new double[by.Length];
        for (var i = 0; i < by.Length; i++) limited[i] = Math.Max(other[i], by[i]);
        return limited;
    }

    private static List<double[]> Undominated(List<double[]> points)
    {
        var kept = new List<double[]>(points.Count);
        foreach (var point in points)
        {
            if (kept.Exists(known => IsNoWorse(known, point))) continue;
            kept.RemoveAll(known => IsNoWorse(point, known));
            kept.Add(point);
        }
        return kept;
    }

    private static bool IsNoWorse(double[] a, double[] b)
    {
        for (var i = 0; i < a.Length; i++)
            if (a[i] > b[i]) return false;
        return true;
    }
}
