using Fleet.Contracts;
using Fleet.Controller.Broker;
using Fleet.Tests.Controller;
using NUnit.Framework;
using static Fleet.Tests.Controller.BrokerFixture;

namespace Fleet.Tests.Contracts;

/// <summary>Messages over a bus that stays connected.</summary>
public sealed class MqttBusTests
{
    private static int lastMark;

    [TestCaseSource(nameof(EachKind))]
    public void Publish_EachKindOfMessage_ArrivesEqual(TopicKind kind, Message message) => WithPair(async (_, sender, receiver) =>
    {
        var topic = Of(kind);
        var inbox = new Inbox();
        receiver.Subscribe(topic.Path, inbox.Add);
        await SettleAsync(sender, receiver);

        sender.Publish(topic, message);

        await inbox.UntilAsync(1);
        Assert.That(inbox.All[0].Topic.Path, Is.EqualTo(topic.Path));
        Assert.That(inbox.All[0].Message, Is.EqualTo(message));
    });

    [Test]
    public void Publish_OffloadFrame_ArrivesWithReplyTopicAndPayload() => WithPair(async (_, sender, receiver) =>
    {
        var topic = new Topic(TopicKind.Offload, "lab", "edge-1");
        var inbox = new Inbox();
        receiver.Subscribe(topic.Path, inbox.Add);
        await SettleAsync(sender, receiver);
        var sent = Frame(100_000);

        sender.Publish(topic, sent);

        await inbox.UntilAsync(1);
        var frame = inbox.All[0].Message as TensorFrame;
        Assert.That(frame, Is.Not.Null);
        Assert.That(frame!.ReplyTo.Path, Is.EqualTo(sent.ReplyTo.Path));
        Assert.That(frame.RequestId, Is.EqualTo(sent.RequestId));
        Assert.That(frame.Payload.Span.SequenceEqual(sent.Payload.Span));
    });

    [Test]
    public void Publish_OffloadFrame_CarriesCorrelationAndExpiry() => WithPair(async (broker, sender, _) =>
    {
        await using var raw = await RawClient.ConnectAsync(broker, "raw");
        await raw.SubscribeAsync("fleet-data/#");

        sender.Publish(new Topic(TopicKind.Offload, "lab", "edge-1"), Frame(8) with { Deadline = new Seconds(1.2) });

        var packet = await raw.NextAsync();
        Assert.That(packet.ResponseTopic, Is.EqualTo("fleet-data/v1/lab/dev-1/reply"));
        Assert.That(packet.CorrelationData, Is.EqualTo(BitConverter.GetBytes(7UL)));
        Assert.That(packet.MessageExpiryInterval, Is.EqualTo(2));
        Assert.That(packet.Retain, Is.False);
    });

    [Test]
    public void Subscribe_AfterRetainedPublish_ReceivesIt() => WithPair(async (_, sender, receiver) =>
    {
        sender.Publish(StateOf("dev-1"), State.Ready);
        sender.Publish(BudgetOf("dev-1"), Budget(1));
        await SettleAsync(sender, receiver);
        var inbox = new Inbox();

        receiver.Subscribe("fleet/v1/lab/+/+", inbox.Add);

        await inbox.UntilAsync(2);
        Assert.That(inbox.Messages, Is.EquivalentTo(new Message[] { State.Ready, Budget(1) }));
    });

    [Test]
    public void Subscribe_SecondTimeToSameFilter_ReceivesRetainedToo() => WithPair(async (_, sender, receiver) =>
    {
        sender.Publish(StateOf("dev-1"), State.Ready);
        var first = new Inbox();
        receiver.Subscribe(StateOf("dev-1").Path, first.Add);
        await first.UntilAsync(1);
        var second = new Inbox();

        receiver.Subscribe(StateOf("dev-1").Path, second.Add);

        await second.UntilAsync(1);
        Assert.That(second.Messages, Is.EqualTo(new Message[] { State.Ready }));
    });

    [Test]
    public void Subscribe_OverlappingFilters_CallEachHandlerOnce() => WithPair(async (_, sender, receiver) =>
    {
        var inboxes = new List<Inbox>();
        foreach (var filter in new[] { "fleet-data/v1/lab/dev-1/reply", "fleet-data/v1/lab/+/reply", "fleet-data/#", "fleet-data/v1/lab/dev-1/#", "fleet-data/v1/lab/dev-1/reply" })
        {
            inboxes.Add(new Inbox());
            receiver.Subscribe(filter, inboxes[^1].Add);
        }
        await SettleAsync(sender, receiver);

        sender.Publish(ReplyTo("dev-1"), Reply(1));
        await SettleAsync(sender, receiver);

        foreach (var inbox in inboxes) Assert.That(inbox.Messages, Is.EqualTo(new Message[] { Reply(1) }));
        Assert.That(receiver.Counters.Received, Is.EqualTo(3), "the reply once, and two marks");
    });

    [Test]
    public void Subscribe_ThousandsOfFilters_EachReceivesItsOwn() => WithPair(async (_, sender, receiver) =>
    {
        const int devices = 3_000;
        var inbox = new Inbox();
        for (var i = 0; i < devices; i++) sender.Publish(StateOf($"dev-{i}"), State.Ready);
        await SettleAsync(sender, receiver);

        for (var i = 0; i < devices; i++)
        {
            var mine = StateOf($"dev-{i}").Path;
            receiver.Subscribe(mine, (topic, message) => inbox.Add(topic, topic.Path == mine ? message : new Malformed("not mine", 0)));
        }

        await inbox.UntilAsync(devices);
        Assert.That(inbox.Messages, Is.All.EqualTo(State.Ready));
        Assert.That(inbox.All.Select(entry => entry.Topic.Path).Distinct().Count(), Is.EqualTo(devices));
    });

    [Test]
    public void Dispose_OfSubscription_StopsDelivery() => WithPair(async (broker, sender, receiver) =>
    {
        var ended = new Inbox();
        var other = new Inbox();
        var subscription = receiver.Subscribe(ReplyTo("dev-1").Path, ended.Add);
        var shared = receiver.Subscribe(ReplyTo("dev-1").Path, other.Add);
        await SettleAsync(sender, receiver);

        subscription.Dispose();
        sender.Publish(ReplyTo("dev-1"), Reply(1));
        await other.UntilAsync(1);
        shared.Dispose();
        await SettleAsync(sender, receiver);
        var before = receiver.Counters.Received;
        sender.Publish(ReplyTo("dev-1"), Reply(2));
        await SettleAsync(sender, receiver);

        Assert.That(ended.All, Is.Empty);
        Assert.That(other.Messages, Is.EqualTo(new Message[] { Reply(1) }));
        Assert.That(receiver.Counters.Received - before, Is.LessThanOrEqualTo(2), "the marks only: the broker was told");
        Assert.That(broker.Counters.Subscriptions, Is.LessThanOrEqualTo(2), "the marks' only");
    });

    [Test]
    public void Receive_Garbage_DeliversMalformedAndCounts() => WithPair(async (broker, _, receiver) =>
    {
        await using var raw = await RawClient.ConnectAsync(broker, "raw");
        var inbox = new Inbox();
        receiver.Subscribe("fleet/#", inbox.Add);
        receiver.Subscribe("fleet-data/#", inbox.Add);

        await raw.PublishAsync(BudgetOf("dev-1").Path, "{ not json", retain: true);
        await raw.PublishAsync(StateOf("dev-1").Path, "asleep", retain: true);
        await raw.PublishAsync(BudgetOf("dev-2").Path, new string(' ', Wire.FleetBytesMax + 1), retain: true);
        await raw.PublishAsync("fleet/v1/nonsense", "{}", retain: true);
        await inbox.UntilAsync(3);
        await raw.PublishAsync(StateOf("dev-1").Path, "", retain: true);
        await raw.PublishAsync(StateOf("dev-2").Path, "ready");

        await inbox.UntilAsync(4);
        Assert.That(inbox.Messages.OfType<Malformed>().Count(), Is.EqualTo(3));
        Assert.That(inbox.All[3].Message, Is.EqualTo(State.Ready), "a cleared retained message is no message");
        Assert.That(receiver.Counters.Malformed, Is.EqualTo(3));
        Assert.That(receiver.Counters.Unknown, Is.EqualTo(1));
    });

    [Test]
    public void Publish_TooLong_IsDroppedAndCounted() => WithPair(async (_, sender, receiver) =>
    {
        var inbox = new Inbox();
        receiver.Subscribe("fleet/v1/lab/#", inbox.Add);
        var topic = new Topic(TopicKind.Command, "lab", "dev-1", "cmd-1");

        sender.Publish(topic, Command("failed") with { Error = new string('x', Wire.FleetBytesMax) });
        sender.Publish(topic, Command("failed"));

        await inbox.UntilAsync(1);
        Assert.That(inbox.Messages, Is.EqualTo(new Message[] { Command("failed") }));
        Assert.That(sender.Counters.Dropped, Is.EqualTo(1));
        Assert.That(sender.LastFault, Does.Contain("8192"));
    });

    [TestCase(0)]
    [TestCase(0.005)]
    public void Receive_FasterThanTheLoop_LosesNothing(double linger) => OnLoop(async loop =>
    {
        const int count = 5_000;
        await using var broker = await StartAsync();
        await using var sender = await ConnectAsync(Options(broker, "sender") with { DataMax = count }, loop);
        await using var receiver = await ConnectAsync(Options(broker, "receiver") with { UndeliveredMax = 8, Linger = new Seconds(linger) }, loop);
        var inbox = new Inbox();
        receiver.Subscribe("fleet-data/#", inbox.Add);
        await SettleAsync(sender, receiver);

        for (var i = 0; i < count; i++) sender.Publish(ReplyTo("dev-1"), Reply((ulong)i));

        await inbox.UntilAsync(count);
        Assert.That(inbox.Messages, Is.EqualTo(Enumerable.Range(0, count).Select(i => Reply((ulong)i))), "all, in order");
        Assert.That(sender.Counters.Dropped, Is.Zero);
        Assert.That(broker.Counters.Dropped, Is.Zero);
    });

    [Test]
    public void Publish_BudgetAtLeastOnce_WhereConfigured() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        await using var raw = await RawClient.ConnectAsync(broker, "raw");
        await raw.SubscribeAsync("fleet/#");
        await using var plain = await ConnectAsync(Options(broker, "plain"), loop);
        await using var sure = await ConnectAsync(Options(broker, "sure") with { TelemetryDelivery = Delivery.AtLeastOnce }, loop);

        plain.Publish(BudgetOf("dev-1"), Budget(1));
        Assert.That((int)(await raw.NextAsync()).QualityOfServiceLevel, Is.EqualTo(0));
        sure.Publish(BudgetOf("dev-1"), Budget(1));
        Assert.That((int)(await raw.NextAsync()).QualityOfServiceLevel, Is.EqualTo(1));
    });

    private static Topic Of(TopicKind kind) => new(kind, "lab", "dev-1", "cmd-1");

    private static TensorFrame Frame(int bytes)
    {
        var payload = new byte[bytes];
        new Random(1).NextBytes(payload);
        return new TensorFrame
        {
            Codec = FeatureCodec.Int8,
            Cut = 1,
            ModelHash = 9,
            RequestId = 7,
            Deadline = new Seconds(5),
            Shape = [1, bytes / 4, 4],
            Payload = payload,
            ReplyTo = ReplyTo("dev-1"),
        };
    }

    private static void WithPair(Func<EmbeddedBroker, MqttBus, MqttBus, Task> test) => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        await using var sender = await ConnectAsync(Options(broker, "sender"), loop);
        await using var receiver = await ConnectAsync(Options(broker, "receiver"), loop);
        await test(broker, sender, receiver);
    });

    /// <summary>A message from one to the other: what either of them asked of the broker before has happened.</summary>
    private static async Task SettleAsync(MqttBus sender, MqttBus receiver)
    {
        var marks = new Inbox();
        var mark = new Topic(TopicKind.GatewayState, $"marks-{++lastMark}", "mark");
        // A wildcard of its own, so that it is subscribed after everything else.
        using var subscription = receiver.Subscribe(Topic.Filter(mark.Kind, mark.Site), marks.Add);
        sender.Publish(mark, State.Ready);
        await marks.UntilAsync(1);
    }

    private static IEnumerable<TestCaseData> EachKind()
    {
        static TestCaseData Case(TopicKind kind, Message message) => new TestCaseData(kind, message).SetArgDisplayNames(kind.ToString());

        var at = new Seconds(1);
        var info = new Info { Board = "rpi-4", Stack = "ort", Profile = "rpi-4", AgentVersion = "0.1", Os = "linux", Emulated = true };
        var tails = new TailAssignment { Version = 1, Epoch = 1, Model = "m", CardSha256 = "00", Tails = "0,1" };
        var plan = new PlanReport { Version = 1, Epoch = 2, SentAt = at, Policy = "static-greedy" };
        var assignment = new Assignment
        {
            Version = 1,
            Epoch = 2,
            Model = "m",
            CardSha256 = "00",
            Head = 1,
            Cut = 1,
            OffloadTo = "edge-1",
            Thresholds = new PerExit([0.5]),
            Temperatures = new PerExit([1]),
        };
        yield return Case(TopicKind.Summary, new Summary { SentAt = at, Devices = 2 });
        yield return Case(TopicKind.Plan, plan);
        yield return Case(TopicKind.State, State.Ready);
        yield return Case(TopicKind.Info, info);
        yield return Case(TopicKind.Budget, Budget(1) with { Battery = new Joules(5), StageSeconds = new PerExit([0.1, 0.2]) });
        yield return Case(TopicKind.Infer, new InferWindow { Sequence = 1, SentAt = at, Window = new Seconds(5), Count = 2, Offloaded = 2 });
        yield return Case(TopicKind.Desired, assignment);
        yield return Case(TopicKind.Reported, assignment with { Error = "no room" });
        yield return Case(TopicKind.Command, Command("init"));
        yield return Case(TopicKind.EdgeState, State.Init);
        yield return Case(TopicKind.EdgeInfo, info);
        yield return Case(TopicKind.EdgeLoad, new EdgeLoad { Sequence = 1, SentAt = at, Window = new Seconds(5) });
        yield return Case(TopicKind.EdgeDesired, tails);
        yield return Case(TopicKind.EdgeReported, tails with { Error = "x" });
        yield return Case(TopicKind.GatewayState, State.Lost);
        yield return Case(TopicKind.Reply, Reply(ulong.MaxValue));
    }
}
