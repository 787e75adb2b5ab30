using System.Text.Json.Serialization;

namespace Fleet.Emulator.Reporting;

/// <summary>What independent replications say of a figure.</summary>
/// <param name="Deviation">Standard deviation of one replication, with n - 1; 0 of a single one.</param>
/// <param name="HalfWidth">Of the confidence interval around the mean; null of a single replication, which says nothing of its spread.</param>
public readonly record struct Estimate(
    [property: JsonPropertyName("count")] int Count,
    [property: JsonPropertyName("mean")] double Mean,
    [property: JsonPropertyName("deviation")] double Deviation,
    [property: JsonPropertyName("ci95_half")] double? HalfWidth,
    [property: JsonPropertyName("min")] double Min,
    [property: JsonPropertyName("max")] double Max)
{
    /// <summary>How far each value may be from the exact one, as a share of it; null where values are exact. An interval narrower than that says nothing.</summary>
    [JsonPropertyName("resolution_ratio")] public double? Resolution { get; init; }

    [JsonIgnore] public double? Low => Mean - HalfWidth;

    [JsonIgnore] public double? High => Mean + HalfWidth;
}

/// <summary>Means of replications with confidence intervals after Student ("The probable error of a mean", 1908). Pure arithmetic.</summary>
public static class Statistics
{
    /// <summary>Of at least one value.</summary>
    /// <param name="confidence">Share of such intervals that hold the true mean, if the values are independent and about normal.</param>
    public static Estimate Of(IReadOnlyList<double> values, double confidence = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfZero(values.Count, nameof(values));
        var mean = values.Sum() / values.Count;
        var deviation = values.Count == 1 ? 0 : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
        double? half = values.Count == 1 ? null : StudentQuantile((1 + confidence) / 2, values.Count - 1) * deviation / Math.Sqrt(values.Count);
        return new Estimate(values.Count, mean, deviation, half, values.Min(), values.Max());
    }

    /// <summary>
    /// How much larger figures of the second kind are than those of the first, pair by pair: common random numbers (the same seed in both) cancel
    /// in the differences, so that the interval is narrower than that between two independent means.
    /// </summary>
    public static Estimate OfDifferences(IReadOnlyList<double> first, IReadOnlyList<double> second, double confidence = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(second.Count, first.Count, nameof(second));
        return Of([.. first.Zip(second, (a, b) => b - a)], confidence);
    }

    /// <summary>The value that Student's t with so many degrees of freedom exceeds with probability 1 - p.</summary>
    /// <param name="p">Above 0 and below 1.</param>
    public static double StudentQuantile(double p, int degrees)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(degrees, 1);
        if (!(p is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(p), p, "allowed: above 0 and below 1");
        if (p < 0.5) return -StudentQuantile(1 - p, degrees);
        // The quantile is the tangent of an angle times the root of the degrees: bisecting the angle is safe for the heaviest tails.
        var (low, high) = (0.0, Math.PI / 2);
        for (var step = 0; step < 60; step++)
        {
            var middle = (low + high) / 2;
            if (Within(middle, degrees) < 2 * p - 1) low = middle;
            else high = middle;
        }
        return Math.Tan((low + high) / 2) * Math.Sqrt(degrees);
    }

    /// <summary>Probability that |t| is below tan(angle) sqrt(degrees): finite sums for whole degrees (Abramowitz and Stegun, 26.7.3 and 26.7.4).</summary>
    private static double Within(double angle, int degrees)
    {
        var (sine, cosine) = Math.SinCos(angle);
        if (degrees == 1) return 2 * angle / Math.PI;
        var isOdd = degrees % 2 == 1;
        var (term, sum) = (isOdd ? cosine : 1.0, 0.0);
        for (var k = isOdd ? 1 : 0; k <= degrees - 2; k += 2)
        {
            sum += term;
            term *= cosine * cosine * (k + 1) / (k + 2);
        }
        return isOdd ? 2 / Math.PI * (angle + sine * sum) : sine * sum;
    }
}
