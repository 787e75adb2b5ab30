namespace Fleet.Controller.Quality;

/// <summary>
/// A share estimated from a sample, with a confidence interval. Source: Wilson, "Probable inference, the law of succession, and statistical inference",
/// J. Am. Stat. Assoc. 22(158), 1927: the shares p from which the estimate is at most z standard errors sqrt(p (1 - p) / n) away.
/// </summary>
/// <param name="Value">The estimate, 0 to 1; it lies in the interval.</param>
public readonly record struct Proportion(double Value, double Low, double High)
{
    /// <summary>Of the normal distribution, for 95 %.</summary>
    public const double DefaultDeviations = 1.959964;

    /// <param name="value">0 to 1.</param>
    /// <param name="sample">Independent observations that are worth as much as those made; above 0.</param>
    public static Proportion Wilson(double value, double sample, double deviations = DefaultDeviations)
    {
        var z = deviations * deviations / sample;
        var centre = (value + z / 2) / (1 + z);
        var half = Math.Sqrt(value * (1 - value) * z + z * z / 4) / (1 + z);
        return new Proportion(value, Math.Clamp(centre - half, 0, value), Math.Clamp(centre + half, value, 1));
    }

    /// <summary>An estimate with a variance of its own: as many observations as would have that variance.</summary>
    /// <param name="most">Observations made: where the variance is 0 by chance, they are all that is known.</param>
    public static Proportion OfVariance(double value, double variance, double most)
    {
        var share = Math.Clamp(value, 0, 1);
        return Wilson(share, variance > 0 && share is > 0 and < 1 ? Math.Min(most * MostGained, share * (1 - share) / variance) : most);
    }

    /// <summary>How much more than itself an observation may be worth by regression. K: a bound against variances that are small by chance.</summary>
    private const double MostGained = 10;
}
