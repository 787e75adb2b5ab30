using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// What a device's stages and its way to edge servers took, as moving averages, and what they were when it was last planned. One value a
/// stage, then the round trip; all in seconds.
/// </summary>
public sealed record MovingAverages(IReadOnlyList<double> Now, IReadOnlyList<double> Planned);

/// <summary>
/// The split of least latency by moving averages, planned anew for a device only when one of them has moved by more than 15 %. After SCIoT
/// (github.com/UBICO/SCIoT_python_client), which offloads layer by layer from microcontrollers over MQTT: exponential
/// averages of weight 0.2. It knows no exits.
/// </summary>
public sealed class Sciot(OptionTable options, CostModel costs) : IPlanner
{
    public const string PolicyName = "sciot";

    private const double Weight = 0.2;
    private const double Variation = 0.15;
    private readonly Splits splits = new(options);

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        var averages = new SortedDictionary<string, MovingAverages>(StringComparer.Ordinal);
        var (plan, state) = Choices.ForEach(fleet, device =>
        {
            if (device.Profile is not { } profile) return null;
            var before = last.Averages.GetValueOrDefault(device.Id);
            var seen = Seen(device, profile);
            var now = before is null ? seen : [.. before.Now.Zip(seen, (mean, value) => mean + Weight * (value - mean))];
            var standing = last.Last.GetValueOrDefault(device.Id);
            var isStanding = standing is not null && (standing.Edge is null || edges.Any(edge => edge.Id == standing.Edge));
            if (isStanding && before is not null && now.Zip(before.Planned).All(pair => Math.Abs(pair.First - pair.Second) <= Variation * pair.Second))
            {
                averages[device.Id] = before with { Now = now };
                return standing;
            }
            averages[device.Id] = new MovingAverages(now, now);
            var best = Splits.Ways(splits.Whole, costs, Averaged(device, now), edges).MinBy(choice => choice.Estimate.Latency.Value);
            return best is null ? Splits.Ways(splits.EndingAt, costs, device, edges).MaxBy(choice => choice.Option.Head) is { } deepest ? deepest with { Reason = "sciot: the deepest head that fits" } : null
                : best with { Reason = "sciot: split of least latency" };
        });
        return (plan, state with { Averages = averages });
    }

    private double[] Seen(DeviceView device, HardwareProfile profile) =>
    [
        .. Enumerable.Range(1, options.Model.Files.Card.StageCount).Select(stage => CostModel.Stage(options.Model, stage, device, profile).Time.Value),
        CostModel.RoundTrip(device).Value,
    ];

    /// <summary>The device as its averages describe it.</summary>
    private DeviceView Averaged(DeviceView device, IReadOnlyList<double> averages) => device.Budget is not { } budget ? device : device with
    {
        Budget = budget with { RoundTrip = new Seconds(averages[^1]), StageSeconds = new PerExit(averages.SkipLast(1)) },
        Reported = device.Reported is { } reported && reported.CardSha256 == options.Model.Files.CardSha256 ? reported : null,
    };
}
