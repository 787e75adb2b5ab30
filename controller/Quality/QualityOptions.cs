using Fleet.Models.Deciding;

namespace Fleet.Controller.Quality;

/// <summary>How the answers of a site are watched.</summary>
public sealed record QualityOptions
{
    /// <summary>More than this of all inputs is never drawn while nothing is wrong: each costs an offload.</summary>
    public const double AuditRatioMax = 0.25;

    /// <summary>Share of inputs that are drawn to check the exits; above 0 to <see cref="AuditRatioMax"/>.</summary>
    public double AuditRatio { get; init; } = 0.02;

    /// <summary>The same after an alarm, until <see cref="AlarmedAudits"/> have come: what is known by then decides how long nobody knows how good answers are.</summary>
    public double AlarmedRatio => AuditRatio / AuditRatioMax;

    /// <summary>Audits since a change for which more are drawn.</summary>
    public const int AlarmedAudits = 1000;

    /// <summary>Share of answers that may differ from the tail's once thresholds have been learnt from audits.</summary>
    public double RiskMax { get; init; } = 0.01;

    /// <summary>Audits between two false alarms of one detector, in the mean at least; of both together half as many.</summary>
    public double AuditsToFalseAlarm { get; init; } = 10_000;

    /// <summary>
    /// Audits from which thresholds are learnt for the first time. With n of them conformal control spends 1 / (n + 1) of the risk on its own doubt: the first lesson is
    /// strict and the later ones less so.
    /// </summary>
    public int LearnsFrom => (int)Math.Ceiling(1.5 / RiskMax);

    /// <summary>What is wrong with a share of inputs or of answers; none when all is well.</summary>
    public static IEnumerable<string> Faults(string auditKey, double audit, string riskKey, double risk)
    {
        if (!(audit is >= 0 and <= AuditRatioMax)) yield return $"{auditKey} is {audit}; allowed: 0 (nobody audits) to {AuditRatioMax}";
        foreach (var fault in RiskControl.RiskBounds.Faults(riskKey, risk)) yield return fault;
    }
}
