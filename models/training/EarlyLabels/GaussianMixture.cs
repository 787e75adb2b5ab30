using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// A classifier made of Gaussians: vectors are projected at random to half their length, and each class is a mixture of several Gaussians with
/// diagonal covariances. Logits are ln p(u, y) = logsumexp over g of (ln w_yg + ln N(u; m_yg, diag s_yg)); their softmax is the posterior.
/// The projection is Achlioptas' (Database-friendly random projections, 2003): entries 0 with probability 2/3, else 1 or -1, times sqrt(3 / length).
/// </summary>
public sealed class GaussianMixture : nn.Module<Tensor, Tensor>
{
    private const int Components = 8;

    private readonly Parameter means;
    private readonly Parameter logPrecisions;
    private readonly Parameter logWeights;
    private readonly Tensor projection;
    private readonly int classes;

    /// <summary>Begins with components at images drawn from each class, as wide as the class is.</summary>
    /// <param name="vectors">[N, d].</param>
    /// <param name="labels">[N]; every class must occur.</param>
    /// <param name="classes">How many there are.</param>
    /// <param name="seed">Of projection and draws.</param>
    public GaussianMixture(Tensor vectors, ReadOnlySpan<byte> labels, int classes, int seed) : base("mixture")
    {
        this.classes = classes;
        var random = new Random(seed);
        projection = Projection((int)vectors.shape[1], random);
        var projected = vectors.matmul(projection);
        var (centres, precisions) = (new List<Tensor>(), new List<Tensor>());
        for (var y = 0; y < classes; y++)
        {
            var rows = Rows(labels, (byte)y);
            random.Shuffle(rows);
            using var members = tensor(rows);
            var own = projected.index_select(0, members);
            centres.Add(own.index_select(0, tensor(Enumerable.Range(0, Components).Select(g => (long)(g % rows.Length)).ToArray())));
            precisions.Add(-own.var(0, unbiased: false).add(1e-3).log().expand(Components, -1));
        }
        means = new Parameter(cat(centres));
        logPrecisions = new Parameter(cat(precisions));
        logWeights = new Parameter(zeros(classes * Components));
        register_parameter("means", means);
        register_parameter("precisions", logPrecisions);
        register_parameter("weights", logWeights);
        register_buffer("projection", projection);
    }

    /// <summary>[d, d / 2].</summary>
    public Tensor Basis => projection;

    /// <summary>[N, d] to ln p(u, y) for every class but for a constant: [N, classes].</summary>
    public override Tensor forward(Tensor input)
    {
        var projected = input.matmul(projection);
        var precisions = logPrecisions.exp();
        var weighted = precisions * means;
        var distance = projected.square().matmul(precisions.transpose(0, 1)) - projected.matmul(weighted.transpose(0, 1)) * 2 + (weighted * means).sum(1);
        var logWeight = nn.functional.log_softmax(logWeights, 0);
        var components = logWeight + (logPrecisions.sum(1) - distance) * 0.5;
        return components.view(-1, classes, Components).logsumexp(2);
    }

    /// <summary>Multiply-accumulates of one vector: the projection's entries that are not zero, and two for each dimension of each component.</summary>
    public Contracts.Macs Work => new(projection.count_nonzero().item<long>() + 2.0 * means.numel());

    private static Tensor Projection(int size, Random random)
    {
        var length = Math.Max(1, size / 2);
        var entry = MathF.Sqrt(3f / length);
        var entries = new float[size * length];
        for (var i = 0; i < entries.Length; i++) entries[i] = random.Next(6) switch { 0 => entry, 1 => -entry, _ => 0 };
        return tensor(entries, [size, length]);
    }

    private static long[] Rows(ReadOnlySpan<byte> labels, byte label)
    {
        var rows = new List<long>();
        for (var i = 0; i < labels.Length; i++)
            if (labels[i] == label) rows.Add(i);
        return [.. rows];
    }
}
