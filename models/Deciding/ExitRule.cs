namespace Fleet.Models.Deciding;

/// <summary>How an exit says how sure it is, from p = softmax(logits / temperature).</summary>
public enum ExitScore
{
    /// <summary>The largest probability, in [1/C, 1], or a calibrated one in [0, 1]: exit iff it is at least the threshold.</summary>
    Probability,

    /// <summary>-sum p ln p in nats, in [0, ln C]: exit iff it is below the threshold. Source: BranchyNet, ICPR 2016.</summary>
    Entropy,

    /// <summary>Entropy / ln C, in [0, 1]: exit iff it is below the threshold. Source: DDNN, ICDCS 2017.</summary>
    NormalisedEntropy,

    /// <summary>The largest probability less the second largest, in [0, 1]: exit iff it is at least the threshold.</summary>
    Margin,
}

/// <summary>
/// When an exit answers. Every rule is one monotone comparison: exit iff <see cref="Sureness"/> is at least <see cref="Bar"/>. Sureness is
/// the score itself where more is surer, and its negative for the entropies.
/// </summary>
/// <param name="Score">What is compared.</param>
/// <param name="Threshold">In the score's own unit: a probability, nats, or a ratio.</param>
public readonly record struct ExitRule(ExitScore Score, double Threshold)
{
    /// <summary>The least sureness that exits. An entropy must be strictly below its threshold: the next number above -threshold.</summary>
    public double Bar => IsDoubt(Score) ? Math.BitIncrement(-Threshold) : Threshold;

    public bool Exits(ReadOnlySpan<float> logits, double temperature) => Sureness(Score, logits, temperature) >= Bar;

    /// <summary>A rule that no logits pass.</summary>
    public static ExitRule Never(ExitScore score) => new(score, IsDoubt(score) ? 0 : 2);

    /// <summary>A rule that all finite logits pass.</summary>
    public static ExitRule Always(ExitScore score) => new(score, IsDoubt(score) ? double.PositiveInfinity : 0);

    /// <summary>The rule that passes a sureness just so.</summary>
    public static ExitRule AtLeast(ExitScore score, double sureness) => new(score, IsDoubt(score) ? Math.BitIncrement(-sureness) : sureness);

    /// <summary>Larger is surer, in the score's own unit or its negative.</summary>
    public static double Sureness(ExitScore score, ReadOnlySpan<float> logits, double temperature) => score switch
    {
        ExitScore.Probability => Confidence.MaxProbability(logits, temperature, out _),
        ExitScore.Entropy => -Confidence.Entropy(logits, temperature),
        ExitScore.NormalisedEntropy => -Confidence.Entropy(logits, temperature) / Math.Log(logits.Length),
        ExitScore.Margin => Confidence.Margin(logits, temperature),
        _ => throw new ArgumentOutOfRangeException(nameof(score), score, "is no exit score"),
    };

    /// <summary>Whether a larger score means less sure.</summary>
    private static bool IsDoubt(ExitScore score) => score is ExitScore.Entropy or ExitScore.NormalisedEntropy;
}
