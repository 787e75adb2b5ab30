using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// A teacher's first stages replaced by an encoder for the device and a decoder for the edge server, with a latent vector of a few bytes between
/// them. The encoder gives mean and variance of the latent; in training a sample crosses, else the mean.
/// </summary>
public sealed class VariationalSplit : nn.Module
{
    /// <summary>The cut of the teacher whose features the decoder rebuilds.</summary>
    public const int Cut = 2;

    /// <summary>Where ln of the variances begins: small beside the means, so that the first steps learn from them.</summary>
    private const double FirstLogVariance = -4;

    private readonly Network encoder;
    private readonly Network decoder;
    private readonly Linear early;
    private readonly Extent latent;

    /// <param name="teacher">Its weights up to cut 1 are where the encoder starts.</param>
    /// <param name="channels">Of the latent, at the height and width of the teacher's cut.</param>
    /// <param name="seed">Of all other weights.</param>
    public VariationalSplit(Network teacher, int channels, int seed) : base("split")
    {
        var features = teacher.Architecture.Extents[teacher.Architecture.Cuts[Cut]];
        latent = new Extent(channels, features.Height, features.Width);
        encoder = new Network(Encoder(teacher.Architecture, latent), seed);
        encoder.CopyFrom(teacher);
        decoder = new Network(Decoder(latent, features), Models.Seeds.Mix(seed, 1));
        Gaussians = new ClassGaussians(teacher.Architecture.ClassCount, latent.Elements);
        early = nn.Linear(latent.Elements, teacher.Architecture.ClassCount);
        register_module("encoder", encoder);
        register_module("decoder", decoder);
        register_module("gaussians", Gaussians);
        register_module("early", early);
    }

    public ClassGaussians Gaussians { get; }

    /// <summary>Values that cross; as int8, bytes.</summary>
    public int LatentSize => latent.Elements;

    /// <summary>What the device computes; both mean and variance are counted, although only the mean is used.</summary>
    public Contracts.Macs DeviceWork => PieceCost.Work(encoder.Architecture, encoder.Architecture.Stage(1)).Total;

    /// <summary>Images [N, 1, side, side] to mean and ln variance of their latents, [N, d] each.</summary>
    public (Tensor Mean, Tensor LogVariance) Encode(Tensor images)
    {
        var moments = encoder.forward(images)[0].flatten(1);
        var halves = moments.split(LatentSize, 1);
        return (halves[0], halves[1] + FirstLogVariance);
    }

    /// <summary>Latents [N, d] to features at the teacher's cut.</summary>
    public Tensor Decode(Tensor latents) => decoder.forward(latents.view(-1, latent.Channels, latent.Height, latent.Width))[0];

    /// <summary>The classifier that is trained with the rest: latents [N, d] to logits.</summary>
    public Tensor Early(Tensor latents) => early.forward(latents);

    /// <summary>The teacher's first stage and three layers more.</summary>
    private static Architecture Encoder(Architecture teacher, Extent latent)
    {
        var net = new ArchitectureBuilder();
        net.Input(teacher.Extents[teacher.Input], teacher.Input);
        net.Append(teacher.Tail(0).Layers.Except(teacher.Tail(1).Layers), teacher.Extents);
        net.Section("encoder");
        var x = net.DepthwiseSeparable(teacher.Cuts[1], 64, stride: 2);
        x = net.DepthwiseSeparable(x, 64);
        net.Exit(net.Conv(x, 2 * latent.Channels, new Onnx.Window(1, 1, 0), hasNorm: false));
        return net.Build();
    }

    private static Architecture Decoder(Extent latent, Extent features)
    {
        var net = new ArchitectureBuilder();
        var x = net.Input(latent, "z");
        net.Section("decoder");
        x = net.Residual(net.Relu(net.Conv(x, features.Channels)), features.Channels);
        net.Exit(net.Relu(net.Conv(x, features.Channels, kernel: 1)));
        return net.Build();
    }
}
