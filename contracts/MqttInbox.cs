namespace Fleet.Contracts;

/// <summary>
/// What comes over one connection, on its way to the event loop: decoded on the connection's thread, handed over all at once for each time
/// that the socket was read.
/// </summary>
internal sealed class MqttInbox(EventLoop loop, MqttBacklog backlog, MqttTally tally, Action<Topic, Message, IReadOnlyList<uint>?> deliver)
{
    private readonly Dictionary<uint, uint[]> alone = [];
    private List<Arrival> arrived = [];

    private readonly record struct Arrival(Topic Topic, Message Message, IReadOnlyList<uint>? Ids);

    /// <summary>Whether nothing is to be added before there is room.</summary>
    public bool IsFull => backlog.IsFullWith(arrived.Count);

    public Task WhenRoomAsync(CancellationToken cancel) => backlog.WhenRoomAsync().WaitAsync(cancel);

    public void Add(in InboundPublish packet)
    {
        Interlocked.Increment(ref tally.Received);
        if (!Topic.TryParse(packet.Topic, out var topic))
        {
            Interlocked.Increment(ref tally.Unknown);
            return;
        }
        // A retained message was cleared: mostly there is nothing to deliver.
        if (packet.Payload.IsEmpty && !topic.Rule.IsTakenBack) return;
        var message = Wire.Decode(topic, packet.Payload, topic.Kind is TopicKind.Offload ? MqttPackets.ResponseTopicOf(packet.Properties) : null);
        if (message is Malformed) Interlocked.Increment(ref tally.Malformed);
        arrived.Add(new Arrival(topic, message, IdsOf(packet.Properties)));
    }

    /// <summary>Posts what was added since the last call.</summary>
    public void HandOver()
    {
        if (arrived.Count == 0) return;
        var batch = arrived;
        arrived = new List<Arrival>(batch.Count);
        backlog.Add(batch.Count);
        loop.Post(() =>
        {
            foreach (var (topic, message, ids) in batch) deliver(topic, message, ids);
            backlog.Done(batch.Count);
        });
    }

    /// <summary>Null when there is none. Most come with one, and of these there are few.</summary>
    private IReadOnlyList<uint>? IdsOf(ReadOnlySpan<byte> properties)
    {
        if (!MqttPackets.TryTakeSubscriptionId(ref properties, out var first)) return null;
        if (MqttPackets.TryTakeSubscriptionId(ref properties, out var second))
        {
            var all = new List<uint> { first, second };
            while (MqttPackets.TryTakeSubscriptionId(ref properties, out var next)) all.Add(next);
            return all;
        }
        return alone.TryGetValue(first, out var known) ? known : alone[first] = [first];
    }
}

/// <summary>What came over all connections of a bus.</summary>
internal sealed class MqttTally
{
    public long Received, Malformed, Unknown;
}
