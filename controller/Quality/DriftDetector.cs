namespace Fleet.Controller.Quality;

/// <summary>
/// Finds out when answers differ from the tail's more, or less, often than they should, one audit after the other. An e-detector: Shin, Ramdas and Rinaldo,
/// "E-detectors: a nonparametric framework for sequential change detection", New England J. Stat. Data Sci. 2(2), 2024.
/// <code>
/// L_n = (d_n ? p' / p : (1 - p') / (1 - p)),   odds p' / (1 - p') = r p / (1 - p);     M_n = L_n max(M_{n-1}, 1);     alarm when the mean of M over all r is at least A
/// </code>
/// d_n says whether audit n differed. For r above 1, p is the most that should; for r below 1 the least. While no more (no fewer) differ, E[L_n | past] is at most 1
/// whatever the shares are, M_n is at most the sum over all starts of a supermartingale from 1, and so the mean number of audits to a false alarm is at least A.
/// </summary>
public sealed class DriftDetector(double auditsToFalseAlarm)
{
    /// <summary>By how much the odds may have changed.</summary>
    private static readonly double[] Ratios = [1.0 / 8, 1.0 / 4, 1.0 / 2, 2, 4, 8];
    private readonly double[] wealth = new double[Ratios.Length];
    private readonly long[] begun = new long[Ratios.Length];
    private long seen;

    /// <summary>Audits since the change that an alarm has found, the last included: since the evidence began to add up.</summary>
    public long Since { get; private set; }

    /// <summary>Takes one audit; true when the alarm is raised, after which the detector begins anew.</summary>
    /// <param name="least">Least share that should differ, 0 to 1.</param>
    /// <param name="most">Most that should.</param>
    public bool Add(double least, double most, bool differs)
    {
        seen++;
        for (var i = 0; i < Ratios.Length; i++)
        {
            if (wealth[i] <= 1) (wealth[i], begun[i]) = (1, seen);
            wealth[i] *= Likelihood(Ratios[i] > 1 ? most : least, Ratios[i], differs);
        }
        if (wealth.Average() < auditsToFalseAlarm) return false;
        Since = seen - begun[Array.IndexOf(wealth, wealth.Max())] + 1;
        Reset();
        return true;
    }

    public void Reset() => Array.Clear(wealth);

    private static double Likelihood(double share, double ratio, bool differs)
    {
        // Where all or nothing is in order, nothing can be held against what is seen.
        if (share is <= 0 or >= 1) return 1;
        var denominator = 1 - share + ratio * share;
        return differs ? ratio / denominator : 1 / denominator;
    }
}
