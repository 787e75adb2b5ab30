using Fleet.Models.Calibrating;

namespace Fleet.Models.Deciding;

/// <summary>
/// What stopping early costs against the full network, sample by sample: max(0, loss of the exit - loss of the last exit). What an exit
/// does better than the last is not set off against what it does worse, so the risk is at least the gap of the means. Source: Jazbec et
/// al., "Fast yet Safe: early-exiting with risk control", NeurIPS 2024.
/// </summary>
/// <param name="PerExit">For exit 1..N, one a sample; all 0 for the last.</param>
/// <param name="Largest">No loss can exceed it.</param>
public sealed record RiskLoss(IReadOnlyList<double[]> PerExit, double Largest)
{
    /// <summary>1 where the exit is wrong and the last exit right, else 0.</summary>
    public static RiskLoss AccuracyGap(Cascade cascade) =>
        Gap([.. Enumerable.Range(1, cascade.Exits).Select(exit => Array.ConvertAll(cascade.Correct(exit).ToArray(), right => right ? 0.0 : 1))], largest: 1);

    /// <summary>The Brier score over all classes, sum_c (p_c - [c is the truth])^2 in [0, 2], with p = softmax(logits / temperature) of each exit.</summary>
    public static RiskLoss BrierGap(ExitLogits set, IReadOnlyList<double> temperatures) =>
        Gap([.. set.Exits.Select((logits, exit) => Brier(set, logits, temperatures[exit]))], largest: 2);

    /// <summary>The same of the calibrated probability to be right, (confidence - [right])^2 in [0, 1]: for maps that give no class but the first a probability.</summary>
    public static RiskLoss ConfidenceGap(ExitLogits set, IReadOnlyList<CalibrationMap> maps) => Gap([.. set.Exits.Select((logits, exit) =>
    {
        var (confidences, correct) = maps[exit].Judge(logits, set.Labels, set.Classes);
        return confidences.Zip(correct, (p, right) => (p - (right ? 1 : 0)) * (p - (right ? 1 : 0))).ToArray();
    })], largest: 1);

    /// <summary>The same losses on some of the samples.</summary>
    public RiskLoss At(int[] samples) => new([.. PerExit.Select(losses => Array.ConvertAll(samples, sample => losses[sample]))], Largest);

    /// <summary>The loss of each sample at the exit, 1..N, that it takes.</summary>
    public double[] Of(int[] exitsTaken)
    {
        var losses = new double[exitsTaken.Length];
        for (var sample = 0; sample < losses.Length; sample++) losses[sample] = PerExit[exitsTaken[sample] - 1][sample];
        return losses;
    }

    private static RiskLoss Gap(double[][] losses, double largest) => new([.. losses.Select(exit => exit.Zip(losses[^1], (early, full) => Math.Max(0, early - full)).ToArray())], largest);

    private static double[] Brier(ExitLogits set, float[] logits, double temperature)
    {
        var (scores, p) = (new double[set.Samples], new double[set.Classes]);
        for (var sample = 0; sample < scores.Length; sample++)
        {
            Confidence.Softmax(logits.AsSpan(sample * set.Classes, set.Classes), temperature, p);
            p[set.Labels[sample]]--;
            foreach (var gap in p) scores[sample] += gap * gap;
        }
        return scores;
    }
}
