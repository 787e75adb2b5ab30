using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// Right-sizing and partition together: of the exits at which the network may end, deepest first, the first that some partition brings in
/// within the deadline, at the partition with the least latency. Li, Zhou and Chen, "Edge intelligence: on-demand deep learning model
/// co-inference with device-edge synergy", MECOMM 2018. Our edge servers hold whole tails only, so that a network that ends early ends on the device.
/// </summary>
/// <param name="options">What there is.</param>
/// <param name="costs">Latencies and accuracies.</param>
/// <param name="deadline">That an inference should keep in the mean.</param>
public sealed class Edgent(OptionTable options, CostModel costs, Seconds deadline) : IPlanner
{
    public const string PolicyName = "edgent";

    /// <summary>K: no source; tune it to what is asked of a site.</summary>
    public const double DefaultDeadline = 0.05;

    private readonly Splits splits = new(options);

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        return Choices.ForEach(fleet, device =>
        {
            Choice? fastest = null;
            for (var exit = splits.EndingAt.Count; exit >= 1; exit--)
            {
                var ending = exit == splits.EndingAt.Count ? splits.Whole : [splits.EndingAt[exit - 1]];
                var best = Splits.Ways(ending, costs, device, edges).MinBy(choice => choice.Estimate.Latency.Value);
                if (best is null) continue;
                if (best.Estimate.Latency <= deadline) return best with { Reason = string.Create(CultureInfo.InvariantCulture, $"edgent: exit {exit} keeps {deadline.Value * 1e3:G4} ms") };
                if (fastest is null || best.Estimate.Latency < fastest.Estimate.Latency) fastest = best;
            }
            return fastest is null ? null : fastest with { Reason = string.Create(CultureInfo.InvariantCulture, $"edgent: nothing keeps {deadline.Value * 1e3:G4} ms, the fastest") };
        });
    }
}
