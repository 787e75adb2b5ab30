using Fleet.Models.Deciding;
using NUnit.Framework;
using static TorchSharp.torch;

namespace Fleet.Training.Tests;

public sealed class BranchyTests
{
    [Test]
    public void JointLoss_OfTwoExits_IsTheWeightedSumOfCrossEntropies()
    {
        using var scope = NewDisposeScope();
        var exits = new[] { tensor(new float[] { 1, 0 }, [1, 2]), tensor(new float[] { 0, 3 }, [1, 2]) };
        var loss = Losses.Joint(exits, tensor(new long[] { 0 }), [1, 0.3]).item<float>();
        Assert.That(loss, Is.EqualTo(Math.Log(1 + Math.Exp(-1)) + 0.3 * Math.Log(1 + Math.Exp(3))).Within(1e-6));
    }

    /// <summary>220,150 multiply-accumulates up to the branch, 1,247,720 past it: the branch's head counts.</summary>
    [Test]
    public void Cascade_OfBLeNet_CountsTheBranchInWhatPassesIt()
    {
        var images = SmallData.Load().Sets.Test.Slice(0, 100);
        using var net = new Network(ZooNetworks.BLeNet(), seed: 1);
        var cascade = Cascades.Of(net, images, ExitScore.Entropy);
        var median = cascade.Sureness(1).ToArray().Order().ElementAt(50);
        var outcome = cascade.Evaluate([ExitRule.AtLeast(ExitScore.Entropy, median).Threshold]);
        Assert.Multiple(() =>
        {
            Assert.That(cascade.Macs.Select(work => work.Value), Is.EqualTo([220_150, 1_247_720]));
            Assert.That(outcome.ExitShares[0], Is.EqualTo(0.5));
            Assert.That(outcome.MeanMacs.Value, Is.EqualTo((220_150 + 1_247_720) / 2.0).Within(1e-6));
            Assert.That(cascade.FullAccuracy, Is.EqualTo(JointTraining.Accuracies(net, images)[1]));
        });
    }
}
