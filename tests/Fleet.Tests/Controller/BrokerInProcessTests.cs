using Fleet.Contracts;
using Fleet.Controller.Broker;
using NUnit.Framework;
using static Fleet.Tests.Controller.BrokerFixture;

namespace Fleet.Tests.Controller;

/// <summary>The controller's bus into the broker of its own process.</summary>
public sealed class BrokerInProcessTests
{
    [Test]
    public void Publish_EitherWay_Arrives() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        using var controller = broker.ConnectInProcess(loop);
        await using var device = await ConnectAsync(Options(broker, "device"), loop);
        var reports = new Inbox();
        var commands = new Inbox();
        controller.Subscribe("fleet/v1/lab/+/budget", reports.Add);
        device.Subscribe("fleet/v1/lab/dev-1/cmd/+", commands.Add);

        device.Publish(BudgetOf("dev-1"), Budget(1));
        controller.Publish(new Topic(TopicKind.Command, "lab", "dev-1", "c1"), Command("init"));

        await reports.UntilAsync(Budget(1));
        await commands.UntilAsync(Command("init"));
        Assert.That(controller.IsConnected);
        Assert.That(controller.Counters, Has.Property("Published").EqualTo(1).And.Property("Received").EqualTo(1));
    });

    /// <summary>Of an objective, as of what somebody is, the controller is told that it was taken back, over MQTT and in the broker's process; of a state nobody is.</summary>
    [Test]
    public void Publish_Cleared_IsToldOfObjectivesAndNotOfStatesAndRetainedNoMore() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        using var controller = broker.ConnectInProcess(loop);
        await using var other = await ConnectAsync(Options(broker, "other"), loop);
        await using var viewer = await ConnectAsync(Options(broker, "operator"), loop);
        var (near, far, late) = (new Inbox(), new Inbox(), new Inbox());
        controller.Subscribe("fleet/v1/lab/#", near.Add);
        other.Subscribe("fleet/v1/lab/#", far.Add);
        controller.Publish(StateOf("dev-0"), State.Init);
        await far.UntilAsync(1);
        var (topic, objective) = (new Topic(TopicKind.Objective, "lab"), new Objective { Name = "knee", AccuracyMin = 0.9 });

        viewer.Publish(topic, objective);
        viewer.Publish(StateOf("dev-1"), State.Ready);
        viewer.Publish(StateOf("dev-1"), Cleared.Payload);
        viewer.Publish(topic, Cleared.Payload);

        Message[] told = [objective, State.Ready, Cleared.Payload];
        await near.UntilAsync(told.Length);
        await far.UntilAsync(1 + told.Length);
        Assert.That(near.Messages, Is.EqualTo(told));
        Assert.That(far.Messages, Is.EqualTo((Message[])[State.Init, .. told]));
        controller.Subscribe("fleet/v1/lab/_objective", late.Add);
        viewer.Publish(topic, objective);
        await late.UntilAsync(1);
        Assert.That(late.Messages, Is.EqualTo(new[] { objective }), "nothing was retained");
    });

    [Test]
    public void Subscribe_AfterRetained_ReceivesItOnceAndOnlyItself() => OnLoop(async loop =>
    {
        const int devices = 2_000;
        await using var broker = await StartAsync();
        using var writer = broker.ConnectInProcess(loop);
        using var controller = broker.ConnectInProcess(loop);
        var first = new Inbox();
        controller.Subscribe("fleet/v1/lab/dev-0/state", first.Add);
        for (var i = 0; i < devices; i++) writer.Publish(StateOf($"dev-{i}"), State.Ready);
        await first.UntilAsync(1);
        var second = new Inbox();

        controller.Subscribe("fleet/v1/lab/+/state", second.Add);

        await second.UntilAsync(devices);
        Assert.That(first.All, Has.Count.EqualTo(1));
        Assert.That(second.All, Has.Count.EqualTo(devices));
    });

    [Test]
    public void Publish_Own_IsNotEchoedButReachesOtherBuses() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        using var one = broker.ConnectInProcess(loop);
        using var two = broker.ConnectInProcess(loop);
        var (mine, others) = (new Inbox(), new Inbox());
        one.Subscribe("fleet/#", mine.Add);
        two.Subscribe("fleet/#", others.Add);

        one.Publish(StateOf("dev-1"), State.Init);
        two.Publish(StateOf("dev-1"), State.Ready);

        await mine.UntilAsync(1);
        await others.UntilAsync(1);
        Assert.That(mine.Messages, Is.EqualTo(new Message[] { State.Ready }));
        Assert.That(others.Messages, Is.EqualTo(new Message[] { State.Init }));
    });

    [Test]
    public void Subscribe_Overlapping_CallsEachHandlerOnce() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        using var controller = broker.ConnectInProcess(loop);
        using var other = broker.ConnectInProcess(loop);
        var inboxes = new[] { new Inbox(), new Inbox(), new Inbox() };
        controller.Subscribe("fleet-data/v1/lab/dev-1/reply", inboxes[0].Add);
        controller.Subscribe("fleet-data/v1/+/dev-1/reply", inboxes[1].Add);
        var ended = controller.Subscribe("fleet-data/#", inboxes[2].Add);

        other.Publish(ReplyTo("dev-1"), Reply(1));
        await inboxes[1].UntilAsync(1);
        ended.Dispose();
        other.Publish(ReplyTo("dev-1"), Reply(2));
        await inboxes[1].UntilAsync(2);

        Assert.That(inboxes.Select(inbox => inbox.All.Count), Is.EqualTo(new[] { 2, 2, 1 }));
    });

    [Test]
    public void Receive_FasterThanTheLoop_HoldsPublishersBackAndLosesNothing() => OnLoop(async loop =>
    {
        const int count = 3_000;
        await using var broker = await StartAsync();
        using var controller = broker.ConnectInProcess(loop, undeliveredMax: 4);
        await using var device = await ConnectAsync(Options(broker, "device") with { DataMax = count }, loop);
        var inbox = new Inbox();
        controller.Subscribe("fleet-data/#", inbox.Add);

        for (var i = 0; i < count; i++) device.Publish(ReplyTo("dev-1"), Reply((ulong)i));

        await inbox.UntilAsync(count);
        Assert.That(inbox.Messages, Is.EqualTo(Enumerable.Range(0, count).Select(i => Reply((ulong)i))));
        Assert.That(broker.Counters.Dropped, Is.Zero);
    });

    [Test]
    public void Receive_WillOfACutConnection_ArrivesAsLost() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        await using var cable = new Cable(broker.Port);
        using var controller = broker.ConnectInProcess(loop);
        var states = new Inbox();
        controller.Subscribe("fleet/v1/lab/+/state", states.Add);
        await using var device = await ConnectAsync(Options(MqttAddress.Loopback(cable.Port), "device") with { Will = new MqttWill(StateOf("dev-1"), State.Lost) }, loop);

        cable.Pull();

        await states.UntilAsync(State.Lost);
    });

    [Test]
    public void Receive_Garbage_IsMalformedOrUnknown() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        using var controller = broker.ConnectInProcess(loop);
        await using var raw = await RawClient.ConnectAsync(broker, "raw");
        var inbox = new Inbox();
        controller.Subscribe("#", inbox.Add);

        await raw.PublishAsync("some/where", "x");
        await raw.PublishAsync(BudgetOf("dev-1").Path, "[1", retain: true);

        await inbox.UntilAsync(1);
        Assert.That(inbox.All[0].Message, Is.TypeOf<Malformed>());
        Assert.That(controller.Counters, Has.Property("Unknown").EqualTo(1).And.Property("Malformed").EqualTo(1));
    });

    [Test]
    public void Dispose_OfBroker_DisconnectsTheBus() => OnLoop(async loop =>
    {
        var broker = await StartAsync();
        var controller = broker.ConnectInProcess(loop);
        var connections = new Connections(controller);

        await broker.DisposeAsync();

        Assert.That(connections.Changes, Is.EqualTo(new[] { false }));
        controller.Publish(StateOf("dev-1"), State.Ready);
        Assert.That(controller.Counters.Dropped, Is.EqualTo(1));
    });
}
