using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Deciding;

namespace Fleet.Training;

/// <summary>The exits of a network in training, as those who choose thresholds see them.</summary>
public static class Cascades
{
    /// <summary>What every exit says about a set of images, uncalibrated. Leaves the network in evaluation mode.</summary>
    public static Cascade Of(Network net, ImageSet images, ExitScore score) => Cascade.Of(
        new ExitLogits(net.Logits(images), images.Labels, net.Architecture.ClassCount), score, [.. net.Architecture.Exits.Select(_ => 1.0)], Work(net.Architecture));

    /// <summary>All work up to exit 1..N, the heads of earlier exits included.</summary>
    public static IReadOnlyList<Macs> Work(Architecture architecture)
    {
        var sum = Macs.Zero;
        return [.. architecture.Stages.Select(stage => sum += PieceCost.Work(architecture, stage).Total)];
    }
}
