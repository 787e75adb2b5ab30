using Fleet.Contracts;
using Fleet.Models.Deciding;

namespace Fleet.Controller.Planning;

/// <summary>
/// Sets of thresholds worth choosing from, by screening (BranchyNet, ICPR 2016) on the calibration trace. What work is depends on the
/// device: a fast one minds what crosses, a slow one what it computes. So each head and route is screened at several prices of a crossing, and
/// of each front those sets stay that some price of accuracy can prefer: its upper convex hull.
/// </summary>
/// <param name="card">Of the model.</param>
/// <param name="confidences">Calibrated, for exit 1..N, one a sample.</param>
/// <param name="correct">For exit 1..N: whether it is right about a sample.</param>
internal sealed class ThresholdFronts(ModelCard card, double[][] confidences, bool[][] correct)
{
    /// <summary>Thresholds tried at each exit, at even shares of the samples.</summary>
    private const int Quantiles = 24;

    /// <summary>Four digits are enough for a threshold, and short on the wire.</summary>
    private const int Digits = 4;

    /// <summary>What one crossing weighs, in runs of the whole network.</summary>
    private static readonly double[] CrossingWeights = [0.1, 1, 10];

    /// <summary>One threshold for each exit held. The deepest exit of a local head, which answers anyway, has 0.</summary>
    /// <param name="routeCorrect">Whether the network behind the route is right about a sample; null for a local head.</param>
    public IEnumerable<double[]> Of(int head, bool[]? routeCorrect)
    {
        if (routeCorrect is null && head == 1) return [];
        var asked = routeCorrect is null ? head - 1 : head;
        var macs = Cascade.MacsOf(card);
        return CrossingWeights.SelectMany(weight =>
            {
                Macs[] work = [.. macs.Take(asked), routeCorrect is null ? macs[head - 1] : new Macs(macs[head - 1].Value + weight * macs[^1].Value)];
                var cascade = new Cascade(ExitScore.Probability, [.. confidences.Take(asked), confidences[asked - 1]], [.. correct.Take(asked), routeCorrect ?? correct[head - 1]], work);
                return Hull(Screening.ParetoFront(cascade, Screening.DefaultGrids(cascade, Quantiles)));
            })
            .Select(outcome => outcome.Thresholds.Select(Rounded).Concat(Enumerable.Repeat(0.0, head - asked)).ToArray())
            .DistinctBy(thresholds => new PerExit(thresholds));
    }

    /// <summary>Without those that another beats: no less accurate, no larger a share in any stage, no more that crosses. Of equals the first stays.</summary>
    public static IEnumerable<Option> Undominated(IReadOnlyList<Option> options) =>
        options.Where((option, i) => !options.Where((other, j) => j != i && Beats(other, option) && (j < i || !Beats(option, other))).Any());

    /// <summary>What rounds to 1 is meant to be never reached.</summary>
    private static double Rounded(double threshold) => Math.Round(threshold, Digits) is < 1 and var below ? below : OptionTable.Never;

    private static bool Beats(Option better, Option worse) =>
        better.Accuracy >= worse.Accuracy && better.OffloadShare <= worse.OffloadShare
        && (better.SendsAll || !worse.SendsAll && better.StageShares.Zip(worse.StageShares).All(pair => pair.First <= pair.Second));

    /// <summary>The corners of a front, by rising work.</summary>
    private static List<CascadeOutcome> Hull(IReadOnlyList<CascadeOutcome> front)
    {
        var hull = new List<CascadeOutcome>();
        foreach (var outcome in front)
        {
            while (hull.Count > 1 && !IsAbove(hull[^2], hull[^1], outcome)) hull.RemoveAt(hull.Count - 1);
            hull.Add(outcome);
        }
        return hull;
    }

    /// <summary>Whether the middle one lies above the line through its neighbours.</summary>
    private static bool IsAbove(CascadeOutcome a, CascadeOutcome middle, CascadeOutcome b) =>
        (middle.Accuracy - a.Accuracy) * (b.MeanMacs.Value - a.MeanMacs.Value) > (b.Accuracy - a.Accuracy) * (middle.MeanMacs.Value - a.MeanMacs.Value);
}
