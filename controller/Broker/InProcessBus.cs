using Fleet.Contracts;
using MQTTnet.Protocol;

namespace Fleet.Controller.Broker;

/// <summary>
/// The controller's bus to the broker in its own process: no socket between them. What it publishes reaches everybody but itself.
/// A broker's publishers wait while its event loop is behind.
/// </summary>
public sealed class InProcessBus : IBus, IDisposable
{
    /// <summary>Retained messages are decoded and handed over in turns of this many, so that the loop stays responsive.</summary>
    private const int TurnMax = 500;

    private readonly Switchboard board;
    private readonly EventLoop loop;
    private readonly Local local;
    private readonly MqttSubscriptions subscriptions = new();
    private readonly MqttBacklog backlog;
    private readonly Action<InProcessBus> forget;
    private readonly Lock gate = new();
    private List<(Topic Topic, Message Message)>? arriving; // posted to the loop already, and still open for more
    private long published;
    private long received;
    private long malformed;
    private long unknown;
    private long dropped;

    internal InProcessBus(string name, Switchboard board, EventLoop loop, int undeliveredMax, Action<InProcessBus> forget)
    {
        (this.board, this.loop, this.forget) = (board, loop, forget);
        backlog = new MqttBacklog(undeliveredMax);
        local = new Local(name, this);
    }

    public event Action<bool>? ConnectionChanged;

    public bool IsConnected { get; private set; } = true;

    public BusCounters Counters => new(
        Interlocked.Read(ref published), Interlocked.Read(ref received), Interlocked.Read(ref dropped), 0,
        Interlocked.Read(ref malformed), Interlocked.Read(ref unknown), 0);

    public void Publish(Topic topic, Message message)
    {
        var packet = MqttClientSetup.ApplicationMessage(topic, message, Delivery.AtMostOnce);
        if (!IsConnected || packet.Payload.Length > (topic.Kind is TopicKind.Offload ? TensorFrame.FrameBytesMax : Wire.FleetBytesMax))
        {
            Interlocked.Increment(ref dropped);
            return;
        }
        Interlocked.Increment(ref published);
        board.Publish(new Incoming(packet, topic, message), local.ClientId);
    }

    public IDisposable Subscribe(string filter, Action<Topic, Message> handler)
    {
        ObjectDisposedException.ThrowIf(!IsConnected, this);
        var added = subscriptions.Add(filter, handler);
        local.Newcomer = added;
        board.Subscribe(new Subscription(local, filter, MqttQualityOfServiceLevel.AtLeastOnce, NoLocal: true, RetainAsPublished: false, Id: 0), true, true);
        return new Ending(this, added);
    }

    public void Dispose()
    {
        if (!IsConnected) return;
        IsConnected = false;
        board.UnsubscribeAll(local);
        backlog.Release();
        forget(this);
        ConnectionChanged?.Invoke(false);
    }

    private void Unsubscribe(MqttSubscriptions.Handler handler)
    {
        if (subscriptions.Remove(handler) && !handler.Filter.HasHandlers) board.Unsubscribe(local, handler.Filter.Text);
    }

    private void Post(Incoming message)
    {
        Interlocked.Increment(ref received);
        var (topic, said) = message.Decoded;
        if (topic is null) Interlocked.Increment(ref unknown);
        if (said is Malformed) Interlocked.Increment(ref malformed);
        if (topic is null || said is null) return;
        backlog.Add();
        List<(Topic, Message)> batch;
        lock (gate)
        {
            if (arriving is not null)
            {
                arriving.Add((topic, said));
                return;
            }
            arriving = batch = [(topic, said)];
        }
        loop.Post(() => Dispatch(batch));
    }

    private void Dispatch(List<(Topic Topic, Message Message)> batch)
    {
        lock (gate)
            if (arriving == batch) arriving = null;
        foreach (var (topic, message) in batch)
            if (IsConnected) subscriptions.Dispatch(topic, message, null);
        backlog.Done(batch.Count);
    }

    private void PostRetained(MqttSubscriptions.Handler newcomer, Incoming[] messages)
    {
        Interlocked.Add(ref received, messages.Length);
        // What comes from now on is newer than what is retained: it goes after it.
        lock (gate) arriving = null;
        loop.Post(() =>
        {
            foreach (var message in messages)
                if (IsConnected && message.Decoded is ({ } topic, { } said)) newcomer.Call(topic, said);
        });
    }

    private sealed class Ending(InProcessBus bus, MqttSubscriptions.Handler handler) : IDisposable
    {
        public void Dispose() => bus.Unsubscribe(handler);
    }

    /// <summary>The bus as the switchboard sees it, under its gate.</summary>
    private sealed class Local(string name, InProcessBus bus) : Subscriber(name)
    {
        /// <summary>Whom the retained messages of the subscription being made are for; set by the loop just before.</summary>
        public MqttSubscriptions.Handler? Newcomer { get; set; }

        public override bool IsBehind => bus.IsConnected && bus.backlog.IsFull;

        public override async Task CatchUpAsync()
        {
            try
            {
                await bus.backlog.WhenRoomAsync().WaitAsync(TimeSpan.FromSeconds(bus.board.Options.Patience.Value), bus.board.Time);
            }
            catch (TimeoutException)
            {
                // The loop is stuck or has ended; the next message waits as long again, so the queue grows slowly if at all.
            }
        }

        public override void DeliverRetained(Subscription subscription, List<string> topics)
        {
            foreach (var turn in topics.Chunk(TurnMax))
                bus.PostRetained(Newcomer!, [.. turn.Select(topic => new Incoming(bus.board.FindRetained(topic)!))]);
        }

        protected override void Deliver(Incoming message, MqttQualityOfServiceLevel quality, bool retain, List<uint>? ids) => bus.Post(message);
    }
}
