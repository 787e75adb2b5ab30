using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Fleet.Emulator.Live;

/// <summary>How an <see cref="Uplink"/> connects, and its bounds.</summary>
public sealed record UplinkOptions
{
    public required ConnectionOptions Connection { get; init; }

    /// <summary>Filters it subscribes to on every connection.</summary>
    public required IReadOnlyList<string> Filters { get; init; }

    /// <summary>Whether a device is one of those it carries, or will carry: what is retained for these is kept until they ask.</summary>
    public Func<Topic, bool> Carries { get; init; } = _ => false;

    /// <summary>Of budget and infer.</summary>
    public Delivery Telemetry { get; init; } = Delivery.AtLeastOnce;

    /// <summary>First size and bound of the packets that wait for the broker.</summary>
    public int QueueBytes { get; init; } = 64 * 1024;

    public int QueueBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Lines that are told of a new connection in a real second: devices announce themselves anew then.</summary>
    public double TellRate { get; init; } = 2_000;
}

/// <summary>
/// A connection that carries devices: one, or as a gateway thousands, which share its few subscriptions and its will. It reconnects for
/// ever with jittered back-off; what the broker has not acknowledged is sent again then. Owned by its world's thread.
/// </summary>
public sealed class Uplink
{
    private const int TopicBytesMax = 256;

    private readonly UplinkOptions options;
    private readonly PacedWorld world;
    private readonly LiveTally tally;
    private readonly TimeProvider time;
    private readonly SeededRandom random;
    private readonly Lock gate = new();
    private readonly PacketRing ring;
    private readonly Dictionary<(string Site, string Id), DeviceLine> lines = [];
    private readonly Dictionary<(string Site, string Id, TopicKind Kind), (Topic Topic, Message Message)> held = [];
    private readonly CancellationTokenSource stop = new();
    private BrokerConnection? connection;
    private Task running = Task.CompletedTask;
    private bool isDirty, isEnding;

    public Uplink(UplinkOptions options, PacedWorld world, LiveTally tally, TimeProvider time, SeededRandom random)
    {
        (this.options, this.world, this.tally, this.time, this.random) = (options, world, tally, time, random);
        ring = new PacketRing(options.QueueBytes, options.QueueBytesMax);
    }

    /// <summary>Told on the world's thread whenever a connection is established.</summary>
    public event Action? Connected;

    /// <summary>What came and is nobody's: summaries, which whoever made the uplink subscribed to.</summary>
    public event Action<Topic, Message>? Overheard;

    public bool IsConnected { get; private set; }

    /// <summary>Why it is not connected; empty while it is.</summary>
    public string Fault { get; private set; } = "";

    public IEnumerable<DeviceLine> Lines => lines.Values;

    /// <summary>At-least-once packets not acknowledged, packets not sent, and how long the oldest of both has waited, be there a connection or not.</summary>
    public (int Awaiting, int Unsent, Seconds Oldest) Backlog
    {
        get
        {
            lock (gate) return (ring.Awaiting, ring.Unsent, ring.OldestPutAt is { } at ? Seconds.Of(time.GetElapsedTime(at)) : Seconds.Zero);
        }
    }

    /// <summary>Connected, and more than half of what it may keep for the broker is there: who publishes waits, before something has to be dropped.</summary>
    public bool IsCrowded
    {
        get
        {
            lock (gate) return IsConnected && ring.IsCrowded;
        }
    }

    /// <summary>A device's line, new for each of its lives.</summary>
    public DeviceLine Line(string site, string id)
    {
        var last = lines.GetValueOrDefault((site, id));
        var line = lines[(site, id)] = new DeviceLine(this, site, id) { IsReady = last is { IsReady: true } };
        if (last?.Desired is { } desired) held[(site, id, TopicKind.Desired)] = (new Topic(TopicKind.Desired, site, id), desired);
        return line;
    }

    /// <summary>Begins to connect, in the background.</summary>
#pragma warning disable RS0030 // The process edge: sockets live on pool threads, away from the world's clock.
    public void Start() => running = Task.Run(RunAsync);
#pragma warning restore RS0030

    /// <summary>On the world's thread: encodes the message where it waits for the broker.</summary>
    public void Publish(Topic topic, Message message)
    {
        if (isEnding) return;
        Note(topic, message);
        var rule = topic.Rule;
        var acknowledged = (topic.Kind is TopicKind.Budget or TopicKind.Infer ? options.Telemetry : rule.Delivery) is Delivery.AtLeastOnce;
        Span<byte> path = stackalloc byte[TopicBytesMax];
        Span<byte> properties = stackalloc byte[TopicBytesMax + 32];
        path = path[..topic.WritePath(path)];
        properties = properties[..MqttPackets.WriteProperties(properties, message)];
        var frame = message as TensorFrame;
        var payload = frame is null ? Wire.EncodeShared(message) : [];
        var length = MqttPackets.PublishBytes(path.Length, properties.Length, frame?.EncodedBytes ?? payload.Length, acknowledged);
        lock (gate)
        {
            if (frame is not null && !IsConnected || !ring.TryReserve(length, acknowledged, time.GetTimestamp(), out var packet, out var id))
            {
                tally.Drop();
                return;
            }
            var at = MqttPackets.WritePublish(packet, path, properties, id, rule.Retained);
            if (frame is null) payload.CopyTo(packet[at..]);
            else frame.Encode(packet[at..]);
        }
        tally.Publish(acknowledged);
        if (isDirty) return;
        isDirty = true;
        world.Flush(this);
    }

    /// <summary>Looks at what a device says. It says that it is ready each time that it is connected again.</summary>
    private void Note(Topic topic, Message message)
    {
        if (topic.Kind is TopicKind.Budget or TopicKind.Infer) tally.Report();
        if (topic.Kind is not TopicKind.State || message is not State said || !lines.TryGetValue((topic.Site, topic.Id), out var line)) return;
        var isReady = said.Presence is Presence.Ready;
        if (isReady != line.IsReady) tally.Become(isReady);
        line.IsReady = isReady;
    }

    /// <summary>On the world's thread, at the end of a turn.</summary>
    public void Flush()
    {
        isDirty = false;
        connection?.Flush();
    }

    /// <summary>Gives a line what came for it before it asked.</summary>
    public void TakeHeld(DeviceLine line, TopicKind kind)
    {
        if (held.Remove((line.Site, line.Id, kind), out var waiting)) world.Clock.Soon(() => Deliver(waiting.Topic, waiting.Message));
    }

    /// <summary>Sends what waits, for a bounded time, and says goodbye.</summary>
    public async Task EndAsync(Seconds patience)
    {
        var began = time.GetTimestamp();
        while (IsConnected && Backlog is var (awaiting, unsent, _) && awaiting + unsent > 0 && time.Since(began) < patience) await Task.Delay(TimeSpan.FromMilliseconds(5), time);
        isEnding = true;
        stop.Cancel();
        if (connection is { } open) await open.CloseAsync();
        await running;
    }

    /// <summary>Falls silent: the broker publishes the will.</summary>
    public void Abort()
    {
        isEnding = true;
        stop.Cancel();
        connection?.Abort();
    }

    private async Task RunAsync()
    {
        var failures = 0;
        while (!stop.IsCancellationRequested)
        {
            var lost = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            var attempt = new BrokerConnection(options.Connection with { Backlog = world.Backlog }, ring, gate, time, Receive);
            attempt.Lost += reason => lost.TrySetResult(reason);
            attempt.Acknowledged += tally.Acknowledge;
            try
            {
                await attempt.OpenAsync([.. options.Filters.Select(filter => new MqttTopicFilter { Topic = filter, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce })], stop.Token);
                failures = 0;
                world.Post(() => Enter(attempt));
                var reason = await lost.Task.WaitAsync(stop.Token);
                world.Post(() => Leave(attempt, reason));
            }
            catch (FaultsException e)
            {
                Fault = e.Message;
            }
            catch (OperationCanceledException)
            {
                // It ends; whoever ended it closes the connection.
                return;
            }
            await time.Sleep(Backoff.ToBroker.Pause(failures++, random.NextDouble()), stop.Token);
        }
    }

    private void Enter(BrokerConnection opened)
    {
        var isFirst = connection is null;
        (connection, IsConnected, Fault) = (opened, true, "");
        tally.Connect(isFirst);
        Connected?.Invoke();
        world.Flush(this);
        // The first time nobody has missed anything: what devices said meanwhile is in the ring.
        if (!isFirst) world.Clock.Start(TellAllAsync);
    }

    private void Leave(BrokerConnection lost, string reason)
    {
        if (connection != lost || isEnding) return;
        (IsConnected, Fault) = (false, reason);
        tally.Disconnect();
        foreach (var line in lines.Values.ToList()) line.Tell(false);
    }

    /// <summary>The broker may have lost its memory: every device says again what it is, but not all at once.</summary>
    private async Task TellAllAsync()
    {
        var current = connection;
        var pause = new Seconds(world.Speed / options.TellRate);
        foreach (var line in lines.Values.ToList())
        {
            if (connection != current || !IsConnected) return;
            line.Tell(true);
            await world.Clock.Delay(pause);
        }
    }

    /// <summary>On a network thread: decodes, and posts to the world.</summary>
    private bool Receive(in InboundPublish inbound)
    {
        tally.Receive();
        if (inbound.Payload.IsEmpty || !Topic.TryParse(inbound.Topic, out var topic)) return true;
        var message = Wire.Decode(topic, inbound.Payload, topic.Kind is TopicKind.Offload ? MqttPackets.ResponseTopicOf(inbound.Properties) : null);
        world.Post(() => Deliver(topic, message));
        return true;
    }

    private void Deliver(Topic topic, Message message)
    {
        if (lines.TryGetValue((topic.Site, topic.Id), out var line))
        {
            if (message is Assignment assignment) tally.Assign(assignment, isFirst: line.Desired is null, isItsOwn: topic.Id == line.Id && topic.Site == line.Site);
            line.Receive(topic, message);
        }
        // It will be there soon, and would have subscribed by itself: what is retained is kept for it.
        else if (topic.Rule.Retained && options.Carries(topic)) held[(topic.Site, topic.Id, topic.Kind)] = (topic, message);
        else Overheard?.Invoke(topic, message);
    }
}
