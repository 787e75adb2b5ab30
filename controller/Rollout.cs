using Fleet.Contracts;
using Fleet.Controller.Energy;
using Fleet.Controller.Planning;
using Fleet.Controller.Quality;
using Fleet.Controller.Tails;

namespace Fleet.Controller;

/// <summary>Turns plans into desired assignments and publishes only what would run differently from what is already desired.</summary>
/// <param name="alone">What devices are told about deciding while no controller is there; null: nothing.</param>
/// <param name="energy">Tells devices how far their charge may fall; null: as far as it will.</param>
/// <param name="watch">Adds audits to what is planned, and what has been learnt from them; null: nobody audits.</param>
/// <param name="placement">Says which tails edge servers hold; null: all.</param>
public sealed class Rollout(string site, IBus bus, ControllerOptions options, DecisionTerms? alone = null, QualityWatch? watch = null, EnergyQueues? energy = null, TailPlacement? placement = null)
{
    private readonly Dictionary<string, Told> devices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TailAssignment> edgeDesired = new(StringComparer.Ordinal);
    private readonly SharedTerms shared = new();

    // The last plan, when every device has been told its part of it.
    private ChoiceTable? inForce;

    /// <summary>Of this controller's decisions; larger than any seen before it.</summary>
    public long Epoch { get; private set; }

    /// <summary>Of the last thing published.</summary>
    public long Version { get; private set; }

    /// <summary>Takes over from a controller before us: what it wanted stands until a plan wants something else.</summary>
    public void Adopt(FleetSnapshot fleet, long epochSeen, long versionSeen)
    {
        (Epoch, Version) = (epochSeen + 1, versionSeen);
        foreach (var device in fleet.Devices)
            if (device.Desired is { } assignment) ToldTo(device.Id).Tell(assignment, shared);
        foreach (var edge in fleet.Edges)
            if (edge.Desired is { } assignment) edgeDesired[edge.Id] = assignment;
    }

    /// <summary>Somebody runs what a later controller decided: go beyond it and say everything again, or it will be refused.</summary>
    public void GoBeyond(long epoch, long version)
    {
        (Epoch, Version) = (epoch + 1, Math.Max(Version, version) + 1);
        foreach (var (edge, tails) in edgeDesired.ToList()) edgeDesired[edge] = tails with { Epoch = Epoch, Version = Version };
        foreach (var told in devices.Values) told.Renew(Epoch, Version, shared);
        Republish();
    }

    /// <summary>Whether somebody runs what this controller's epoch has not said yet: its devices remember what it has forgotten, or somebody else speaks in its name. They would refuse what comes next as older.</summary>
    public bool IsBehind(Message reported) => reported switch
    {
        Assignment device => device.Epoch == Epoch && device.Version > Version,
        TailAssignment edge => edge.Epoch == Epoch && edge.Version > Version,
        _ => false,
    };

    public Assignment? DesiredOf(string device) => devices.GetValueOrDefault(device)?.Desired;

    /// <summary>Whether a device reports to run what is desired, whoever decided it, when and why.</summary>
    public bool IsRunBy(DeviceView device) => device.Reported is { Error: "" } reported && devices.TryGetValue(device.Id, out var told) && reported.RunsAs(told.Terms!.Said);

    /// <summary>Most devices run what is desired: what these report is kept once for all that were told the same, without version and reason.</summary>
    public Assignment Shared(string device, Assignment reported) => devices.TryGetValue(device, out var told) && told.Is(reported) ? told.Terms!.Said : reported;

    /// <summary>The option that a device runs by the assignment of this version; null when it is not among its last two, or no option of the table.</summary>
    public Option? OptionGiven(string device, long version, OptionTable table) => devices.GetValueOrDefault(device)?.By(version)?.OptionIn(table);

    /// <summary>What a device was given under this version, but for version and reason; null when it is not among its last two.</summary>
    public Assignment? Given(string device, long version) => devices.GetValueOrDefault(device)?.By(version)?.Said;

    /// <summary>A device is gone for good: what it was told is not said again.</summary>
    public void Forget(string device)
    {
        devices.Remove(device);
        // It may come back before the next plan, which would then find nothing new for it.
        inForce = null;
    }

    /// <inheritdoc cref="Forget"/>
    public void ForgetEdge(string edge) => edgeDesired.Remove(edge);

    public TailAssignment? EdgeDesiredOf(string edge) => edgeDesired.GetValueOrDefault(edge);

    /// <summary>Publishes what a plan changes, as far as changes are allowed: those who gain most come first.</summary>
    /// <param name="allowance">Bounds the changes; first assignments and moves away from an edge server that is gone, or from a tail that goes, are free.</param>
    /// <returns>The number of assignments that changed, and the devices that have to wait for theirs.</returns>
    public (int Changed, IReadOnlySet<string> Waiting) Publish(Plan plan, FleetSnapshot fleet, OptionTable table, ChangeAllowance allowance)
    {
        var (changed, waiting) = (0, new HashSet<string>(StringComparer.Ordinal));
        var clouds = fleet.LiveEdges.Where(edge => edge.IsCloud).Select(edge => edge.Id).Order(StringComparer.Ordinal).ToList();
        foreach (var (edge, i) in fleet.OnlineEdges.Select((edge, i) => (edge, i)))
            changed += PublishTails(edge.Id, table, edge.IsCloud || clouds.Count == 0 ? null : plan.Tiers, clouds.Count == 0 ? "" : clouds[i % clouds.Count]);
        // Asked for first assignments only, of which most plans have none.
        var empty = new Lazy<HashSet<string>>(() => fleet.Devices.Where(device => device.Reported is null).Select(device => device.Id).ToHashSet(StringComparer.Ordinal));
        var live = fleet.LiveEdges.ToDictionary(edge => edge.Id, StringComparer.Ordinal);
        // What has been learnt, and who is asked about audits, may concern those whose choice stays.
        var others = plan.Choices.Since(watch is null && energy is null ? inForce : null);
        var auditor = watch is null ? null : Auditor(fleet);
        foreach (var (device, choice) in allowance.IsBounded ? others.OrderByDescending(pair => pair.Value.Gain).ThenBy(pair => pair.Key, StringComparer.Ordinal) : others)
        {
            var assignment = choice.Option.Assign(choice.Edge, options, choice.Reason);
            if (choice.Decision is { } decision) assignment = decision.Told(assignment, choice.Option, table);
            if (alone is not null) assignment = alone.WhenAlone(assignment, choice.Option, table);
            if (energy is not null) assignment = energy.Apply(device, choice, assignment);
            if (watch is not null) assignment = watch.Apply(assignment, devices.GetValueOrDefault(device)?.Terms!.Said.AuditTo is { } known && live.ContainsKey(known) ? known : auditor);
            if (!devices.TryGetValue(device, out var told))
            {
                changed += Publish(device, assignment);
                devices[device].IsBeginner = empty.Value.Contains(device);
                continue;
            }
            var standing = told.Terms!.Said;
            if (standing.OffloadTo.Length > 0 && !(live.TryGetValue(standing.OffloadTo, out var server) && Finishes(server, standing))) changed += Publish(device, assignment);
            else if (standing.RunsAs(assignment)) continue;
            else if (told.IsBeginner || allowance.Take())
            {
                told.IsBeginner = false;
                changed += Publish(device, assignment);
            }
            else
            {
                waiting.Add(device);
            }
        }
        inForce = waiting.Count == 0 ? plan.Choices : null;
        return (changed, waiting);
    }

    private static bool Finishes(EdgeView edge, Assignment standing) =>
        edge.Reported?.Finishes(standing.Cut, standing.Bottleneck) is true;

    /// <summary>Of the edge servers that finish at most cuts the one that has most time to spare for the audits of those who send nothing else; whoever has one that lives keeps it.</summary>
    private static string? Auditor(FleetSnapshot fleet) => fleet.LiveEdges.MinBy(edge => (-edge.Reported!.Cuts.Count, edge.Load?.Busy ?? 0, edge.Id))?.Id;

    /// <inheritdoc cref="Publish(Plan, FleetSnapshot, OptionTable)"/>
    public int Publish(ViewGroup group) =>
        Publish(group.Edge, group.AssignTails(options)) + group.Members.Select((device, i) => Publish(device, group.Assign(i + 1, options))).Sum();

    private int Publish(string device, Assignment assignment)
    {
        var told = ToldTo(device);
        if (told.Terms?.Said.RunsAs(assignment) is true) return 0;
        var desired = assignment with { Version = ++Version, Epoch = Epoch };
        told.Tell(desired, shared);
        bus.Publish(new Topic(TopicKind.Desired, site, device), desired);
        return 1;
    }

    /// <summary>Says again what stands: the broker may have lost its memory.</summary>
    public void Republish()
    {
        foreach (var (edge, tails) in edgeDesired) bus.Publish(new Topic(TopicKind.EdgeDesired, site, edge), tails);
        foreach (var (device, told) in devices) bus.Publish(new Topic(TopicKind.Desired, site, device), told.Desired!);
    }

    /// <summary>Says again what a device was told that does not say that it runs it, if <paramref name="reminders"/> find that it is time.</summary>
    /// <param name="runs">Version that its window names.</param>
    /// <param name="reported">What it last said that it runs; null when it has said nothing, or not that it works.</param>
    public void Remind(string device, long runs, Assignment? reported, Reminders reminders)
    {
        if (!devices.TryGetValue(device, out var told)) return;
        var isRun = runs == told.Version && reported is { Error: "" } && reported.RunsAs(told.Terms!.Said);
        if (!reminders.IsDue(device, told.Version, isRun)) return;
        bus.Publish(new Topic(TopicKind.Desired, site, device), told.Desired!);
    }

    private Told ToldTo(string device)
    {
        if (!devices.TryGetValue(device, out var told)) devices.Add(device, told = new Told());
        return told;
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
        if (placement is not null) tails = placement.Told(tails, edge);
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

    /// <summary>What one device was told.</summary>
    private sealed class Told
    {
        private long versionBefore;
        private string reason = "";
        private Terms? before;

        public long Version { get; private set; }

        /// <summary>Null only until it is told the first time.</summary>
        public Terms? Terms { get; private set; }

        /// <summary>It ran nothing when it was told something first, and has been told nothing else: that may have been what came soonest, not what is best.</summary>
        public bool IsBeginner { get; set; }

        /// <inheritdoc cref="Terms"/>
        public Assignment? Desired => Terms is null ? null : Terms.Said with { Version = Version, Reason = reason };

        public void Tell(Assignment assignment, SharedTerms shared)
        {
            (before, versionBefore) = (Terms, Version);
            (Terms, Version, reason) = (shared.Of(assignment), assignment.Version, assignment.Reason);
        }

        /// <summary>The same, said by a later epoch.</summary>
        public void Renew(long epoch, long next, SharedTerms shared) => (Terms, Version) = (shared.Of(Terms!.Said with { Epoch = epoch }), next);

        public bool Is(Assignment reported) => reported.Version == Version && reported.Reason == reason && Terms is { } terms && terms.Said == SharedTerms.Bare(reported);

        /// <summary>Of its last two the one of this version.</summary>
        public Terms? By(long wanted) => Terms is not null && Version == wanted ? Terms : before is not null && versionBefore == wanted ? before : null;
    }

    /// <summary>What devices are told but for version and reason, which are each device's own.</summary>
    private sealed class Terms(Assignment said)
    {
        private (OptionTable Table, Option? Option)? found;

        public Assignment Said => said;

        public Option? OptionIn(OptionTable table)
        {
            if (found is not { } known || known.Table != table) found = known = (table, table.Find(said));
            return known.Option;
        }
    }

    /// <summary>Finds terms again: the devices of a site are told one of some hundred things.</summary>
    private sealed class SharedTerms
    {
        /// <summary>Of more, all are forgotten: thresholds that are learnt, or bounds of batteries, may be each device's own.</summary>
        private const int CountMax = 1024;
        private readonly Dictionary<Assignment, Terms> known = [];

        public Terms Of(Assignment assignment)
        {
            var bare = Bare(assignment);
            if (known.TryGetValue(bare, out var terms)) return terms;
            if (known.Count >= CountMax) known.Clear();
            known.Add(bare, terms = new Terms(bare));
            return terms;
        }

        public static Assignment Bare(Assignment assignment) => assignment with { Version = 0, Reason = "" };
    }
}
