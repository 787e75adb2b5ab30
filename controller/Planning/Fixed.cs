using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>The whole network on every device that can hold it, early exits included; else the deepest head that fits.</summary>
public sealed class LocalOnly(OptionTable options, CostModel costs) : IPlanner
{
    public const string PolicyName = "local-only";

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var local = options.All
            .Where(option => option.Route is null)
            .Where(option => option.Head == 1 || option.Thresholds.Of(1) == OptionTable.DefaultThreshold)
            .OrderByDescending(option => option.Head)
            .ToList();
        return Choices.ForEach(fleet, device => local
            .Select(option => Choices.Try(costs, option, device, edge: null, $"local-only: {option.Head} stages fit"))
            .FirstOrDefault(choice => choice is not null));
    }
}

/// <summary>Every input crosses as it is; the first stage stays on the device for when no edge server answers.</summary>
public sealed class OffloadAll(OptionTable options, CostModel costs) : IPlanner
{
    public const string PolicyName = "offload-all";

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var option = options.Get(head: 1, OptionTable.Never, new Route(0, FeatureCodec.Raw));
        return Choices.Spread(fleet, last, costs, option, "offload-all: every input crosses raw");
    }
}

/// <summary>
/// One split for everybody: the first stage on the device, int8 features to the edge server below the default threshold. Where those are
/// not offered another way over cut 1 is taken, and where none is, everybody stays.
/// </summary>
public sealed class StaticSplit(OptionTable options, CostModel costs, double threshold = OptionTable.DefaultThreshold) : IPlanner
{
    public const string PolicyName = "static-split";

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var split = options.All.Where(option => option.Head == 1 && option.Route is { Cut: 1 } && option.Thresholds.Of(1) == OptionTable.DefaultThreshold)
            .OrderByDescending(option => option.Route == new Route(1, FeatureCodec.Int8)).Select(option => options.Get(1, threshold, option.Route)).FirstOrDefault();
        return split is null
            ? new LocalOnly(options, costs).Plan(fleet, last, random)
            : Choices.Spread(fleet, last, costs, split, string.Create(CultureInfo.InvariantCulture, $"static-split: {split.Route} below {threshold}"));
    }
}

/// <summary>What the policies share.</summary>
internal static class Choices
{
    public static (Plan, PlannerState) ForEach(FleetSnapshot fleet, Func<DeviceView, Choice?> choose)
    {
        var choices = new SortedDictionary<string, Choice>(StringComparer.Ordinal);
        foreach (var device in fleet.Devices.Where(device => device.IsOnline))
            if (choose(device) is { } choice) choices.Add(device.Id, choice);
        return (new Plan(choices), new PlannerState(choices));
    }

    public static Choice? Try(CostModel costs, Option option, DeviceView device, EdgeView? edge, string reason) =>
        costs.Estimate(option, device, edge) is { } estimate ? new Choice(option, edge?.Id, estimate, reason) : null;

    /// <summary>The same option for all, dealt out over the live edge servers in order of ids. While none lives everybody keeps what it has.</summary>
    public static (Plan, PlannerState) Spread(FleetSnapshot fleet, PlannerState last, CostModel costs, Option option, string reason)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        // Ranked with those offline, so that one that comes or goes moves nobody else.
        var rank = fleet.Devices.Select(device => device.Id).Order(StringComparer.Ordinal).Select((id, i) => (id, i)).ToDictionary(pair => pair.id, pair => pair.i);
        return ForEach(fleet, device =>
        {
            if (edges.Count == 0) return last.Last.GetValueOrDefault(device.Id);
            var able = edges.Select(edge => Try(costs, option, device, edge, reason)).OfType<Choice>().ToList();
            return able.Count == 0 ? null : able[rank[device.Id] % able.Count];
        });
    }
}
