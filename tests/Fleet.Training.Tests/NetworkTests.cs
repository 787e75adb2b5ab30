using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Training.Tests;

/// <summary>The network's cost, counted by hand beside the program's count.</summary>
public sealed class NetworkTests
{
    private readonly Architecture network = FashionMnist.Network();

    [Test]
    public void Work_StageOne_IsCountedByKind()
    {
        var work = PieceCost.Work(network, network.Stage(1));
        Assert.Multiple(() =>
        {
            // Stem 1 -> 16, 3x3, 28x28.
            Assert.That(work.FirstConv.Value, Is.EqualTo(16 * 9 * 784));
            // 3x3 depthwise: 16 to 14x14, 32 on 14x14, and in the exit 32 to 7x7.
            Assert.That(work.Depthwise.Value, Is.EqualTo(9 * (16 * 196 + 32 * 196 + 32 * 49)));
            Assert.That(work.Pointwise.Value, Is.EqualTo(16 * 32 * 196 + 32 * 32 * 196 + 32 * 64 * 49));
            Assert.That(work.Dense.Value, Is.EqualTo(640));
            Assert.That(work.Conv, Is.EqualTo(Macs.Zero));
            Assert.That(work.Layers, Is.EqualTo(8));
            Assert.That(work.OutputElements, Is.EqualTo(16 * 784 + (16 + 32 + 32 + 32) * 196 + (32 + 64) * 49 + 10));
        });
    }

    [Test]
    public void Work_Exits_AreSmallSharesOfTheWhole()
    {
        var whole = PieceCost.Work(network, network.Tail(0)).Total;
        var stages = network.Stages.Select(stage => PieceCost.Work(network, stage).Total).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(whole.Value, Is.InRange(14e6, 16e6));
            Assert.That(stages[0] / whole, Is.EqualTo(0.04).Within(0.005));
            Assert.That((stages[0] + stages[1]) / whole, Is.EqualTo(0.24).Within(0.02));
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
}
