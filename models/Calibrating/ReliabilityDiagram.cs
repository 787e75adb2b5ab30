namespace Fleet.Models.Calibrating;

/// <summary>One bar of a reliability diagram: the samples whose confidence lies in (<paramref name="Low"/>, <paramref name="High"/>].</summary>
/// <param name="Low">Lower edge, not in the bin.</param>
/// <param name="High">Upper edge, in the bin.</param>
/// <param name="Samples">How many fell in; confidence and accuracy are 0 where nobody did.</param>
/// <param name="Confidence">Their mean confidence.</param>
/// <param name="Accuracy">The share of them that is right.</param>
public readonly record struct ReliabilityBin(double Low, double High, int Samples, double Confidence, double Accuracy)
{
    public double Gap => Math.Abs(Accuracy - Confidence);
}

/// <summary>
/// Accuracy against confidence, bin by bin, and what follows from it. A calibrated exit lies on the diagonal. Sources: Guo et al., "On
/// calibration of modern neural networks", ICML 2017 (diagram, ECE); Cohen and Goldszmidt, "Properties and benefits of calibrated
/// classifiers", HPL-2004-22R1 (the split of the Brier score).
/// </summary>
public sealed class ReliabilityDiagram
{
    public const int DefaultBins = 15;

    private readonly int samples;

    private ReliabilityDiagram(IReadOnlyList<ReliabilityBin> bins) => (Bins, samples) = (bins, bins.Sum(bin => bin.Samples));

    /// <summary>From the least confident to the most.</summary>
    public IReadOnlyList<ReliabilityBin> Bins { get; }

    /// <summary>Expected calibration error: sum over bins of n_b/n |accuracy - confidence|.</summary>
    public double Ece => Mean(bin => bin.Gap);

    /// <summary>Maximum calibration error: the widest gap of a bin that holds samples.</summary>
    public double Mce => Bins.Max(bin => bin.Gap);

    /// <summary>The part of <see cref="BinnedBrier"/> that a map can remove: sum of n_b/n (confidence - accuracy)^2.</summary>
    public double Calibration => Mean(bin => bin.Gap * bin.Gap);

    /// <summary>The part that no map can remove, since the samples of a bin look alike: sum of n_b/n accuracy (1 - accuracy).</summary>
    public double Refinement => Mean(bin => bin.Accuracy * (1 - bin.Accuracy));

    /// <summary>The Brier score of a sample's bin's mean confidence; it is <see cref="Calibration"/> + <see cref="Refinement"/> exactly.</summary>
    public double BinnedBrier => Calibration + Refinement;

    /// <summary>Bins of equal width over [0, 1]; 0 itself counts to the first.</summary>
    /// <param name="confidences">One a sample, in [0, 1].</param>
    /// <param name="correct">Whether the sample's answer is right.</param>
    /// <exception cref="ArgumentException">The lengths differ, there is no sample, or a confidence is outside [0, 1].</exception>
    public static ReliabilityDiagram EqualWidth(ReadOnlySpan<double> confidences, ReadOnlySpan<bool> correct, int bins = DefaultBins) =>
        Of(confidences, correct, EqualWidthEdges(bins));

    /// <summary>Bins of equal numbers of samples, as far as equal confidences, which stay together, allow.</summary>
    /// <inheritdoc cref="EqualWidth" path="/param|/exception"/>
    public static ReliabilityDiagram EqualMass(ReadOnlySpan<double> confidences, ReadOnlySpan<bool> correct, int bins = DefaultBins) =>
        Of(confidences, correct, EqualMassEdges(confidences, bins));

    /// <summary>Bins with given upper edges, ascending, the last of them 1.</summary>
    /// <inheritdoc cref="EqualWidth" path="/param|/exception"/>
    public static ReliabilityDiagram Of(ReadOnlySpan<double> confidences, ReadOnlySpan<bool> correct, double[] upperEdges)
    {
        if (confidences.Length != correct.Length) throw new ArgumentException($"{confidences.Length} confidences and {correct.Length} outcomes; one of each a sample is needed", nameof(correct));
        if (confidences.IsEmpty) throw new ArgumentException("there is no sample", nameof(confidences));
        var (counts, sums, right) = (new int[upperEdges.Length], new double[upperEdges.Length], new int[upperEdges.Length]);
        for (var i = 0; i < confidences.Length; i++)
        {
            if (confidences[i] is not (>= 0 and <= 1)) throw new ArgumentException($"confidence {confidences[i]} of sample {i} is outside [0, 1]", nameof(confidences));
            var bin = Bin(upperEdges, confidences[i]);
            counts[bin]++;
            sums[bin] += confidences[i];
            if (correct[i]) right[bin]++;
        }
        return new ReliabilityDiagram([.. upperEdges.Select((high, bin) =>
            new ReliabilityBin(bin == 0 ? 0 : upperEdges[bin - 1], high, counts[bin], Share(sums[bin], counts[bin]), Share(right[bin], counts[bin])))]);
    }

    /// <summary>Upper edges 1/n, 2/n, ..., 1.</summary>
    internal static double[] EqualWidthEdges(int bins) => [.. Enumerable.Range(1, bins).Select(bin => (double)bin / bins)];

    /// <summary>Upper edges that leave equal numbers of samples between them; ties share a bin, so that there may be fewer. The last is 1.</summary>
    internal static double[] EqualMassEdges(ReadOnlySpan<double> confidences, int bins)
    {
        var sorted = confidences.ToArray();
        Array.Sort(sorted);
        var edges = new List<double>(bins);
        for (var bin = 1; bin < bins; bin++)
        {
            var edge = sorted[Math.Max(0, (int)((long)bin * sorted.Length / bins) - 1)];
            if (edge < sorted[^1] && (edges.Count == 0 || edge > edges[^1])) edges.Add(edge);
        }
        return [.. edges, 1];
    }

    /// <summary>The bin (lo, hi] of a confidence.</summary>
    internal static int Bin(double[] upperEdges, double confidence)
    {
        var at = Array.BinarySearch(upperEdges, confidence);
        return Math.Min(at >= 0 ? at : ~at, upperEdges.Length - 1);
    }

    private double Mean(Func<ReliabilityBin, double> value) => Bins.Sum(bin => bin.Samples * value(bin)) / samples;

    private static double Share(double part, int whole) => whole == 0 ? 0 : part / whole;
}
