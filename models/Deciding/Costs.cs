using Fleet.Models.Calibrating;

namespace Fleet.Models.Deciding;

/// <summary>What the two errors of a binary decision cost, in any one currency; p is the calibrated probability that "yes" is right.</summary>
/// <param name="FalsePositive">Saying yes when no is right; above 0.</param>
/// <param name="FalseNegative">Saying no when yes is right; above 0.</param>
public readonly record struct ErrorCosts(double FalsePositive, double FalseNegative)
{
    /// <summary>Yes costs c_FP (1 - p) and no costs c_FN p, so yes is cheaper iff p is above c_FP / (c_FP + c_FN).</summary>
    public double Threshold => FalsePositive / (FalsePositive + FalseNegative);

    public bool SaysYes(double p) => p > Threshold;

    /// <summary>Expected cost of the cheaper answer.</summary>
    public double Expected(double p) => Math.Min(FalsePositive * (1 - p), FalseNegative * p);

    /// <summary>The raw probabilities at which yes is said: several intervals where the map is not monotone.</summary>
    public ThresholdSet Yes(CalibrationMap map) => map.Above(Threshold);

    /// <summary>
    /// The p at which asking somebody who knows, for <paramref name="offloadCost"/>, is cheaper than either answer: min(c_FP (1 - p), c_FN p)
    /// is above the cost iff p is in (cost / c_FN, 1 - cost / c_FP). The same two thresholds as H2T2, arXiv 2509.15674.
    /// </summary>
    public ThresholdSet Offloaded(double offloadCost) => ThresholdSet.Between(offloadCost / FalseNegative, Math.BitDecrement(1 - offloadCost / FalsePositive));
}

/// <summary>Whether an answer is kept or the work goes on elsewhere. Source: Cohen and Goldszmidt, HPL-2004-22R1, applied to exits.</summary>
/// <param name="Cost">Of going on, in the currency of <paramref name="PriceOfError"/>: bytes, joules or seconds at their price.</param>
/// <param name="PriceOfError">What a wrong answer costs; above 0.</param>
public readonly record struct OffloadCosts(double Cost, double PriceOfError)
{
    /// <summary>Going on pays iff it removes more error than it costs: (1 - p_here) - (1 - p_there) above cost / price.</summary>
    /// <param name="here">Calibrated probability that the exit is right.</param>
    /// <param name="there">Probability that the answer from elsewhere would be.</param>
    public bool Offloads(double here, double there) => 1 - here - (1 - there) > Cost / PriceOfError;

    /// <summary>The raw probabilities of an exit at which its answer is kept when elsewhere is equally good at all inputs.</summary>
    public ThresholdSet Kept(CalibrationMap here, double there) => here.Above(Math.BitDecrement(there - Cost / PriceOfError));

    /// <summary>
    /// The same when elsewhere is better at some inputs than at others: <paramref name="there"/> maps the exit's own raw probability to the
    /// probability that the answer from elsewhere is right.
    /// </summary>
    public ThresholdSet Kept(HistogramMap here, HistogramMap there)
    {
        var costs = this;
        var edges = here.UpperEdges.Concat(there.UpperEdges).Distinct().Order().ToArray();
        return ThresholdSet.Where(edges, high => !costs.Offloads(here.Calibrate(high), there.Calibrate(high)));
    }
}
