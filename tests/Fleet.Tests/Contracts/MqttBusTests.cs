using Fleet.Contracts;
using Fleet.Tests.Controller;
using NUnit.Framework;
using static Fleet.Tests.Controller.BrokerFixture;

namespace Fleet.Tests.Contracts;

public sealed class MqttBusTests
{
    private static readonly Topic ReplyTopic = ReplyTo("dev-1");

    private static IEnumerable<TestCaseData> EachKind()
    {
        TestCaseData Case(Topic topic, Message message) => new TestCaseData(topic, message).SetArgDisplayNames(topic.Kind.ToString());

        Topic Of(TopicKind kind) => new(kind, "lab", "dev-1", "cmd-1");
        var info = new Info { Board = "rpi-4", Stack = "ort", Profile = "rpi-4", AgentVersion = "0.1", Os = "linux", Emulated = true };
        var tails = new TailAssignment { Version = 1, Epoch = 1, Model = "m", CardSha256 = "00", Tails = "0,1" };
        var assignment = new Assignment
        {
            Version = 1,
            Epoch = 2,
            Model = "m",
            CardSha256 = "00",
            Head = 1,
            Cut = 1,
            Thresholds = new PerExit([0.5]),
            Temperatures = new PerExit([1]),
        };
        yield return Case(Of(TopicKind.Summary), new Summary { SentAt = new Seconds(1), Devices = 2 });
        yield return Case(Of(TopicKind.Plan), new PlanReport { Version = 1, Epoch = 2, SentAt = new Seconds(1), Policy = "static-greedy" });
        yield return Case(Of(TopicKind.State), State.Ready);
        yield return Case(Of(TopicKind.Info), info);
        yield return Case(Of(TopicKind.Budget), Budget(1) with { Battery = new Joules(5), StageSeconds = new PerExit([0.1, 0.2]) });
        yield return Case(Of(TopicKind.Infer), new InferWindow { Sequence = 1, SentAt = new Seconds(1), Window = new Seconds(5), Count = 2, Offloaded = 2 });
        yield return Case(Of(TopicKind.Desired), assignment);
        yield return Case(Of(TopicKind.Reported), assignment with { Error = "no room" });
        yield return Case(Of(TopicKind.Command), Command("init"));
        yield return Case(Of(TopicKind.EdgeState), State.Init);
        yield return Case(Of(TopicKind.EdgeInfo), info);
        yield return Case(Of(TopicKind.EdgeLoad), new EdgeLoad { Sequence = 1, SentAt = new Seconds(1), Window = new Seconds(5) });
        yield return Case(Of(TopicKind.EdgeDesired), tails);
        yield return Case(Of(TopicKind.EdgeReported), tails with { Error = "x" });
        yield return Case(Of(TopicKind.GatewayState), State.Lost);
        yield return Case(Of(TopicKind.Reply), Reply(ulong.MaxValue));
    }

    [TestCaseSource(nameof(EachKind))]
    public void Publish_EachKindOfMessage_ArrivesEqual(Topic topic, Message message) => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        await using var sender = await ConnectAsync(Options(broker, "sender"), loop);
        await using var receiver = await ConnectAsync(Options(broker, "receiver"), loop);
        var inbox = new Inbox();
        receiver.Subscribe(topic.Path, inbox.Add);
        await SettleAsync(receiver, sender);

        sender.Publish(topic, message);

        await inbox.UntilAsync(1);
        Assert.That(inbox.All[0].Topic, Is.EqualTo(topic));
        Assert.That(inbox.All[0].Message, Is.EqualTo(message));
    });

    [Test]
    public void Publish_OffloadFrame_ArrivesWithReplyTopic() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        await using var sender = await ConnectAsync(Options(broker, "sender"), loop);
        await using var receiver = await ConnectAsync(Options(broker, "receiver"), loop);
        var topic = new Topic(TopicKind.Offload, "lab", "edge-1");
        var inbox = new Inbox();
        receiver.Subscribe(topic.Path, inbox.Add);
        await SettleAsync(receiver, sender);
        var payload = new byte[100_000];
        new Random(1).NextBytes(payload);

        sender.Publish(topic, Frame(payload));

        await inbox.UntilAsync(1);
        var frame = inbox.All[0].Message as TensorFrame;
        Assert.That(frame, Is.Not.Null);
        Assert.That(frame!.ReplyTo, Is.EqualTo(ReplyTopic));
        Assert.That(frame.RequestId, Is.EqualTo(7UL));
        Assert.That(frame.Payload.ToArray(), Is.EqualTo(payload));
    });

    private static TensorFrame Frame(byte[] payload) => new()
    {
        Codec = FeatureCodec.Int8,
        Cut = 1,
        ModelHash = 9,
        RequestId = 7,
        Deadline = new Seconds(5),
        Shape = [1, 1, payload.Length / 2, 2],
        Payload = payload,
        ReplyTo = ReplyTopic,
    };

    /// <summary>A message there and back: what was subscribed before is in place.</summary>
    private static async Task SettleAsync(MqttBus subscriber, MqttBus publisher)
    {
        var marks = new Inbox();
        var mark = new Topic(TopicKind.GatewayState, "marks", "settle");
        subscriber.Subscribe(mark.Path, marks.Add);
        publisher.Publish(mark, State.Ready);
        await marks.UntilAsync(1);
    }
}
