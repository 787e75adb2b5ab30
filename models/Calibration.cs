using Fleet.Models.Calibrating;

namespace Fleet.Models;

/// <summary>Temperature scaling and what judges it. Source: Guo et al., "On calibration of modern neural networks", ICML 2017.</summary>
public static class Calibration
{
    /// <summary>
    /// The temperature that minimises the negative log-likelihood of the labels; logits are [samples x classes], row by row.
    /// The likelihood is convex in 1/T, so a golden-section search over 1/T in [0.05, 20] finds it.
    /// </summary>
    public static double FitTemperature(ReadOnlySpan<float> logits, ReadOnlySpan<byte> labels, int classes)
    {
        var ratio = (Math.Sqrt(5) - 1) / 2;
        var (low, high) = (0.05, 20.0);
        var (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        var (atA, atB) = (MeanNll(logits, labels, classes, 1 / a), MeanNll(logits, labels, classes, 1 / b));
        while (high - low > 1e-6)
        {
            if (atA < atB)
            {
                (high, b, atB) = (b, a, atA);
                a = high - ratio * (high - low);
                atA = MeanNll(logits, labels, classes, 1 / a);
            }
            else
            {
                (low, a, atA) = (a, b, atB);
                b = low + ratio * (high - low);
                atB = MeanNll(logits, labels, classes, 1 / b);
            }
        }
        return 2 / (low + high);
    }

    /// <summary>Mean negative log-likelihood in nats.</summary>
    public static double MeanNll(ReadOnlySpan<float> logits, ReadOnlySpan<byte> labels, int classes, double temperature)
    {
        double total = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            var row = logits.Slice(i * classes, classes);
            var largest = row[Confidence.ArgMax(row)];
            double sum = 0;
            foreach (var logit in row) sum += Math.Exp((logit - largest) / temperature);
            total += Math.Log(sum) - (row[labels[i]] - largest) / temperature;
        }
        return total / labels.Length;
    }

    /// <summary>Expected calibration error of the largest probability, see <see cref="ReliabilityDiagram.Ece"/>.</summary>
    public static double Ece(ReadOnlySpan<float> logits, ReadOnlySpan<byte> labels, int classes, double temperature)
    {
        var (confidences, correct) = new TemperatureMap(temperature).Judge(logits, labels, classes);
        return ReliabilityDiagram.EqualWidth(confidences, correct).Ece;
    }

    /// <summary>Brier score of the event that an answer is right: mean (confidence - [right])^2, from 0 to 1. Source: Brier, Mon. Weather Rev. 78(1), 1950.</summary>
    public static double Brier(ReadOnlySpan<double> confidences, ReadOnlySpan<bool> correct)
    {
        double sum = 0;
        for (var i = 0; i < confidences.Length; i++)
        {
            var gap = confidences[i] - (correct[i] ? 1 : 0);
            sum += gap * gap;
        }
        return sum / confidences.Length;
    }

    public static double Accuracy(ReadOnlySpan<float> logits, ReadOnlySpan<byte> labels, int classes)
    {
        var correct = 0;
        for (var i = 0; i < labels.Length; i++)
            if (Confidence.ArgMax(logits.Slice(i * classes, classes)) == labels[i]) correct++;
        return (double)correct / labels.Length;
    }
}
