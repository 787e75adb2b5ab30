using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>Something said over the bus. The record in memory is the message on the wire: what has been published is never changed.</summary>
public abstract record Message
{
    /// <summary>What is out of range, one sentence a fault; empty when the message may be believed.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new FaultList();
        Check(ref faults);
        return faults.All;
    }

    private protected virtual void Check(ref FaultList faults)
    {
    }
}

/// <summary>What could not be read: delivered in place of the message, so that the receiver counts it and says so.</summary>
public sealed record Malformed(string Reason, int PayloadBytes) : Message;

/// <summary>What was retained was taken back: on the wire no payload at all. Delivered of the kinds whose <see cref="TopicRule.IsTakenBack"/>; of all others nobody is told.</summary>
public sealed record Cleared : Message
{
    public static readonly Cleared Payload = new();
}

/// <summary>Life of a device, an edge server or a gateway.</summary>
public enum Presence
{
    Init,
    Ready,

    /// <summary>
    /// Duty-cycled: it works as a ready one does but is away on purpose between its inputs, and not to be declared lost for its silence. Said once, in
    /// the place of ready, not each time it falls asleep.
    /// </summary>
    Sleeping,
    Disconnected,
    Lost,
}

/// <summary>Topic state: one plain word, not JSON.</summary>
public sealed record State(Presence Presence) : Message
{
    public static readonly State Init = new(Presence.Init);
    public static readonly State Ready = new(Presence.Ready);
    public static readonly State Sleeping = new(Presence.Sleeping);
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
        "sleeping" => Sleeping,
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

    /// <summary>Whose air it shares with others of its site who name the same: an access point or a coordinator; empty when it shares none, or does not know.</summary>
    [JsonPropertyName("cell")] public string Cell { get; init; } = "";

    /// <summary>Of an edge server: memory for tails, by the lengths of their files, and what besides may be taken while new tails are in and those before them not yet gone. Absent: there is no limit.</summary>
    [JsonPropertyName("tail_memory_bytes")] public Bytes? TailMemory { get; init; }
    [JsonPropertyName("tail_room_bytes")] public Bytes? TailRoom { get; init; }

    private protected override void Check(ref FaultList faults)
    {
        faults.NotNegative("memory_bytes", Memory.Value);
        faults.NotNegative("storage_bytes", Storage.Value);
        faults.NotNegative("tail_memory_bytes", TailMemory?.Value);
        faults.NotNegative("tail_room_bytes", TailRoom?.Value);
    }
}

/// <summary>Topic budget: what the device can spare now. An absent key is unknown.</summary>
public sealed record Budget : Message
{
    [JsonPropertyName("seq")] public required long Sequence { get; init; }

    /// <summary>Unix time; the budget is stale after <see cref="SentAt"/> + twice <see cref="Spacing"/>.</summary>
    [JsonPropertyName("sent_unix_s")] public required Seconds SentAt { get; init; }
    [JsonPropertyName("report_s")] public required Seconds ReportPeriod { get; init; }

    /// <summary>So long a budget may stand that still tells what the device can spare; absent: it is said anew with each report.</summary>
    [JsonPropertyName("budget_s")] public Seconds? BudgetPeriod { get; init; }

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
    [JsonPropertyName("stage_{n}_s")] public PerExit StageSeconds { get; init; } = PerExit.None;

    /// <summary>Energy of one run of each stage held, above what the device draws without it.</summary>
    [JsonPropertyName("stage_{n}_j")] public PerExit StageJoules { get; init; } = PerExit.None;

    /// <summary>Measured latency of the encoder of the bottleneck in use.</summary>
    [JsonPropertyName("encoder_s")] public Seconds? EncoderTime { get; init; }

    /// <summary>Longest time to the next one.</summary>
    [JsonIgnore] public Seconds Spacing => Seconds.Max(ReportPeriod, BudgetPeriod ?? Seconds.Zero);

    /// <summary>What is wrong with a budget_s beside this report_s; null when nothing is.</summary>
    public static string? PeriodFault(Seconds? period, Seconds report) =>
        period is { } silence && !(silence >= report && silence.Value <= 86400) ? $"budget_s is {silence.Value}; allowed: report_s ({report.Value}) to 86400" : null;

    /// <summary>Whether it is time to say it: the last one has stood for long enough, or no longer tells what the device can spare.</summary>
    public bool IsDueAfter(Budget said) => SentAt - said.SentAt + ReportPeriod * 0.5 >= said.Spacing || IsNewsAfter(said);

    /// <summary>Whether a plan, or whoever watches charge, heat and power, would see another device.</summary>
    private bool IsNewsAfter(Budget said) =>
        ReportPeriod != said.ReportPeriod || BudgetPeriod != said.BudgetPeriod || PowerMeasured != said.PowerMeasured
        || new PlannedBudget(said).DiffersFrom(this)
        || Math.Abs(ComputeShare - said.ComputeShare) > RatioStep
        || Math.Abs((BatteryRatio ?? 0) - (said.BatteryRatio ?? 0)) > ChargeStep
        || Math.Abs((LinkLoss ?? 0) - (said.LinkLoss ?? 0)) > RatioStep
        || PlannedBudget.Differs(said.Power, Power, floor: 0.05)
        || PlannedBudget.Differs(said.Harvest, Harvest, floor: 0.01)
        || PlannedBudget.Differs(said.CpuTemperature, CpuTemperature, floor: 5)
        || PlannedBudget.Differs(said.MemoryFree, MemoryFree, floor: 1e6)
        || PlannedBudget.Differs(said.StorageFree, StorageFree, floor: 1e6);

    // Steps that are worth a message. K.
    private const double RatioStep = 0.05, ChargeStep = 0.01;

    private protected override void Check(ref FaultList faults)
    {
        faults.NotNegative("report_s", ReportPeriod.Value);
        faults.NotNegative("budget_s", BudgetPeriod?.Value);
        faults.Ratio("compute_share_ratio", ComputeShare);
        faults.NotNegative("battery_j", Battery?.Value);
        faults.Ratio("battery_ratio", BatteryRatio);
        faults.NotNegative("power_w", Power?.Value);
        faults.NotNegative("energy_budget_w", EnergyBudget?.Value);
        faults.NotNegative("request_rate_hz", RequestRate.Value);
        faults.Positive("uplink_bytes_per_s", Uplink?.Value);
        faults.NotNegative("rtt_s", RoundTrip?.Value);
        faults.Ratio("link_loss_ratio", LinkLoss);
        faults.NotNegative("tx_energy_j_per_byte", TxEnergy?.Value);
        faults.NotNegative("memory_free_bytes", MemoryFree?.Value);
        faults.NotNegative("storage_free_bytes", StorageFree?.Value);
        faults.NotNegative("stage_{n}_s", StageSeconds);
        faults.NotNegative("stage_{n}_j", StageJoules);
        faults.NotNegative("encoder_s", EncoderTime?.Value);
    }
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
    [JsonPropertyName("exit_{n}")] public PerExit Exits { get; init; } = PerExit.None;
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

    /// <summary>Of these, inputs whose label somebody has told, and how often the exit was right about them; absent where nobody has.</summary>
    [JsonPropertyName("audit_labelled")] public int? AuditLabelled { get; init; }
    [JsonPropertyName("audit_correct")] public int? AuditCorrect { get; init; }

    /// <summary>How sure each exit was of what it answered, and its share of the audits. Told while audits are asked for.</summary>
    [JsonPropertyName("exit_{n}_confidence_mean")] public PerExit ExitConfidences { get; init; } = PerExit.None;
    [JsonPropertyName("exit_{n}_audited")] public PerExit ExitAudited { get; init; } = PerExit.None;
    [JsonPropertyName("exit_{n}_audit_agreed")] public PerExit ExitAuditAgreed { get; init; } = PerExit.None;

    /// <summary>Inputs that came while the device was still busy with as many as it may queue.</summary>
    [JsonPropertyName("skipped")] public int Skipped { get; init; }

    /// <summary>Inputs not taken to spare the battery; absent where there were none.</summary>
    [JsonPropertyName("spared")] public int? Spared { get; init; }
    [JsonPropertyName("started_total")] public long StartedTotal { get; init; }
    [JsonPropertyName("answered_total")] public long AnsweredTotal { get; init; }
    [JsonPropertyName("in_flight")] public int InFlight { get; init; }

    private protected override void Check(ref FaultList faults)
    {
        if (Count < 0) faults.Add($"count is {Count}; allowed: 0 or more");
        if (Labelled < 0 || Labelled > Count) faults.Add($"labelled is {Labelled}; allowed: 0 to count ({Count})");
        if (Correct < 0 || Correct > Labelled) faults.Add($"correct is {Correct}; allowed: 0 to labelled ({Labelled})");
        faults.NotNegative("exit_{n}", Exits);
        faults.NotNegative("window_s", Window.Value);
        faults.NotNegative("offloaded", Offloaded);
        faults.NotNegative("fallback", Fallback);
        faults.NotNegative("deadline_missed", DeadlineMissed);
        faults.NotNegative("latency_p50_s", LatencyP50?.Value);
        faults.NotNegative("latency_p95_s", LatencyP95?.Value);
        faults.NotNegative("energy_j", Energy?.Value);
        faults.NotNegative("bytes_sent", BytesSent.Value);
        faults.Ratio("confidence_mean", ConfidenceMean);
        faults.NotNegative("audited", Audited);
        faults.NotNegative("audit_agreed", AuditAgreed);
        faults.NotNegative("audit_labelled", AuditLabelled);
        faults.NotNegative("audit_correct", AuditCorrect);
        faults.NotNegative("exit_{n}_confidence_mean", ExitConfidences, mayMiss: true);
        faults.NotNegative("exit_{n}_audited", ExitAudited);
        faults.NotNegative("exit_{n}_audit_agreed", ExitAuditAgreed);
        faults.NotNegative("skipped", Skipped);
        faults.NotNegative("spared", Spared);
        faults.NotNegative("started_total", StartedTotal);
        faults.NotNegative("answered_total", AnsweredTotal);
        faults.NotNegative("in_flight", InFlight);
        var answered = (double)Offloaded + Fallback;
        for (var exit = 1; exit <= Exits.Count; exit++) answered += Exits.Of(exit);
        if (answered != Count) faults.Add($"exit_n + offloaded + fallback is {answered}; it must equal count ({Count})");
    }
}
