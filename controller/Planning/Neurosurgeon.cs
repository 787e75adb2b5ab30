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
        return Explain(cost, best.Edge is null, rival.Choice is null ? null : rival.Cost);
    }

    /// <param name="rival">What the best costs that is alone when this is not, or is not when this is; null when there is none.</param>
    internal static string Explain(double cost, bool isAlone, double? rival) => rival is { } other
        ? string.Create(CultureInfo.InvariantCulture, $"cost {cost * 1e3:F2} ms, best {(isAlone ? "with an edge server" : "alone")} {other * 1e3:F2} ms")
        : string.Create(CultureInfo.InvariantCulture, $"cost {cost * 1e3:F2} ms, nothing else is possible");
}
