using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>The whole network on every device that can hold it, early exits included; else the deepest head that fits.</summary>
public sealed class LocalOnly(OptionTable options, CostModel costs) : IPlanner
{
    public const string PolicyName = "local-only";

    private readonly List<Option> local =
    [
        .. options.All.Where(option => option.Route is null && (option.Head == 1 || option.Thresholds.Of(1) == OptionTable.DefaultThreshold)).OrderByDescending(option => option.Head),
    ];

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random) =>
        Choices.ForEachChanged(this, fleet, edges: [], last, (device, _) => local
            .Select(option => Choices.Try(costs, option, device, edge: null, $"local-only: {option.Head} stages fit"))
            .FirstOrDefault(choice => choice is not null));
}

/// <summary>Every input crosses as it is; the first stage stays on the device for when no edge server answers.</summary>
public sealed class OffloadAll(OptionTable options, CostModel costs) : IPlanner
{
    public const string PolicyName = "offload-all";

    private readonly Option option = options.Get(head: 1, OptionTable.Never, new Route(0, FeatureCodec.Raw));

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random) =>
        Choices.Spread(this, fleet, last, costs, option, "offload-all: every input crosses raw");
}

/// <summary>
/// One split for everybody: the first stage on the device, int8 features to the edge server below the default threshold. Where those are
/// not offered another way over cut 1 is taken, and where none is, everybody stays. Told so, it splits elsewhere or sends something else.
/// </summary>
public sealed class StaticSplit : IPlanner
{
    public const string PolicyName = "static-split";
    public const int DefaultCut = 1;

    private readonly OptionTable options;
    private readonly CostModel costs;
    private readonly LocalOnly local;
    private readonly Option? split;

    /// <param name="threshold">Confidence from which the exits held answer; above 1 never.</param>
    /// <param name="cut">Behind which stage; 0: the input crosses, the number of stages: nothing does, and the last exit answers.</param>
    /// <param name="codec">Of what crosses; none: int8 features, the raw input, the coded latent.</param>
    /// <param name="bottleneck">Number of one, 1.. in the card's order, which lies at a cut of its own; 0: none.</param>
    /// <exception cref="FaultsException">The model has no such route; the message lists those it has.</exception>
    public StaticSplit(OptionTable options, CostModel costs, double threshold = OptionTable.DefaultThreshold, int cut = DefaultCut, FeatureCodec codec = FeatureCodec.None, int bottleneck = 0)
    {
        (this.options, this.costs, local) = (options, costs, new LocalOnly(options, costs));
        split = cut == DefaultCut && codec is FeatureCodec.None && bottleneck == 0 ? Usual(threshold) : Asked(threshold, cut, codec, bottleneck);
    }

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        if (split is null) return local.Plan(fleet, last, random);
        if (split.Route is null) return Choices.ForEachChanged(this, fleet, edges: [], last, (device, _) => Choices.Try(costs, split, device, edge: null, $"static-split: all {split.Head} stages here"));
        return Choices.Spread(this, fleet, last, costs, split, string.Create(CultureInfo.InvariantCulture, $"static-split: {split.Route} below {split.Thresholds.Of(1)}"));
    }

    private Option? Usual(double threshold) =>
        options.All.Where(option => option.Head == 1 && option.Route is { Cut: 1 } && option.Thresholds.Of(1) == OptionTable.DefaultThreshold)
            .OrderByDescending(option => option.Route == new Route(1, FeatureCodec.Int8)).Select(option => options.Get(1, threshold, option.Route)).FirstOrDefault();

    private Option Asked(double threshold, int cut, FeatureCodec codec, int bottleneck)
    {
        var card = options.Model.Files.Card;
        if (bottleneck == 0 && cut == card.StageCount) return options.Count(cut, Enumerable.Repeat(threshold, cut).ToArray(), route: null);
        var routes = card.Routes.Select(card.RouteOf).Where(options.Model.Calibration.Knows).ToList();
        var asked = routes.Where(route => route.Bottleneck == bottleneck && (bottleneck > 0 || route.Cut == cut) && (codec is FeatureCodec.None || route.Codec == codec))
            .OrderByDescending(route => route.Codec is FeatureCodec.Int8 or FeatureCodec.Raw or FeatureCodec.Coded).Select(route => (Route?)route).FirstOrDefault();
        if (asked is not { } found) throw new FaultsException("policy static-split", $"{card.Name} has no route at cut {cut} by codec {Route.CodecName(codec)} over bottleneck {bottleneck}; it has {string.Join(", ", routes)}");
        var head = Math.Max(1, found.Cut);
        return options.Count(head, Enumerable.Repeat(threshold, head).ToArray(), found);
    }
}

/// <summary>What the policies share.</summary>
internal static class Choices
{
    public static (Plan, PlannerState) ForEach(FleetSnapshot fleet, Func<DeviceView, Choice?> choose)
    {
        var devices = InOrder(fleet.Devices);
        var choices = ChoiceTable.Of(devices, Array.ConvertAll(devices, device => device.IsOnline ? choose(device) : null));
        return (new Plan(choices), new PlannerState(choices));
    }

    /// <summary>As <see cref="ForEach"/>, where the choice depends on nothing but the device, its place and the edge servers: those who are the same as in the last plan keep what it chose.</summary>
    /// <param name="choose">Given a device and its place in order of ids, those offline included.</param>
    public static (Plan, PlannerState) ForEachChanged(IPlanner planner, FleetSnapshot fleet, IReadOnlyList<EdgeView> edges, PlannerState last, Func<DeviceView, int, Choice?> choose)
    {
        var devices = AsArray(fleet.Devices);
        var before = last.Asked is { } asked && asked.IsOf(planner, devices, edges) ? asked : null;
        if (before is null) devices = InOrder(devices);
        var choices = new Choice?[devices.Length];
        for (var place = 0; place < choices.Length; place++)
        {
            var device = devices[place];
            if (before is not null && device == (object)before.Devices[place]) choices[place] = before.Choices.At(place);
            else if (device.IsOnline) choices[place] = choose(device, place);
        }
        var table = ChoiceTable.Of(devices, choices, last.Last);
        return (new Plan(table), new PlannerState(table) { Asked = new Asked(planner, devices, edges, table) });
    }

    /// <summary>A view's own devices are an array already.</summary>
    public static DeviceView[] AsArray(IReadOnlyList<DeviceView> devices) => devices as DeviceView[] ?? [.. devices];

    public static DeviceView[] InOrder(IReadOnlyList<DeviceView> devices) => [.. devices.OrderBy(device => device.Id, StringComparer.Ordinal)];

    public static Choice? Try(CostModel costs, Option option, DeviceView device, EdgeView? edge, string reason) =>
        costs.Estimate(option, device, edge) is { } estimate ? new Choice(option, edge?.Id, estimate, reason) : null;

    /// <summary>The same option for all, dealt out over the live edge servers in order of ids. While none lives everybody keeps what it has.</summary>
    public static (Plan, PlannerState) Spread(IPlanner planner, FleetSnapshot fleet, PlannerState last, CostModel costs, Option option, string reason)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        if (edges.Count == 0) return ForEach(fleet, device => last.Last.GetValueOrDefault(device.Id));
        // Dealt with those offline, so that one that comes or goes moves nobody else.
        var able = new List<Choice>(edges.Count);
        return ForEachChanged(planner, fleet, edges, last, (device, place) =>
        {
            able.Clear();
            foreach (var edge in edges)
                if (Try(costs, option, device, edge, reason) is { } choice) able.Add(choice);
            return able.Count == 0 ? null : able[place % able.Count];
        });
    }
}
