using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>Something said over the bus. The record in memory is the message on the wire: what has been published is never changed.</summary>
public abstract record Message
{
    /// <summary>What is out of range, one sentence a fault; empty when the message may be believed.</summary>
    public virtual IEnumerable<string> Faults() => [];

    private protected static IEnumerable<string> Ratio(string key, double? value) =>
        value is null or (>= 0 and <= 1) ? [] : [$"{key} is {value}; allowed: 0 to 1"];

    private protected static IEnumerable<string> Positive(string key, double? value) =>
        value is null or (> 0 and < double.PositiveInfinity) ? [] : [$"{key} is {value}; allowed: above 0"];

    private protected static IEnumerable<string> NotNegative(string key, double? value) =>
        value is null or (>= 0 and < double.PositiveInfinity) ? [] : [$"{key} is {value}; allowed: 0 or more"];
}

/// <summary>What could not be read: delivered in place of the message, so that the receiver counts it and says so.</summary>
public sealed record Malformed(string Reason, int PayloadBytes) : Message;

/// <summary>Life of a device, an edge server or a gateway.</summary>
public enum Presence
{
    Init,
    Ready,

    /// <summary>Duty-cycled: away on purpose, not to be declared lost.</summary>
    Sleeping,
    Disconnected,
    Lost,
}

/// <summary>Topic state: one plain word, not JSON.</summary>
public sealed record State(Presence Presence) : Message
{
    public static readonly State Init = new(Presence.Init);
    public static readonly State Ready = new(Presence.Ready);
    public static readonly State Disconnected = new(Presence.Disconnected);
    public static readonly State Lost = new(Presence.Lost);

    public string Word => Presence switch
    {
        Presence.Init => "init",
        Presence.Ready => "ready",
        Presence.Sleeping => "sleeping",
        Presence.Disconnected => "disconnected",
        _ => "lost",
    };

    public static State? Parse(string word) => word switch
    {
        "init" => Init,
        "ready" => Ready,
        "sleeping" => new State(Presence.Sleeping),
        "disconnected" => Disconnected,
        "lost" => Lost,
        _ => null,
    };
}

/// <summary>Topic info: what a device or an edge server is. It changes when the process restarts.</summary>
public sealed record Info : Message
{
    [JsonPropertyName("board")] public required string Board { get; init; }
    [JsonPropertyName("stack")] public required string Stack { get; init; }

    /// <summary>Id of the hardware profile that planners may fall back on.</summary>
    [JsonPropertyName("profile")] public required string Profile { get; init; }
    [JsonPropertyName("agent_version")] public required string AgentVersion { get; init; }
    [JsonPropertyName("os")] public required string Os { get; init; }
    [JsonPropertyName("emulated")] public required bool Emulated { get; init; }
    [JsonPropertyName("seed")] public long? Seed { get; init; }
    [JsonPropertyName("memory_bytes")] public Bytes Memory { get; init; }
    [JsonPropertyName("storage_bytes")] public Bytes Storage { get; init; }

    /// <summary>Codecs it can write (device) or read (edge server), separated by commas.</summary>
    [JsonPropertyName("codecs")] public string Codecs { get; init; } = "";

    /// <summary>The shared connection it speaks through; empty when it has its own.</summary>
    [JsonPropertyName("gateway")] public string Gateway { get; init; } = "";

    public override IEnumerable<string> Faults() =>
        [.. NotNegative("memory_bytes", Memory.Value), .. NotNegative("storage_bytes", Storage.Value)];
}

/// <summary>Topic budget: what the device can spare now. An absent key is unknown.</summary>
public sealed record Budget : Message
{
    [JsonPropertyName("seq")] public required long Sequence { get; init; }

    /// <summary>Unix time; the report is stale after <see cref="SentAt"/> + twice <see cref="ReportPeriod"/>.</summary>
    [JsonPropertyName("sent_unix_s")] public required Seconds SentAt { get; init; }
    [JsonPropertyName("report_s")] public required Seconds ReportPeriod { get; init; }

    /// <summary>Share of the processor that inference may use.</summary>
    [JsonPropertyName("compute_share_ratio")] public double ComputeShare { get; init; } = 1;
    [JsonPropertyName("cpu_temperature_c")] public Celsius? CpuTemperature { get; init; }
    [JsonPropertyName("memory_free_bytes")] public Bytes? MemoryFree { get; init; }
    [JsonPropertyName("storage_free_bytes")] public Bytes? StorageFree { get; init; }
    [JsonPropertyName("battery_j")] public Joules? Battery { get; init; }
    [JsonPropertyName("battery_ratio")] public double? BatteryRatio { get; init; }
    [JsonPropertyName("harvest_w")] public Watts? Harvest { get; init; }
    [JsonPropertyName("power_w")] public Watts? Power { get; init; }

    /// <summary>True when power_w comes from a sensor, false when it is an estimate from the profile.</summary>
    [JsonPropertyName("power_measured")] public bool PowerMeasured { get; init; }

    /// <summary>Mean power that inference may use so that the battery lasts.</summary>
    [JsonPropertyName("energy_budget_w")] public Watts? EnergyBudget { get; init; }
    [JsonPropertyName("request_rate_hz")] public Hertz RequestRate { get; init; }
    [JsonPropertyName("uplink_bytes_per_s")] public BytesPerSecond? Uplink { get; init; }
    [JsonPropertyName("rtt_s")] public Seconds? RoundTrip { get; init; }
    [JsonPropertyName("link_loss_ratio")] public double? LinkLoss { get; init; }
    [JsonPropertyName("tx_energy_j_per_byte")] public JoulesPerByte? TxEnergy { get; init; }

    /// <summary>Measured latency of each stage held.</summary>
    [JsonPropertyName("stage_{n}_s")] public PerExit StageSeconds { get; init; } = new();

    /// <summary>Energy of one run of each stage held.</summary>
    [JsonPropertyName("stage_{n}_j")] public PerExit StageJoules { get; init; } = new();

    /// <summary>Measured latency of the encoder of the bottleneck in use.</summary>
    [JsonPropertyName("encoder_s")] public Seconds? EncoderTime { get; init; }

    public override IEnumerable<string> Faults() =>
    [
        .. NotNegative("report_s", ReportPeriod.Value), .. Ratio("compute_share_ratio", ComputeShare), .. NotNegative("battery_j", Battery?.Value),
        .. Ratio("battery_ratio", BatteryRatio), .. NotNegative("power_w", Power?.Value), .. NotNegative("energy_budget_w", EnergyBudget?.Value),
        .. NotNegative("request_rate_hz", RequestRate.Value), .. Positive("uplink_bytes_per_s", Uplink?.Value), .. NotNegative("rtt_s", RoundTrip?.Value),
        .. Ratio("link_loss_ratio", LinkLoss), .. NotNegative("tx_energy_j_per_byte", TxEnergy?.Value), .. NotNegative("memory_free_bytes", MemoryFree?.Value), .. NotNegative("storage_free_bytes", StorageFree?.Value),
        .. StageSeconds.SelectMany((value, i) => NotNegative($"stage_{i + 1}_s", value)), .. StageJoules.SelectMany((value, i) => NotNegative($"stage_{i + 1}_j", value)),
        .. NotNegative("encoder_s", EncoderTime?.Value),
    ];
}

/// <summary>Topic infer: what happened in one window. Totals run from the agent's start, so that a lost window breaks no books.</summary>
public sealed record InferWindow : Message
{
    [JsonPropertyName("seq")] public required long Sequence { get; init; }
    [JsonPropertyName("sent_unix_s")] public required Seconds SentAt { get; init; }
    [JsonPropertyName("window_s")] public required Seconds Window { get; init; }

    /// <summary>Of the assignment that ran. Each assignment has windows of its own; an answer that was still due at the change counts in the next.</summary>
    [JsonPropertyName("version")] public long Version { get; init; }

    /// <summary>Inferences answered in the window: the sum of exit_n, offloaded and fallback.</summary>
    [JsonPropertyName("count")] public required int Count { get; init; }

    /// <summary>Of these, inputs whose label is known, as in replay; and how many of them were answered with it.</summary>
    [JsonPropertyName("labelled")] public int Labelled { get; init; }
    [JsonPropertyName("correct")] public int Correct { get; init; }

    /// <summary>Answered by each exit, by plan.</summary>
    [JsonPropertyName("exit_{n}")] public PerExit Exits { get; init; } = new();
    [JsonPropertyName("offloaded")] public int Offloaded { get; init; }

    /// <summary>Answered by the deepest exit on the device because no edge server did in time.</summary>
    [JsonPropertyName("fallback")] public int Fallback { get; init; }
    [JsonPropertyName("deadline_missed")] public int DeadlineMissed { get; init; }
    [JsonPropertyName("latency_p50_s")] public Seconds? LatencyP50 { get; init; }
    [JsonPropertyName("latency_p95_s")] public Seconds? LatencyP95 { get; init; }

    /// <summary>Energy of the window's inferences: computing and sending, without idling.</summary>
    [JsonPropertyName("energy_j")] public Joules? Energy { get; init; }
    [JsonPropertyName("bytes_sent")] public Bytes BytesSent { get; init; }
    [JsonPropertyName("confidence_mean")] public double? ConfidenceMean { get; init; }

    /// <summary>Confident inputs sent all the same to check the exit, and how often the tail agreed.</summary>
    [JsonPropertyName("audited")] public int Audited { get; init; }
    [JsonPropertyName("audit_agreed")] public int AuditAgreed { get; init; }

    /// <summary>Inputs that came while the device was still busy with as many as it may queue.</summary>
    [JsonPropertyName("skipped")] public int Skipped { get; init; }
    [JsonPropertyName("started_total")] public long StartedTotal { get; init; }
    [JsonPropertyName("answered_total")] public long AnsweredTotal { get; init; }
    [JsonPropertyName("in_flight")] public int InFlight { get; init; }

    public override IEnumerable<string> Faults()
    {
        if (Count < 0) yield return $"count is {Count}; allowed: 0 or more";
        if (Labelled < 0 || Labelled > Count) yield return $"labelled is {Labelled}; allowed: 0 to count ({Count})";
        if (Correct < 0 || Correct > Labelled) yield return $"correct is {Correct}; allowed: 0 to labelled ({Labelled})";
        foreach (var fault in Exits.SelectMany((value, i) => NotNegative($"exit_{i + 1}", value)).Concat(Amounts())) yield return fault;
        var answered = Exits.Sum() + Offloaded + Fallback;
        if (answered != Count) yield return $"exit_n + offloaded + fallback is {answered}; it must equal count ({Count})";
    }

    private IEnumerable<string> Amounts() =>
    [
        .. NotNegative("window_s", Window.Value), .. NotNegative("offloaded", Offloaded), .. NotNegative("fallback", Fallback), .. NotNegative("deadline_missed", DeadlineMissed),
        .. NotNegative("latency_p50_s", LatencyP50?.Value), .. NotNegative("latency_p95_s", LatencyP95?.Value), .. NotNegative("energy_j", Energy?.Value),
        .. NotNegative("bytes_sent", BytesSent.Value), .. Ratio("confidence_mean", ConfidenceMean), .. NotNegative("audited", Audited), .. NotNegative("audit_agreed", AuditAgreed),
        .. NotNegative("skipped", Skipped), .. NotNegative("started_total", StartedTotal), .. NotNegative("answered_total", AnsweredTotal), .. NotNegative("in_flight", InFlight),
    ];
}

/// <summary>When a head stops.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ExitRuleKind>))]
public enum ExitRuleKind
{
    /// <summary>Exit when the largest calibrated probability reaches the threshold.</summary>
    [JsonStringEnumMemberName("max-probability")] MaxProbability,
}

/// <summary>
/// Topics desired and reported: what a device shall run, and what it runs. The deepest stage held always answers when nothing else
/// does; its threshold decides whether it asks an edge server first.
/// </summary>
public sealed record Assignment : Message
{
    /// <summary>Only grows; a device refuses an older one.</summary>
    [JsonPropertyName("version")] public required long Version { get; init; }

    /// <summary>Of the controller that decided; an older epoch is refused.</summary>
    [JsonPropertyName("epoch")] public required long Epoch { get; init; }
    [JsonPropertyName("model")] public required string Model { get; init; }
    [JsonPropertyName("card_sha256")] public required string CardSha256 { get; init; }

    /// <summary>
    /// Deepest stage on the device, at least 1: it answers when no edge server does. A device whose thresholds are all above 1 sends
    /// the input first and runs its head only when no answer comes.
    /// </summary>
    [JsonPropertyName("head")] public required int Head { get; init; }
    [JsonPropertyName("artifacts_url")] public string ArtifactsUrl { get; init; } = "";

    /// <summary>What is sent when no exit was confident: features of this cut, or the input when 0.</summary>
    [JsonPropertyName("cut")] public int Cut { get; init; }

    /// <summary>Name of the bottleneck whose latent is sent in the stead of the cut's features; "" for the cut itself.</summary>
    [JsonPropertyName("bottleneck")] public string Bottleneck { get; init; } = "";
    [JsonPropertyName("input_codec")] public FeatureCodec InputCodec { get; init; } = FeatureCodec.Raw;
    [JsonPropertyName("feature_dtype")] public FeatureCodec FeatureDType { get; init; } = FeatureCodec.Int8;
    [JsonPropertyName("exit_rule")] public ExitRuleKind ExitRule { get; init; } = ExitRuleKind.MaxProbability;

    /// <summary>For each stage held, the calibrated confidence from which its exit answers; 0 always answers, above 1 never.</summary>
    [JsonPropertyName("exit_{n}_threshold")] public PerExit Thresholds { get; init; } = new();
    [JsonPropertyName("exit_{n}_temperature")] public PerExit Temperatures { get; init; } = new();

    /// <summary>Edge server, or "" to stay local.</summary>
    [JsonPropertyName("offload_to")] public string OffloadTo { get; init; } = "";

    /// <summary>mqtt.</summary>
    [JsonPropertyName("transport")] public string Transport { get; init; } = "mqtt";
    [JsonPropertyName("deadline_s")] public Seconds Deadline { get; init; } = new(0.5);

    /// <summary>Share of confident inputs that are sent all the same, to check the exit against the tail.</summary>
    [JsonPropertyName("audit_ratio")] public double AuditRatio { get; init; }
    [JsonPropertyName("report_s")] public Seconds ReportPeriod { get; init; } = new(5);

    /// <summary>Why the controller chose this.</summary>
    [JsonPropertyName("reason")] public string Reason { get; init; } = "";

    /// <summary>In reported: why the desired version could not be applied; what ran before runs on.</summary>
    [JsonPropertyName("error")] public string Error { get; init; } = "";

    [JsonIgnore] public FeatureCodec Codec => Cut == 0 ? InputCodec : FeatureDType;

    /// <summary>Whether no exit held can ever be confident, so that the input may leave before any stage has run.</summary>
    [JsonIgnore] public bool SendsAll => Cut == 0 && OffloadTo.Length > 0 && Thresholds.All(threshold => threshold > 1);

    /// <summary>What is sent when no exit was confident; only the card knows a bottleneck's number. Throws <see cref="FaultsException"/> when it has none such.</summary>
    public Route RouteIn(ModelCard card) => new(Cut, Codec, card.NumberOf(Bottleneck) ?? throw new FaultsException("bottleneck", card.UnknownBottleneck(Bottleneck)));

    /// <summary>What a card cannot give of this, one sentence a fault.</summary>
    public IEnumerable<string> FaultsWith(ModelCard card)
    {
        if (Head > card.StageCount) yield return $"head is {Head}; {card.Name} has stages 1 to {card.StageCount}";
        if (OffloadTo.Length > 0 && Cut >= card.StageCount) yield return $"cut is {Cut}; {card.Name} can be cut at 0 to {card.StageCount - 1}";
        if (Bottleneck.Length == 0) yield break;
        if (card.NumberOf(Bottleneck) is not { } number) yield return card.UnknownBottleneck(Bottleneck);
        else if (card.Bottleneck(number).Cut != Cut) yield return $"cut is {Cut}; bottleneck \"{Bottleneck}\" of {card.Name} is at cut {card.Bottleneck(number).Cut}";
        else if (Codec is FeatureCodec.Coded && card.Bottleneck(number).Tables is null) yield return $"feature_dtype is coded; bottleneck \"{Bottleneck}\" of {card.Name} has no tables";
    }

    /// <summary>Whether both would make a device do the same, whoever decided it, when and why.</summary>
    public bool RunsAs(Assignment other) =>
        this with { Version = 0, Epoch = 0, ArtifactsUrl = "", Reason = "", Error = "" } == other with { Version = 0, Epoch = 0, ArtifactsUrl = "", Reason = "", Error = "" };

    public override IEnumerable<string> Faults()
    {
        if (Version < 0) yield return $"version is {Version}; allowed: 0 or more";
        if (Head is < 1 or > PerExit.Max) yield return $"head is {Head}; allowed: 1 to {PerExit.Max} (without a head nobody would answer when the edge server is away)";
        if (Bottleneck.Length > 0 && !Name.IsValid(Bottleneck)) yield return Name.Fault("bottleneck", Bottleneck);
        if (Bottleneck.Length == 0 && Cut != 0 && Cut != Head) yield return $"cut is {Cut}; allowed: 0 (the input) or head ({Head})";
        if (Bottleneck.Length > 0 && (Cut < 1 || Cut > Head)) yield return $"cut is {Cut}; allowed with a bottleneck: 1 to head ({Head})";
        if (!new Route(Cut, Codec, Bottleneck.Length == 0 ? 0 : 1).IsLawful)
            yield return $"cut {Cut} {Route.CodecName(Codec)} does not exist; input_codec is raw, png or webp, feature_dtype is int8, fp16 or fp32, or coded with a bottleneck";
        if (Thresholds.Count != Head) yield return $"{Thresholds.Count} thresholds for head {Head}; one for each exit held is needed";
        if (Temperatures.Count != Head) yield return $"{Temperatures.Count} temperatures for head {Head}; one for each exit held is needed";
        foreach (var (value, i) in Thresholds.Select((value, i) => (value, i + 1)))
            if (!(value is >= 0 and <= 2)) yield return $"exit_{i}_threshold is {value}; allowed: 0 (always answers) to 1, or up to 2 (never)";
        foreach (var (value, i) in Temperatures.Select((value, i) => (value, i + 1)))
            if (!(value is > 0 and <= 100)) yield return $"exit_{i}_temperature is {value}; allowed: above 0 to 100";
        if (OffloadTo.Length > 0 && !Name.IsValid(OffloadTo)) yield return Name.Fault("offload_to", OffloadTo);
        if (!Name.IsValid(Model)) yield return Name.Fault("model", Model);
        if (Transport != "mqtt") yield return $"transport is \"{Transport}\"; allowed: mqtt";
        if (!(Deadline.Value is > 0 and <= 3600)) yield return $"deadline_s is {Deadline.Value}; allowed: above 0 to 3600";
        if (!(ReportPeriod.Value is >= 0.1 and <= 86400)) yield return $"report_s is {ReportPeriod.Value}; allowed: 0.1 to 86400";
        foreach (var fault in Ratio("audit_ratio", AuditRatio)) yield return fault;
    }
}

/// <summary>Topic cmd/&lt;id&gt;: retained until done.</summary>
public sealed record Command : Message
{
    /// <summary>measure: run each stage again and report its time.</summary>
    [JsonPropertyName("command")] public required string Verb { get; init; }

    /// <summary>init | executing | successful | failed.</summary>
    [JsonPropertyName("status")] public required string Status { get; init; }
    [JsonPropertyName("error")] public string Error { get; init; } = "";

    public override IEnumerable<string> Faults()
    {
        if (Status is not ("init" or "executing" or "successful" or "failed")) yield return $"status is \"{Status}\"; allowed: init, executing, successful, failed";
    }
}
