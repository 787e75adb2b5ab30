using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// A Gaussian a class over the latent vectors, with mean and full covariance. They are not learnt by gradients, which blow up on the way from any
/// start to the latents' scale, but estimated from the batches seen lately: given the encoder these moments are where the KL term is least, so its
/// gradient in the encoder is the same (the moments' own is zero there).
/// </summary>
public sealed class ClassGaussians : nn.Module<Tensor, Tensor>
{
    /// <summary>What each batch weighs beside the one that follows it.</summary>
    private const double Decay = 0.99;

    /// <summary>Added to a covariance's diagonal, as a share of its mean eigenvalue (the authors' 0.01), so that few samples still give a distribution.</summary>
    private const double Shrinkage = 0.01;

    private readonly Tensor counts;
    private readonly Tensor sums;
    private readonly Tensor products;

    /// <summary>One sample a class of the standard normal distribution, soon outweighed, for <paramref name="classes"/> classes over vectors of length <paramref name="size"/>.</summary>
    public ClassGaussians(int classes, int size) : base("gaussians")
    {
        counts = ones(classes, 1);
        sums = zeros(classes, size);
        products = eye(size).expand(classes, size, size).contiguous();
        register_buffer("counts", counts);
        register_buffer("sums", sums);
        register_buffer("products", products);
    }

    /// <summary>[class, value].</summary>
    public Tensor Means => sums / counts;

    /// <summary>[class, value, value].</summary>
    public Tensor Covariances
    {
        get
        {
            var means = Means;
            var covariances = products / counts.unsqueeze(2) - means.unsqueeze(2) * means.unsqueeze(1);
            var floor = covariances.diagonal(0, 1, 2).mean([1], keepdim: true) * Shrinkage;
            return covariances + diag_embed(floor.expand(-1, means.shape[1]), 0, 1, 2);
        }
    }

    /// <summary>Takes a batch of latents N(mean, diag exp(logVariance)) into the moments of their classes.</summary>
    /// <param name="mean">[N, d].</param>
    /// <param name="logVariance">[N, d].</param>
    /// <param name="classes">[N].</param>
    /// <param name="decay">What earlier batches weigh hereafter; 1 forgets nothing.</param>
    public void Follow(Tensor mean, Tensor logVariance, Tensor classes, double decay = Decay)
    {
        using var noGradient = no_grad();
        var members = nn.functional.one_hot(classes, counts.shape[0]).to_type(mean.dtype).transpose(0, 1);
        counts.mul_(decay).add_(members.sum(1).unsqueeze(1));
        sums.mul_(decay).add_(members.matmul(mean));
        products.mul_(decay).add_((members.unsqueeze(2) * mean).transpose(1, 2).matmul(mean)).add_(diag_embed(members.matmul(logVariance.exp()), 0, 1, 2));
    }

    /// <summary>
    /// KL(N(mu, diag exp(logVariance)) || N(mu_y, Sigma_y)) of each row in nats: 1/2 (ln det Sigma_y - sum ln var_i - d +
    /// (mu - mu_y)' Sigma_y^-1 (mu - mu_y) + tr(Sigma_y^-1 diag var)). What a latent tells about its image beyond the class. The moments are constants to its gradient.
    /// </summary>
    /// <param name="mean">mu, [N, d].</param>
    /// <param name="logVariance">[N, d].</param>
    /// <param name="classes">y, [N].</param>
    /// <returns>[N].</returns>
    public Tensor Divergence(Tensor mean, Tensor logVariance, Tensor classes)
    {
        var (means, precisions, logDeterminants) = Densities();
        Tensor Own(Tensor ofClasses) => ofClasses.index_select(0, classes);
        var apart = mean - Own(means);
        var distance = (apart.unsqueeze(1).bmm(Own(precisions)).squeeze(1) * apart).sum(1);
        var trace = (logVariance.exp() * Own(precisions.diagonal(0, 1, 2))).sum(1);
        return (Own(logDeterminants) - logVariance.sum(1) - mean.shape[1] + distance + trace) * 0.5;
    }

    /// <summary>As a classifier: vectors [N, d] to ln N(z; mu_y, Sigma_y) for every class but for a constant, [N, classes]; their softmax is the posterior of equally frequent classes.</summary>
    public override Tensor forward(Tensor input)
    {
        var (means, precisions, logDeterminants) = Densities();
        var factors = linalg.cholesky(precisions);
        var distances = (input.unsqueeze(0) - means.unsqueeze(1)).matmul(factors).square().sum(2).transpose(0, 1);
        return (distances + logDeterminants) * -0.5;
    }

    /// <summary>Multiply-accumulates of one vector: a triangular matrix and the squares for each class.</summary>
    public Contracts.Macs Work => new(counts.shape[0] * sums.shape[1] * ((sums.shape[1] + 1) / 2.0 + 1));

    private (Tensor Means, Tensor Precisions, Tensor LogDeterminants) Densities()
    {
        using var noGradient = no_grad();
        var covariances = Covariances;
        var (_, logDeterminants) = linalg.slogdet(covariances);
        return (Means, linalg.inv(covariances), logDeterminants);
    }
}
