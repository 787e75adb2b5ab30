using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// The least energy of device and edge server together at which a network with exits keeps a latency and an accuracy: a shortest path through a layered graph whose
/// vertices are (blocks run, node, latency spent) with latency in so many levels. After Singhal et al., "Resource-aware
/// deployment of dynamic DNNs over multi-tiered interconnected systems" (FIN), INFOCOM 2024. Every edge server is a node; an edge server runs
/// what is left of the network as one tail. Exits answer from one fixed confidence, so a block weighs its share of inputs.
/// </summary>
/// <param name="options">What there is.</param>
/// <param name="costs">Latencies, energies and accuracies.</param>
/// <param name="deadline">That an inference should keep in the mean.</param>
/// <param name="accuracyLoss">Accuracy below the whole network's that is allowed.</param>
public sealed class Fin(OptionTable options, CostModel costs, Seconds deadline, double accuracyLoss) : IPlanner
{
    public const string PolicyName = "fin";

    /// <summary>K: as much as docs/zoo shows exits to cost at half the work.</summary>
    public const double DefaultLoss = 0.01;

    /// <summary>Levels of latency up to the deadline. A latency counts as the level above it, so that no path is longer than it seems.</summary>
    public const int Levels = 64;

    private readonly List<Option> local = [.. options.All.Where(option => option.Route is null && (option.Head == 1 || option.Thresholds.Of(1) == OptionTable.DefaultThreshold)).OrderBy(option => option.Head)];
    private readonly List<Option> crossing = [.. options.All.Where(option => option.Route is not null && (option.Thresholds.Of(1) == OptionTable.DefaultThreshold || option.SendsAll))];

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        var least = options.Model.FullAccuracy - accuracyLoss;
        return Choices.ForEach(fleet, device =>
        {
            if (Path(device, edges, least) is { } path) return path with { Reason = string.Create(CultureInfo.InvariantCulture, $"fin: least energy within {deadline.Value * 1e3:G4} ms and {accuracyLoss * 100:G3} points") };
            var all = Splits.Ways(local.Concat(crossing), costs, device, edges).ToList();
            return all.Count == 0 ? null : all.OrderBy(choice => choice.Estimate.Accuracy < least).ThenBy(choice => choice.Estimate.Latency.Value).First() with { Reason = "fin: no path keeps latency and accuracy, the fastest" };
        });
    }

    /// <summary>The path of least energy; null when none keeps the limits.</summary>
    private Choice? Path(DeviceView device, IReadOnlyList<EdgeView> edges, double least)
    {
        if (device.Profile is not { } profile) return null;
        var (model, stages) = (options.Model, options.Model.Files.Card.StageCount);
        // spent[blocks, level]: least energy of having run so many blocks on the device within that level.
        var spent = new double[stages + 1, Levels + 1];
        for (var blocks = 0; blocks <= stages; blocks++)
            for (var level = 0; level <= Levels; level++) spent[blocks, level] = blocks == 0 ? 0 : double.PositiveInfinity;
        var shares = local[^1].StageShares;
        (double Energy, Choice? Choice) best = (double.PositiveInfinity, null);
        for (var blocks = 0; blocks <= stages; blocks++)
        {
            if (blocks > 0)
            {
                var (time, energy) = CostModel.Stage(model, blocks, device, profile);
                var steps = Steps(time * shares[blocks - 1]);
                for (var level = steps; level <= Levels; level++) spent[blocks, level] = spent[blocks - 1, level - steps] + energy.Value * shares[blocks - 1];
            }
            foreach (var sink in Sinks(blocks, device, edges))
            {
                if (sink.Estimate.Accuracy < least) continue;
                var (more, level) = (sink.Energy, Levels - Steps(sink.Seconds));
                if (level < 0 || !(spent[blocks, level] + more < best.Energy)) continue;
                best = (spent[blocks, level] + more, sink.Choice);
            }
        }
        return best.Choice;
    }

    /// <summary>Where a path may end that has run so many blocks on the device: at its exit, or on an edge server.</summary>
    private IEnumerable<(Choice Choice, Estimate Estimate, double Energy, Seconds Seconds)> Sinks(int blocks, DeviceView device, IReadOnlyList<EdgeView> edges)
    {
        if (blocks > 0 && Choices.Try(costs, local[blocks - 1], device, edge: null, "") is { } alone) yield return (alone, alone.Estimate, 0, Seconds.Zero);
        foreach (var option in crossing.Where(option => blocks == 0 ? option.SendsAll : !option.SendsAll && option.Head == blocks))
            foreach (var edge in edges)
            {
                if (Choices.Try(costs, option, device, edge, "") is not { } sent) continue;
                var (time, energy) = CostModel.Crossing(options.Model, option.Route!.Value, option.Payload, device, device.Profile!);
                var server = edge.Profile?.Power.Active.Value ?? Watts.Zero;
                var wait = (time + CostModel.RoundTrip(device) + CostModel.Queueing(edge)) * option.OffloadShare + sent.Estimate.EdgeTime;
                yield return (sent, sent.Estimate, (energy * option.OffloadShare + server * sent.Estimate.EdgeTime).Value, wait);
            }
    }

    private int Steps(Seconds time) => (int)Math.Min(Levels + 1, Math.Ceiling(time / deadline * Levels - 1e-9));
}
