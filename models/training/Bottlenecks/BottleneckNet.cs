using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>The torch module of a bottleneck: encoder, rounding, prior, decoder and the rest of the network.</summary>
public sealed class BottleneckNet : nn.Module
{
    private readonly Network layers;
    private readonly LatentPrior prior;

    /// <param name="design">The layers.</param>
    /// <param name="teacher">The whole network; its weights behind the cut are taken over.</param>
    /// <param name="seed">Determines the initial weights of encoder and decoder.</param>
    public BottleneckNet(BottleneckDesign design, Network teacher, int seed) : base("bottleneck")
    {
        Design = design;
        layers = new Network(design.Layers, seed);
        layers.CopyFrom(teacher);
        prior = new LatentPrior(design.LatentExtent.Channels);
        RegisterComponents();
    }

    public BottleneckDesign Design { get; }

    public Network Layers => layers;

    public LatentPrior Prior => prior;

    /// <summary>Training mode, but for what is frozen.</summary>
    public void Train() => layers.Train();

    /// <summary>Excludes from training what a device holds: the encoder and, since bytes follow from it, the prior.</summary>
    public void FreezeEncoder()
    {
        layers.Freeze(Design.Encoder.Layers);
        foreach (var parameter in prior.parameters()) parameter.requires_grad_(false);
    }

    public void FreezeTail() => layers.Freeze(Design.TailLayers);

    /// <summary>Ends all freezing.</summary>
    public void Thaw() => layers.Thaw();

    /// <summary>
    /// From the cut's features to all values that <paramref name="layers"/> make of the latent, and the mean bits of a sample. The decoder sees integers, through
    /// which gradients pass straight; the prior sees uniform noise in place of rounding.
    /// </summary>
    public (Dictionary<string, Tensor> Values, Tensor Bits) Run(Tensor features, IReadOnlyList<Layer> layers)
    {
        var latent = Encode(features);
        var received = latent + (latent.round() - latent).detach();
        var noisy = latent + rand_like(latent) - 0.5;
        return (this.layers.Values(Design.Tail.Input, received, layers), prior.MeanBits(noisy));
    }

    /// <summary>The latent before rounding.</summary>
    public Tensor Encode(Tensor features) => layers.Values(Design.Encoder.Input, features, Design.Encoder.Layers)[Design.Encoder.Features!];

    public Dictionary<string, Tensor> Decode(Tensor latent) => layers.Values(Design.Tail.Input, latent, Design.Tail.Layers);
}
