using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// A Gaussian a class over the latent vectors, mean and full covariance learnt. The covariance is kept as the lower triangular factor L of its
/// inverse, Sigma^-1 = L L', whose diagonal is the exponential of what is stored: always positive definite, and never inverted.
/// </summary>
public sealed class ClassGaussians : nn.Module
{
    private readonly Parameter means;
    private readonly Parameter factors;

    /// <summary>Standard normal distributions, for <paramref name="classes"/> classes over vectors of length <paramref name="size"/>.</summary>
    public ClassGaussians(int classes, int size) : base("gaussians")
    {
        means = new Parameter(zeros(classes, size));
        factors = new Parameter(zeros(classes, size, size));
        register_parameter("means", means);
        register_parameter("factors", factors);
    }

    /// <summary>[class, value].</summary>
    public Tensor Means => means;

    /// <summary>[class, value, value], lower triangular, the logarithm of L's diagonal on its own.</summary>
    public Tensor Factors => factors;

    /// <summary>
    /// KL(N(mu, diag exp(logVariance)) || N(mu_y, Sigma_y)) of each row in nats: 1/2 (ln det Sigma_y - sum ln var_i - d +
    /// (mu - mu_y)' Sigma_y^-1 (mu - mu_y) + tr(Sigma_y^-1 diag var)). What a latent tells about its image beyond the class.
    /// </summary>
    /// <param name="mean">mu, [N, d].</param>
    /// <param name="logVariance">[N, d].</param>
    /// <param name="classes">y, [N].</param>
    /// <returns>[N].</returns>
    public Tensor Divergence(Tensor mean, Tensor logVariance, Tensor classes)
    {
        var logDiagonal = factors.diagonal(0, 1, 2);
        var factor = factors.tril(-1) + diag_embed(logDiagonal.exp(), 0, 1, 2);
        // Against all classes by matrix products, then the own one: cheaper than a copy of its factor for every row.
        var distance = (mean.unsqueeze(0) - means.unsqueeze(1)).matmul(factor).square().sum(2).transpose(0, 1);
        var trace = logVariance.exp().matmul(factor.square().sum(2).transpose(0, 1));
        var own = (distance + trace - logDiagonal.sum(1) * 2).gather(1, classes.unsqueeze(1)).squeeze(1);
        return (own - logVariance.sum(1) - mean.shape[1]) * 0.5;
    }
}
