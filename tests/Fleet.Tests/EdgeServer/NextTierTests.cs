using Fleet.Contracts;
using Fleet.Models.Offloading;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.EdgeServer;

/// <summary>An edge server between devices and a cloud. Sample 1 is sure from exit 2 on and answers 1 there, sample 2 only at the last exit; the cloud answers 4.</summary>
public sealed class NextTierTests
{
    [Test]
    public void Offload_ExitHereIsSure_AnswersThereAndAsksNobody()
    {
        var (world, cloud) = Start(_ => (OffloadStatus.Ok, 0.05));
        world.Ask(TinyModel.Frame(1, 7, sample: 1));
        world.Run(20);
        var reply = world.Replies.Single().Reply;
        Assert.That((reply.RequestId, reply.Status, reply.Label, reply.Compute.Value), Is.EqualTo((7UL, OffloadStatus.Ok, 1, 0.1)));
        Assert.That(cloud, Is.Empty);
    }

    [Test]
    public void Offload_ExitHereDoubts_PassesOnWhatCrossesTheNextCut()
    {
        var (world, cloud) = Start(_ => (OffloadStatus.Ok, 0.05));
        world.Ask(TinyModel.Frame(1, 7, sample: 2));
        world.Run(20);
        var reply = world.Replies.Single().Reply;
        Assert.That((reply.RequestId, reply.Status, reply.Label), Is.EqualTo((7UL, OffloadStatus.Ok, 4)));
        Assert.That(reply.Compute.Value, Is.EqualTo(0.15).Within(1e-6), "to the device the cloud is part of the edge server's computing");
        Assert.That((cloud.Single().Cut, cloud[0].Codec, cloud[0].Sample, cloud[0].ReplyTo.Path), Is.EqualTo((2, FeatureCodec.Int8, 2, "fleet-data/v1/lab/_edge/edge-1/reply")));
        Assert.That(cloud[0].Deadline.Value, Is.InRange(0.1, 0.4));
    }

    [Test]
    public void Offload_CloudSilent_OwnExitAnswersInTimeAndThenTheTailDoes()
    {
        var (world, cloud) = Start(_ => null);
        for (var i = 0; i < 5; i++) world.AskAt(12 + i, TinyModel.Frame(1, (ulong)i + 1, sample: 2));
        world.Run(20);
        Assert.That(world.Replies.Select(replied => replied.Reply.Label), Is.EqualTo((int[])[1, 1, 1, TinyModel.EdgeLabel, TinyModel.EdgeLabel]), "after three failures the cloud rests, and the whole tail runs here");
        Assert.That(world.Replies.Select(replied => replied.At - Math.Floor(replied.At)), Is.All.LessThan(0.5));
        Assert.That(cloud, Has.Count.EqualTo(3));
    }

    [Test]
    public void Offload_ByWorth_FollowsTheWayToTheCloud()
    {
        var after = 0.02;
        var even = Outlook.Of([[.. Enumerable.Range(1, 100).Select(i => i / 100f)], [.. Enumerable.Range(1, 100).Select(i => i / 100f)]], [.. Enumerable.Repeat(true, 100)]).ToString();
        var (world, cloud) = Start(_ => (OffloadStatus.Ok, after), assignment => assignment with { Decision = DecisionKind.Hierarchical, ErrorPrice = new Seconds(0.3), Outlook = even });
        for (var i = 0; i < 200; i++) world.AskAt(12 + i * 0.25, TinyModel.Frame(1, (ulong)i + 1, sample: 2));
        world.Run(30);
        var fast = cloud.Count;
        Assert.That(fast, Is.GreaterThan(65));
        after = 0.35;
        world.Run(62);
        Assert.That(cloud, Has.Count.LessThan(fast + 20), "slower than finishing here: but for a few that show it");
        Assert.That(world.Replies.Skip(150).Count(replied => replied.Reply.Label == 2), Is.GreaterThan(45), "the last exit's own answer");
        Assert.That(world.Replies, Has.Count.EqualTo(200));
    }

    [Test]
    public void Desired_OutlookThatCannotBeRead_IsRefused()
    {
        var (world, _) = Start(_ => null, assignment => assignment with { Decision = DecisionKind.Hierarchical, ErrorPrice = new Seconds(1), Outlook = "nonsense" });
        Assert.That(world.Reported.Last().Error, Does.Contain("outlook"));
    }

    private static (EdgeWorld World, List<TensorFrame> Cloud) Start(Func<TensorFrame, (OffloadStatus Status, double After)?> answering, Func<TailAssignment, TailAssignment>? change = null)
    {
        var world = new EdgeWorld(tails: null);
        var cloud = world.Cloud(answering);
        var tier = EdgeWorld.Tails("0,1,2") with { PassTo = "cloud", PassCut = 2, Thresholds = new PerExit([0.8, 0.8]), Temperatures = new PerExit([1, 1]) };
        world.DesireAt(0.5, change?.Invoke(tier) ?? tier);
        world.Run(11);
        return (world, cloud);
    }
}
