using Fleet.Contracts;
using Fleet.Controller.Planning;

namespace Fleet.Controller;

/// <summary>Turns plans into desired assignments and publishes only what would run differently from what is already desired.</summary>
/// <param name="alone">What devices are told about deciding while no controller is there; null: nothing.</param>
public sealed class Rollout(string site, IBus bus, ControllerOptions options, DecisionTerms? alone = null)
{
    private readonly Dictionary<string, Assignment> desired = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Assignment> before = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Assignment Of, Option? Option)> found = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TailAssignment> edgeDesired = new(StringComparer.Ordinal);

    /// <summary>Of this controller's decisions; larger than any seen before it.</summary>
    public long Epoch { get; private set; }

    /// <summary>Of the last thing published.</summary>
    public long Version { get; private set; }

    /// <summary>Takes over from a controller before us: what it wanted stands until a plan wants something else.</summary>
    public void Adopt(FleetSnapshot fleet, long epochSeen, long versionSeen)
    {
        (Epoch, Version) = (epochSeen + 1, versionSeen);
        foreach (var device in fleet.Devices)
            if (device.Desired is { } assignment) desired[device.Id] = assignment;
        foreach (var edge in fleet.Edges)
            if (edge.Desired is { } assignment) edgeDesired[edge.Id] = assignment;
    }

    /// <summary>Somebody runs what a later controller decided: go beyond it and say everything again, or it will be refused.</summary>
    public void GoBeyond(long epoch, long version)
    {
        (Epoch, Version) = (epoch + 1, Math.Max(Version, version) + 1);
        foreach (var (edge, tails) in edgeDesired.ToList()) edgeDesired[edge] = tails with { Epoch = Epoch, Version = Version };
        foreach (var (device, assignment) in desired.ToList()) desired[device] = assignment with { Epoch = Epoch, Version = Version };
        Republish();
    }

    public Assignment? DesiredOf(string device) => desired.GetValueOrDefault(device);

    /// <summary>The option that a device runs by the assignment of this version; null when it is not among its last two, or no option of the table.</summary>
    public Option? OptionGiven(string device, long version, OptionTable table)
    {
        if (Given(device, version) is not { } assignment) return null;
        if (found.TryGetValue(device, out var last) && ReferenceEquals(last.Of, assignment)) return last.Option;
        var option = table.Find(assignment);
        found[device] = (assignment, option);
        return option;
    }

    private Assignment? Given(string device, long version) =>
        desired.GetValueOrDefault(device) is { } now && now.Version == version ? now : before.GetValueOrDefault(device) is { } last && last.Version == version ? last : null;

    public TailAssignment? EdgeDesiredOf(string edge) => edgeDesired.GetValueOrDefault(edge);

    /// <summary>Publishes what a plan changes, as far as changes are allowed: those who gain most come first.</summary>
    /// <param name="allowance">Bounds the changes; first assignments and moves away from an edge server that is gone are free.</param>
    /// <returns>The number of assignments that changed, and the devices that have to wait for theirs.</returns>
    public (int Changed, IReadOnlySet<string> Waiting) Publish(Plan plan, FleetSnapshot fleet, OptionTable table, ChangeAllowance allowance)
    {
        var (changed, waiting) = (0, new HashSet<string>(StringComparer.Ordinal));
        var clouds = fleet.LiveEdges.Where(edge => edge.IsCloud).Select(edge => edge.Id).Order(StringComparer.Ordinal).ToList();
        foreach (var (edge, i) in fleet.OnlineEdges.Select((edge, i) => (edge, i)))
            changed += PublishTails(edge.Id, table, edge.IsCloud || clouds.Count == 0 ? null : plan.Tiers, clouds.Count == 0 ? "" : clouds[i % clouds.Count]);
        var live = fleet.LiveEdges.Select(edge => edge.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var (device, choice) in allowance.IsBounded ? plan.Choices.OrderByDescending(pair => pair.Value.Gain).ThenBy(pair => pair.Key, StringComparer.Ordinal) : plan.Choices.AsEnumerable())
        {
            var assignment = choice.Option.Assign(choice.Edge, options.Deadline, options.ReportPeriod, options.ArtifactsUrl, choice.Reason);
            if (choice.Decision is { } decision) assignment = decision.Told(assignment, choice.Option, table);
            if (alone is not null) assignment = alone.WhenAlone(assignment, choice.Option, table);
            if (!desired.TryGetValue(device, out var standing) || standing.OffloadTo.Length > 0 && !live.Contains(standing.OffloadTo)) changed += Publish(device, assignment);
            else if (standing.RunsAs(assignment)) continue;
            else if (allowance.Take()) changed += Publish(device, assignment);
            else waiting.Add(device);
        }
        return (changed, waiting);
    }

    /// <inheritdoc cref="Publish(Plan, FleetSnapshot, OptionTable)"/>
    public int Publish(ViewGroup group) =>
        Publish(group.Edge, group.AssignTails(options)) + group.Members.Select((device, i) => Publish(device, group.Assign(i + 1, options))).Sum();

    private int Publish(string device, Assignment assignment)
    {
        if (desired.TryGetValue(device, out var standing) && standing.RunsAs(assignment)) return 0;
        if (standing is not null) before[device] = standing;
        desired[device] = assignment with { Version = ++Version, Epoch = Epoch };
        bus.Publish(new Topic(TopicKind.Desired, site, device), desired[device]);
        return 1;
    }

    /// <summary>Says again what stands: the broker may have lost its memory.</summary>
    public void Republish()
    {
        foreach (var (edge, tails) in edgeDesired) bus.Publish(new Topic(TopicKind.EdgeDesired, site, edge), tails);
        foreach (var (device, assignment) in desired) bus.Publish(new Topic(TopicKind.Desired, site, device), assignment);
    }

    private int PublishTails(string edge, OptionTable table, DecisionTerms? tiers, string cloud)
    {
        var model = table.Model;
        var tails = new TailAssignment
        {
            Version = 0,
            Epoch = 0,
            Model = model.Files.Card.Name,
            CardSha256 = model.Files.CardSha256,
            ArtifactsUrl = options.ArtifactsUrl,
            Tails = string.Join(",", Enumerable.Range(0, model.Files.Card.StageCount)),
            Bottlenecks = string.Join(',', table.Bottlenecks),
            Temperature = model.FinalTemperature,
            ReportPeriod = options.ReportPeriod,
            Reason = "every way to finish is offered",
        };
        if (tiers is not null) tails = tiers.Told(tails, cloud, table);
        return Publish(edge, tails);
    }

    private int Publish(string edge, TailAssignment tails)
    {
        if (edgeDesired.TryGetValue(edge, out var standing) && standing.RunsAs(tails)) return 0;
        edgeDesired[edge] = tails with { Version = ++Version, Epoch = Epoch };
        bus.Publish(new Topic(TopicKind.EdgeDesired, site, edge), edgeDesired[edge]);
        return 1;
    }
}
