using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Deciding;

namespace Fleet.Emulator.Experiments.Exits;

/// <summary>One threshold, or set of them, on the test images.</summary>
/// <param name="Threshold">Of the first exit.</param>
/// <param name="Share">Of images that leave at the first exit.</param>
/// <param name="EarlyAccuracy">Of those; null where nobody does.</param>
/// <param name="Macs">Mean work of an image.</param>
public sealed record SweptThreshold(double Threshold, double Share, double Accuracy, double? EarlyAccuracy, double Macs);

/// <summary>The thresholds of least work that lose at most so much on the calibration images, on the test images.</summary>
public sealed record ChosenExit(double Loss, double[] Thresholds, double[] Shares, double Accuracy, double Macs)
{
    public double Threshold => Thresholds[0];

    public double Share => Shares[0];
}

/// <summary>A network with branches, replayed from its traces under rules of the softmax as it is (no temperature), as BranchyNet has them.</summary>
public sealed class BranchStudy
{
    private const int CurvePoints = 100;

    private readonly ExitLogits calibration;
    private readonly ExitLogits test;
    private readonly Cascade chosenOn;
    private readonly Cascade shownOn;
    private readonly IReadOnlyList<CascadeOutcome> front;

    public BranchStudy(ModelFiles files)
    {
        Card = files.Card;
        (calibration, test) = (ExitLogits.Of(files.ReadCalibrationTrace()), ExitLogits.Of(files.ReadTestTrace()));
        (chosenOn, shownOn) = (Of(calibration, ExitScore.Entropy), Of(test, ExitScore.Entropy));
        front = Screening.ParetoFront(chosenOn, Screening.DefaultGrids(chosenOn));
    }

    public ModelCard Card { get; }

    /// <summary>Work of the whole network without branches.</summary>
    public double Alone => Card.Tail(0).Work.Total.Value;

    /// <summary>Of what lies before the first branch: what the whole network does more than the tail behind it.</summary>
    public double Trunk => Alone - Card.Tail(1).Work.Total.Value;

    public double Branch => Early - Trunk;

    /// <summary>Of an image that leaves at the first branch.</summary>
    public double Early => Card.HeadWork(1).Total.Value;

    /// <summary>Of an image that passes every branch.</summary>
    public double Late => Card.HeadWork(Card.StageCount).Total.Value;

    /// <summary>Of the last exit on all test images.</summary>
    public double FullAccuracy => shownOn.FullAccuracy;

    /// <summary>Mean work when this share leaves at the first of one branch.</summary>
    public double MeanAt(double share) => share * Early + (1 - share) * Late;

    /// <summary>The same if branches cost nothing.</summary>
    public double MeanIfFreeAt(double share) => share * Trunk + (1 - share) * Alone;

    /// <summary>Entropies below which the first exit answers; of a network with one branch.</summary>
    public IReadOnlyList<SweptThreshold> Sweep(IEnumerable<double> thresholds) => [.. thresholds.Select(threshold => Swept(shownOn, threshold))];

    /// <summary>From nobody to everybody leaving, by thresholds at the quantiles of the calibration images.</summary>
    public IReadOnlyList<SweptThreshold> Curve(ExitScore score)
    {
        var (choose, show) = (Of(calibration, score), Of(test, score));
        return [.. Screening.Quantiles(choose, 1, CurvePoints).Append(ExitRule.Never(score).Threshold).Select(threshold => Swept(show, threshold)).OrderBy(swept => swept.Macs)];
    }

    /// <summary>The threshold that lets this share of the calibration images leave.</summary>
    public SweptThreshold AtShare(ExitScore score, double share)
    {
        var sorted = Of(calibration, score).Sureness(1).ToArray();
        Array.Sort(sorted);
        return Swept(Of(test, score), ExitRule.AtLeast(score, sorted[(int)Math.Round((1 - share) * sorted.Length)]).Threshold);
    }

    /// <summary>Null when no set of the grid loses so little.</summary>
    public ChosenExit? Choose(double loss)
    {
        if (Screening.Cheapest(front, chosenOn.FullAccuracy - loss) is not { } cheapest) return null;
        var outcome = shownOn.Evaluate(cheapest.Thresholds);
        return new ChosenExit(loss, cheapest.Thresholds, outcome.ExitShares, outcome.Accuracy, outcome.MeanMacs.Value);
    }

    private Cascade Of(ExitLogits set, ExitScore score) => Cascade.Of(set, score, [.. Card.Exits.Select(_ => 1.0)], Cascade.MacsOf(Card));

    private static SweptThreshold Swept(Cascade cascade, double threshold)
    {
        var outcome = cascade.Evaluate([threshold]);
        return new SweptThreshold(threshold, outcome.ExitShares[0], outcome.Accuracy, outcome.ExitShares[0] > 0 ? outcome.ExitAccuracies[0] : null, outcome.MeanMacs.Value);
    }
}
