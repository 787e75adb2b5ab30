using Fleet.Models;

namespace Fleet.Tests.Models;

/// <summary>Labelled logits whose truth is known, because they were made so.</summary>
internal static class Made
{
    /// <summary>Random logits whose labels are drawn from their softmax at <paramref name="temperature"/>.</summary>
    public static (float[] Logits, byte[] Labels) ByTemperature(int samples, int classes, double temperature, int seed)
    {
        var random = new Random(seed);
        var (logits, labels, p) = (new float[samples * classes], new byte[samples], new double[classes]);
        for (var i = 0; i < samples; i++)
        {
            var row = logits.AsSpan(i * classes, classes);
            for (var c = 0; c < classes; c++) row[c] = (float)(temperature * 2 * random.NextDouble());
            row[random.Next(classes)] += (float)(temperature * 4 * random.NextDouble());
            Confidence.Softmax(row, temperature, p);
            var draw = random.NextDouble();
            while (labels[i] < classes - 1 && (draw -= p[labels[i]]) >= 0) labels[i]++;
        }
        return (logits, labels);
    }

    /// <summary>Two-class logits of even probabilities in (0.5, 1), right with probability <paramref name="accuracy"/>(p).</summary>
    public static (float[] Logits, byte[] Labels) ByAccuracy(int samples, Func<double, double> accuracy, int seed)
    {
        var random = new Random(seed);
        var (logits, labels) = (new float[samples * 2], new byte[samples]);
        for (var i = 0; i < samples; i++)
        {
            var p = 0.5 + 0.499 * random.NextDouble();
            logits[2 * i] = (float)Math.Log(p / (1 - p));
            labels[i] = random.NextDouble() < accuracy(p) ? (byte)0 : (byte)1;
        }
        return (logits, labels);
    }
}
