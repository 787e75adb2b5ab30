using CsCheck;
using Fleet.Contracts;

namespace Fleet.Tests.Contracts;

/// <summary>Random lawful messages of every type, each optional key there or not.</summary>
internal static class AnyMessage
{
    private static readonly Gen<double> Ratio = Gen.Double[0, 1];
    private static readonly Gen<double> Amount = Gen.OneOf(Gen.Double[0, 1], Gen.Double[0, 1e12], Gen.Const(0.0));
    private static readonly Gen<int> Count = Gen.Int[0, 1_000_000];
    private static readonly Gen<long> Whole = Gen.Long[0, long.MaxValue];
    private static readonly Gen<long> Ordinal = Gen.Long[0, (1L << 53) - 1];
    private static readonly Gen<string> Name = Gen.Select(Gen.Char["abcxyz019"], Gen.String[Gen.Char["abz019-"], 0, 20], (first, rest) => first + rest);
    private static readonly Gen<string> Text = Gen.OneOf(Gen.Const(""), Name, Gen.String[Gen.Char.AlphaNumeric, 0, 40], Gen.String[Gen.Char["\"\\/<>&'\u00e9\u20ac\u0001\n\t "], 0, 20]);
    private static readonly Gen<PerExit> Amounts = Amount.Array[0, PerExit.Max].Select(values => new PerExit(values));
    private static readonly Gen<Seconds> Period = Gen.Double[0.1, 86400].Select(Seconds.Of);

    public static readonly Gen<Message> State = Gen.Enum<Presence>().Select(presence => (Message)new State(presence));

    public static readonly Gen<Message> Info =
        from names in Text.Array[5]
        from emulated in Gen.Bool
        from seed in Whole.Nullable()
        from memory in Amount
        from storage in Amount
        from more in Text.Array[2]
        select (Message)new Info
        {
            Board = names[0],
            Stack = names[1],
            Profile = names[2],
            AgentVersion = names[3],
            Os = names[4],
            Emulated = emulated,
            Seed = seed,
            Memory = new Bytes(memory),
            Storage = new Bytes(storage),
            TailMemory = emulated ? new Bytes(memory) : null,
            TailRoom = emulated ? new Bytes(storage) : null,
            Codecs = more[0],
            Gateway = more[1],
        };

    public static readonly Gen<Message> Budget =
        from sequence in Whole
        from sent in Amount
        from period in Period
        from share in Ratio
        from temperature in Gen.Double[-40, 120].Nullable()
        from amounts in Amount.Nullable().Array[10]
        from ratios in Ratio.Nullable().Array[2]
        from measured in Gen.Bool
        from rate in Amount
        from seconds in Amounts
        from joules in Amounts
        select (Message)new Budget
        {
            Sequence = sequence,
            SentAt = new Seconds(sent),
            ReportPeriod = period,
            BudgetPeriod = measured ? period * 2 : null,
            ComputeShare = share,
            CpuTemperature = Of<Celsius>(temperature),
            MemoryFree = Of<Bytes>(amounts[0]),
            StorageFree = Of<Bytes>(amounts[1]),
            Battery = Of<Joules>(amounts[2]),
            BatteryRatio = ratios[0],
            Harvest = Of<Watts>(amounts[3]),
            Power = Of<Watts>(amounts[4]),
            PowerMeasured = measured,
            EnergyBudget = Of<Watts>(amounts[5]),
            RequestRate = new Hertz(rate),
            Uplink = amounts[6] > 0 ? Of<BytesPerSecond>(amounts[6]) : null,
            RoundTrip = Of<Seconds>(amounts[7]),
            LinkLoss = ratios[1],
            TxEnergy = Of<JoulesPerByte>(amounts[8]),
            StageSeconds = seconds,
            StageJoules = joules,
            EncoderTime = Of<Seconds>(amounts[9]),
        };

    public static readonly Gen<Message> InferWindow =
        from wholes in Whole.Array[3]
        from sent in Amount
        from window in Period
        from exits in Count.Array[0, PerExit.Max]
        from counts in Count.Array[7]
        from shares in Ratio.Array[2]
        from amounts in Amount.Nullable().Array[3]
        from bytes in Amount
        from confidence in Ratio.Nullable()
        from labels in Count.Nullable().Array[2]
        from sure in Ratio.Nullable().Array[0, PerExit.Max]
        from audits in Count.Array[0, PerExit.Max]
        let count = exits.Sum() + counts[0] + counts[1]
        let labelled = (int)(shares[0] * count)
        select (Message)new InferWindow
        {
            Sequence = wholes[0],
            SentAt = new Seconds(sent),
            Window = window,
            Count = count,
            Labelled = labelled,
            Correct = (int)(shares[1] * labelled),
            Exits = new PerExit(exits.Select(exit => (double)exit)),
            Offloaded = counts[0],
            Fallback = counts[1],
            DeadlineMissed = counts[2],
            LatencyP50 = Of<Seconds>(amounts[0]),
            LatencyP95 = Of<Seconds>(amounts[1]),
            Energy = Of<Joules>(amounts[2]),
            BytesSent = new Bytes(bytes),
            ConfidenceMean = confidence,
            Audited = counts[3],
            AuditAgreed = counts[4],
            AuditLabelled = labels[0],
            AuditCorrect = labels[1],
            ExitConfidences = new PerExit(sure.Select(mean => mean ?? double.NaN)),
            ExitAudited = new PerExit(audits.Select(audited => (double)audited)),
            ExitAuditAgreed = new PerExit(audits.Select(agreed => (double)agreed)),
            Skipped = counts[5],
            Spared = labels[0],
            StartedTotal = wholes[1],
            AnsweredTotal = wholes[2],
            InFlight = counts[6],
        };

    public static readonly Gen<Message> Assignment =
        from wholes in Ordinal.Array[2]
        from names in Name.Array[2]
        from texts in Text.Array[4]
        from head in Gen.Int[1, PerExit.Max]
        from sendsInput in Gen.Bool
        from input in Gen.OneOf(FeatureCodec.Raw, FeatureCodec.Png, FeatureCodec.Webp)
        from narrows in Gen.Bool
        from feature in Gen.OneOf(FeatureCodec.Int8, FeatureCodec.Float16, FeatureCodec.Float32)
        from bottleneck in Name
        from cut in Gen.Int[1, head]
        from thresholds in Gen.Double[0, 2].Array[head]
        from temperatures in Gen.Double[0.01, 100].Array[head]
        from offloads in Gen.Bool
        from deadline in Gen.Double[0.001, 3600]
        from audit in Ratio
        from period in Period
        from view in Gen.Int[0, byte.MaxValue]
        from deciders in Gen.Enum<DecisionKind>().Nullable().Array[2]
        from bounds in Gen.Double[0, 2].Array[head].Array[2]
        from isBound in Gen.Bool
        from prices in Gen.Double[0.001, 1000].Array[4]
        from alarms in Gen.Int[0, 20].Array[1, 3]
        let isMember = head == 1 && !narrows && !sendsInput && view > 0
        select (Message)new Assignment
        {
            Version = wholes[0],
            Epoch = wholes[1],
            Model = names[0],
            CardSha256 = texts[0],
            Head = head,
            ArtifactsUrl = texts[1],
            Cut = narrows ? cut : sendsInput ? 0 : head,
            Bottleneck = narrows ? bottleneck : "",
            InputCodec = input,
            FeatureDType = isMember ? FeatureCodec.Bits : narrows && head % 2 == 0 ? FeatureCodec.Coded : feature,
            Group = isMember ? names[0] : "",
            View = isMember ? view : 0,
            Thresholds = new PerExit(thresholds),
            Temperatures = new PerExit(temperatures),
            Decision = deciders[0],
            Alone = deciders[1],
            ThresholdsLeast = new PerExit(isBound ? bounds[0] : []),
            ThresholdsMost = new PerExit(isBound ? bounds[1] : []),
            ErrorPrice = deciders.Any(kind => kind is not null) ? new Seconds(prices[0]) : null,
            JoulePrice = deciders[0] is null ? null : prices[1],
            Outlook = deciders.Contains(DecisionKind.Hierarchical) ? "900|500,500;1,2" : null,
            AlarmClasses = deciders.Contains(DecisionKind.H2t2) ? string.Join(',', alarms) : null,
            AlarmMissed = deciders[0] is DecisionKind.H2t2 ? prices[2] : null,
            AlarmFalse = deciders[0] is DecisionKind.H2t2 ? prices[3] : null,
            OffloadTo = offloads ? names[1] : "",
            Deadline = new Seconds(deadline),
            AuditRatio = audit,
            AuditTo = offloads ? null : names[1],
            ChargeReserve = narrows ? new Joules(audit) : null,
            ChargeBand = narrows ? new Joules(1 + audit) : null,
            AuditTold = offloads ? narrows : null,
            ReportPeriod = period,
            BudgetPeriod = narrows ? new Seconds(86400) : null,
            Reason = texts[2],
            Error = texts[3],
        };

    public static readonly Gen<Message> TailAssignment =
        from wholes in Ordinal.Array[2]
        from model in Name
        from texts in Text.Array[4]
        from cuts in Gen.Int[0, 7].Array[0, 4]
        from bottlenecks in Name.Array[0, 4]
        from temperature in Gen.Double[0.01, 100]
        from period in Period
        from gather in Gen.Double[0.001, 60]
        from isGroups in Gen.Bool
        from passCut in Gen.Int[1, 7]
        from passes in Gen.Bool
        from decides in Gen.Bool
        from thresholds in Gen.Double[0, 2].Array[passCut]
        select (Message)new TailAssignment
        {
            Version = wholes[0],
            Epoch = wholes[1],
            Model = model,
            CardSha256 = texts[0],
            ArtifactsUrl = texts[1],
            Tails = isGroups ? "" : string.Join(',', cuts.Distinct()),
            Bottlenecks = isGroups ? "" : string.Join(',', bottlenecks.Distinct()),
            Gather = isGroups ? new Seconds(gather) : null,
            PassTo = passes ? model : null,
            PassCut = passes ? passCut : null,
            Thresholds = new PerExit(passes ? thresholds : []),
            Temperatures = new PerExit(passes ? thresholds.Select(value => value + 0.5) : []),
            Decision = passes && decides ? DecisionKind.Hierarchical : null,
            ErrorPrice = passes && decides ? new Seconds(1) : null,
            Outlook = passes && decides ? "900|001;1,2" : null,
            Temperature = temperature,
            ReportPeriod = period,
            Reason = texts[2],
            Error = texts[3],
        };

    public static readonly Gen<Message> Command = Gen.Select(Text, Gen.OneOf("init", "executing", "successful", "failed"), Text, (verb, status, error) => (Message)new Command { Verb = verb, Status = status, Error = error });

    public static readonly Gen<Message> EdgeLoad =
        from wholes in Whole.Array[2]
        from amounts in Amount.Array[3]
        from counts in Count.Array[7]
        from busy in Ratio
        from means in Amount.Nullable().Array[3]
        from tails in Amount.Nullable().Array[0, PerExit.Max]
        from bottlenecks in Amount.Nullable().Array[0, PerExit.Max]
        select (Message)new EdgeLoad
        {
            Sequence = wholes[0],
            SentAt = new Seconds(amounts[0]),
            Window = new Seconds(amounts[1]),
            Queue = counts[0],
            QueueMax = counts[1],
            Workers = counts[2],
            Served = counts[3],
            Expired = counts[4],
            Refused = counts[5],
            Malformed = counts[6],
            Rate = new Hertz(amounts[2]),
            Busy = busy,
            BatchMean = means[0],
            QueueMean = Of<Seconds>(means[1]),
            ComputeMean = Of<Seconds>(means[2]),
            ServedTotal = wholes[1],
            TailSeconds = new PerExit(tails.Select(tail => tail ?? double.NaN)),
            BottleneckSeconds = new PerExit(bottlenecks.Select(tail => tail ?? double.NaN)),
            Held = Of<Bytes>(means[0]),
            LoadsTotal = means[1] is null ? null : wholes[0],
            UnloadsTotal = means[1] is null ? null : wholes[1],
            LoadedTotal = Of<Bytes>(means[1]),
            LoadingTotal = Of<Seconds>(means[2]),
        };

    public static readonly Gen<Message> Summary =
        from counts in Count.Array[5]
        from amounts in Amount.Array[2]
        from exits in Ratio.Array[0, PerExit.Max]
        from ratios in Ratio.Nullable().Array[5]
        from more in Amount.Nullable().Array[5]
        from wholes in Whole.Array[3]
        from audited in Ratio.Nullable().Array[6]
        from shares in Ratio.Nullable().Array[0, PerExit.Max]
        from learnt in Amount.Nullable().Array[2]
        let watched = new PerExit(shares.Select(share => share ?? double.NaN))
        select (Message)new Summary
        {
            SentAt = new Seconds(amounts[0]),
            Devices = counts[0],
            Online = counts[1],
            EdgesOnline = counts[2],
            InAgreement = counts[3],
            Count = counts[4],
            RequestRate = new Hertz(amounts[1]),
            ExitRatios = new PerExit(exits),
            OffloadRatio = ratios[0],
            FallbackRatio = ratios[1],
            DeadlineMissedRatio = ratios[2],
            Accuracy = ratios[3],
            AccuracyEstimate = ratios[4],
            Agreement = audited[0],
            AgreementLow = audited[1],
            AgreementHigh = audited[2],
            AccuracyAudited = audited[3],
            AccuracyAuditedLow = audited[4],
            AccuracyAuditedHigh = audited[5],
            ExitAgreements = watched,
            ExitAgreementsLow = watched,
            ExitAgreementsHigh = watched,
            ExitAccuracies = watched,
            ExitAccuraciesLow = watched,
            ExitAccuraciesHigh = watched,
            Watched = counts[0],
            WatchedTotal = wholes[0],
            DriftTotal = audited[0] is null ? null : counts[1],
            Temperatures = watched,
            ThresholdMin = learnt[0],
            LatencyP50 = Of<Seconds>(more[0]),
            LatencyP95 = Of<Seconds>(more[1]),
            Power = Of<Watts>(more[2]),
            SparedRatio = audited[1],
            EnergyBacklog = Of<Joules>(learnt[1]),
            EnergyPerInference = Of<Joules>(more[3]),
            BytesPerInference = Of<Bytes>(more[4]),
            AnsweredTotal = wholes[0],
            TailLoadsTotal = audited[0] is null ? null : wholes[1],
            TailLoadedTotal = Of<Bytes>(more[0]),
            MalformedTotal = wholes[1],
            BrokerDroppedTotal = wholes[2],
        };

    public static readonly Gen<Message> PlanReport =
        from wholes in Ordinal.Array[2]
        from sent in Amount
        from texts in Text.Array[3]
        from counts in Count.Array[3]
        from numbers in Gen.Double[-1e6, 1e6].Nullable().Array[3]
        from ratios in Ratio.Nullable().Array[4]
        from amounts in Amount.Nullable().Array[2]
        from heads in Count.Array[0, PerExit.Max]
        select (Message)new PlanReport
        {
            Version = wholes[0],
            Epoch = wholes[1],
            SentAt = new Seconds(sent),
            Policy = texts[0],
            Controller = texts[2],
            Devices = counts[0],
            Changed = counts[1],
            Objective = numbers[0],
            Bound = numbers[1],
            Gap = ratios[0],
            Accuracy = ratios[1],
            Offload = ratios[2],
            Latency = Of<Seconds>(amounts[0]),
            Energy = Of<Joules>(amounts[1]),
            EdgeBusy = ratios[3],
            EdgePrice = numbers[2],
            SendAll = counts[2],
            Heads = new PerExit(heads.Select(head => (double)head)),
            Reason = texts[1],
        };

    public static readonly Gen<Message> Prediction =
        from seconds in Gen.Double[0, 100].Array[8]
        from error in Gen.Double[0, 10]
        select (Message)new Prediction { SentAt = new Seconds(seconds[0]), Profile = "pi-4b", Model = "fmnist", Predicted = new PerExit(seconds.AsSpan(1, 3)), Measured = new PerExit(seconds.AsSpan(4, 3)), Error = error };

    public static readonly Gen<Message> Objective =
        from amounts in Amount.Array[2]
        from ratios in Ratio.Nullable().Array[2]
        from limits in Amount.Nullable().Array[5]
        select (Message)new Objective
        {
            Name = "knee",
            JouleWeight = amounts[0],
            ErrorWeight = amounts[1],
            AccuracyMin = ratios[0],
            EnergyMax = limits[0] is { } most ? new Joules(1e-3 + most) : null,
            SentMax = Of<Bytes>(limits[1]),
            Accuracy = ratios[1],
            Latency = Of<Seconds>(limits[2]),
            Energy = Of<Joules>(limits[3]),
            Sent = Of<Bytes>(limits[4]),
        };

    public static readonly Gen<Message> Reply =
        from id in Gen.ULong
        from status in Gen.Enum<OffloadStatus>()
        from label in Gen.Int[0, 1000]
        from confidence in Ratio
        from seconds in Amount.Array[2]
        from batch in Count
        select (Message)new Reply { RequestId = id, Status = status, Label = label, Confidence = confidence, Queue = new Seconds(seconds[0]), Compute = new Seconds(seconds[1]), Batch = batch };

    public static readonly Gen<Message> Audit =
        from version in Whole
        from exit in Gen.Int[0, PerExit.Max]
        from labels in Count.Array[2]
        from isLabelled in Gen.Bool
        from confidence in Ratio
        from drawn in Gen.Double[0.001, 1]
        from logits in Gen.Float[-60, 60].Array[1, 80]
        select (Message)new Audit
        {
            Version = version,
            Exit = exit,
            TailLabel = labels[0],
            TailConfidence = confidence,
            Label = isLabelled ? labels[1] : null,
            Drawn = drawn,
            Logits = Fleet.Contracts.Audit.Pack(Array.ConvertAll(logits, logit => (Half)logit)),
        };

    public static readonly Gen<Message> PlacementControl =
        from slot in Whole
        from type in Count
        from phase in Gen.Enum<PlacementPhase>()
        from amounts in Amount.Array[2]
        from offers in Gen.Select(Amount, Amount).Array[0, 20]
        select (Message)new PlacementControl
        {
            Slot = slot,
            RequestType = type,
            Phase = phase,
            Requests = amounts[0],
            Price = new Seconds(amounts[1]),
            Costs = Fleet.Contracts.PlacementControl.Join(offers.Select(offer => offer.Item1)),
            Served = Fleet.Contracts.PlacementControl.Join(offers.Select(offer => offer.Item2)),
        };

    public static readonly Gen<TensorFrame> TensorFrame =
        from cut in Gen.Int[0, 255]
        from image in Gen.OneOf(FeatureCodec.Raw, FeatureCodec.Png, FeatureCodec.Webp)
        from bottleneck in Gen.OneOf(Gen.Const(0), Gen.Int[1, 255])
        from view in Gen.Int[0, 255]
        from tensor in Gen.OneOf(bottleneck == 0 ? [FeatureCodec.Int8, FeatureCodec.Float16, FeatureCodec.Float32, FeatureCodec.Bits] : new[] { FeatureCodec.Int8, FeatureCodec.Float16, FeatureCodec.Float32, FeatureCodec.Coded })
        from ids in Gen.ULong.Array[2]
        from microseconds in Gen.UInt
        from sample in Gen.Int[-1, int.MaxValue]
        from scale in Gen.Float[1e-6f, 1e3f]
        from zero in Gen.Int[short.MinValue, short.MaxValue]
        from shape in Gen.Int[0, 6].Array[1, 4]
        let codec = cut == 0 ? image : tensor
        let elements = shape.Aggregate(1, (product, extent) => product * extent)
        from payload in Gen.Byte.Array[(int)(Fleet.Contracts.TensorFrame.PayloadBytes(codec, elements) ?? 40)]
        select new TensorFrame
        {
            Codec = codec,
            Cut = cut,
            ModelHash = ids[0],
            RequestId = ids[1],
            Deadline = new Seconds(microseconds / 1e6),
            Sample = sample,
            Scale = scale,
            ZeroPoint = zero,
            Bottleneck = cut == 0 ? 0 : bottleneck,
            View = view,
            Shape = shape,
            Payload = payload,
            ReplyTo = Samples.On(TopicKind.Reply),
        };

    public static Gen<Message> On(TopicKind kind) => kind switch
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
        TopicKind.Audit => Audit,
        TopicKind.Objective => Objective,
        TopicKind.Offload => TensorFrame.Select(frame => (Message)frame),
        _ => State,
    };

    private static T? Of<T>(double? value) where T : struct, IQuantity<T> => value is double number ? T.Of(number) : null;
}
