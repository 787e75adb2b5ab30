namespace Fleet.Models;

/// <summary>What logits say once a temperature has been applied: p = softmax(logits / T).</summary>
public static class Confidence
{
    /// <summary>The largest probability and its class; 0 when a logit is no number, since then nothing can be believed. Allocates nothing.</summary>
    public static double MaxProbability(ReadOnlySpan<float> logits, double temperature, out int label)
    {
        label = ArgMax(logits);
        double sum = 0;
        foreach (var logit in logits) sum += Math.Exp((logit - logits[label]) / temperature);
        return sum >= 1 ? 1 / sum : 0;
    }

    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var c = 1; c < logits.Length; c++)
            if (logits[c] > logits[best]) best = c;
        return best;
    }

    /// <summary>
    /// Normalised entropy of p = softmax(logits): -sum p_i ln p_i / ln |C|, from 0 (certain) to 1 (knows nothing); 1 when a logit is no
    /// number (Teerapittayanon et al., DDNN, ICDCS 2017, section III-D). With q_i = exp(z_i - max z) it is (ln sum q - sum q_i (z_i - max z) / sum q) / ln |C|.
    /// </summary>
    public static double NormalisedEntropy(ReadOnlySpan<float> logits)
    {
        var largest = logits[ArgMax(logits)];
        double sum = 0, weighted = 0;
        foreach (var logit in logits)
        {
            var distance = (double)logit - largest;
            var q = Math.Exp(distance);
            sum += q;
            if (q > 0) weighted += q * distance;
        }
        return sum >= 1 ? Math.Clamp((Math.Log(sum) - weighted / sum) / Math.Log(logits.Length), 0, 1) : 1;
    }

    public static void Softmax(ReadOnlySpan<float> logits, double temperature, Span<double> probabilities)
    {
        var largest = logits[ArgMax(logits)];
        double sum = 0;
        for (var c = 0; c < logits.Length; c++) sum += probabilities[c] = Math.Exp((logits[c] - largest) / temperature);
        for (var c = 0; c < logits.Length; c++) probabilities[c] /= sum;
    }

    /// <summary>
    /// -sum p ln p in nats, from 0 to ln C; +infinity when a logit is no number, since then nothing can be believed. Allocates nothing.
    /// With weights w = exp((z - max z) / T) of sum Z it is ln Z - sum w ln w / Z, so that no probability underflows.
    /// </summary>
    public static double Entropy(ReadOnlySpan<float> logits, double temperature)
    {
        var largest = logits[ArgMax(logits)];
        double sum = 0, weighted = 0;
        foreach (var logit in logits)
        {
            var exponent = (logit - largest) / temperature;
            var weight = Math.Exp(exponent);
            sum += weight;
            if (weight != 0) weighted += weight * exponent;
        }
        return sum >= 1 ? Math.Max(0, Math.Log(sum) - weighted / sum) : double.PositiveInfinity;
    }

    /// <summary>The largest probability less the second largest; 0 when a logit is no number. Allocates nothing.</summary>
    public static double Margin(ReadOnlySpan<float> logits, double temperature)
    {
        var best = ArgMax(logits);
        double sum = 0, second = 0;
        for (var c = 0; c < logits.Length; c++)
        {
            var weight = Math.Exp((logits[c] - logits[best]) / temperature);
            sum += weight;
            if (c != best) second = Math.Max(second, weight);
        }
        return sum >= 1 ? (1 - second) / sum : 0;
    }
}
