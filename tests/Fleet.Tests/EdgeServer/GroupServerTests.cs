using Fleet.Contracts;
using Fleet.EdgeServer;
using Fleet.Emulator.Simulation;
using Fleet.Models;
using Fleet.Tests.Emulator;
using Fleet.Tests.Models;
using Fleet.Tests.Models.Distributed;
using NUnit.Framework;

namespace Fleet.Tests.EdgeServer;

/// <summary>Six devices, played by the test with what the zoo's networks make of test pictures, and the real networks behind them.</summary>
public sealed class GroupServerTests
{
    private const double Gather = 0.1;
    private static readonly int[] All = [1, 2, 3, 4, 5, 6];

    [Test]
    public async Task Group_AllThereAndSure_IsAnsweredByTheLocalExitAtOnce()
    {
        var world = await GroupWorld.Start();
        var sure = world.Sample(isSure: true);
        world.At(1, () => world.SendVectors(sure, All));
        world.Run(2);
        Assert.That(world.Replies.Select(reply => reply.View).Order(), Is.EqualTo(All));
        Assert.That(world.Replies.Select(reply => (reply.Reply.Status, reply.Reply.Label, reply.Reply.Batch)), Is.All.EqualTo((OffloadStatus.Ok, world.Label(world.Exits.Local, sure), 6)));
        Assert.That(world.Replies.Select(reply => reply.At), Is.All.EqualTo(1.0).Within(0.01), "nobody waits for the gathering time");
    }

    [Test]
    public async Task Group_InDoubt_IsAskedForBitsAndAnsweredByTheUpperExits()
    {
        var world = await GroupWorld.Start();
        var doubtful = world.Sample(isSure: false);
        world.At(1, () => world.SendVectors(doubtful, All));
        world.At(1.02, () => world.SendBits(doubtful, All));
        world.Run(2);
        var (asked, answered) = (world.Replies.Take(6).ToList(), world.Replies.Skip(6).ToList());
        Assert.That(asked.Select(reply => reply.Reply.Status), Is.All.EqualTo(OffloadStatus.BitsWanted));
        Assert.That(answered.Select(reply => (reply.View, reply.Reply.Status, reply.Reply.Label)), Is.EquivalentTo(All.Select(view => (view, OffloadStatus.Ok, world.UpperLabel(doubtful)))));
        Assert.That(answered.Select(reply => reply.Reply.Confidence), Is.All.InRange(0.1, 1.0));
    }

    [Test]
    public async Task Group_OneSilent_IsWaitedForThriceAndThenNoMore()
    {
        var world = await GroupWorld.Start();
        var sample = world.Sample(isSure: true);
        for (var i = 0; i < 5; i++)
        {
            var number = i;
            world.At(1 + i, () => world.SendVectors(sample, [1, 2, 3, 4, 5], number));
        }
        world.Run(7);
        var waits = world.Replies.Where(reply => reply.View == 1).GroupBy(reply => reply.Reply.RequestId).Select(replies => replies.First().At % 1).ToList();
        Assert.That(waits, Is.EqualTo([Gather, Gather, Gather, 0, 0]).Within(0.01));
        Assert.That(world.Replies.Select(reply => reply.View), Has.None.EqualTo(6));
    }

    [Test]
    public async Task Group_OneSilent_IsAnsweredAsTheNetworksDoWithoutIt()
    {
        var without = await (await GroupZoo.Over(GroupWorld.Samples)).With(GroupZoo.Choice(0b111011));
        var world = await GroupWorld.Start();
        for (var sample = 0; sample < 20; sample++)
        {
            var number = sample;
            world.At(1 + sample, () => world.SendVectors(number, [1, 2, 4, 5, 6]));
            world.At(1.2 + sample, () => world.SendBits(number, [1, 2, 4, 5, 6]));
        }
        world.Run(30);
        var card = GroupZoo.Card;
        for (var sample = 0; sample < 20; sample++)
        {
            var label = world.Answers(sample).Select(reply => reply.Label).Distinct().Single();
            Assert.That(label, Is.EqualTo(GroupWorld.Overall(without, sample)), $"sample {sample}");
        }
    }

    [Test]
    public async Task Group_LateDevice_IsToldTheAnswer()
    {
        var world = await GroupWorld.Start();
        var sure = world.Sample(isSure: true);
        world.At(1, () => world.SendVectors(sure, [1, 2, 3, 4, 5]));
        world.At(1.15, () => world.SendVectors(sure, [6]));
        world.Run(2);
        var late = world.Replies.Single(reply => reply.View == 6);
        Assert.That((late.Reply.Status, late.Reply.Label), Is.EqualTo((OffloadStatus.Ok, world.Replies[0].Reply.Label)));
        Assert.That(late.At, Is.EqualTo(1.15).Within(0.01));
    }

    [Test]
    public async Task Group_NobodysBitsCome_TheLocalVerdictStands()
    {
        var world = await GroupWorld.Start();
        var doubtful = world.Sample(isSure: false);
        world.At(1, () => world.SendVectors(doubtful, All));
        world.Run(2);
        var answers = world.Replies.Skip(6).ToList();
        Assert.That(answers.Select(reply => (reply.Reply.Status, reply.Reply.Label)), Is.EqualTo(Enumerable.Repeat((OffloadStatus.Ok, world.Label(world.Exits.Local, doubtful)), 6)));
        Assert.That(answers[0].At, Is.EqualTo(1 + 2 * Gather).Within(0.02));
    }

    [Test]
    public async Task Group_ShortDeadline_ShortensTheGathering()
    {
        var world = await GroupWorld.Start();
        world.At(1, () => world.SendVectors(world.Sample(isSure: true), [1, 2], deadline: 0.06));
        world.Run(2);
        Assert.That(world.Replies.Select(reply => reply.At).ToList(), Has.Count.EqualTo(2).And.All.EqualTo(1.02).Within(0.005));
    }

    [Test]
    public async Task Groups_OfTheSameModel_AreNotMixed()
    {
        var world = await GroupWorld.Start();
        var (one, other) = (world.Sample(isSure: true), world.Sample(isSure: true, skip: 1));
        Assert.That(world.Label(world.Exits.Local, one), Is.Not.EqualTo(world.Label(world.Exits.Local, other)), "or the test would show nothing");
        world.At(1, () => world.SendVectors(one, All, number: 7, group: "gate"));
        world.At(1, () => world.SendVectors(other, All, number: 7, group: "yard"));
        world.Run(2);
        int[] Labels(string group) => [.. world.Replies.Where(reply => reply.Reply.RequestId == GroupRequest.Id(group, 7)).Select(reply => reply.Reply.Label)];
        Assert.That(Labels("gate"), Is.EqualTo(Enumerable.Repeat(world.Label(world.Exits.Local, one), 6)));
        Assert.That(Labels("yard"), Is.EqualTo(Enumerable.Repeat(world.Label(world.Exits.Local, other), 6)));
    }

    [Test]
    public async Task Frames_ThatFitNotTheModel_AreRefused()
    {
        var world = await GroupWorld.Start();
        var vector = world.Vector(0, view: 1);
        world.At(1, () => world.Send(vector with { ModelHash = 1 }));
        world.At(1.1, () => world.Send(vector with { View = 7 }));
        world.At(1.2, () => world.Send(vector with { Shape = [2, 5] }));
        world.At(1.3, () => world.Send(vector with { View = 0 }));
        world.Run(2);
        Assert.That(world.Replies.Select(reply => reply.Reply.Status), Is.EqualTo([OffloadStatus.NotHeld, OffloadStatus.Refused, OffloadStatus.Refused, OffloadStatus.NotHeld]));
    }

    [Test]
    public async Task Samples_MoreThanMayBeOpen_AreAnsweredFull()
    {
        var world = await GroupWorld.Start(queueMax: 2);
        world.At(1, () =>
        {
            for (var number = 0; number < 4; number++) world.SendVectors(number, [1]);
        });
        world.Run(1.05);
        Assert.That(world.Replies.Select(reply => reply.Reply.Status), Is.EqualTo([OffloadStatus.Full, OffloadStatus.Full]));
        world.Run(3);
        world.At(3, () => world.SendVectors(9, [1]));
        world.Run(4);
        Assert.That(world.Answers(9), Is.Not.Empty, "what is answered makes room");
    }

    [Test]
    public async Task Switch_ToAnotherAssignment_TellsWhoWaits()
    {
        var world = await GroupWorld.Start();
        world.At(1, () => world.SendVectors(0, [1, 2]));
        world.At(1.05, () => world.Desire(GroupWorld.Tails with { Version = 2, Gather = new Seconds(0.3) }));
        world.At(2, () => world.SendVectors(1, [3]));
        world.Run(6);
        Assert.That(world.Replies.Take(2).Select(reply => reply.Reply.Status), Is.All.EqualTo(OffloadStatus.NotHeld));
        Assert.That(world.Replies[2].At, Is.EqualTo(2 + 0.5 / 3).Within(0.01), "a third of the deadline is shorter than the new gathering time");
        Assert.That(world.Loads.Sum(load => load.Served), Is.GreaterThanOrEqualTo(1));
    }
}

/// <summary>An edge server that holds the zoo's group, and a bus.</summary>
internal sealed class GroupWorld
{
    public const int Samples = 200;

    private readonly BusWorld world = new();
    private readonly SimBus.Connection devices, control;
    private readonly GroupReplay replay;

    private GroupWorld(GroupReplay replay, GroupExits exits, int queueMax)
    {
        (this.replay, Exits) = (replay, exits);
        (devices, control) = (world.Bus.Connect("devices"), world.Bus.Connect("controller"));
        for (var view = 0; view <= 7; view++)
        {
            var from = view;
            devices.Subscribe(ReplyTo(view).Path, (_, message) => Replies.Add((from, (Reply)message, world.Clock.Since(0).Value)));
        }
        devices.Subscribe(new Topic(TopicKind.EdgeLoad, "lab", "edge-1").Path, (_, message) => Loads.Add((EdgeLoad)message));
        var options = new EdgeOptions
        {
            Site = "lab",
            Id = "edge-1",
            QueueMax = queueMax,
            Info = new Info { Board = "b", Stack = "s", Profile = "n5105-mini-pc", AgentVersion = "1", Os = "test", Emulated = true },
        };
        var server = new Fleet.EdgeServer.EdgeServer(
            options, world.Bus.Connect("edge-1"), world.Clock, (_, _, _) => throw new FaultsException("tails", "none here"),
            (_, _) => Task.FromResult(GroupTail.Onnx(GroupZoo.Card, GroupZoo.Model.Hash, GroupZoo.Model.LoadUpper(), batchMax: 1, ownsPieces: true)));
        control.Publish(new Topic(TopicKind.EdgeDesired, "lab", "edge-1"), Tails);
        world.Clock.Start(() => server.Run(CancellationToken.None));
    }

    public static TailAssignment Tails => new() { Version = 1, Epoch = 1, Model = "ddnn", CardSha256 = GroupZoo.Model.CardSha256, Tails = "", Gather = new Seconds(0.1), ReportPeriod = new Seconds(1) };

    public GroupExits Exits { get; }

    public List<(int View, Reply Reply, double At)> Replies { get; } = [];

    public List<EdgeLoad> Loads { get; } = [];

    public static async Task<GroupWorld> Start(int queueMax = 64)
    {
        var replay = await GroupZoo.Over(Samples);
        return new GroupWorld(replay, await replay.With(GroupZoo.Choice(0b111111)), queueMax);
    }

    /// <summary>A sample about which the local exit is sure, or is not.</summary>
    public int Sample(bool isSure, int skip = 0) => Enumerable.Range(0, Samples)
        .Where(sample => Confidence.NormalisedEntropy(Row(Exits.Local, sample)) < GroupZoo.Card.Local.EntropyBelow == isSure)
        .DistinctBy(sample => Label(Exits.Local, sample)).ElementAt(skip);

    public int Label(float[] logits, int sample) => Confidence.ArgMax(Row(logits, sample));

    /// <summary>What the edge exit, or else the cloud exit, says.</summary>
    public int UpperLabel(int sample) =>
        Label(Confidence.NormalisedEntropy(Row(Exits.Edge, sample)) < GroupZoo.Card.Edge.EntropyBelow ? Exits.Edge : Exits.Cloud, sample);

    /// <summary>What all exits in turn say.</summary>
    public static int Overall(GroupExits exits, int sample)
    {
        var card = GroupZoo.Card;
        if (Confidence.NormalisedEntropy(Row(exits.Local, sample)) < card.Local.EntropyBelow) return Confidence.ArgMax(Row(exits.Local, sample));
        return Confidence.ArgMax(Row(Confidence.NormalisedEntropy(Row(exits.Edge, sample)) < card.Edge.EntropyBelow ? exits.Edge : exits.Cloud, sample));
    }

    public IEnumerable<Reply> Answers(int number) =>
        Replies.Select(reply => reply.Reply).Where(reply => reply.Status is OffloadStatus.Ok && reply.RequestId == GroupRequest.Id("gate", number));

    public TensorFrame Vector(int sample, int view, int? number = null, string group = "gate", double deadline = 0.5) =>
        Frame(FeatureCodec.Float32, [10], Part(replay.Vectors[view - 1], sample, 10), view, number ?? sample, group, deadline);

    public void SendVectors(int sample, int[] views, int? number = null, string group = "gate", double deadline = 0.5)
    {
        foreach (var view in views) Send(Vector(sample, view, number, group, deadline));
    }

    public void SendBits(int sample, int[] views)
    {
        var elements = GroupZoo.Card.MapElements;
        foreach (var view in views) Send(Frame(FeatureCodec.Bits, GroupZoo.Card.MapShape, Part(replay.Maps[view - 1], sample, elements), view, sample, "gate", 0.4));
    }

    public void Send(TensorFrame frame) => devices.Publish(new Topic(TopicKind.Offload, "lab", "edge-1"), frame);

    public void Desire(TailAssignment desired) => control.Publish(new Topic(TopicKind.EdgeDesired, "lab", "edge-1"), desired);

    public void At(double at, Action action) =>
        world.Clock.CreateTimer(_ => action(), null, TimeSpan.FromSeconds(at) - TimeSpan.FromTicks(world.Clock.GetTimestamp()), Timeout.InfiniteTimeSpan);

    public void Run(double untilSeconds) => world.Run(untilSeconds);

    private static TensorFrame Frame(FeatureCodec codec, IReadOnlyList<int> shape, ReadOnlySpan<float> elements, int view, int number, string group, double deadline)
    {
        var payload = new byte[FeatureCodecs.EncodedBytes(codec, elements.Length)];
        FeatureCodecs.Encode(codec, elements, 1, 0, payload);
        return new TensorFrame
        {
            Codec = codec,
            Cut = 1,
            View = view,
            ModelHash = GroupZoo.Model.Hash,
            RequestId = GroupRequest.Id(group, number),
            Deadline = new Seconds(deadline),
            Sample = number,
            Shape = shape,
            Payload = payload,
            ReplyTo = ReplyTo(view),
        };
    }

    private static ReadOnlySpan<float> Part(float[] all, int sample, int elements) => all.AsSpan(sample * elements, elements);

    private static ReadOnlySpan<float> Row(float[] logits, int sample) => logits.AsSpan(sample * 10, 10);

    private static Topic ReplyTo(int view) => new(TopicKind.Reply, "lab", $"gate-{view}");
}
