namespace Fleet.Models.Offloading;

/// <summary>
/// What a policy has lost beside what each fixed threshold would have lost on the same inputs, always and never going on among them.
/// It needs to know what both ways cost of every input, as a recording does and a device does not. Losses are in wrong answers.
/// </summary>
/// <param name="thresholds">An input goes on when its score is below; 0 never, above 1 always.</param>
public sealed class RegretLedger(IReadOnlyList<double> thresholds)
{
    private readonly double[] fixedLosses = new double[thresholds.Count];

    public long Inputs { get; private set; }

    public double Loss { get; private set; }

    public long WentOn { get; private set; }

    /// <summary>Lost by each fixed threshold.</summary>
    public IReadOnlyList<double> FixedLosses => fixedLosses;

    /// <summary>The threshold that would have lost least so far, and what it would have lost.</summary>
    public (double Threshold, double Loss) BestFixed
    {
        get
        {
            var best = Array.IndexOf(fixedLosses, fixedLosses.Min());
            return (thresholds[best], fixedLosses[best]);
        }
    }

    /// <summary>Lost beyond the best fixed threshold in hindsight; below 0 where no fixed one does as well.</summary>
    public double Regret => Loss - BestFixed.Loss;

    /// <param name="price">Of going on with this input.</param>
    /// <param name="kept">What its own answer costs.</param>
    /// <param name="audited">It was kept, and sent all the same: its price is lost too.</param>
    public void Add(double score, bool wentOn, double price, double kept, bool audited = false)
    {
        Inputs++;
        if (wentOn) WentOn++;
        Loss += wentOn ? price : audited ? kept + price : kept;
        for (var i = 0; i < fixedLosses.Length; i++) fixedLosses[i] += score < thresholds[i] ? price : kept;
    }
}
