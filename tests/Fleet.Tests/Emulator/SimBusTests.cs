using CsCheck;
using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

public sealed class SimBusTests
{
    private static readonly Topic Status = new(TopicKind.State, "lab", "cam-1");
    private static readonly Topic Infer = new(TopicKind.Infer, "lab", "cam-1");

    [Test]
    public void Subscribe_Later_GetsRetainedMessagesAndNoOthers()
    {
        var world = new BusWorld();
        var device = world.Bus.Connect("cam-1");
        device.Publish(Status, State.Init);
        device.Publish(Status, State.Ready);
        device.Publish(Infer, Window(1));
        var heard = world.Listen("#");
        world.Run(1);
        Assert.That(heard, Is.EqualTo((Message[])[State.Ready]));
    }

    [TestCase("fleet/v1/lab/cam-1/state")]
    [TestCase("fleet/v1/+/+/state")]
    public void Publish_ToSubscribers_ArrivesOnceInOrderAndNotInsideTheCall(string filter)
    {
        var world = new BusWorld();
        var heard = world.Listen(filter);
        world.Clock.Soon(() =>
        {
            var device = world.Bus.Connect("cam-1");
            device.Publish(Status, State.Init);
            device.Publish(Status, State.Ready);
            Assert.That(heard, Is.Empty);
        });
        world.Run(1);
        Assert.That(heard, Is.EqualTo((Message[])[State.Init, State.Ready]));
    }

    [Test]
    public void Lose_NotRestoredInTime_PublishesTheWillWhenNoticed()
    {
        var world = new BusWorld();
        var device = world.Bus.Connect("cam-1", (Status, State.Lost));
        var heard = world.Listen(Status.Path);
        device.Publish(Status, State.Ready);
        world.Run(1);
        device.Lose(TimeSpan.FromSeconds(5));
        world.Run(5.9);
        Assert.That(heard, Is.EqualTo((Message[])[State.Ready]));
        world.Run(6.1);
        Assert.That(heard, Is.EqualTo((Message[])[State.Ready, State.Lost]));
        Assert.That(world.Bus.Retained.Single().Message, Is.EqualTo(State.Lost));
    }

    [Test]
    public void Lose_RestoredInTime_PublishesNoWill()
    {
        var world = new BusWorld();
        var device = world.Bus.Connect("cam-1", (Status, State.Lost));
        var heard = world.Listen(Status.Path);
        device.Lose(TimeSpan.FromSeconds(5));
        world.Run(4);
        device.Restore();
        world.Run(20);
        Assert.That(heard, Is.Empty);
    }

    [Test]
    public void Publish_WhileDown_KeepsTheNewestPerTopicAndDropsData()
    {
        var world = new BusWorld();
        var device = world.Bus.Connect("cam-1");
        var heard = world.Listen("fleet/v1/#");
        var offloads = world.Listen("fleet-data/v1/#");
        device.Lose(TimeSpan.FromSeconds(5));
        device.Publish(Infer, Window(1));
        device.Publish(Infer, Window(2));
        device.Publish(Status, State.Ready);
        device.Publish(new Topic(TopicKind.Offload, "lab", "edge-1"), TinyModel.Frame(1));
        world.Run(2);
        Assert.That(heard, Is.Empty);
        device.Restore();
        world.Run(3);
        Assert.That(heard, Is.EquivalentTo((Message[])[Window(2), State.Ready]));
        Assert.That(offloads, Is.Empty);
    }

    [Test]
    public void Publish_ToSomebodyWhoIsDown_IsDroppedAndRetainedComesOnRestore()
    {
        var world = new BusWorld();
        var (device, viewer) = (world.Bus.Connect("cam-1"), world.Bus.Connect("viewer"));
        var heard = new List<Message>();
        viewer.Subscribe("#", (_, message) => heard.Add(message));
        viewer.Lose(TimeSpan.FromSeconds(5));
        device.Publish(Status, State.Ready);
        device.Publish(Infer, Window(1));
        world.Run(1);
        Assert.That(heard, Is.Empty);
        Assert.That(world.Books.DroppedTotal, Is.EqualTo(2));
        viewer.Restore();
        world.Run(2);
        Assert.That(heard, Is.EqualTo((Message[])[State.Ready]));
    }

    [Test]
    public void Die_OfAProcess_IsForGood()
    {
        var world = new BusWorld();
        var device = world.Bus.Connect("cam-1", (Status, State.Lost));
        var (got, changes) = (0, new List<bool>());
        device.Subscribe("#", (_, _) => got++);
        device.ConnectionChanged += changes.Add;
        device.Die(TimeSpan.FromSeconds(5));
        device.Publish(Status, State.Ready);
        device.Restore();
        world.Bus.Connect("other").Publish(Infer, Window(1));
        world.Run(10);
        Assert.That(world.Bus.Retained.Single().Message, Is.EqualTo(State.Lost));
        Assert.That(got, Is.Zero);
        Assert.That(changes, Is.EqualTo((bool[])[false]));
        Assert.That(device.IsConnected, Is.False);
    }

    [Test]
    public void Dispose_OfASubscription_StopsItEvenForWhatIsUnderWay()
    {
        var world = new BusWorld();
        var got = 0;
        var subscription = world.Bus.Connect("viewer").Subscribe(Status.Path, (_, _) => got++);
        world.Bus.Connect("cam-1").Publish(Status, State.Ready);
        subscription.Dispose();
        world.Run(1);
        Assert.That(got, Is.Zero);
        Assert.That(world.Books.DroppedTotal, Is.EqualTo(1));
    }

    /// <summary>Any mixture of publishes, subscriptions and cuts: the books close, and wire mode hands over equal messages with an equal hash.</summary>
    [Test]
    public void AnyTraffic_BooksCloseAndWireModeEqualsRecordMode() => Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3]).Array[1, 60].Sample(
        steps =>
        {
            var (records, wire) = (new BusWorld(), new BusWorld(throughWire: true));
            var (asRecords, throughWire) = (Play(records, steps), Play(wire, steps));
            Assert.That(throughWire, Is.EqualTo(asRecords));
            Assert.That(wire.Hash.ToString(), Is.EqualTo(records.Hash.ToString()));
            foreach (var books in (MessageBooks[])[records.Books, wire.Books])
            {
                Assert.That(books.Unexplained(inFlight: 0), Is.Zero);
                Assert.That(books.DueTotal, Is.EqualTo(books.DeliveredTotal + books.DroppedTotal));
            }
        },
        iter: 100, threads: 1);

    [Test]
    public void Hash_LongNames_TellsDevicesApart()
    {
        string Of(string id)
        {
            var world = new BusWorld();
            world.Bus.Connect("x").Publish(new Topic(TopicKind.EdgeState, new string('a', 64), id), State.Ready);
            return world.Hash.ToString();
        }
        Assert.That(Of(new string('b', 63) + "1"), Is.Not.EqualTo(Of(new string('b', 63) + "2")));
    }

    private static List<(string, string)> Play(BusWorld world, (int Action, int Who)[] steps)
    {
        var heard = new List<(string, string)>();
        var connections = Enumerable.Range(0, 4).Select(i => world.Bus.Connect($"cam-{i}", (new Topic(TopicKind.State, "lab", $"cam-{i}"), State.Lost))).ToList();
        var subscriptions = new List<IDisposable>();
        foreach (var ((action, who), i) in steps.Select((step, i) => (step, i)))
        {
            var connection = connections[who];
            switch (action)
            {
                case 0: connection.Publish(new Topic(TopicKind.State, "lab", $"cam-{who}"), State.Ready); break;
                case 1: connection.Publish(new Topic(TopicKind.Infer, "lab", $"cam-{who}"), Window(i)); break;
                case 2: subscriptions.Add(connection.Subscribe(who % 2 == 0 ? "fleet/v1/+/+/+" : $"fleet/v1/lab/cam-{who - 1}/state", (topic, message) => heard.Add((topic.Path, message.ToString())))); break;
                case 3: connection.Lose(TimeSpan.FromSeconds(2)); break;
                case 4: connection.Restore(); break;
                default: subscriptions.LastOrDefault()?.Dispose(); break;
            }
            if (i % 3 == 0) world.Run(i + 1);
        }
        world.Run(steps.Length + 10);
        return heard;
    }

    private static InferWindow Window(long sequence) => new() { Sequence = sequence, SentAt = new Seconds(1), Window = new Seconds(5), Count = 3, Exits = new PerExit([2]), Offloaded = 1 };
}

/// <summary>A bus on a clock of its own, with somebody who listens.</summary>
internal sealed class BusWorld
{
    public BusWorld(bool throughWire = false) => Bus = new SimBus(Clock, Hash, Books, throughWire);

    public SimClock Clock { get; } = new();

    public EventHash Hash { get; } = new();

    public MessageBooks Books { get; } = new();

    public SimBus Bus { get; }

    public void Run(double untilSeconds) => Clock.Run(TimeSpan.FromSeconds(untilSeconds));

    public List<Message> Listen(string filter)
    {
        var heard = new List<Message>();
        Bus.Connect("listener").Subscribe(filter, (_, message) => heard.Add(message));
        return heard;
    }
}
