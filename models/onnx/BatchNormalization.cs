namespace Fleet.Onnx;

/// <summary>
/// Batch normalisation at inference, y = gamma (x - mean) / sqrt(variance + epsilon) + beta, one value a channel
/// (Ioffe and Szegedy, 2015, algorithm 2).
/// </summary>
public sealed record BatchNormalization(float[] Gamma, float[] Beta, float[] Mean, float[] Variance, double Epsilon)
{
    /// <summary>
    /// The convolution that does the work of a bias-free convolution and this normalisation after it:
    /// w' = w k and b' = beta - mean k, with k = gamma / sqrt(variance + epsilon), computed in double precision.
    /// </summary>
    /// <param name="weights">[out channels, in channels / groups, height, width], flattened.</param>
    /// <returns>Weights of the same shape, and one bias an output channel.</returns>
    /// <exception cref="ArgumentException">The weights do not divide into this many channels.</exception>
    public (float[] Weights, float[] Bias) Fold(ReadOnlySpan<float> weights)
    {
        var channels = Gamma.Length;
        if (channels == 0 || weights.Length % channels != 0)
            throw new ArgumentException($"{weights.Length} weights do not divide into {channels} channels", nameof(weights));
        var perChannel = weights.Length / channels;
        var folded = new float[weights.Length];
        var bias = new float[channels];
        for (var channel = 0; channel < channels; channel++)
        {
            var factor = Gamma[channel] / Math.Sqrt(Variance[channel] + Epsilon);
            bias[channel] = (float)(Beta[channel] - Mean[channel] * factor);
            for (var i = channel * perChannel; i < (channel + 1) * perChannel; i++)
                folded[i] = (float)(weights[i] * factor);
        }
        return (folded, bias);
    }
}
