using Fleet.Contracts;

namespace Fleet.Tests.Contracts;

/// <summary>One valid message on one topic of every kind, with most optional keys present.</summary>
internal static class Samples
{
    public static readonly Info Info = new()
    {
        Board = "Raspberry Pi Zero 2 W",
        Stack = "onnxruntime",
        Profile = "pi-zero-2w",
        AgentVersion = "0.1.0",
        Os = "linux",
        Emulated = true,
        Seed = 7,
        Memory = new Bytes(512e6),
        Storage = new Bytes(16e9),
        Codecs = "raw,png,webp",
        Gateway = "gw-1",
    };

    public static readonly Budget Budget = new()
    {
        Sequence = 3,
        SentAt = new Seconds(1764000000.5),
        ReportPeriod = new Seconds(5),
        ComputeShare = 0.5,
        CpuTemperature = new Celsius(-3.5),
        MemoryFree = new Bytes(1e8),
        StorageFree = new Bytes(1e9),
        Battery = new Joules(1200),
        BatteryRatio = 0.75,
        Harvest = new Watts(0.5),
        Power = new Watts(1.25),
        PowerMeasured = true,
        EnergyBudget = new Watts(0.9),
        RequestRate = new Hertz(2),
        Uplink = new BytesPerSecond(250000),
        RoundTrip = new Seconds(0.004),
        LinkLoss = 0.01,
        TxEnergy = new JoulesPerByte(1e-6),
        StageSeconds = new PerExit([0.01, 0.02]),
        StageJoules = new PerExit([0.001, 0.002]),
    };

    public static readonly InferWindow InferWindow = new()
    {
        Sequence = 4,
        SentAt = new Seconds(1764000000.5),
        Window = new Seconds(5),
        Count = 10,
        Labelled = 10,
        Correct = 9,
        Exits = new PerExit([5, 2]),
        Offloaded = 2,
        Fallback = 1,
        DeadlineMissed = 1,
        LatencyP50 = new Seconds(0.02),
        LatencyP95 = new Seconds(0.09),
        Energy = new Joules(0.4),
        BytesSent = new Bytes(6000),
        ConfidenceMean = 0.91,
        Audited = 1,
        AuditAgreed = 1,
        AuditLabelled = 1,
        AuditCorrect = 0,
        ExitConfidences = new PerExit([0.95, 0.9]),
        ExitAudited = new PerExit([1, 0]),
        ExitAuditAgreed = new PerExit([1, 0]),
        Skipped = 0,
        Spared = 3,
        StartedTotal = 41,
        AnsweredTotal = 40,
        InFlight = 1,
    };

    public static readonly Assignment Assignment = new()
    {
        Version = 5,
        Epoch = 1,
        Model = "fmnist",
        CardSha256 = "aa",
        Head = 2,
        ArtifactsUrl = "http://controller:8080/artifacts",
        Cut = 2,
        InputCodec = FeatureCodec.Png,
        FeatureDType = FeatureCodec.Float16,
        Thresholds = new PerExit([0.9, 1.5]),
        Temperatures = new PerExit([1.1, 1.05]),
        OffloadTo = "edge-1",
        Deadline = new Seconds(0.25),
        AuditRatio = 0.01,
        ChargeReserve = new Joules(70),
        ChargeBand = new Joules(25),
        Reason = "cheapest",
    };

    public static readonly TailAssignment TailAssignment = new() { Version = 1, Epoch = 1, Model = "fmnist", CardSha256 = "aa", Tails = "0,1,2", Temperature = 1.06, Reason = "used" };

    public static readonly EdgeLoad EdgeLoad = new()
    {
        Sequence = 1,
        SentAt = new Seconds(1764000000),
        Window = new Seconds(5),
        Queue = 3,
        QueueMax = 64,
        Workers = 2,
        Served = 100,
        Rate = new Hertz(20),
        Busy = 0.4,
        BatchMean = 2.5,
        QueueMean = new Seconds(0.001),
        ComputeMean = new Seconds(0.004),
        ServedTotal = 1000,
        TailSeconds = new PerExit([0.005, 0.004]),
    };

    public static readonly Summary Summary = new()
    {
        SentAt = new Seconds(1764000000),
        Devices = 10,
        Online = 9,
        EdgesOnline = 1,
        InAgreement = 9,
        Count = 500,
        RequestRate = new Hertz(100),
        ExitRatios = new PerExit([0.6, 0.2]),
        OffloadRatio = 0.18,
        FallbackRatio = 0.02,
        DeadlineMissedRatio = 0.02,
        Accuracy = 0.91,
        AccuracyEstimate = 0.915,
        Agreement = 0.97,
        AgreementLow = 0.95,
        AgreementHigh = 0.985,
        AccuracyAudited = 0.9,
        AccuracyAuditedLow = 0.88,
        AccuracyAuditedHigh = 0.92,
        ExitAgreements = new PerExit([0.96, 0.98]),
        ExitAccuracies = new PerExit([0.9, 0.93]),
        Watched = 1000,
        WatchedTotal = 5000,
        DriftTotal = 1,
        Temperatures = new PerExit([1.5, 1.2]),
        ThresholdMin = 0.875,
        LatencyP50 = new Seconds(0.02),
        LatencyP95 = new Seconds(0.09),
        Power = new Watts(9),
        SparedRatio = 0.1,
        EnergyBacklog = new Joules(12),
        EnergyPerInference = new Joules(0.03),
        BytesPerInference = new Bytes(600),
        AnsweredTotal = 5000,
    };

    public static readonly Objective Objective = new()
    {
        Name = "knee",
        JouleWeight = 0.01,
        ErrorWeight = 0.001,
        AccuracyMin = 0.93,
        EnergyMax = new Joules(0.002),
        SentMax = new Bytes(120),
        Accuracy = 0.935,
        Latency = new Seconds(0.004),
        Energy = new Joules(0.0019),
        Sent = new Bytes(118.5),
    };

    public static readonly PlanReport PlanReport = new()
    {
        Version = 2,
        Epoch = 1,
        SentAt = new Seconds(1764000000),
        Policy = "infida",
        Controller = "lab-4711",
        Devices = 10,
        Changed = 4,
        Objective = 1.5,
        Bound = 1.4,
        Gap = 0.07,
        Accuracy = 0.91,
        Offload = 0.2,
        Latency = new Seconds(0.04),
        Energy = new Joules(0.03),
        EdgeBusy = 0.4,
        EdgePrice = 0.001,
        SendAll = 1,
        Heads = new PerExit([4, 5]),
        Reason = "every 60 s",
    };

    public static readonly Command Command = new() { Verb = "measure", Status = "init" };

    public static readonly Prediction Prediction = new() { SentAt = new Seconds(1_700_000_000), Profile = "pi-4b", Model = "fmnist", Predicted = new PerExit([0.001, 0.002]), Measured = new PerExit([0.0012, 0.0021]), Error = 0.1 };

    public static readonly PlacementControl PlacementControl = new()
    {
        Slot = 12,
        RequestType = 3,
        Phase = PlacementPhase.Probe,
        Requests = 40,
        Price = new Seconds(0.0125),
        Costs = "0.0125,0.03",
        Served = "12.5,27.5",
    };

    public static readonly Audit Audit = new() { Version = 5, Exit = 1, TailLabel = 3, TailConfidence = 0.9, Label = 4, Drawn = 0.05, Logits = Fleet.Contracts.Audit.Pack([(Half)0.5, (Half)(-2), (Half)7.25, (Half)1]) };

    public static readonly Reply Reply = new() { RequestId = ulong.MaxValue, Status = OffloadStatus.NotHeld, Label = 3, Confidence = 0.9, Queue = new Seconds(0.001), Compute = new Seconds(0.004), Batch = 4 };

    public static readonly TensorFrame Frame = new()
    {
        Codec = FeatureCodec.Int8,
        Cut = 1,
        ModelHash = 0x1122334455667788,
        RequestId = 42,
        Deadline = new Seconds(0.25),
        Scale = 0.5f,
        ZeroPoint = -128,
        Shape = [2, 1, 3],
        Payload = new byte[] { 1, 2, 3, 4, 5, 6 },
        ReplyTo = On(TopicKind.Reply),
    };

    public static readonly IReadOnlyList<TopicKind> Kinds = Enum.GetValues<TopicKind>();

    public static Topic On(TopicKind kind) => TopicRule.Of(kind).Pattern.Count(c => c == '{') switch
    {
        1 => new Topic(kind, "lab"),
        2 => new Topic(kind, "lab", "pi-01"),
        _ => new Topic(kind, "lab", "pi-01", "c-1"),
    };

    public static Message Of(TopicKind kind) => kind switch
    {
        TopicKind.Summary => Summary,
        TopicKind.Plan => PlanReport,
        TopicKind.Info or TopicKind.EdgeInfo => Info,
        TopicKind.Budget => Budget,
        TopicKind.Infer => InferWindow,
        TopicKind.Desired or TopicKind.Reported => Assignment,
        TopicKind.Command => Command,
        TopicKind.EdgeLoad => EdgeLoad,
        TopicKind.EdgeDesired or TopicKind.EdgeReported => TailAssignment,
        TopicKind.Reply or TopicKind.EdgeReply => Reply,
        TopicKind.Prediction => Prediction,
        TopicKind.Placement => PlacementControl,
        TopicKind.Objective => Objective,
        TopicKind.Offload => Frame,
        TopicKind.Audit => Audit,
        _ => State.Ready,
    };
}
