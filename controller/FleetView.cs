using Fleet.Contracts;

namespace Fleet.Controller;

/// <summary>
/// Folds what a site says into snapshots. It decides who is online (a will, a silence of three report periods, a lost gateway) and
/// whether anything has changed that a plan could depend on.
/// </summary>
public sealed class FleetView(string site, IReadOnlyDictionary<string, HardwareProfile> profiles, TimeProvider clock)
{
    private const double SilentPeriods = 3;
    private readonly Entries<DeviceEntry> devices = new();
    private readonly Entries<EdgeEntry> edges = new();
    private readonly HashSet<string> lostGateways = new(StringComparer.Ordinal);

    // Nobody falls silent before this timestamp, if nothing was said that changes who is online.
    private long silenceAt = long.MinValue;
    private bool hasStirred;

    /// <summary>Grows with every change that a plan could depend on.</summary>
    public long Revision { get; private set; }

    /// <summary>Messages that could not be read.</summary>
    public long MalformedTotal { get; private set; }

    /// <summary>Largest epoch seen in anything a controller has said, or a device says it runs.</summary>
    public long EpochSeen { get; private set; }

    /// <summary>Largest version, likewise.</summary>
    public long VersionSeen { get; private set; }

    public void Fold(Topic topic, Message message)
    {
        switch (topic.Kind, message)
        {
            case (_, Malformed):
                MalformedTotal++;
                break;
            case (TopicKind.State, State state):
                Set(Device(topic.Id), state.Presence);
                break;
            case (TopicKind.Info, Info info):
                Set(Device(topic.Id), info);
                break;
            case (TopicKind.Budget, Budget budget):
                Fold(Device(topic.Id), budget);
                break;
            case (TopicKind.Infer, InferWindow):
                Hear(Device(topic.Id));
                break;
            case (TopicKind.Desired, Assignment desired):
                Device(topic.Id).Desired = desired;
                Said(desired.Epoch, desired.Version);
                break;
            case (TopicKind.Reported, Assignment reported):
                Fold(Device(topic.Id), reported);
                break;
            case (TopicKind.EdgeState, State state):
                Set(Edge(topic.Id), state.Presence);
                break;
            case (TopicKind.EdgeInfo, Info info):
                Set(Edge(topic.Id), info);
                break;
            case (TopicKind.EdgeLoad, EdgeLoad load):
                Fold(Edge(topic.Id), load);
                break;
            case (TopicKind.EdgeDesired, TailAssignment desired):
                Edge(topic.Id).Desired = desired;
                Said(desired.Epoch, desired.Version);
                break;
            case (TopicKind.EdgeReported, TailAssignment reported):
                Fold(Edge(topic.Id), reported);
                break;
            case (TopicKind.GatewayState, State state):
                if (state.Presence is Presence.Lost ? lostGateways.Add(topic.Id) : lostGateways.Remove(topic.Id)) Revision++;
                hasStirred = true;
                break;
            case (TopicKind.Plan, PlanReport plan):
                Said(plan.Epoch, plan.Version);
                break;
            default:
                break;
        }
    }

    public FleetSnapshot Snapshot() => new(
        site,
        [.. devices.InOrder.Where(pair => pair.Entry.Info is not null).Select(pair => pair.Entry.View(pair.Id, IsOnline(pair.Entry), Profile(pair.Entry.Info)))],
        [.. edges.InOrder.Where(pair => pair.Entry.Info is not null).Select(pair => pair.Entry.View(pair.Id, IsOnline(pair.Entry), Profile(pair.Entry.Info)))]);

    /// <summary>Notices who has fallen silent since the last look; costs nothing while nobody can have.</summary>
    public void Look()
    {
        if (!hasStirred && clock.GetTimestamp() < silenceAt) return;
        (hasStirred, silenceAt) = (false, long.MaxValue);
        foreach (var (_, entry) in devices.InOrder) Notice(entry, IsOnline(entry), PatienceWith(entry));
        foreach (var (_, entry) in edges.InOrder) Notice(entry, IsOnline(entry), PatienceWith(entry));
    }

    private void Notice(Entry entry, bool isOnline, Seconds patience)
    {
        if (isOnline) silenceAt = Math.Min(silenceAt, entry.Heard + (long)(patience.Value * clock.TimestampFrequency));
        if (entry.WasOnline == isOnline) return;
        entry.WasOnline = isOnline;
        Revision++;
    }

    private bool IsOnline(DeviceEntry entry)
    {
        if (entry.Info is { Gateway.Length: > 0 } info && lostGateways.Contains(info.Gateway)) return false;
        if (entry.State is Presence.Sleeping) return true;
        // A device that has reported once is alive even before its first head is ready: it needs an assignment to become so.
        return entry.State is Presence.Init or Presence.Ready && clock.Since(entry.Heard) < PatienceWith(entry);
    }

    private bool IsOnline(EdgeEntry entry) => entry.State is Presence.Init or Presence.Ready && clock.Since(entry.Heard) < PatienceWith(entry);

    private static Seconds PatienceWith(DeviceEntry entry) => PatienceAt(entry.Budget?.ReportPeriod);

    private static Seconds PatienceWith(EdgeEntry entry) => PatienceAt(entry.Reported?.ReportPeriod);

    private static Seconds PatienceAt(Seconds? reportPeriod) => (reportPeriod ?? new Seconds(5)) * SilentPeriods + new Seconds(1);

    private void Hear(Entry entry)
    {
        entry.Heard = clock.GetTimestamp();
        if (!entry.WasOnline) hasStirred = true;
    }

    private void Fold(DeviceEntry entry, Budget budget)
    {
        Hear(entry);
        if (entry.Budget?.ReportPeriod != budget.ReportPeriod) hasStirred = true;
        if (entry.Planned is not { } before || before.DiffersFrom(budget))
        {
            entry.Planned = new PlannedBudget(budget);
            Revision++;
        }
        entry.Budget = budget;
    }

    private void Fold(DeviceEntry entry, Assignment reported)
    {
        Said(reported.Epoch, reported.Version);
        Hear(entry);
        entry.Reported = reported;
    }

    private void Fold(EdgeEntry entry, EdgeLoad load)
    {
        Hear(entry);
        if (entry.Planned is not { } before || Differs(before, load))
        {
            entry.Planned = load;
            Revision++;
        }
        entry.Load = load;
    }

    /// <summary>How many can work, how fast, and how long frames wait; while none came nobody waited.</summary>
    private static bool Differs(EdgeLoad a, EdgeLoad b) =>
        a.Workers != b.Workers
        || PlannedBudget.Differs(a.QueueMean?.Value ?? 0, b.QueueMean?.Value ?? 0, floor: 0.005)
        || PlannedBudget.Differs(a.TailSeconds, b.TailSeconds, floor: 1e-4)
        || PlannedBudget.Differs(a.BottleneckSeconds, b.BottleneckSeconds, floor: 1e-4);

    private void Fold(EdgeEntry entry, TailAssignment reported)
    {
        Said(reported.Epoch, reported.Version);
        Hear(entry);
        hasStirred = true;
        if (entry.Reported?.RunsAs(reported) is not true) Revision++;
        entry.Reported = reported;
    }

    private void Set(Entry entry, Presence state)
    {
        Hear(entry);
        hasStirred = true;
        if (entry.State != state) Revision++;
        entry.State = state;
    }

    private void Set(Entry entry, Info info)
    {
        Hear(entry);
        hasStirred = true;
        if (entry.Info != info) Revision++;
        entry.Info = info;
    }

    private void Said(long epoch, long version)
    {
        EpochSeen = Math.Max(EpochSeen, epoch);
        VersionSeen = Math.Max(VersionSeen, version);
    }

    private HardwareProfile? Profile(Info? info) => info is not null && profiles.TryGetValue(info.Profile, out var profile) ? profile : null;

    private DeviceEntry Device(string id) => devices.Of(id);

    private EdgeEntry Edge(string id) => edges.Of(id);

    /// <summary>What is known by id: found fast, told in order.</summary>
    private sealed class Entries<T> where T : Entry, new()
    {
        private readonly Dictionary<string, T> byId = new(StringComparer.Ordinal);
        private readonly List<(string Id, T Entry)> inOrder = [];
        private bool isSorted = true;

        public IReadOnlyList<(string Id, T Entry)> InOrder
        {
            get
            {
                if (!isSorted) inOrder.Sort(static (a, b) => string.CompareOrdinal(a.Id, b.Id));
                isSorted = true;
                return inOrder;
            }
        }

        public T Of(string id)
        {
            if (byId.TryGetValue(id, out var known)) return known;
            var entry = new T();
            byId.Add(id, entry);
            inOrder.Add((id, entry));
            isSorted = false;
            return entry;
        }
    }

    private abstract class Entry
    {
        public Presence State { get; set; } = Presence.Disconnected;

        public long Heard { get; set; }

        public bool WasOnline { get; set; }

        public Info? Info { get; set; }
    }

    private sealed class DeviceEntry : Entry
    {
        public Budget? Budget { get; set; }

        /// <summary>The budget that the last plan could have seen.</summary>
        public PlannedBudget? Planned { get; set; }

        public Assignment? Desired { get; set; }

        public Assignment? Reported { get; set; }

        public DeviceView View(string id, bool isOnline, HardwareProfile? profile) =>
            new() { Id = id, IsOnline = isOnline, IsDutyCycled = State is Presence.Sleeping, Profile = profile, Info = Info, Budget = Budget, Desired = Desired, Reported = Reported };
    }

    private sealed class EdgeEntry : Entry
    {
        public EdgeLoad? Load { get; set; }

        /// <summary>The load that the last plan could have seen.</summary>
        public EdgeLoad? Planned { get; set; }

        public TailAssignment? Desired { get; set; }

        public TailAssignment? Reported { get; set; }

        public EdgeView View(string id, bool isOnline, HardwareProfile? profile) =>
            new() { Id = id, IsOnline = isOnline, IsStarting = State is Presence.Init, Profile = profile, Info = Info, Load = Load, Desired = Desired, Reported = Reported };
    }
}
