namespace Fleet.Models.Offloading;

/// <summary>
/// Notices that outcomes are no longer what was learnt: a cumulative sum, both ways, of outcomes less their learnt mean, in standard deviations
/// (Page, "Continuous inspection schemes", Biometrika 41, 1954). Constant work and memory. Rare outcomes are cut at three deviations,
/// or one surprise among a thousand sure answers would count as a change.
/// </summary>
public sealed class ChangeWatch
{
    /// <summary>K: smaller changes than this, in standard deviations, are let pass; a false alarm every 10^6 outcomes or so.</summary>
    private const double Slack = 0.25;
    private const double Alarm = 30;
    private const double SurpriseMax = 3;

    /// <summary>Outcomes from which on a mean is believed.</summary>
    private const double KnownFrom = 20;

    private double worse, better;

    /// <summary>True when this outcome makes a change certain; then it begins anew.</summary>
    /// <param name="agrees">The outcome.</param>
    /// <param name="agreed">Agreements so far where it belongs.</param>
    /// <param name="seen">Outcomes so far where it belongs.</param>
    public bool Sees(bool agrees, double agreed, double seen)
    {
        if (seen < KnownFrom) return false;
        // Half an outcome each way keeps a mean of 0 or 1 from having no spread.
        var mean = (agreed + 0.5) / (seen + 1);
        var surprise = Math.Clamp(((agrees ? 1 : 0) - mean) / Math.Sqrt(mean * (1 - mean)), -SurpriseMax, SurpriseMax);
        worse = Math.Max(0, worse - surprise - Slack);
        better = Math.Max(0, better + surprise - Slack);
        if (worse < Alarm && better < Alarm) return false;
        worse = better = 0;
        return true;
    }
}
