using Fleet.Contracts;

namespace Fleet.Emulator;

/// <summary>
/// Adds up any fleet from what it publishes, and from nothing else. Totals in the windows make up for windows that were missed, so
/// what it calls lost is lost indeed.
/// </summary>
public sealed class FleetObserver : IDisposable
{
    private static readonly TopicKind[] Heard =
    [
        TopicKind.State, TopicKind.Budget, TopicKind.Infer, TopicKind.Desired, TopicKind.Reported, TopicKind.EdgeState, TopicKind.Summary,
    ];

    private readonly List<IDisposable> subscriptions;
    private readonly SortedDictionary<string, DeviceBook> devices = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Presence> edges = new(StringComparer.Ordinal);
    private readonly Seconds since;
    private readonly double[] exits = new double[PerExit.Max];
    private double count, offloaded, fallback, missed, labelled, correct, expected, expectedCount, p50, p95, timed, spent, sent;
    private long skipped, malformed, dropped;

    /// <param name="site">One site, or "+" for all.</param>
    public FleetObserver(IBus bus, TimeProvider clock, string site = "+")
    {
        since = clock.UnixTime();
        subscriptions = [.. Heard.Select(kind => bus.Subscribe(Topic.Filter(kind, site), OnMessage))];
    }

    public int DevicesOnline => devices.Values.Count(device => device.IsReady);

    /// <summary>Devices that run what they are desired to run, of those online.</summary>
    public int InAgreement => devices.Values.Count(device => device.IsReady && device.IsAgreed);

    public long Answered => devices.Values.Sum(device => device.Answered);

    /// <summary>What has been seen so far.</summary>
    public FleetFigures Figures()
    {
        double? Ratio(double part, double whole) => whole > 0 ? Quantity.Rounded(part / whole) : null;
        var online = devices.Values.Where(device => device.IsReady).ToList();
        return new FleetFigures
        {
            DevicesOnline = online.Count,
            EdgesOnline = edges.Values.Count(presence => presence is Presence.Ready),
            DesiredEqualsReported = online.Count > 0 && online.All(device => device.IsAgreed),
            Inferences = Answered,
            Lost = devices.Values.Sum(device => device.Lost),
            Accuracy = Ratio(correct, labelled),
            AccuracyExpected = Ratio(expected, expectedCount),
            ExitRatios = new PerExit(exits.Take(Array.FindLastIndex(exits, answers => answers > 0) + 1).Select(answers => Ratio(answers, count) ?? 0)),
            OffloadRatio = Ratio(offloaded, count),
            FallbackRatio = Ratio(fallback, count),
            DeadlineMissedRatio = Ratio(missed, count),
            LatencyP50 = Ratio(p50, timed) is { } half ? new Seconds(half) : null,
            LatencyP95 = Ratio(p95, timed) is { } most ? new Seconds(most) : null,
            EnergyPerInference = Ratio(spent, count) is { } each ? new Joules(each) : null,
            Power = Quantity.Rounded(new Watts(online.Sum(device => device.Power.Value))),
            BytesPerInference = Ratio(sent, count) is { } bytes ? new Bytes(bytes) : null,
            Skipped = skipped,
            Malformed = malformed,
            BrokerDropped = dropped,
        };
    }

    public void Dispose()
    {
        foreach (var subscription in subscriptions) subscription.Dispose();
    }

    private void OnMessage(Topic topic, Message message)
    {
        switch (topic.Kind, message)
        {
            case (TopicKind.State, State state): Device(topic).IsReady = state.Presence is Presence.Ready or Presence.Sleeping; break;
            case (TopicKind.Desired, Assignment desired): Device(topic).Desired = desired; break;
            case (TopicKind.Reported, Assignment reported): Device(topic).Reported = reported; break;
            case (TopicKind.Budget, Budget budget): Device(topic).Power = budget.Power ?? Watts.Zero; break;
            case (TopicKind.EdgeState, State state): edges[topic.Site + "/" + topic.Id] = state.Presence; break;
            case (TopicKind.Infer, InferWindow window) when Device(topic).Take(window): Add(window); break;
            case (TopicKind.Summary, Summary summary) when summary.SentAt >= since: Add(summary); break;
            case (_, Malformed): malformed++; break;
            default: break;
        }
    }

    private void Add(InferWindow window)
    {
        for (var exit = 1; exit <= window.Exits.Count; exit++) exits[exit - 1] += window.Exits.Of(exit);
        count += window.Count;
        offloaded += window.Offloaded;
        fallback += window.Fallback;
        missed += window.DeadlineMissed;
        labelled += window.Labelled;
        correct += window.Correct;
        skipped += window.Skipped;
        spent += window.Energy?.Value ?? 0;
        sent += window.BytesSent.Value;
        if (window is not { LatencyP50: { } half, LatencyP95: { } most }) return;
        p50 += half.Value * window.Count;
        p95 += most.Value * window.Count;
        timed += window.Count;
    }

    private void Add(Summary summary)
    {
        dropped = summary.BrokerDroppedTotal;
        if (summary.AccuracyEstimate is not { } estimate) return;
        expected += estimate * summary.Count;
        expectedCount += summary.Count;
    }

    private DeviceBook Device(Topic topic) =>
        devices.TryGetValue(topic.Site + "/" + topic.Id, out var device) ? device : devices[topic.Site + "/" + topic.Id] = new DeviceBook();

    private sealed class DeviceBook
    {
        private readonly WindowLog windows = new();
        private InferWindow? first;
        private InferWindow? last;
        private long answeredBefore, lostBefore;

        public bool IsReady { get; set; }

        public Watts Power { get; set; }

        public Assignment? Desired { get; set; }

        public Assignment? Reported { get; set; }

        public bool IsAgreed => Desired is not null && Reported is { Error: "" } && Reported.RunsAs(Desired);

        /// <summary>From the beginning of the first window that was seen to the end of the last, whatever was missed between.</summary>
        public long Answered => answeredBefore + (last is null ? 0 : last.AnsweredTotal - first!.AnsweredTotal + first.Count);

        /// <summary>An agent whose first window was seen is counted from zero; another from where it was met: what that had lost before is not known.</summary>
        public long Lost => lostBefore + (last is null ? 0 : Open(last) - (first is { Sequence: 0 } ? 0 : Open(first!)));

        /// <summary>False for a window that came before.</summary>
        public bool Take(InferWindow window)
        {
            if (!windows.Take(window, out var beganAnew)) return false;
            if (beganAnew) (answeredBefore, lostBefore, first, last) = (Answered, Lost, null, null);
            // One that was overtaken counts by itself; totals are the newest's.
            if (last is null || window.Sequence > last.Sequence) last = window;
            if (first is null || window.Sequence < first.Sequence) first = window;
            return true;
        }

        private static long Open(InferWindow window) => window.StartedTotal - window.AnsweredTotal - window.InFlight;
    }
}
