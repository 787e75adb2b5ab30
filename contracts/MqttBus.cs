using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Fleet.Contracts;

/// <summary>
/// A bus over one MQTT 5 connection. It reconnects for ever with jittered exponential back-off, subscribes anew and sends what it kept.
/// MQTTnet's threads live in here: they decode and send; everything a caller sees happens on its event loop.
/// <para>
/// A second subscription to a filter makes the broker send the retained messages again, to all handlers of this filter; so does a
/// reconnect. Handlers are idempotent.
/// </para>
/// </summary>
public sealed class MqttBus : IBus, IAsyncDisposable
{
    /// <summary>Filters in one SUBSCRIBE packet: about 30 KB.</summary>
    private const int BatchMax = 500;

    /// <summary>A connection that lasted shorter does not reset the back-off: two clients with one id would throw each other out in a tight circle.</summary>
    private static readonly Seconds StableAfter = new(10);

    private readonly MqttBusOptions options;
    private readonly MqttClientOptions clientOptions;
    private readonly EventLoop loop;
    private readonly TimeProvider time;
    private readonly Random random;
    private readonly MqttSubscriptions subscriptions = new();
    private readonly Dictionary<string, bool> changes = new(StringComparer.Ordinal); // filter -> subscribe (true) or unsubscribe
    private readonly MqttOutbox outbox;
    private readonly MqttBacklog backlog;
    private readonly MqttTally tally = new();
    private readonly CancellationTokenSource stop = new();
    private MqttLink? link;
    private Task running = Task.CompletedTask;
    private bool flushing;
    private bool disposed;
    private long publishedBefore;
    private long reconnects;

    private MqttBus(MqttBusOptions options, EventLoop loop, TimeProvider time, Random random)
    {
        FaultsException.ThrowIfAny($"broker {options.Broker}", options.Faults());
        (this.options, this.loop, this.time, this.random) = (options, loop, time, random);
        clientOptions = MqttClientSetup.ClientOptions(options, options.Linger.Value > 0 ? new LingeringDial(options.Linger, options.SocketBufferBytes, time) : null);
        outbox = new MqttOutbox(options, time);
        backlog = new MqttBacklog(options.UndeliveredMax);
    }

    public event Action<bool>? ConnectionChanged;

    public bool IsConnected { get; private set; }

    /// <summary>Why it is not connected, or what the broker last refused; empty when nothing was wrong.</summary>
    public string LastFault { get; private set; } = "";

    public BusCounters Counters => new(
        publishedBefore + (link?.Sender.Sent ?? 0), Interlocked.Read(ref tally.Received), outbox.Dropped, outbox.Superseded,
        Interlocked.Read(ref tally.Malformed), Interlocked.Read(ref tally.Unknown), reconnects);

    /// <summary>
    /// Call it on the loop. With <paramref name="failFast"/> the first connection must succeed, or a <see cref="FaultsException"/> says
    /// why not; without, it returns at once and keeps trying: an agent starts with no broker.
    /// </summary>
    public static async Task<MqttBus> ConnectAsync(
        MqttBusOptions options, EventLoop loop, TimeProvider time, Random random, bool failFast = true, CancellationToken cancel = default)
    {
        if (SynchronizationContext.Current != loop) throw new InvalidOperationException("a bus is made on its event loop");
        var bus = new MqttBus(options, loop, time, random);
        var first = failFast ? await bus.TryConnectAsync(cancel) : null;
        if (failFast && first is null)
        {
            var fault = bus.LastFault;
            await bus.DisposeAsync();
            cancel.ThrowIfCancellationRequested();
            throw new FaultsException($"broker {options.Broker}", fault);
        }
        if (first is not null) bus.Enter(first);
        bus.running = bus.RunAsync(first);
        return bus;
    }

    public void Publish(Topic topic, Message message)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        var packet = MqttClientSetup.ApplicationMessage(topic, message, options.TelemetryDelivery);
        if (packet.Payload.Length > (topic.Kind is TopicKind.Offload ? TensorFrame.FrameBytesMax : Wire.FleetBytesMax))
        {
            outbox.Drop();
            LastFault = $"{topic}: {packet.Payload.Length} bytes; allowed: {Wire.FleetBytesMax}, tensor frames {TensorFrame.FrameBytesMax}";
            return;
        }
        outbox.Add(topic.Kind, packet, (message as TensorFrame)?.Deadline, IsConnected);
    }

    public IDisposable Subscribe(string filter, Action<Topic, Message> handler)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        var added = subscriptions.Add(filter, handler);
        Change(filter, subscribe: true);
        return new Subscription(this, added);
    }

    /// <summary>Sends what is queued (for a bounded time), then says goodbye, so that no will is published.</summary>
    public async ValueTask DisposeAsync()
    {
        if (disposed) return;
        disposed = true;
        if (link is { } last)
        {
            await WithinAsync(outbox.WhenIdleAsync(), options.FlushTimeout);
            await WithinAsync(last.Client.DisconnectAsync(new MqttClientDisconnectOptions()), options.FlushTimeout);
            last.Lost.Cancel();
        }
        stop.Cancel();
        await running;
        stop.Dispose();
    }

    private async Task WithinAsync(Task work, Seconds limit)
    {
        try
        {
            await work.WaitAsync(TimeSpan.FromSeconds(limit.Value), time);
        }
        catch (Exception)
        {
            // A broken or slow connection: it is closed anyway.
        }
    }

    private async Task RunAsync(MqttLink? connected)
    {
        var failures = 0;
        while (!stop.IsCancellationRequested)
        {
            connected ??= await TryConnectAsync(stop.Token);
            if (connected is not null && stop.IsCancellationRequested)
            {
                await WithinAsync(connected.Client.DisconnectAsync(new MqttClientDisconnectOptions()), options.FlushTimeout);
                connected.Dispose();
                return;
            }
            if (connected is not null)
            {
                if (link != connected) Enter(connected);
                var since = time.GetTimestamp();
                await connected.WhenLostAsync();
                await LeaveAsync(connected);
                connected = null;
                if (time.GetElapsedTime(since).TotalSeconds >= StableAfter.Value) failures = 0;
            }
            if (stop.IsCancellationRequested) return;
            await time.Sleep(options.Backoff.Pause(failures++, random.NextDouble()), stop.Token);
        }
    }

    /// <summary>A connection with all subscriptions in place, or null and <see cref="LastFault"/>.</summary>
    private async Task<MqttLink?> TryConnectAsync(CancellationToken cancel)
    {
        var attempt = new MqttLink(new MqttInbox(loop, backlog, tally, Deliver));
        try
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(options.ConnectTimeout.Value), time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
            var result = await attempt.Client.ConnectAsync(clientOptions, either.Token);
            if (result.ResultCode is not MqttClientConnectResultCode.Success)
            {
                LastFault = MqttClientSetup.Refusal(result, options);
                attempt.Dispose();
                return null;
            }
            changes.Clear();
            foreach (var batch in subscriptions.All.ToList().GroupBy(filter => filter.Id).SelectMany(group => group.Chunk(BatchMax)))
                await SubscribeAsync(attempt.Client, batch[0].Id, batch.Select(filter => filter.Text));
            var window = Math.Min(options.InFlightMax, (int)(result.ReceiveMaximum ?? ushort.MaxValue));
            attempt.Sender = new MqttSender(attempt.Client, outbox, attempt.Lost, Math.Max(window, 1), options, time);
            return attempt;
        }
        catch (Exception e)
        {
            // Anything may go wrong between two machines, and each of it means the same: try again later.
            LastFault = MqttClientSetup.Reason(e);
            attempt.Dispose();
            return null;
        }
    }

    private void Enter(MqttLink connected)
    {
        link = connected;
        LastFault = "";
        IsConnected = true;
        connected.StartSending();
        if (changes.Count > 0) _ = FlushChangesAsync();
        ConnectionChanged?.Invoke(true);
    }

    private async Task LeaveAsync(MqttLink lost)
    {
        IsConnected = false;
        if (!disposed) LastFault = lost.Reason;
        ConnectionChanged?.Invoke(false);
        await lost.Sending;
        publishedBefore += lost.Sender.Sent;
        link = null;
        lost.Dispose();
        if (!disposed) reconnects++;
    }

    private void Change(string filter, bool subscribe)
    {
        changes[filter] = subscribe;
        if (flushing || !IsConnected) return;
        flushing = true;
        // Posted, so that all calls of one turn of the loop go out in few packets.
        loop.Post(() => _ = FlushChangesAsync());
    }

    private async Task FlushChangesAsync()
    {
        flushing = true;
        try
        {
            while (changes.Count > 0 && link is { } current && IsConnected)
            {
                var batch = changes.Take(BatchMax).ToList();
                foreach (var (filter, _) in batch) changes.Remove(filter);
                var gone = batch.Where(change => !change.Value).Select(change => change.Key).ToList();
                if (gone.Count > 0) await current.Client.UnsubscribeAsync(new MqttClientUnsubscribeOptions { TopicFilters = gone });
                foreach (var group in batch.Where(change => change.Value).GroupBy(change => subscriptions.IdOf(change.Key)).ToList())
                    if (group.Key is { } id) await SubscribeAsync(current.Client, id, group.Select(change => change.Key));
            }
        }
        catch (Exception)
        {
            // The connection broke: the next one subscribes to everything that is wanted then.
        }
        finally
        {
            flushing = false;
        }
    }

    private async Task SubscribeAsync(IMqttClient client, uint id, IEnumerable<string> filters)
    {
        var result = await client.SubscribeAsync(new MqttClientSubscribeOptions
        {
            SubscriptionIdentifier = id,
            TopicFilters = [.. filters.Select(filter => new MqttTopicFilter
            {
                Topic = filter, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce, NoLocal = options.NoLocal,
            })],
        });
        foreach (var item in result.Items)
            if (item.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2) LastFault = $"subscription {item.TopicFilter.Topic} refused: {item.ResultCode}";
    }

    private void Deliver(Topic topic, Message message, IReadOnlyList<uint>? ids)
    {
        if (!disposed) subscriptions.Dispatch(topic, message, ids);
    }

    private void Unsubscribe(MqttSubscriptions.Handler handler)
    {
        if (!subscriptions.Remove(handler) || disposed || handler.Filter.HasHandlers) return;
        Change(handler.Filter.Text, subscribe: false);
    }

    private sealed class Subscription(MqttBus bus, MqttSubscriptions.Handler handler) : IDisposable
    {
        public void Dispose() => bus.Unsubscribe(handler);
    }
}
