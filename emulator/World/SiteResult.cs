using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Faults;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>Deliveries as they are written down: due, duplicated, delivered, dropped, superseded; by the name of their kind.</summary>
public sealed class MessageTable : SortedDictionary<string, IReadOnlyList<long>>
{
    private static readonly string[] Names = [.. MessageBooks.Kinds.Select(kind => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(kind.ToString()))];

    public MessageTable() : base(StringComparer.Ordinal)
    {
    }

    /// <param name="counts">In the order of <see cref="MessageBooks.Kinds"/>; kinds without any delivery are left out.</param>
    public static MessageTable Of(IEnumerable<MessageCounts> counts)
    {
        var table = new MessageTable();
        foreach (var (name, count) in Names.Zip(counts).Where(pair => pair.Second != default)) table[name] = [count.Due, count.Duplicated, count.Delivered, count.Dropped, count.Superseded];
        return table;
    }

    public void Add(MessageTable other)
    {
        foreach (var (name, counts) in other) this[name] = TryGetValue(name, out var mine) ? [.. mine.Zip(counts, (a, b) => a + b)] : counts;
    }

    public MessageTable Copy()
    {
        var copy = new MessageTable();
        copy.Add(this);
        return copy;
    }

    public MessageCounts Counts(string name) => TryGetValue(name, out var counts) ? new MessageCounts(counts[0], counts[1], counts[2], counts[3], counts[4]) : default;

    /// <summary>Of all kinds together.</summary>
    public MessageCounts Total => Keys.Select(Counts).Aggregate(default(MessageCounts), (sum, counts) => sum + counts);
}

/// <summary>One stretch of a site's run, or of many sites' together.</summary>
public sealed record SiteBin
{
    [JsonPropertyName("started")] public long Started { get; init; }

    /// <summary>Answered by exit 1, 2, ...; as many as the deepest that answered.</summary>
    [JsonPropertyName("exits")] public IReadOnlyList<long> Exits { get; init; } = [];
    [JsonPropertyName("offloaded")] public long Offloaded { get; init; }
    [JsonPropertyName("fallback")] public long Fallback { get; init; }
    [JsonPropertyName("deadline_missed")] public long DeadlineMissed { get; init; }
    [JsonPropertyName("labelled")] public long Labelled { get; init; }
    [JsonPropertyName("correct")] public long Correct { get; init; }
    [JsonPropertyName("latency_sum_s")] public Seconds LatencySum { get; init; }

    /// <summary>Pairs of a <see cref="Histogram"/>'s bin and its count.</summary>
    [JsonPropertyName("latency_counts")] public IReadOnlyList<long> LatencyCounts { get; init; } = [];
    [JsonPropertyName("skipped")] public long Skipped { get; init; }
    [JsonPropertyName("sent_bytes")] public Bytes Sent { get; init; }
    [JsonPropertyName("energy")] public EnergyFlows Energy { get; init; } = new();

    /// <summary>At the end of the stretch.</summary>
    [JsonPropertyName("stored_j")] public Joules Stored { get; init; }

    /// <summary>At the end of the stretch; absent where nobody has a battery.</summary>
    [JsonPropertyName("batteries")] public Batteries? Batteries { get; init; }
    [JsonPropertyName("messages")] public MessageTable Messages { get; init; } = [];

    [JsonIgnore] public long Answered => Exits.Sum() + Offloaded + Fallback;

    [JsonIgnore]
    public Histogram Latency
    {
        get
        {
            var histogram = new Histogram();
            AddLatencyTo(histogram);
            return histogram;
        }
    }

    /// <summary>All together; nothing gives an empty one.</summary>
    public static SiteBin Sum(IEnumerable<SiteBin> bins)
    {
        var sum = new BinSum();
        foreach (var bin in bins) sum.Add(bin);
        return sum.Total();
    }

    internal void AddLatencyTo(Histogram histogram) => histogram.Add(LatencyCounts as long[] ?? [.. LatencyCounts], LatencySum);

    /// <param name="answers">Null where nobody asked anything.</param>
    /// <param name="before">Totals at the begin of the stretch; null at the run's begin.</param>
    /// <param name="after">Totals at its end; null when the run was over before.</param>
    public static SiteBin Of(LedgerBin? answers, SiteSample? before, SiteSample? after)
    {
        answers ??= new LedgerBin();
        var bin = new SiteBin
        {
            Started = answers.Started,
            Exits = [.. answers.Exits.Take(Array.FindLastIndex(answers.Exits, count => count > 0) + 1)],
            Offloaded = answers.Edge,
            Fallback = answers.Fallback,
            DeadlineMissed = answers.DeadlineMissed,
            Labelled = answers.Labelled,
            Correct = answers.Correct,
            LatencySum = answers.Latency.Sum,
            LatencyCounts = answers.Latency.Pairs(),
        };
        if (after is null) return bin;
        return bin with
        {
            Skipped = after.Skipped - (before?.Skipped ?? 0),
            Sent = after.Sent - (before?.Sent ?? Bytes.Zero),
            Energy = after.Energy - (before?.Energy ?? new EnergyFlows()),
            Stored = after.Stored,
            Batteries = after.Batteries.Devices > 0 ? after.Batteries : null,
            Messages = MessageTable.Of(before is null ? after.Messages : after.Messages.Zip(before.Messages, (end, begin) => end - begin)),
        };
    }
}

/// <summary>One stretch of an edge server's run.</summary>
public sealed record EdgeBin
{
    [JsonPropertyName("served")] public long Served { get; init; }
    [JsonPropertyName("refused")] public long Refused { get; init; }
    [JsonPropertyName("expired")] public long Expired { get; init; }
    [JsonPropertyName("batches")] public double Batches { get; init; }

    /// <summary>Sum of the times that answered frames had waited for a worker.</summary>
    [JsonPropertyName("waited_s")] public Seconds Waited { get; init; }

    /// <summary>Time its processor computed.</summary>
    [JsonPropertyName("busy_s")] public Seconds Busy { get; init; }
    [JsonPropertyName("energy_j")] public Joules Energy { get; init; }

    public static EdgeBin Of(EdgeCounts counts) => new()
    {
        Served = counts.Served,
        Refused = counts.Refused,
        Expired = counts.Expired,
        Batches = counts.Batches,
        Waited = counts.Waited,
        Busy = counts.Busy,
        Energy = counts.Energy,
    };

    public EdgeBin Plus(EdgeBin other) => new()
    {
        Served = Served + other.Served,
        Refused = Refused + other.Refused,
        Expired = Expired + other.Expired,
        Batches = Batches + other.Batches,
        Waited = Waited + other.Waited,
        Busy = Busy + other.Busy,
        Energy = Energy + other.Energy,
    };
}

/// <summary>What one edge server did.</summary>
public sealed record EdgeResult
{
    [JsonPropertyName("id")] public required string Id { get; init; }
    [JsonPropertyName("profile")] public required string Profile { get; init; }
    [JsonPropertyName("workers")] public required int Workers { get; init; }
    [JsonPropertyName("bins")] public required IReadOnlyList<EdgeBin> Bins { get; init; }

    /// <summary>Absent where its memory for tails is not limited.</summary>
    [JsonPropertyName("tails")] public TailTraffic? Tails { get; init; }

    [JsonIgnore] public EdgeBin Total => Bins.Aggregate(new EdgeBin(), (sum, bin) => sum.Plus(bin));
}

/// <summary>A device that a fault had struck.</summary>
public sealed record DeviceReturn
{
    [JsonPropertyName("device")] public required string Device { get; init; }

    /// <summary>Its kind, and when it ended.</summary>
    [JsonPropertyName("fault")] public required string Fault { get; init; }
    [JsonPropertyName("ended_s")] public required Seconds Ended { get; init; }

    /// <summary>How long after that it was in service again; absent when it was not before the run's end, or its battery's.</summary>
    [JsonPropertyName("back_after_s")] public Seconds? BackAfter { get; init; }

    public static DeviceReturn Of(Recovery recovery) => new() { Device = recovery.Device, Fault = JsonNames.Of(recovery.Kind), Ended = recovery.Ended, BackAfter = recovery.After };
}

/// <summary>
/// All that a site's run leaves behind but for what each device did: counts, sums and histograms that can be added up with other sites'. A run's
/// result is made of its sites' results in the order of the file and of nothing else, so that shards of a fleet merge to the very same result.
/// </summary>
public sealed record SiteResult
{
    [JsonPropertyName("site")] public required string Site { get; init; }

    /// <summary>Digest of everything that happened on the site.</summary>
    [JsonPropertyName("hash")] public required string Hash { get; init; }

    /// <summary>Virtual time reached.</summary>
    [JsonPropertyName("reached_s")] public required Seconds Reached { get; init; }
    [JsonPropertyName("bin_s")] public required Seconds BinLength { get; init; }
    [JsonPropertyName("devices")] public required int Devices { get; init; }
    [JsonPropertyName("devices_online")] public required int DevicesOnline { get; init; }
    [JsonPropertyName("edges_online")] public required int EdgesOnline { get; init; }
    [JsonPropertyName("desired_equals_reported")] public required bool DesiredEqualsReported { get; init; }
    [JsonPropertyName("accuracy_expected_ratio")] public double? AccuracyExpected { get; init; }
    [JsonPropertyName("cut_off")] public required long CutOff { get; init; }
    [JsonPropertyName("in_flight")] public required long InFlight { get; init; }
    [JsonPropertyName("lost")] public required long Lost { get; init; }
    [JsonPropertyName("skipped")] public required long Skipped { get; init; }
    [JsonPropertyName("malformed")] public required long Malformed { get; init; }
    [JsonPropertyName("power_losses")] public required int PowerLosses { get; init; }
    [JsonPropertyName("reboots")] public required int Reboots { get; init; }

    /// <summary>Of the devices that have died, in the order of their deaths.</summary>
    [JsonPropertyName("lifetimes_s")] public required IReadOnlyList<Seconds> Lifetimes { get; init; }

    [JsonPropertyName("sent_bytes")] public required Bytes Sent { get; init; }
    [JsonPropertyName("energy")] public required EnergyFlows Energy { get; init; }
    [JsonPropertyName("stored_j")] public required Joules Stored { get; init; }
    [JsonPropertyName("messages")] public required MessageTable Messages { get; init; }
    [JsonPropertyName("messages_in_flight")] public required long MessagesInFlight { get; init; }

    /// <summary>What its cells and gateways saw; empty when all links are simple.</summary>
    [JsonPropertyName("radio")] public required SortedDictionary<string, long> Radio { get; init; }
    [JsonPropertyName("events")] public required long Events { get; init; }

    /// <summary>In the order of the devices' return; those that were not back come last.</summary>
    [JsonPropertyName("returns")] public required IReadOnlyList<DeviceReturn> Returns { get; init; }
    [JsonPropertyName("bins")] public required IReadOnlyList<SiteBin> Bins { get; init; }
    [JsonPropertyName("edges")] public required IReadOnlyList<EdgeResult> Edges { get; init; }

    /// <summary>Of a site that has run.</summary>
    public static SiteResult Of(SiteWorld world)
    {
        var (ledger, samples) = (world.Ledger, world.Samples);
        var inFlight = world.Devices.Sum(device => (long)device.InFlight);
        var end = samples[^1];
        return new SiteResult
        {
            Site = world.Name,
            Hash = ledger.Hash.ToString(),
            Reached = world.Reached,
            BinLength = ledger.BinLength,
            Devices = world.Devices.Count,
            DevicesOnline = world.Online,
            EdgesOnline = world.EdgesOnline,
            DesiredEqualsReported = world.DesiredEqualsReported,
            AccuracyExpected = world.ExpectedAccuracy,
            CutOff = ledger.CutOff,
            InFlight = inFlight,
            Lost = ledger.Lost(inFlight),
            Skipped = end.Skipped,
            Malformed = world.Devices.Sum(device => device.Malformed),
            PowerLosses = ledger.PowerLosses,
            Reboots = ledger.Reboots,
            Lifetimes = ledger.Lifetimes,
            Sent = end.Sent,
            Energy = end.Energy,
            Stored = end.Stored,
            Messages = MessageTable.Of(end.Messages),
            MessagesInFlight = world.MessagesInFlight,
            Radio = RadioRows(world),
            Events = world.Events,
            Returns = [.. world.Recoveries.Select(DeviceReturn.Of)],
            Bins = [.. Enumerable.Range(0, Math.Max(ledger.Bins.Count, samples.Count)).Select(i => SiteBin.Of(ledger.Bins.ElementAtOrDefault(i), samples.ElementAtOrDefault(i - 1), samples.ElementAtOrDefault(i)))],
            Edges = [.. ledger.Edges.Select((edge, i) => new EdgeResult
            {
                Id = edge.Id,
                Profile = edge.Profile,
                Workers = edge.Workers,
                Tails = edge.Tails,
                Bins = [.. samples.Select((sample, at) => EdgeBin.Of(sample.Edges.ElementAtOrDefault(i) - (at == 0 ? default : samples[at - 1].Edges.ElementAtOrDefault(i))))],
            })],
        };
    }

    private static SortedDictionary<string, long> RadioRows(SiteWorld world)
    {
        var rows = new SortedDictionary<string, long>(StringComparer.Ordinal);
        void Add(string key, long count) => rows[key] = rows.GetValueOrDefault(key) + count;
        foreach (var medium in world.Airspace.Media.Values)
        {
            Add("bursts_sent", medium.Sent);
            Add("bursts_collided", medium.Collided);
            Add("bursts_without_access", medium.Refused);
        }
        foreach (var gateway in world.Airspace.Gateways.Values)
        {
            Add("lora_frames_sent", gateway.FramesSent);
            Add("lora_frames_collided", gateway.FramesCollided);
            Add("lora_frames_unheard", gateway.FramesUnheard);
            Add("lora_messages_refused", gateway.MessagesRefused);
        }
        return rows;
    }
}
