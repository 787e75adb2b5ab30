using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Energy;
using Fleet.Controller.Planning;
using Fleet.Controller.Quality;
using Fleet.Controller.Tails;
using Fleet.Models.Deciding;

namespace Fleet.Emulator.Scenarios;

/// <summary>How the controller steers.</summary>
public sealed record ControlSpec
{
    /// <summary>The planner, with its settings, and behind a plus who decides on devices.</summary>
    [JsonPropertyName("policy")] public string Policy { get; init; } = Planners.Default;

    /// <summary>After so long a device answers by itself.</summary>
    [JsonPropertyName("deadline_s")] public Seconds Deadline { get; init; } = new(0.5);

    /// <summary>Devices report so often.</summary>
    [JsonPropertyName("report_s")] public Seconds Report { get; init; } = new(5);

    /// <summary>A device whose budget is no news says it again after so long only; absent: with each report.</summary>
    [JsonPropertyName("budget_s")] public Seconds? BudgetPeriod { get; init; }

    /// <summary>The controller looks so often whether reports call for another plan.</summary>
    [JsonPropertyName("plan_s")] public Seconds Plan { get; init; } = new ControllerOptions().PlanPeriod;

    /// <summary>Seconds that a joule of device energy is worth, and seconds that a wrong answer is worth.</summary>
    [JsonPropertyName("joule_weight")] public double JouleWeight { get; init; } = new Weights().JouleWeight;

    /// <summary>Seconds that a wrong answer is worth.</summary>
    [JsonPropertyName("error_weight")] public double ErrorWeight { get; init; } = new Weights().ErrorWeight;

    /// <summary>Least mean accuracy of a site's answers, and longest mean latency of a device's; absent: none is asked.</summary>
    [JsonPropertyName("accuracy_min_ratio")] public double? AccuracyMin { get; init; }

    /// <summary>Longest mean latency of a device's answers; absent: any.</summary>
    [JsonPropertyName("latency_max_s")] public Seconds? LatencyMax { get; init; }

    /// <summary>Most joules of an inference, and most bytes that it puts on the network, in the mean of a site; absent: any. As accuracy_min_ratio kept by `dual` and `milp`.</summary>
    [JsonPropertyName("energy_max_j")] public Joules? EnergyMax { get; init; }

    /// <summary>Most bytes that an inference puts on the network, in the mean of a site; absent: any.</summary>
    [JsonPropertyName("sent_max_bytes")] public Bytes? SentMax { get; init; }

    /// <summary>Who decides on devices while no controller is there: hierarchical, hi-lcb, hi-lcb-lite or h2t2; absent: their thresholds.</summary>
    [JsonPropertyName("alone")] public DecisionKind? Alone { get; init; }

    /// <summary>Assignments that may change in a minute; absent: as many as plans change.</summary>
    [JsonPropertyName("changes_per_minute")] public double? ChangesPerMinute { get; init; }

    /// <summary>Share of inputs that are drawn to check the exits against the tail; 0: nobody watches.</summary>
    [JsonPropertyName("audit_ratio")] public double AuditRatio { get; init; }

    /// <summary>Share of answers that may differ from the tail's, once thresholds have been learnt from audits.</summary>
    [JsonPropertyName("risk_max_ratio")] public double RiskMax { get; init; } = new QualityOptions().RiskMax;

    /// <summary>Share of answers that may differ from the tail's: planners may then also choose thresholds that keep to it, by conformal risk control on the calibration trace; absent: there are none of these.</summary>
    [JsonPropertyName("exit_risk_ratio")] public double? ExitRisk { get; init; }

    /// <summary>Time in which what a battery holds above its reserve may be used up; absent: planners mind one moment's light and the lifetime asked for, and nothing keeps devices alive.</summary>
    [JsonPropertyName("energy_horizon_s")] public Seconds? EnergyHorizon { get; init; }

    [JsonIgnore] public EnergyOptions? Energy => EnergyHorizon is { } horizon ? new EnergyOptions { Horizon = horizon } : null;

    /// <summary>Who decides which tails servers hold that have not memory for all, and how often.</summary>
    [JsonPropertyName("placement")] public PlacementKind Placement { get; init; }

    /// <summary>How often it is decided which tails servers hold.</summary>
    [JsonPropertyName("placement_s")] public Seconds PlacementPeriod { get; init; } = new PlacementOptions().Period;

    /// <summary>What loading a byte is worth, summed over what requests save between two decisions.</summary>
    [JsonPropertyName("swap_price_s_per_byte")] public double SwapPrice { get; init; } = new PlacementOptions().SwapPrice.Value;

    /// <summary>How much farther away clouds are than edge servers, there and back, as the controller has been told.</summary>
    [JsonPropertyName("cloud_rtt_s")] public Seconds CloudDistance { get; init; }

    [JsonIgnore] public QualityOptions? Quality => AuditRatio > 0 ? new QualityOptions { AuditRatio = AuditRatio, RiskMax = RiskMax } : null;

    [JsonIgnore] public Weights Weights => new() { JouleWeight = JouleWeight, ErrorWeight = ErrorWeight, AccuracyMin = AccuracyMin, LatencyMax = LatencyMax, EnergyMax = EnergyMax, SentMax = SentMax };

    /// <summary>The same keeping to a point of the site's front.</summary>
    public ControlSpec Pursuing(Objective wanted) => this with
    {
        Policy = Dual.PolicyName,
        JouleWeight = wanted.JouleWeight ?? JouleWeight,
        ErrorWeight = wanted.ErrorWeight ?? ErrorWeight,
        AccuracyMin = wanted.AccuracyMin,
        LatencyMax = null,
        EnergyMax = wanted.EnergyMax,
        SentMax = wanted.SentMax,
    };

    /// <summary>What is impossible about it, one sentence a fault.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var fault in Policies.Faults(Policy)) yield return $"policy {fault}";
        if (!(Deadline.Value is > 0 and <= 3600)) yield return $"deadline_s is {Deadline.Value}; allowed: above 0 to 3600";
        foreach (var fault in ControllerOptions.ReportPeriodBounds.Faults("report_s", Report.Value)) yield return fault;
        if (Budget.PeriodFault(BudgetPeriod, Report) is { } period) yield return period;
        foreach (var fault in ControllerOptions.PlanPeriodBounds.Faults("plan_s", Plan.Value)) yield return fault;
        if (!(JouleWeight is >= 0 and <= 1e6)) yield return $"joule_weight is {JouleWeight}; allowed: 0 to 1e6";
        if (AccuracyMin is { } least and not (>= 0 and <= 1)) yield return $"accuracy_min_ratio is {least}; allowed: 0 to 1";
        if (LatencyMax is { Value: not (> 0 and <= 3600) } longest) yield return $"latency_max_s is {longest.Value}; allowed: above 0 to 3600";
        if (EnergyMax is { Value: not (> 0 and <= 1e6) } joules) yield return $"energy_max_j is {joules.Value}; allowed: above 0 to 1e6";
        if (SentMax is { Value: not (>= 0 and <= 1e12) } bytes) yield return $"sent_max_bytes is {bytes.Value}; allowed: 0 to 1e12";
        if (ChangesPerMinute is { } changes and not (>= 1 and <= 1e6)) yield return $"changes_per_minute is {changes}; allowed: 1 to 1e6";
        foreach (var fault in QualityOptions.Faults("audit_ratio", AuditRatio, "risk_max_ratio", RiskMax)) yield return fault;
        foreach (var fault in ExitRisk is { } risk ? RiskControl.RiskBounds.Faults("exit_risk_ratio", risk) : []) yield return fault;
        foreach (var fault in EnergyHorizon is { } horizon ? EnergyOptions.HorizonBounds.Faults("energy_horizon_s", horizon.Value) : []) yield return fault;
        foreach (var fault in PlacementOptions.PeriodBounds.Faults("placement_s", PlacementPeriod.Value)) yield return fault;
        foreach (var fault in PlacementOptions.SwapPriceBounds.Faults("swap_price_s_per_byte", SwapPrice)) yield return fault;
        foreach (var fault in ControllerOptions.CloudDistanceBounds.Faults("cloud_rtt_s", CloudDistance.Value)) yield return fault;
        if (!(ErrorWeight is >= 0 and <= 1e6)) yield return $"error_weight is {ErrorWeight}; allowed: 0 to 1e6";
    }
}
