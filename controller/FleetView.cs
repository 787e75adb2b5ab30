using Fleet.Contracts;

namespace Fleet.Controller;

/// <summary>
/// Folds what a site says into snapshots. It decides who is online (a will, a silence of three report periods, a lost gateway) and
/// whether anything has changed that a plan could depend on.
/// </summary>
public sealed class FleetView(string site, IReadOnlyDictionary<string, HardwareProfile> profiles, TimeProvider clock)
{
    private const double SilentPeriods = 3;
    private readonly Entries<DeviceEntry, DeviceView> devices = new();
    private readonly Entries<EdgeEntry, EdgeView> edges = new();
    private readonly HashSet<string> lostGateways = new(StringComparer.Ordinal);

    // Nobody falls silent before this timestamp, if nothing was said that changes who is online.
    private long silenceAt = long.MinValue;
    private bool hasStirred;

    // Weak: reports of which there are newer ones are kept for nobody.
    private readonly WeakReference<FleetSnapshot?> last = new(null);

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
                Set(devices.Changed(Device(topic.Id)), state.Presence);
                break;
            case (TopicKind.Info, Info info):
                Set(devices.Changed(Device(topic.Id)), info);
                break;
            case (TopicKind.Info, Cleared):
                Forget(devices, topic.Id, IsOnline);
                break;
            case (TopicKind.Budget, Budget budget):
                Fold(devices.Changed(Device(topic.Id)), budget);
                break;
            case (TopicKind.Infer, InferWindow):
                Hear(Device(topic.Id));
                break;
            case (TopicKind.Desired, Assignment desired):
                devices.Changed(Device(topic.Id)).Desired = desired;
                Said(desired.Epoch, desired.Version);
                break;
            case (TopicKind.Reported, Assignment reported):
                Fold(devices.Changed(Device(topic.Id)), reported);
                break;
            case (TopicKind.EdgeState, State state):
                Set(edges.Changed(Edge(topic.Id)), state.Presence);
                break;
            case (TopicKind.EdgeInfo, Info info):
                Set(edges.Changed(Edge(topic.Id)), info);
                break;
            case (TopicKind.EdgeInfo, Cleared):
                Forget(edges, topic.Id, IsOnline);
                break;
            case (TopicKind.EdgeLoad, EdgeLoad load):
                Fold(edges.Changed(Edge(topic.Id)), load);
                break;
            case (TopicKind.EdgeDesired, TailAssignment desired):
                edges.Changed(Edge(topic.Id)).Desired = desired;
                Said(desired.Epoch, desired.Version);
                break;
            case (TopicKind.EdgeReported, TailAssignment reported):
                Fold(edges.Changed(Edge(topic.Id)), reported);
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

    /// <summary>Whether a device's window has not been heard before.</summary>
    public bool IsNew(string device, InferWindow window) => Device(device).Windows.Take(window, out _);

    /// <summary>What a device last said that it runs; null when it has said nothing, or not that it works: one that tells of inferences does, so that word of it got lost.</summary>
    public Assignment? ReportedBy(string device) => devices.Find(device) is { State: not Presence.Init } entry ? entry.Reported : null;

    /// <summary>Whether anything is remembered of a device, or of an edge server.</summary>
    public bool Knows(TopicKind kind, string id) => kind is TopicKind.EdgeInfo ? edges.Find(id) is not null : devices.Find(id) is not null;

    /// <summary>Whoever has not changed since the last one is the same object in this one.</summary>
    public FleetSnapshot Snapshot()
    {
        if (!IsCalm)
        {
            foreach (var entry in devices.InOrder) devices.Show(entry, IsOnline(entry));
            foreach (var entry in edges.InOrder) edges.Show(entry, IsOnline(entry));
        }
        var (seen, servers) = (devices.Views(entry => entry.View(Profile(entry.Info))), edges.Views(entry => entry.View(Profile(entry.Info))));
        if (last.TryGetTarget(out var known) && known.Devices == seen && known.Edges == servers) return known;
        var anew = new FleetSnapshot(site, seen, servers);
        last.SetTarget(anew);
        return anew;
    }

    /// <summary>Whether nobody can have come or fallen silent since the last look.</summary>
    private bool IsCalm => !hasStirred && clock.GetTimestamp() < silenceAt;

    /// <summary>Notices who has fallen silent since the last look; costs nothing while nobody can have.</summary>
    public void Look()
    {
        if (IsCalm) return;
        (hasStirred, silenceAt) = (false, long.MaxValue);
        foreach (var entry in devices.InOrder)
        {
            Notice(entry, IsOnline(entry), PatienceWith(entry));
            devices.Show(entry, entry.WasOnline);
        }
        foreach (var entry in edges.InOrder)
        {
            Notice(entry, IsOnline(entry), PatienceWith(entry));
            edges.Show(entry, entry.WasOnline);
        }
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

    /// <summary>Somebody took back what it said of itself. Who is online stays: it will say it again.</summary>
    private void Forget<T, TView>(Entries<T, TView> known, string id, Func<T, bool> isOnline) where T : Entry<TView>, new() where TView : class
    {
        if (known.Find(id) is not { } entry || isOnline(entry)) return;
        known.Remove(entry);
        Revision++;
    }

    private void Said(long epoch, long version)
    {
        EpochSeen = Math.Max(EpochSeen, epoch);
        VersionSeen = Math.Max(VersionSeen, version);
    }

    private HardwareProfile? Profile(Info? info) => info is not null && profiles.TryGetValue(info.Profile, out var profile) ? profile : null;

    private DeviceEntry Device(string id) => devices.Of(id);

    private EdgeEntry Edge(string id) => edges.Of(id);

    /// <summary>What is known by id: found fast, told in order, and seen as it was when it was last asked for unless it has changed.</summary>
    private sealed class Entries<T, TView> where T : Entry<TView>, new() where TView : class
    {
        private readonly Dictionary<string, T> byId = new(StringComparer.Ordinal);
        private readonly List<T> inOrder = [];
        private bool isSorted = true;

        // Null since something has changed.
        private TView[]? views;

        public List<T> InOrder
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
            var entry = new T { Id = id };
            byId.Add(id, entry);
            inOrder.Add(entry);
            isSorted = false;
            return entry;
        }

        /// <summary>Null when nothing has been heard of it.</summary>
        public T? Find(string id) => byId.GetValueOrDefault(id);

        public void Remove(T entry)
        {
            byId.Remove(entry.Id);
            inOrder.Remove(entry);
            views = null;
        }

        /// <summary>Something about it is going to be another.</summary>
        public T Changed(T entry)
        {
            (entry.Seen, views) = (null, null);
            return entry;
        }

        /// <summary>Whether it is seen to be online.</summary>
        public void Show(T entry, bool isOnline)
        {
            if (entry.IsShownOnline != isOnline) Changed(entry).IsShownOnline = isOnline;
        }

        /// <summary>Of all that have said what they are, in order of ids: the same array as long as nothing has changed.</summary>
        public TView[] Views(Func<T, TView> view) => views ??= [.. InOrder.Where(entry => entry.Info is not null).Select(entry => entry.Seen ??= view(entry))];
    }

    private abstract class Entry<TView> : Entry where TView : class
    {
        /// <summary>As it was last seen; null when it has changed since.</summary>
        public TView? Seen { get; set; }
    }

    private abstract class Entry
    {
        public string Id { get; init; } = "";

        public bool IsShownOnline { get; set; }

        public Presence State { get; set; } = Presence.Disconnected;

        public long Heard { get; set; }

        public bool WasOnline { get; set; }

        public Info? Info { get; set; }
    }

    private sealed class DeviceEntry : Entry<DeviceView>
    {
        public Budget? Budget { get; set; }

        /// <summary>The budget that the last plan could have seen.</summary>
        public PlannedBudget? Planned { get; set; }

        public Assignment? Desired { get; set; }

        public Assignment? Reported { get; set; }

        public WindowLog Windows { get; } = new();

        public DeviceView View(HardwareProfile? profile) =>
            new() { Id = Id, IsOnline = IsShownOnline, IsDutyCycled = State is Presence.Sleeping, Profile = profile, Info = Info, Budget = Budget, Desired = Desired, Reported = Reported };
    }

    private sealed class EdgeEntry : Entry<EdgeView>
    {
        public EdgeLoad? Load { get; set; }

        /// <summary>The load that the last plan could have seen.</summary>
        public EdgeLoad? Planned { get; set; }

        public TailAssignment? Desired { get; set; }

        public TailAssignment? Reported { get; set; }

        public EdgeView View(HardwareProfile? profile) =>
            new() { Id = Id, IsOnline = IsShownOnline, IsStarting = State is Presence.Init, Profile = profile, Info = Info, Load = Load, Desired = Desired, Reported = Reported };
    }
}
