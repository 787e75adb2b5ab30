using Fleet.Models;

namespace Fleet.Training;

/// <summary>
/// What a classifier says about a set of images: how sure it is (the log-odds of its largest posterior, ln p - ln(1 - p), which tell apart what
/// rounds to a probability of 1) and whether it is right.
/// </summary>
public sealed class EarlyAnswers
{
    private readonly double[] confidences;
    private readonly bool[] right;

    /// <param name="logits">[image, class], flattened.</param>
    /// <param name="labels">[image].</param>
    public EarlyAnswers(ReadOnlySpan<float> logits, ReadOnlySpan<byte> labels)
    {
        var classes = logits.Length / labels.Length;
        (confidences, right) = (new double[labels.Length], new bool[labels.Length]);
        for (var i = 0; i < labels.Length; i++)
        {
            var own = logits.Slice(i * classes, classes);
            var label = Confidence.ArgMax(own);
            confidences[i] = LogOdds(own, label);
            right[i] = label == labels[i];
        }
    }

    /// <summary>The logit less the logarithm of the others' summed exponentials, none of which underflow beside the largest of them; -infinity when a logit is no number.</summary>
    private static double LogOdds(ReadOnlySpan<float> logits, int label)
    {
        var next = double.NegativeInfinity;
        for (var c = 0; c < logits.Length; c++)
            if (c != label && logits[c] > next) next = logits[c];
        double others = 0;
        for (var c = 0; c < logits.Length; c++)
            if (c != label) others += Math.Exp(logits[c] - next);
        var odds = logits[label] - next - Math.Log(others);
        return double.IsNaN(odds) ? double.NegativeInfinity : odds;
    }

    /// <summary>[image].</summary>
    public ReadOnlySpan<bool> Right => right;

    public double Accuracy => AccuracyOfSurest(1);

    /// <summary>Accuracy among the share of the images that it is surest of; of equals those that come first.</summary>
    public double AccuracyOfSurest(double share)
    {
        var count = Math.Max(1, (int)Math.Round(share * right.Length));
        return Enumerable.Range(0, right.Length).OrderByDescending(i => confidences[i]).Take(count).Count(i => right[i]) / (double)count;
    }

    /// <summary>The log-odds below which a share of these images lies.</summary>
    public double Quantile(double share) => confidences.Order().ElementAt(Math.Min(confidences.Length - 1, (int)(share * confidences.Length)));

    /// <summary>When images at least as sure as a threshold are answered early and all others by someone else.</summary>
    /// <param name="threshold">Of log-odds.</param>
    /// <param name="otherwise">Whether the other is right: [image].</param>
    /// <returns>Share of the images answered early, and accuracy of all.</returns>
    public (double Early, double Accuracy) Leaving(double threshold, ReadOnlySpan<bool> otherwise)
    {
        var (early, correct) = (0, 0);
        for (var i = 0; i < right.Length; i++)
        {
            var leaves = confidences[i] >= threshold;
            if (leaves) early++;
            if (leaves ? right[i] : otherwise[i]) correct++;
        }
        return ((double)early / right.Length, (double)correct / right.Length);
    }
}
