using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

public sealed class OptionTableTests
{
    [Test]
    public void Options_All_SharesSumToOneAndStagesNarrow()
    {
        Assert.That(FleetBuilder.Table.All, Has.Count.GreaterThan(50));
        foreach (var option in FleetBuilder.Table.All)
        {
            Assert.That(option.ExitShares.Sum() + option.OffloadShare, Is.EqualTo(1).Within(1e-12));
            Assert.That(option.StageShares[0], Is.EqualTo(1));
            for (var stage = 1; stage < option.Head; stage++) Assert.That(option.StageShares[stage], Is.EqualTo(option.StageShares[stage - 1] - option.ExitShares[stage - 1]).Within(1e-12));
            Assert.That(option.ExitAccuracies.Concat([option.Accuracy, option.OffloadAccuracy, option.FallbackAccuracy]), Is.All.InRange(0, 1));
            if (option.Route is null) Assert.That(option.OffloadShare, Is.Zero);
            else Assert.That(option.Payload.Value, Is.GreaterThan(0));
        }
    }

    /// <summary>The agent's own rule, played over the calibration trace.</summary>
    [Test]
    public void Options_ADozen_AgreeWithADirectSimulation()
    {
        var all = FleetBuilder.Table.All;
        for (var i = 0; i < all.Count; i += all.Count / 12) Agree(all[i]);
    }

    [Test]
    public void Assign_EveryOption_IsFoundAgainEvenAfterTheWire()
    {
        var topic = new Topic(TopicKind.Desired, "lab", "cam-1");
        foreach (var option in FleetBuilder.Table.All)
        {
            var assignment = option.Assign(option.Route is null ? null : "edge-1", new ControllerOptions { ArtifactsUrl = "http://lab/models" }, "because");
            Assert.That(assignment.Faults(), Is.Empty);
            Assert.That(option.IsRunBy(assignment), Is.True);
            Assert.That(FleetBuilder.Table.Find(assignment), Is.SameAs(option));
            var read = Wire.Decode(topic, Wire.Encode(assignment));
            Assert.That(read, Is.EqualTo(assignment));
            Assert.That(FleetBuilder.Table.Find((Assignment)read), Is.SameAs(option));
            Assert.That(option.SendsAll, Is.EqualTo(assignment.SendsAll));
        }
    }

    [Test]
    public void Find_AnotherModel_IsNull()
    {
        var option = FleetBuilder.Table.All[0];
        Assert.That(FleetBuilder.Table.Find(option.Assign("edge-1", new ControllerOptions { Deadline = new Seconds(1) }, "") with { CardSha256 = "other" }), Is.Null);
    }

    [Test]
    public void Get_ThresholdOffTheGrid_IsCountedOnTheSpot()
    {
        var option = FleetBuilder.Table.Get(2, 0.612, new Route(2, FeatureCodec.Int8));
        Assert.That(FleetBuilder.Table.All, Has.No.Member(option));
        Agree(option);
    }

    private static void Agree(Option option)
    {
        var (trace, card) = (FleetBuilder.Model.Calibration, FleetBuilder.Model.Files.Card);
        var logits = new float[trace.Classes];
        var (exits, sent, right) = (new int[option.Head], 0, 0);
        for (var sample = 0; sample < trace.Samples; sample++)
        {
            var label = -1;
            var answered = false;
            for (var exit = 1; exit <= option.Head && !answered; exit++)
            {
                TensorPrimitives.ConvertToSingle(trace.ExitLogits(exit, sample), logits);
                answered = Confidence.MaxProbability(logits, card.Exit(exit).Temperature, out label) >= option.Thresholds.Of(exit);
                if (answered) exits[exit - 1]++;
            }
            if (!answered)
            {
                sent++;
                TensorPrimitives.ConvertToSingle(trace.RouteLogits(option.Route!.Value, sample), logits);
                label = Confidence.ArgMax(logits);
            }
            if (label == trace.Label(sample)) right++;
        }
        Assert.That(option.ExitShares, Is.EqualTo(exits.Select(count => (double)count / trace.Samples)).Within(2.0 / trace.Samples));
        Assert.That(option.OffloadShare, Is.EqualTo((double)sent / trace.Samples).Within(2.0 / trace.Samples));
        Assert.That(option.Accuracy, Is.EqualTo((double)right / trace.Samples).Within(2.0 / trace.Samples));
    }
}
