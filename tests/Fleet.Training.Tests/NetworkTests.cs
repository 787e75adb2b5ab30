using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Training.Tests;

/// <summary>The network's cost, counted by hand beside the program's count.</summary>
public sealed class NetworkTests
{
    private readonly Architecture network = ZooNetworks.Fmnist();

    [Test]
    public void Work_StageOne_IsCountedByKind()
    {
        var work = PieceCost.Work(network, network.Stage(1));
        Assert.Multiple(() =>
        {
            // Stem 1 -> 16, 3x3, 28x28.
            Assert.That(work.FirstConv.Value, Is.EqualTo(16 * 9 * 784));
            // 3x3 depthwise: 16 to 14x14, 32 on 14x14, and in the exit 48 to 7x7.
            Assert.That(work.Depthwise.Value, Is.EqualTo(9 * (16 * 196 + 32 * 196 + 48 * 49)));
            Assert.That(work.Pointwise.Value, Is.EqualTo(16 * 32 * 196 + 32 * 48 * 196 + 48 * 96 * 49));
            Assert.That(work.Dense.Value, Is.EqualTo(960));
            Assert.That(work.Conv, Is.EqualTo(Macs.Zero));
            Assert.That(work.Layers, Is.EqualTo(8));
            Assert.That(work.OutputElements, Is.EqualTo(16 * 784 + (16 + 32 + 32 + 48) * 196 + (48 + 96) * 49 + 10));
        });
    }

    [Test]
    public void Work_Exits_AreSmallSharesOfTheWhole()
    {
        var whole = PieceCost.Work(network, network.Tail(0)).Total;
        var stages = network.Stages.Select(stage => PieceCost.Work(network, stage).Total).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(whole.Value, Is.InRange(18e6, 20e6));
            Assert.That(stages[0] / whole, Is.LessThanOrEqualTo(0.05));
            Assert.That((stages[0] + stages[1]) / whole, Is.EqualTo(0.3).Within(0.02));
        });
    }

    [Test]
    public void Tail_OfEachCut_LeavesOutWhatTheDeviceHasDone()
    {
        Assert.Multiple(() =>
        {
            Assert.That(network.Tail(2).Layers, Is.EqualTo(network.Stage(3).Layers));
            Assert.That(network.Tails.Select(tail => PieceCost.Parameters(tail)), Is.Ordered.Descending);
            Assert.That(network.Tail(0).Layers.Select(layer => layer.Output), Has.None.Contain("exit1").And.None.Contain("exit2"));
        });
    }

    [Test]
    public void PeakActivation_StageOne_IsStemOrFirstDepthwise() =>
        Assert.That(PieceCost.PeakActivationBytes(network, network.Stage(1)), Is.EqualTo(4 * (16 * 784 + 16 * 196)));

    /// <summary>Counted from the layer sizes of the published code, branch heads included.</summary>
    [Test]
    public void Work_BLeNet_IsWhatThePublishedSizesGive()
    {
        var lenet = ZooNetworks.BLeNet();
        var (whole, branch) = (PieceCost.Work(lenet, lenet.Tail(0)).Total.Value, PieceCost.Work(lenet, lenet.Stage(1)).Total.Value);
        var both = branch + PieceCost.Work(lenet, lenet.Stage(2)).Total.Value;
        Assert.Multiple(() =>
        {
            Assert.That(whole, Is.EqualTo(1_140_070));
            Assert.That(branch, Is.EqualTo(220_150));
            Assert.That(both, Is.EqualTo(1_247_720));
            // 94.3 % of images leaving at the branch.
            Assert.That(whole / (0.943 * branch + 0.057 * both), Is.EqualTo(4.09).Within(0.005));
        });
    }

    [Test]
    public void Scenes_Reference_HasFourTimesTheWork()
    {
        double Work(int width) => PieceCost.Work(ZooNetworks.Scenes(width), ZooNetworks.Scenes(width).Tail(0)).Total.Value;
        Assert.Multiple(() =>
        {
            Assert.That(Work(1), Is.InRange(20e6, 50e6));
            Assert.That(Work(2) / Work(1), Is.EqualTo(4).Within(0.15));
        });
    }
}
