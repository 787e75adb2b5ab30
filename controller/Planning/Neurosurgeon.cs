using System.Globalization;

namespace Fleet.Controller.Planning;

/// <summary>
/// Each device for itself: the cheapest head, exits and edge server by estimated latency, energy and inaccuracy, whatever the others
/// do. After Kang et al., "Neurosurgeon", ASPLOS 2017 (argmin over the split of device + network + cloud time or energy), with exits
/// and accuracy added.
/// </summary>
public sealed class Neurosurgeon(OptionTable options, CostModel costs) : IPlanner
{
    public const string PolicyName = "neurosurgeon";

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        return Choices.ForEach(fleet, device =>
        {
            var ranked = Ranked(options, costs, device, edges);
            return ranked.Count == 0 ? null : ranked[0].Choice with { Reason = Explain(ranked) };
        });
    }

    /// <summary>Everything a device could do, cheapest first; what its energy budget cannot carry comes last.</summary>
    internal static List<(Choice Choice, double Cost)> Ranked(OptionTable options, CostModel costs, DeviceView device, IReadOnlyList<EdgeView> edges)
    {
        var candidates = new List<(Choice Choice, double Cost, bool IsAffordable)>();
        void Consider(Option option, EdgeView? edge)
        {
            if (Choices.Try(costs, option, device, edge, "") is not { } choice) return;
            candidates.Add((choice, costs.Cost(choice.Estimate), CostModel.IsAffordable(choice.Estimate, device)));
        }
        foreach (var option in options.All)
        {
            if (option.Route is null) Consider(option, edge: null);
            else foreach (var edge in edges) Consider(option, edge);
        }
        return [.. candidates.OrderBy(candidate => !candidate.IsAffordable).ThenBy(candidate => candidate.Cost).Select(candidate => (candidate.Choice, candidate.Cost))];
    }

    internal static string Explain(IReadOnlyList<(Choice Choice, double Cost)> ranked)
    {
        var (best, cost) = ranked[0];
        var rival = ranked.FirstOrDefault(other => other.Choice.Edge is null != best.Edge is null);
        return rival.Choice is null
            ? string.Create(CultureInfo.InvariantCulture, $"cost {cost * 1e3:F2} ms, nothing else is possible")
            : string.Create(CultureInfo.InvariantCulture, $"cost {cost * 1e3:F2} ms, best {(best.Edge is null ? "with an edge server" : "alone")} {rival.Cost * 1e3:F2} ms");
    }
}

/// <summary>
/// Neurosurgeon's choices as long as edge servers have room: devices that gain most from an edge second are served first, the others
/// take their next best. A device keeps its option unless another is better by more than a fifth, so that noise does not reshuffle the fleet.
/// </summary>
public sealed class Greedy(OptionTable options, CostModel costs) : IPlanner
{
    public const string PolicyName = "greedy";

    /// <summary>Share of an edge server's time that may be planned; the rest absorbs bursts.</summary>
    private const double Headroom = 0.7;

    private const double Hysteresis = 0.2;

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        var room = edges.ToDictionary(edge => edge.Id, edge => CostModel.Capacity(edge) * Headroom);
        var choices = new Dictionary<string, Choice>();
        var wishes = fleet.Devices.Where(device => device.IsOnline)
            .Select(device => (Device: device, Ranked: WithHysteresis(device, Neurosurgeon.Ranked(options, costs, device, edges), last)))
            .Where(wish => wish.Ranked.Count > 0)
            .OrderByDescending(wish => GainPerEdgeSecond(wish.Ranked))
            .ThenBy(wish => wish.Device.Id, StringComparer.Ordinal);
        foreach (var (device, ranked) in wishes) choices[device.Id] = TakeFirstThatFits(device, ranked, room);
        return Choices.ForEach(fleet, device => choices.GetValueOrDefault(device.Id));
    }

    /// <summary>Puts the option in force first when nothing beats it by more than the hysteresis.</summary>
    private static List<(Choice Choice, double Cost)> WithHysteresis(DeviceView device, List<(Choice Choice, double Cost)> ranked, PlannerState last)
    {
        if (!last.Last.TryGetValue(device.Id, out var old)) return ranked;
        var kept = ranked.FindIndex(candidate => candidate.Choice.Option == old.Option && candidate.Choice.Edge == old.Edge);
        if (kept <= 0 || ranked[kept].Cost > ranked[0].Cost + Hysteresis * Math.Abs(ranked[0].Cost)) return ranked;
        if (!CostModel.IsAffordable(ranked[kept].Choice.Estimate, device) && CostModel.IsAffordable(ranked[0].Choice.Estimate, device)) return ranked;
        return [ranked[kept], .. ranked.Where((_, i) => i != kept)];
    }

    private static double GainPerEdgeSecond(List<(Choice Choice, double Cost)> ranked)
    {
        var (best, cost) = ranked[0];
        var alone = ranked.FirstOrDefault(candidate => candidate.Choice.Edge is null);
        if (best.Edge is null || alone.Choice is null || best.Estimate.EdgeTime.Value <= 0) return double.PositiveInfinity;
        return (alone.Cost - cost) / best.Estimate.EdgeTime.Value;
    }

    private static Choice TakeFirstThatFits(DeviceView device, List<(Choice Choice, double Cost)> ranked, Dictionary<string, double> room)
    {
        var rate = device.Budget?.RequestRate.Value ?? 0;
        foreach (var (choice, _) in ranked)
        {
            if (choice.Edge is not { } edge) return Said(choice, ranked, choice == ranked[0].Choice);
            var load = rate * choice.Estimate.EdgeTime.Value;
            if (load > room[edge]) continue;
            room[edge] -= load;
            return Said(choice, ranked, choice == ranked[0].Choice);
        }
        return Said(ranked[0].Choice, ranked, isFirst: true);
    }

    private static Choice Said(Choice choice, List<(Choice Choice, double Cost)> ranked, bool isFirst) =>
        choice with { Reason = isFirst ? Neurosurgeon.Explain(ranked) : "edge servers are full: next best" };
}
