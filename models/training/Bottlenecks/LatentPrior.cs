using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// What a bottleneck's integers are likely to be: per channel a mixture of logistic densities, integrated over unit intervals
/// (a fully factorised prior as in Ballé et al., Variational image compression, 2018, with the mixtures of Salimans et al., 2017).
/// </summary>
public sealed class LatentPrior : nn.Module
{
    private const int Mixtures = 3;

    /// <summary>No integer is thought rarer than this, so that none costs more than 20 bits.</summary>
    private const double LeastProbability = 1e-6;

    private readonly Parameter shares;
    private readonly Parameter means;
    private readonly Parameter logScales;

    /// <param name="channels">Of the latent.</param>
    public LatentPrior(int channels) : base("prior")
    {
        shares = new Parameter(zeros(channels, Mixtures));
        means = new Parameter(tensor([-2f, 0f, 2f]).repeat(channels, 1));
        logScales = new Parameter(ones(channels, Mixtures));
        RegisterComponents();
    }

    /// <summary>Mean bits one sample takes: [N, channels, height, width] (integers, or with noise in place of rounding) to a scalar.</summary>
    public Tensor MeanBits(Tensor latent)
    {
        var probability = Probability(latent.unsqueeze(-1)).clamp_min(LeastProbability);
        return probability.log2().sum() / -latent.shape[0];
    }

    /// <summary>The probability of each integer lowest..highest, for every channel: [channel][integer].</summary>
    public double[][] Table(int lowest, int highest)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var channels = (int)shares.shape[0];
        var integers = arange(lowest, highest + 1, ScalarType.Float32);
        var count = highest - lowest + 1;
        // Laid out like a latent: [1, channels, count, 1].
        var flat = Network.Elements(Probability(integers.reshape(1, 1, count, 1, 1).expand(1, channels, count, 1, 1)));
        return [.. Enumerable.Range(0, channels).Select(channel => flat.AsSpan(channel * count, count).ToArray().Select(p => (double)p).ToArray())];
    }

    /// <summary>[N, channels, height, width, 1] to [N, channels, height, width].</summary>
    private Tensor Probability(Tensor x)
    {
        Tensor PerChannel(Tensor parameter) => parameter.reshape(1, -1, 1, 1, Mixtures);
        var scale = PerChannel(logScales).exp();
        var centred = x - PerChannel(means);
        var mass = nn.functional.sigmoid((centred + 0.5) / scale) - nn.functional.sigmoid((centred - 0.5) / scale);
        return (mass * PerChannel(nn.functional.softmax(shares, 1))).sum(-1);
    }
}
