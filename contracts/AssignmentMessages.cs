using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>When a head stops.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ExitRuleKind>))]
public enum ExitRuleKind
{
    /// <summary>Exit when the largest calibrated probability reaches the threshold.</summary>
    [JsonStringEnumMemberName("max-probability")] MaxProbability,
}

/// <summary>Who decides, input by input, whether an exit answers or the work goes on.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DecisionKind>))]
public enum DecisionKind
{
    /// <summary>What stopping and going on are worth now, by moving averages of link, queue and stages.</summary>
    [JsonStringEnumMemberName("hierarchical")] Hierarchical,

    /// <summary>A lower confidence bound on how often the exit is right, never falling with confidence.</summary>
    [JsonStringEnumMemberName("hi-lcb")] HiLcb,

    /// <summary>Likewise, each confidence by itself.</summary>
    [JsonStringEnumMemberName("hi-lcb-lite")] HiLcbLite,

    /// <summary>Two thresholds, learnt by exponential weights.</summary>
    [JsonStringEnumMemberName("h2t2")] H2t2,
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
    [JsonPropertyName("exit_{n}_threshold")] public PerExit Thresholds { get; init; } = PerExit.None;
    [JsonPropertyName("exit_{n}_temperature")] public PerExit Temperatures { get; init; } = PerExit.None;

    /// <summary>Who decides instead of the thresholds; absent: they do. Within the bounds below, and only where there is an edge server to ask.</summary>
    [JsonPropertyName("decision")] public DecisionKind? Decision { get; init; }

    /// <summary>Who decides while no controller is there; absent: nothing changes without one.</summary>
    [JsonPropertyName("alone")] public DecisionKind? Alone { get; init; }

    /// <summary>Below the one every input goes on, from the other on every exit answers, whoever decides; absent: 0 and never.</summary>
    [JsonPropertyName("exit_{n}_threshold_min")] public PerExit ThresholdsLeast { get; init; } = PerExit.None;
    [JsonPropertyName("exit_{n}_threshold_max")] public PerExit ThresholdsMost { get; init; } = PerExit.None;

    /// <summary>Seconds that a wrong answer, and that a joule, are worth to who decides.</summary>
    [JsonPropertyName("error_price_s")] public Seconds? ErrorPrice { get; init; }
    [JsonPropertyName("joule_price_s")] public double? JoulePrice { get; init; }

    /// <summary>What going on promises at each exit, for decision hierarchical: an outlook's text.</summary>
    [JsonPropertyName("outlook")] public string? Outlook { get; init; }

    /// <summary>Classes that are alarms, for decision h2t2: numbers from 0, separated by commas; and what a missed and a needless alarm cost, in errors.</summary>
    [JsonPropertyName("alarm_classes")] public string? AlarmClasses { get; init; }
    [JsonPropertyName("alarm_missed_ratio")] public double? AlarmMissed { get; init; }
    [JsonPropertyName("alarm_false_ratio")] public double? AlarmFalse { get; init; }

    /// <summary>Edge server, or "" to stay local.</summary>
    [JsonPropertyName("offload_to")] public string OffloadTo { get; init; } = "";

    /// <summary>mqtt.</summary>
    [JsonPropertyName("transport")] public string Transport { get; init; } = "mqtt";
    [JsonPropertyName("deadline_s")] public Seconds Deadline { get; init; } = new(0.5);

    /// <summary>Devices that look at one sample together, each at its own view of it; "" for a device that is alone.</summary>
    [JsonPropertyName("group")] public string Group { get; init; } = "";

    /// <summary>Which view of the group's samples this device sees, from 1; 0 for a device that is alone.</summary>
    [JsonPropertyName("view")] public int View { get; init; }

    /// <summary>Share of inputs that are drawn to check the exits against the tail: of these, confident ones are sent all the same.</summary>
    [JsonPropertyName("audit_ratio")] public double AuditRatio { get; init; }

    /// <summary>Edge server whose tail is asked about audits by a device that stays local; absent: the one it offloads to.</summary>
    [JsonPropertyName("audit_to")] public string? AuditTo { get; init; }

    /// <summary>Whether each audit is told, with what all exits held make of it, for who watches them; absent: only their numbers are.</summary>
    [JsonPropertyName("audit_told")] public bool? AuditTold { get; init; }
    [JsonPropertyName("report_s")] public Seconds ReportPeriod { get; init; } = new(5);

    /// <summary>A budget that is no news is not said again for so long; absent: one is said with each report.</summary>
    [JsonPropertyName("budget_s")] public Seconds? BudgetPeriod { get; init; }

    /// <summary>On a battery: the charge at and below which no input is taken, and how far above it all are; in between a share. Absent: all are, whatever the charge.</summary>
    [JsonPropertyName("charge_reserve_j")] public Joules? ChargeReserve { get; init; }
    [JsonPropertyName("charge_band_j")] public Joules? ChargeBand { get; init; }

    /// <summary>Why the controller chose this.</summary>
    [JsonPropertyName("reason")] public string Reason { get; init; } = "";

    /// <summary>In reported: why the desired version could not be applied; what ran before runs on.</summary>
    [JsonPropertyName("error")] public string Error { get; init; } = "";

    [JsonIgnore] public FeatureCodec Codec => Cut == 0 ? InputCodec : FeatureDType;

    /// <summary>Whether no exit held can ever be confident, so that the input may leave before any stage has run.</summary>
    [JsonIgnore] public bool SendsAll => Cut == 0 && OffloadTo.Length > 0 && Thresholds.AreAbove(1);

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
    public bool RunsAs(Assignment other) => ReferenceEquals(this, other)
        || Head == other.Head && Cut == other.Cut && InputCodec == other.InputCodec && FeatureDType == other.FeatureDType && ExitRule == other.ExitRule
        && View == other.View && Deadline == other.Deadline && AuditRatio.Equals(other.AuditRatio) && AuditTo == other.AuditTo && AuditTold == other.AuditTold && ReportPeriod == other.ReportPeriod && Nullable.Equals(BudgetPeriod, other.BudgetPeriod)
        && ChargeReserve == other.ChargeReserve && ChargeBand == other.ChargeBand
        && OffloadTo == other.OffloadTo && Bottleneck == other.Bottleneck && Group == other.Group && Transport == other.Transport && Model == other.Model && CardSha256 == other.CardSha256
        && Thresholds.Equals(other.Thresholds) && Temperatures.Equals(other.Temperatures)
        && Decision == other.Decision && Alone == other.Alone && ThresholdsLeast.Equals(other.ThresholdsLeast) && ThresholdsMost.Equals(other.ThresholdsMost)
        && ErrorPrice == other.ErrorPrice && Nullable.Equals(JoulePrice, other.JoulePrice) && Outlook == other.Outlook
        && AlarmClasses == other.AlarmClasses && Nullable.Equals(AlarmMissed, other.AlarmMissed) && Nullable.Equals(AlarmFalse, other.AlarmFalse);

    private protected override void Check(ref FaultList faults)
    {
        faults.Ordinal("version", Version);
        faults.Ordinal("epoch", Epoch);
        if (Head is < 1 or > PerExit.Max) faults.Add($"head is {Head}; allowed: 1 to {PerExit.Max} (without a head nobody would answer when the edge server is away)");
        if (Bottleneck.Length > 0 && !Name.IsValid(Bottleneck)) faults.Add(Name.Fault("bottleneck", Bottleneck));
        if (Bottleneck.Length == 0 && Cut != 0 && Cut != Head) faults.Add($"cut is {Cut}; allowed: 0 (the input) or head ({Head})");
        if (Bottleneck.Length > 0 && (Cut < 1 || Cut > Head)) faults.Add($"cut is {Cut}; allowed with a bottleneck: 1 to head ({Head})");
        if (!new Route(Cut, Codec, Bottleneck.Length == 0 ? 0 : 1).IsLawful)
            faults.Add($"cut {Cut} {Route.CodecName(Codec)} does not exist; input_codec is raw, png or webp, feature_dtype is int8, fp16 or fp32, or coded with a bottleneck");
        if (Thresholds.Count != Head) faults.Add($"{Thresholds.Count} thresholds for head {Head}; one for each exit held is needed");
        if (Temperatures.Count != Head) faults.Add($"{Temperatures.Count} temperatures for head {Head}; one for each exit held is needed");
        for (var i = 1; i <= Thresholds.Count; i++)
            if (!(Thresholds.Of(i) is >= 0 and <= 2)) faults.Add($"exit_{i}_threshold is {Thresholds.Of(i)}; allowed: 0 (always answers) to 1, or up to 2 (never)");
        for (var i = 1; i <= Temperatures.Count; i++)
            if (!(Temperatures.Of(i) is > 0 and <= 100)) faults.Add($"exit_{i}_temperature is {Temperatures.Of(i)}; allowed: above 0 to 100");
        CheckDecision(ref faults);
        if (OffloadTo.Length > 0 && !Name.IsValid(OffloadTo)) faults.Add(Name.Fault("offload_to", OffloadTo));
        if (AuditTo is not null && !Name.IsValid(AuditTo)) faults.Add(Name.Fault("audit_to", AuditTo));
        if (!Name.IsValid(Model)) faults.Add(Name.Fault("model", Model));
        if (Group.Length > 0 && !Name.IsValid(Group)) faults.Add(Name.Fault("group", Group));
        if (View is < 0 or > byte.MaxValue || View > 0 != Group.Length > 0) faults.Add($"view is {View} in group \"{Group}\"; allowed: 1 to {byte.MaxValue} in a group, 0 alone");
        if (View > 0 && (Head != 1 || Cut != 1 || Codec is not FeatureCodec.Bits)) faults.Add($"head is {Head}, {Route.CodecName(Codec)} cross at cut {Cut}; allowed in a group: head 1, cut 1, bits");
        if (View == 0 && Codec is FeatureCodec.Bits) faults.Add("feature_dtype is bits; allowed in a group only");
        if (Transport != "mqtt") faults.Add($"transport is \"{Transport}\"; allowed: mqtt");
        if (!(Deadline.Value is > 0 and <= 3600)) faults.Add($"deadline_s is {Deadline.Value}; allowed: above 0 to 3600");
        if (!(ReportPeriod.Value is >= 0.1 and <= 86400)) faults.Add($"report_s is {ReportPeriod.Value}; allowed: 0.1 to 86400");
        if (Budget.PeriodFault(BudgetPeriod, ReportPeriod) is { } fault) faults.Add(fault);
        faults.Ratio("audit_ratio", AuditRatio);
        if (ChargeReserve is null != ChargeBand is null) faults.Add("charge_reserve_j and charge_band_j: one is missing; allowed: both or neither");
        faults.NotNegative("charge_reserve_j", ChargeReserve?.Value);
        faults.Positive("charge_band_j", ChargeBand?.Value);
    }

    private void CheckDecision(ref FaultList faults)
    {
        if ((Decision ?? Alone) is { } kind && ErrorPrice is null) faults.Add($"error_price_s is missing; {(Decision is null ? "alone" : "decision")} {kind} needs it");
        if ((Decision is DecisionKind.Hierarchical || Alone is DecisionKind.Hierarchical) && Outlook is null) faults.Add("outlook is missing; hierarchical decisions need it");
        if (ErrorPrice is { Value: not (> 0 and <= 1e6) } error) faults.Add($"error_price_s is {error.Value}; allowed: above 0 to 1e6");
        if (JoulePrice is { } joule and not (>= 0 and <= 1e6)) faults.Add($"joule_price_s is {joule}; allowed: 0 to 1e6");
        if (AlarmMissed is { } missed and not (> 0 and <= 1000)) faults.Add($"alarm_missed_ratio is {missed}; allowed: above 0 to 1000");
        if (AlarmFalse is { } needless and not (> 0 and <= 1000)) faults.Add($"alarm_false_ratio is {needless}; allowed: above 0 to 1000");
        if (AlarmClasses is { } alarms && !alarms.Split(',').All(text => int.TryParse(text, System.Globalization.NumberStyles.None, null, out _))) faults.Add($"alarm_classes is \"{alarms}\"; allowed: class numbers separated by commas");
        CheckBounds(ref faults, "min", ThresholdsLeast);
        CheckBounds(ref faults, "max", ThresholdsMost);
    }

    private void CheckBounds(ref FaultList faults, string key, PerExit bounds)
    {
        if (bounds.Count != 0 && bounds.Count != Head) faults.Add($"{bounds.Count} bounds exit_n_threshold_{key} for head {Head}; one for each exit held, or none");
        for (var i = 1; i <= bounds.Count; i++)
            if (!(bounds.Of(i) is >= 0 and <= 2)) faults.Add($"exit_{i}_threshold_{key} is {bounds.Of(i)}; allowed: 0 to 2");
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

    private protected override void Check(ref FaultList faults)
    {
        if (Status is not ("init" or "executing" or "successful" or "failed")) faults.Add($"status is \"{Status}\"; allowed: init, executing, successful, failed");
    }
}
