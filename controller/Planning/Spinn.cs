using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// Split and exit policy chosen together, one threshold for all exits: the most accurate within the latency, and of those the
/// cheapest for the edge server; the fastest when none is within. After Laskaridis et al., "SPINN: synergistic progressive inference of neural networks over device
/// and cloud", MobiCom 2020, whose targets are ordered likewise; features cross quantised.
/// </summary>
/// <param name="options">What there is.</param>
/// <param name="costs">Latencies and accuracies.</param>
/// <param name="deadline">That an inference should keep in the mean.</param>
public sealed class Spinn(OptionTable options, CostModel costs, Seconds deadline) : IPlanner
{
    public const string PolicyName = "spinn";

    private readonly List<Option> ways = [.. options.All.Where(option => option.Route is not { Bottleneck: > 0 } and not { Codec: FeatureCodec.Float16 or FeatureCodec.Float32 })];

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        return Choices.ForEach(fleet, device =>
        {
            var all = Splits.Ways(ways, costs, device, edges).ToList();
            var best = all.Where(choice => choice.Estimate.Latency <= deadline).OrderByDescending(choice => choice.Estimate.Accuracy).ThenBy(choice => choice.Estimate.EdgeTime.Value).ThenBy(choice => choice.Estimate.Latency.Value).FirstOrDefault();
            if (best is not null) return best with { Reason = string.Create(CultureInfo.InvariantCulture, $"spinn: most accurate within {deadline.Value * 1e3:G4} ms") };
            return all.MinBy(choice => choice.Estimate.Latency.Value) is { } fastest ? fastest with { Reason = string.Create(CultureInfo.InvariantCulture, $"spinn: nothing keeps {deadline.Value * 1e3:G4} ms, the fastest") } : null;
        });
    }
}
