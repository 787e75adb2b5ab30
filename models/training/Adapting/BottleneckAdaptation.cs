using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>What of a bottleneck may change when it is fitted to a site.</summary>
public enum BottleneckPart
{
    /// <summary>The decoder, and batch normalisation behind it: an edge server fetches a tail, devices fetch nothing.</summary>
    Server,

    /// <summary>Encoder and decoder, and batch normalisation behind them: devices fetch the encoder.</summary>
    Both,

    /// <summary>As <see cref="Both"/>, after stage 1 has taken its norm statistics from the site: devices fetch stage 1 and the encoder.</summary>
    BothAndStageNorms,
}

/// <summary>
/// Fits a trained bottleneck to a site whose data differ, from a few hundred labelled samples. The prior stays, since devices and servers
/// code by its table.
/// </summary>
/// <param name="part">What may change.</param>
/// <param name="ratePrice">What a bit costs in nats of loss, as when the bottleneck was trained: else the encoder would buy accuracy with bytes.</param>
/// <param name="seed">Of batches and moves.</param>
public sealed class BottleneckAdaptation(BottleneckPart part, double ratePrice, int seed)
{
    /// <summary>Passes over the site's samples.</summary>
    public int Epochs { get; init; } = 40;

    private const double Rate = 1e-3;
    private const int Shift = 2;

    /// <summary>For tables.</summary>
    public string Name => part switch
    {
        BottleneckPart.Server => "decoder and norms behind it",
        BottleneckPart.Both => "encoder, decoder and norms behind them",
        _ => "norm statistics of stage 1, encoder, decoder and norms behind them",
    };

    /// <summary>Adapts <paramref name="net"/> in place, and <paramref name="head"/> when stage 1 may change.</summary>
    /// <param name="net">Trained; its other layers end frozen.</param>
    /// <param name="head">The network whose stages feed the encoder.</param>
    /// <param name="site">The site's samples, labelled.</param>
    /// <param name="clock">For the training loop.</param>
    public void Run(BottleneckNet net, Network head, ImageSet site, TimeProvider clock)
    {
        var design = net.Design;
        if (part is BottleneckPart.BothAndStageNorms) TakeStatistics(head, design, site);
        net.FreezeEncoder();
        net.Layers.Freeze(design.Layers.Layers);
        net.Layers.Thaw(design.Tail.Layers.Except(design.TailLayers));
        net.Layers.ThawNorms(design.TailLayers, statisticsOnly: false);
        if (part is not BottleneckPart.Server) net.Layers.Thaw(design.Encoder.Layers);
        var recipe = new Recipe { Seed = seed, Epochs = Epochs, BatchSize = Math.Min(64, site.Count), LearningRate = Rate, WeightDecay = 0.05 };
        new TrainingLoop(net, new SiteImages(site, site.Labels, seed, Shift), recipe, progress: null, clock).Run(net.Train, (batch, truth) => Loss(net, head, batch, truth), () => [], _ => { });
    }

    private Tensor Loss(BottleneckNet net, Network head, Tensor batch, Tensor truth)
    {
        var (values, bits) = net.Run(Features(head, net.Design, batch), net.Design.Tail.Layers);
        return nn.functional.cross_entropy(values[net.Design.Main.Exits[^1]], truth) + bits * ratePrice;
    }

    private static Tensor Features(Network head, BottleneckDesign design, Tensor batch)
    {
        using var noGradient = no_grad();
        head.eval();
        return head.Values(design.Main.Input, batch, design.Main.HeadLayers(design.Cut))[design.Main.Cuts[design.Cut]];
    }

    private static void TakeStatistics(Network head, BottleneckDesign design, ImageSet site)
    {
        head.Freeze(design.Main.Layers);
        head.ThawNorms(design.Main.HeadLayers(design.Cut), statisticsOnly: true);
        head.EstimateStatistics(site);
    }
}
