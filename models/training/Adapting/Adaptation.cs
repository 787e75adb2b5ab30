using Fleet.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>What of a model may change when it is adapted to a site.</summary>
public enum AdaptedPart
{
    /// <summary>Running statistics of batch normalisation before cut 1, from unlabelled images.</summary>
    Norms,

    /// <summary>Exit 1 alone.</summary>
    Exit,

    /// <summary>Both: exit 1, and statistics, scales and offsets of batch normalisation before cut 1.</summary>
    ExitAndNorms,

    /// <summary>All of stage 1, convolutions too.</summary>
    Stage,
}

/// <summary>Where the labels of a site's samples come from.</summary>
public enum LabelSource
{
    /// <summary>Somebody labelled them.</summary>
    Truth,

    /// <summary>The answers of the whole network, as an edge server gives them.</summary>
    Tail,
}

/// <summary>
/// Fits a trained network to a site whose data differ, from a few hundred samples. Only layers of stage 1 change, so that
/// devices fetch one small file and every later piece stays as it is.
/// </summary>
public sealed class Adaptation(AdaptedPart part, LabelSource labels, int seed)
{
    /// <summary>Passes over the site's samples.</summary>
    public int Epochs { get; init; } = part is AdaptedPart.Stage ? 80 : 40;

    // Convolutions learn another sharpness slowly: at the other parts' rate they had not even learnt the site's own samples.
    private double Rate => part is AdaptedPart.Stage ? 5e-3 : 2e-3;

    /// <summary>So many weights learn a few hundred samples by heart unless these move by more than the pixels of an edge: a twelfth of the side.</summary>
    private int Shift(int side) => part is AdaptedPart.Stage ? Math.Max(2, side / 12) : 2;

    /// <summary>For tables.</summary>
    public string Name => part switch
    {
        AdaptedPart.Norms => "norm statistics of stage 1",
        AdaptedPart.Exit => $"exit 1, {Labels}",
        AdaptedPart.Stage => $"all of stage 1, {Labels}",
        _ => $"exit 1 and norms of stage 1, {Labels}",
    };

    private string Labels => labels is LabelSource.Truth ? "labelled" : "labels from the tail";

    /// <summary>Adapts <paramref name="net"/> in place.</summary>
    /// <param name="net">Trained; its other layers end frozen.</param>
    /// <param name="site">The site's samples.</param>
    /// <param name="clock">For the training loop.</param>
    public void Run(Network net, ImageSet site, TimeProvider clock)
    {
        var stage = net.Architecture.Stage(1);
        var trunk = net.Architecture.HeadLayers(1);
        var exit = stage.Layers.Except(trunk).ToList();
        net.Freeze(net.Architecture.Layers);
        if (part is not AdaptedPart.Exit)
        {
            net.ThawNorms(trunk, statisticsOnly: true);
            net.EstimateStatistics(site);
        }
        if (part is AdaptedPart.Norms) return;
        // With the site's statistics the tail answers better, and its answers are better labels.
        var answers = labels is LabelSource.Truth ? site.Labels : Answers(net, site);
        if (part is AdaptedPart.ExitAndNorms) net.ThawNorms(trunk, statisticsOnly: false);
        net.Thaw(part is AdaptedPart.Stage ? stage.Layers : exit);
        var images = new SiteImages(site, answers, seed, Shift(site.Side));
        var recipe = new Recipe { Seed = seed, Epochs = Epochs, BatchSize = Math.Min(64, site.Count), LearningRate = Rate, WeightDecay = 0.05 };
        new TrainingLoop(net, images, recipe, progress: null, clock).Run(
            net.Train, (batch, truth) => Losses.Joint(net.forward(batch), truth, [1, .. Enumerable.Repeat(0.5, net.Architecture.StageCount - 1)]), () => [], _ => { });
    }

    private static byte[] Answers(Network net, ImageSet site)
    {
        var (logits, classes) = (net.Logits(site)[^1], net.Architecture.ClassCount);
        return [.. Enumerable.Range(0, site.Count).Select(i => (byte)Confidence.ArgMax(logits.AsSpan(i * classes, classes)))];
    }
}
