using Fleet.Models.Deciding;

namespace Fleet.Models.Calibrating;

/// <summary>
/// Turns the largest probability of an exit into an estimate of the probability that its answer is right. The answer itself, the
/// largest logit, stays what it is: no map changes accuracy. Maps are plain numbers, fitted on calibration data only.
/// </summary>
public abstract record CalibrationMap
{
    private protected CalibrationMap()
    {
    }

    /// <summary>Logits are divided by it before the softmax whose largest probability is mapped.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>What is made of the largest probability of softmax(logits / temperature); non-negative and at most 1.</summary>
    public abstract double Calibrate(double probability);

    /// <summary>The largest probabilities whose calibrated value is above <paramref name="bar"/>.</summary>
    public abstract ThresholdSet Above(double bar);

    /// <summary>How probably the answer <paramref name="label"/> is right; 0 when a logit is no number.</summary>
    public double Confidence(ReadOnlySpan<float> logits, out int label)
    {
        var probability = Models.Confidence.MaxProbability(logits, Temperature, out label);
        return probability == 0 ? 0 : Calibrate(probability);
    }

    /// <summary>Confidence and correctness of every sample; logits are [samples x classes], row by row.</summary>
    public (double[] Confidences, bool[] Correct) Judge(ReadOnlySpan<float> logits, ReadOnlySpan<byte> labels, int classes)
    {
        var (confidences, correct) = (new double[labels.Length], new bool[labels.Length]);
        for (var i = 0; i < labels.Length; i++)
        {
            confidences[i] = Confidence(logits.Slice(i * classes, classes), out var label);
            correct[i] = label == labels[i];
        }
        return (confidences, correct);
    }
}

/// <summary>Temperature scaling alone. Source: Guo et al., ICML 2017.</summary>
public sealed record TemperatureMap : CalibrationMap
{
    public TemperatureMap(double temperature) => Temperature = temperature;

    public override double Calibrate(double probability) => probability;

    public override ThresholdSet Above(double bar) => ThresholdSet.Above(bar);

    /// <inheritdoc cref="Calibration.FitTemperature"/>
    public static TemperatureMap Fit(ReadOnlySpan<float> logits, ReadOnlySpan<byte> labels, int classes) => new(Calibration.FitTemperature(logits, labels, classes));
}

/// <summary>
/// A value for each bin (lo, hi] of probability; it need not be monotone. Source: Zadrozny and Elkan, "Obtaining calibrated probability
/// estimates from decision trees and naive Bayesian classifiers", ICML 2001.
/// </summary>
/// <param name="UpperEdges">Ascending, the last of them 1.</param>
/// <param name="Values">One a bin, in [0, 1].</param>
public sealed record HistogramMap(double[] UpperEdges, double[] Values) : CalibrationMap
{
    public override double Calibrate(double probability) => Values[ReliabilityDiagram.Bin(UpperEdges, probability)];

    public override ThresholdSet Above(double bar) => ThresholdSet.Where(UpperEdges, high => Calibrate(high) > bar);

    /// <summary>Bins of equal numbers of samples; each has the accuracy of its samples.</summary>
    public static HistogramMap Fit(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> correct, int bins = ReliabilityDiagram.DefaultBins) =>
        Fit(probabilities, correct, ReliabilityDiagram.EqualMassEdges(probabilities, bins));

    /// <summary>Bins with given upper edges, the last of them 1; a bin where nobody is keeps its own middle.</summary>
    public static HistogramMap Fit(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> correct, double[] upperEdges)
    {
        var diagram = ReliabilityDiagram.Of(probabilities, correct, upperEdges);
        return new HistogramMap(upperEdges, [.. diagram.Bins.Select(bin => bin.Samples == 0 ? (bin.Low + bin.High) / 2 : bin.Accuracy)]);
    }
}

/// <summary>
/// The monotone map nearest to the outcomes, linear between the blocks that pooling adjacent violators leaves. Source: Zadrozny and
/// Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002.
/// </summary>
/// <param name="Probabilities">Knots, strictly ascending.</param>
/// <param name="Values">One a knot, in [0, 1], never falling; the map is constant outside the knots.</param>
public sealed record IsotonicMap(double[] Probabilities, double[] Values) : CalibrationMap
{
    public override double Calibrate(double probability)
    {
        var at = Array.BinarySearch(Probabilities, probability);
        if (at >= 0) return Values[at];
        at = ~at;
        if (at == 0 || at == Values.Length) return Values[Math.Min(at, Values.Length - 1)];
        return Between(Probabilities, Values, at, probability);
    }

    public override ThresholdSet Above(double bar)
    {
        if (Values[^1] <= bar) return ThresholdSet.None;
        var first = Array.FindIndex(Values, value => value > bar);
        return ThresholdSet.Above(first == 0 ? 0 : Between(Values, Probabilities, first, bar));
    }

    /// <summary>Interpolated: each block of the regression stands at its first and its last probability.</summary>
    public static IsotonicMap Fit(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> correct)
    {
        var (knots, values) = (new List<double>(), new List<double>());
        foreach (var block in IsotonicRegression.Fit(probabilities, correct))
        {
            knots.Add(block.First);
            values.Add(block.Value);
            if (block.Last == block.First) continue;
            knots.Add(block.Last);
            values.Add(block.Value);
        }
        return new IsotonicMap([.. knots], [.. values]);
    }

    /// <summary>In steps, half way between neighbouring blocks: a histogram whose bins the data chose.</summary>
    public static HistogramMap FitSteps(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> correct)
    {
        var blocks = IsotonicRegression.Fit(probabilities, correct);
        return new HistogramMap([.. blocks.Skip(1).Select((next, i) => blocks[i].Last + (next.First - blocks[i].Last) / 2), 1], [.. blocks.Select(block => block.Value)]);
    }

    /// <summary>The line through knots <paramref name="right"/> - 1 and <paramref name="right"/>.</summary>
    private static double Between(double[] xs, double[] ys, int right, double x) =>
        ys[right - 1] + (x - xs[right - 1]) / (xs[right] - xs[right - 1]) * (ys[right] - ys[right - 1]);
}
