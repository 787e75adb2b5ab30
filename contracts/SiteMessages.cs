using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>Topic _summary: the site in numbers, over the last report period.</summary>
public sealed record Summary : Message
{
    [JsonPropertyName("sent_unix_s")] public required Seconds SentAt { get; init; }
    [JsonPropertyName("devices")] public int Devices { get; init; }
    [JsonPropertyName("online")] public int Online { get; init; }
    [JsonPropertyName("edges_online")] public int EdgesOnline { get; init; }

    /// <summary>Devices whose reported equals their desired.</summary>
    [JsonPropertyName("in_agreement")] public int InAgreement { get; init; }

    /// <summary>Inferences answered in the period.</summary>
    [JsonPropertyName("count")] public int Count { get; init; }
    [JsonPropertyName("request_rate_hz")] public Hertz RequestRate { get; init; }
    [JsonPropertyName("exit_{n}_ratio")] public PerExit ExitRatios { get; init; } = PerExit.None;
    [JsonPropertyName("offload_ratio")] public double? OffloadRatio { get; init; }
    [JsonPropertyName("fallback_ratio")] public double? FallbackRatio { get; init; }
    [JsonPropertyName("deadline_missed_ratio")] public double? DeadlineMissedRatio { get; init; }

    /// <summary>Where labels are known.</summary>
    [JsonPropertyName("accuracy_ratio")] public double? Accuracy { get; init; }

    /// <summary>What the calibration trace promises for the assignments that the answers were given under.</summary>
    [JsonPropertyName("accuracy_estimate_ratio")] public double? AccuracyEstimate { get; init; }

    /// <summary>
    /// By audits, of what devices run now: share of answers that are the tail's, and of right ones where some audits are labelled; each with
    /// its 95 % confidence interval. Absent while nobody audits. Answers given because no edge server did in time are not in it.
    /// </summary>
    [JsonPropertyName("agreement_ratio")] public double? Agreement { get; init; }
    [JsonPropertyName("agreement_low_ratio")] public double? AgreementLow { get; init; }
    [JsonPropertyName("agreement_high_ratio")] public double? AgreementHigh { get; init; }
    [JsonPropertyName("accuracy_audited_ratio")] public double? AccuracyAudited { get; init; }
    [JsonPropertyName("accuracy_audited_low_ratio")] public double? AccuracyAuditedLow { get; init; }
    [JsonPropertyName("accuracy_audited_high_ratio")] public double? AccuracyAuditedHigh { get; init; }

    /// <summary>The same of each exit, on the inputs that it answers.</summary>
    [JsonPropertyName("exit_{n}_agreement_ratio")] public PerExit ExitAgreements { get; init; } = PerExit.None;
    [JsonPropertyName("exit_{n}_agreement_low_ratio")] public PerExit ExitAgreementsLow { get; init; } = PerExit.None;
    [JsonPropertyName("exit_{n}_agreement_high_ratio")] public PerExit ExitAgreementsHigh { get; init; } = PerExit.None;
    [JsonPropertyName("exit_{n}_accuracy_ratio")] public PerExit ExitAccuracies { get; init; } = PerExit.None;
    [JsonPropertyName("exit_{n}_accuracy_low_ratio")] public PerExit ExitAccuraciesLow { get; init; } = PerExit.None;
    [JsonPropertyName("exit_{n}_accuracy_high_ratio")] public PerExit ExitAccuraciesHigh { get; init; } = PerExit.None;

    /// <summary>Inputs the estimates rest on, those drawn so far, and times that the exits were found to have drifted.</summary>
    [JsonPropertyName("watched_count")] public int? Watched { get; init; }
    [JsonPropertyName("watched_total")] public long? WatchedTotal { get; init; }
    [JsonPropertyName("drift_total")] public int? DriftTotal { get; init; }

    /// <summary>Learnt from audits and in force: temperatures in the stead of the card's, and the confidence below which no exit answers while an edge server can be asked (above 1: none ever does).</summary>
    [JsonPropertyName("exit_{n}_temperature")] public PerExit Temperatures { get; init; } = PerExit.None;
    [JsonPropertyName("threshold_min")] public double? ThresholdMin { get; init; }

    /// <summary>Means of the devices' window percentiles, weighted by their counts.</summary>
    [JsonPropertyName("latency_p50_s")] public Seconds? LatencyP50 { get; init; }
    [JsonPropertyName("latency_p95_s")] public Seconds? LatencyP95 { get; init; }
    [JsonPropertyName("power_w")] public Watts? Power { get; init; }
    /// <summary>Share of inputs that devices did not take to spare their batteries, and how far these lie together below where all would be taken.</summary>
    [JsonPropertyName("spared_ratio")] public double? SparedRatio { get; init; }
    [JsonPropertyName("energy_backlog_j")] public Joules? EnergyBacklog { get; init; }
    [JsonPropertyName("energy_per_inference_j")] public Joules? EnergyPerInference { get; init; }
    [JsonPropertyName("bytes_per_inference")] public Bytes? BytesPerInference { get; init; }
    [JsonPropertyName("answered_total")] public long AnsweredTotal { get; init; }

    /// <summary>By the site's edge servers since their processes began; absent where none is short of memory.</summary>
    [JsonPropertyName("tail_loads_total")] public long? TailLoadsTotal { get; init; }
    [JsonPropertyName("tail_loaded_bytes_total")] public Bytes? TailLoadedTotal { get; init; }
    [JsonPropertyName("malformed_total")] public long MalformedTotal { get; init; }
    [JsonPropertyName("broker_dropped_total")] public long BrokerDroppedTotal { get; init; }
}

/// <summary>Topic _plan: the plan in force. Expectations are means over the site's requests.</summary>
public sealed record PlanReport : Message
{
    [JsonPropertyName("version")] public required long Version { get; init; }
    [JsonPropertyName("epoch")] public required long Epoch { get; init; }
    [JsonPropertyName("sent_unix_s")] public required Seconds SentAt { get; init; }
    [JsonPropertyName("policy")] public required string Policy { get; init; }

    /// <summary>Which process made it, as HOST-PID: of two controllers of one site each says so in its reason. Absent in virtual time.</summary>
    [JsonPropertyName("controller")] public string? Controller { get; init; }
    [JsonPropertyName("devices")] public int Devices { get; init; }
    [JsonPropertyName("changed")] public int Changed { get; init; }

    /// <summary>Mean cost of a request, in the planner's own weights.</summary>
    [JsonPropertyName("objective")] public double? Objective { get; init; }

    /// <summary>A value no plan can go below, and the share by which this one lies above it; absent where a policy proves none.</summary>
    [JsonPropertyName("bound")] public double? Bound { get; init; }
    [JsonPropertyName("gap_ratio")] public double? Gap { get; init; }
    [JsonPropertyName("accuracy_expected_ratio")] public double? Accuracy { get; init; }
    [JsonPropertyName("offload_expected_ratio")] public double? Offload { get; init; }
    [JsonPropertyName("latency_expected_s")] public Seconds? Latency { get; init; }
    [JsonPropertyName("energy_expected_j")] public Joules? Energy { get; init; }

    /// <summary>Busiest edge server's expected share of its capacity.</summary>
    [JsonPropertyName("edge_busy_expected_ratio")] public double? EdgeBusy { get; init; }

    /// <summary>Price of an edge-server second, in the objective's unit; absent where a policy sets none.</summary>
    [JsonPropertyName("edge_price")] public double? EdgePrice { get; init; }

    /// <summary>Devices that send every input, and devices with each head.</summary>
    [JsonPropertyName("send_all_count")] public int SendAll { get; init; }
    [JsonPropertyName("head_{n}_count")] public PerExit Heads { get; init; } = PerExit.None;
    [JsonPropertyName("reason")] public string Reason { get; init; } = "";

    private protected override void Check(ref FaultList faults)
    {
        faults.Ordinal("version", Version);
        faults.Ordinal("epoch", Epoch);
    }
}

/// <summary>Topic prediction: how long a real board's stages take by its profile, and by its own measurement. Said by whoever emulates clones of it.</summary>
public sealed record Prediction : Message
{
    /// <summary>Of the budget it was compared with.</summary>
    [JsonPropertyName("sent_unix_s")] public required Seconds SentAt { get; init; }
    [JsonPropertyName("profile")] public required string Profile { get; init; }
    [JsonPropertyName("model")] public required string Model { get; init; }
    [JsonPropertyName("stage_{n}_predicted_s")] public PerExit Predicted { get; init; } = PerExit.None;
    [JsonPropertyName("stage_{n}_measured_s")] public PerExit Measured { get; init; } = PerExit.None;

    /// <summary>Mean over the stages of |predicted - measured| / measured.</summary>
    [JsonPropertyName("error_ratio")] public required double Error { get; init; }

    private protected override void Check(ref FaultList faults)
    {
        faults.NotNegative("error_ratio", Error);
        faults.NotNegative("stage_{n}_predicted_s", Predicted);
        faults.NotNegative("stage_{n}_measured_s", Measured);
    }
}

/// <summary>
/// Topic _objective: what an operator wants of a site, as a point of its front names it. The controller keeps to it until the next one, by a planner that heeds
/// limits, whatever policy it was started with, and goes back to what it was started with when the message is cleared; means are over the site's requests. What the plan does not keep stands in the reason of _plan,
/// and so does what is wrong with one that cannot be read or has an unknown key: that changes nothing.
/// </summary>
public sealed record Objective : Message
{
    /// <summary>By which its point is known.</summary>
    [JsonPropertyName("name")] public required string Name { get; init; }

    /// <summary>Seconds that a joule of device energy, and that a wrong answer, is worth; absent: what they are worth without it.</summary>
    [JsonPropertyName("joule_weight")] public double? JouleWeight { get; init; }
    [JsonPropertyName("error_weight")] public double? ErrorWeight { get; init; }

    /// <summary>Limits; absent: none.</summary>
    [JsonPropertyName("accuracy_min_ratio")] public double? AccuracyMin { get; init; }
    [JsonPropertyName("energy_max_j")] public Joules? EnergyMax { get; init; }
    [JsonPropertyName("sent_max_bytes")] public Bytes? SentMax { get; init; }

    /// <summary>What the plan of the point was expected to give when it was found.</summary>
    [JsonPropertyName("accuracy_expected_ratio")] public double? Accuracy { get; init; }
    [JsonPropertyName("latency_expected_s")] public Seconds? Latency { get; init; }
    [JsonPropertyName("energy_expected_j")] public Joules? Energy { get; init; }
    [JsonPropertyName("sent_expected_bytes")] public Bytes? Sent { get; init; }

    private protected override void Check(ref FaultList faults)
    {
        if (!Contracts.Name.IsValid(Name)) faults.Add(Contracts.Name.Fault("name", Name));
        faults.NotNegative("joule_weight", JouleWeight);
        faults.NotNegative("error_weight", ErrorWeight);
        faults.Ratio("accuracy_min_ratio", AccuracyMin);
        faults.Positive("energy_max_j", EnergyMax?.Value);
        faults.NotNegative("sent_max_bytes", SentMax?.Value);
        faults.Ratio("accuracy_expected_ratio", Accuracy);
        faults.NotNegative("latency_expected_s", Latency?.Value);
        faults.NotNegative("energy_expected_j", Energy?.Value);
        faults.NotNegative("sent_expected_bytes", Sent?.Value);
    }
}

/// <summary>Points of a site's front, as `fleet pareto` writes them down for an operator to pick from.</summary>
public sealed record Objectives
{
    [JsonPropertyName("site")] public required string Site { get; init; }

    /// <summary>Of which scenario, seed and time, in words.</summary>
    [JsonPropertyName("text")] public string Text { get; init; } = "";
    [JsonPropertyName("points")] public required IReadOnlyList<Objective> Points { get; init; }

    /// <summary>What is wrong with it, one sentence a fault.</summary>
    public IEnumerable<string> Faults()
    {
        for (var i = 0; i < Points.Count; i++)
            foreach (var fault in Points[i].Faults()) yield return $"points[{i}].{fault}";
        foreach (var twice in Points.GroupBy(point => point.Name).Where(same => same.Count() > 1)) yield return $"points: \"{twice.Key}\" stands {twice.Count()} times";
    }

    /// <summary>A point as an option names it: FILE:NAME. Throws <see cref="FaultsException"/> that lists the names there are.</summary>
    public static Objective Read(string option, string text)
    {
        if (text.LastIndexOf(':') is not (> 0 and var colon)) throw new FaultsException(option, $"is \"{text}\"; allowed: FILE:NAME, as in objectives.json:knee");
        var (file, name) = (text[..colon], text[(colon + 1)..]);
        var points = StrictJson.Read(file, Json.File.Info<Objectives>(), objectives => objectives.Faults()).Points;
        return points.FirstOrDefault(point => point.Name == name) ?? throw new FaultsException(option, $"names \"{name}\"; {file} has {string.Join(", ", points.Select(point => point.Name))}");
    }
}
