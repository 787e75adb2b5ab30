using Fleet.Contracts;
using Fleet.Controller.Planning;

namespace Fleet.Controller.Pareto;

/// <summary>One way a device can run a model.</summary>
/// <param name="Edge">Place of the edge server that finishes it; -1: none.</param>
/// <param name="Figures">Of one of its inferences.</param>
/// <param name="Use">Edge server's seconds an inference.</param>
public sealed record SiteWay(Option Option, int Edge, PlanFigures Figures, double Use)
{
    public const int Nobody = -1;

    /// <summary>Whether nobody who can have this one needs the other: no worse in any figure, and no more of the same edge server's time.</summary>
    public bool Beats(SiteWay other) => Figures.IsNoWorse(other.Figures) && (Edge == Nobody || Edge == other.Edge && Use <= other.Use);
}

/// <summary>
/// What every device of a site can choose, with all four figures in the cost model's own estimates, and what edge servers have to give. A plan
/// is a choice of one way a device, by its place, within the edge servers' time.
/// </summary>
public sealed class SiteWays
{
    private readonly double[] weights;
    private readonly double[] rates;
    private readonly double requests;

    private SiteWays(IReadOnlyList<DeviceView> devices, IReadOnlyList<EdgeView> edges, IReadOnlyList<IReadOnlyList<SiteWay>> ways)
    {
        (Devices, Edges, Ways) = (devices, edges, ways);
        (weights, rates) = ([.. devices.Select(SiteProblem.WeightOf)], [.. devices.Select(device => device.Budget?.RequestRate.Value ?? 0)]);
        requests = weights.Sum();
        Capacity = [.. edges.Select(edge => CostModel.Capacity(edge) * SiteProblem.Headroom)];
    }

    /// <summary>Those that are online and can run something, by id.</summary>
    public IReadOnlyList<DeviceView> Devices { get; }

    public IReadOnlyList<EdgeView> Edges { get; }

    /// <summary>Of each device, none of which another beats.</summary>
    public IReadOnlyList<IReadOnlyList<SiteWay>> Ways { get; }

    /// <summary>Seconds a second of each edge server that may be planned.</summary>
    public IReadOnlyList<double> Capacity { get; }

    /// <param name="wayMax">Most ways of a device: of more, those stay that lie farthest apart, the best in each figure among them.</param>
    public static SiteWays Of(FleetSnapshot fleet, OptionTable table, CostModel costs, int wayMax = int.MaxValue)
    {
        var edges = HeldTogether.Of(fleet, table).LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        var devices = new List<DeviceView>();
        var ways = new List<IReadOnlyList<SiteWay>>();
        foreach (var device in fleet.Devices.Where(device => device.IsOnline).OrderBy(device => device.Id, StringComparer.Ordinal))
        {
            var open = Undominated(Open(device, table, costs, edges));
            if (open.Count == 0) continue;
            devices.Add(device);
            ways.Add(Spread(open, wayMax));
        }
        return new SiteWays(devices, edges, ways);
    }

    /// <summary>The share of the site's requests that a device's are.</summary>
    public double Share(int device) => weights[device] / requests;

    /// <summary>Edge server's seconds a second that a device takes by a way.</summary>
    public double Load(int device, SiteWay way) => way.Use * rates[device];

    public PlanFigures Figures(IReadOnlyList<int> choice)
    {
        var sum = default(PlanFigures);
        for (var device = 0; device < Devices.Count; device++) sum += Ways[device][choice[device]].Figures * Share(device);
        return sum;
    }

    /// <summary>Whether no edge server is asked for more than it has.</summary>
    public bool IsFeasible(IReadOnlyList<int> choice)
    {
        Span<double> load = stackalloc double[Edges.Count];
        for (var device = 0; device < Devices.Count; device++)
            if (Ways[device][choice[device]] is { Edge: >= 0 } way) load[way.Edge] += Load(device, way);
        for (var edge = 0; edge < load.Length; edge++)
            if (load[edge] > Capacity[edge] * (1 + 1e-9)) return false;
        return true;
    }

    private static List<SiteWay> Open(DeviceView device, OptionTable table, CostModel costs, IReadOnlyList<EdgeView> edges)
    {
        var all = new List<SiteWay>();
        foreach (var option in table.Front)
        {
            if (option.Route is null) Add(option, SiteWay.Nobody);
            else for (var edge = 0; edge < edges.Count; edge++) Add(option, edge);
        }
        return all;

        void Add(Option option, int edge)
        {
            if (costs.Estimate(option, device, edge < 0 ? null : edges[edge]) is { } estimate && CostModel.IsAffordable(estimate, device))
                all.Add(new SiteWay(option, edge, PlanFigures.Of(option, estimate, device), estimate.EdgeTime.Value));
        }
    }

    private static List<SiteWay> Undominated(List<SiteWay> all)
    {
        var kept = new List<SiteWay>();
        foreach (var way in all)
        {
            if (kept.Any(known => known.Beats(way))) continue;
            kept.RemoveAll(way.Beats);
            kept.Add(way);
        }
        return kept;
    }

    /// <summary>The best in each figure, then by turns whatever is farthest from all taken so far, figures scaled to their ranges.</summary>
    private static IReadOnlyList<SiteWay> Spread(List<SiteWay> ways, int most)
    {
        if (ways.Count <= most) return ways;
        int[] figures = [.. Enumerable.Range(0, PlanFigures.Count)];
        var ranges = figures.Select(figure => Math.Max(1e-12, ways.Max(way => way.Figures[figure]) - ways.Min(way => way.Figures[figure]))).ToArray();
        var taken = figures.Select(figure => ways.MinBy(way => way.Figures[figure])!).Append(ways.Where(way => way.Edge == SiteWay.Nobody).MinBy(way => way.Figures.Error)).OfType<SiteWay>().Distinct().Take(most).ToList();
        var distance = ways.Select(way => taken.Min(other => Apart(way, other))).ToArray();
        while (taken.Count < most)
        {
            var next = Array.IndexOf(distance, distance.Max());
            taken.Add(ways[next]);
            for (var i = 0; i < distance.Length; i++) distance[i] = Math.Min(distance[i], Apart(ways[i], ways[next]));
        }
        return [.. ways.Where(taken.Contains)];

        double Apart(SiteWay a, SiteWay b) => figures.Sum(figure => Square((a.Figures[figure] - b.Figures[figure]) / ranges[figure]));
    }

    private static double Square(double value) => value * value;
}
