using Fleet.Models;

namespace Fleet.Training;

/// <summary>What a classifier says about a set of images: how sure it is (its largest posterior) and whether it is right.</summary>
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
            confidences[i] = Confidence.MaxProbability(logits.Slice(i * classes, classes), temperature: 1, out var label);
            right[i] = label == labels[i];
        }
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

    /// <summary>The confidence below which a share of these images lies.</summary>
    public double Quantile(double share) => confidences.Order().ElementAt(Math.Min(confidences.Length - 1, (int)(share * confidences.Length)));

    /// <summary>When images at least as sure as a threshold are answered early and all others by someone else.</summary>
    /// <param name="threshold">Of confidence.</param>
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
