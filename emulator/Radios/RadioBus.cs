using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>
/// A device's connection to the broker through its radio: what it says and what it is told waits for the radio, and may be lost there. While the board
/// sleeps its radio is off: of what it is told, messages that are sent at least once wait at the broker, as they do for a persistent session, others are lost.
/// </summary>
public sealed class RadioBus : IBus
{
    /// <summary>MQTT fixed header, topic length, properties: a few bytes around topic and payload.</summary>
    private const int MqttOverhead = 8;

    /// <summary>Messages that may wait for the air; MQTT clients bound their queue too.</summary>
    private const int QueueMax = 256;

    /// <summary>Messages that may wait at the broker for a sleeping device.</summary>
    private const int SleepingMax = 64;

    private readonly IBus inner;
    private readonly Radio radio;
    private readonly Board board;
    private readonly MessageBooks books;
    private readonly WakeLocks? locks;

    // Most boards never sleep, and most radios are fast: these are there once they are needed.
    private Queue<TaskCompletionSource<bool>>? untilAwake;

    // Reports, and what is retained, that wait for a slow radio, by path: a newer one takes its place in the queue.
    private Dictionary<string, Message>? newest;
    private (Action<Topic, Message> Handler, Action<Topic, Message> Heard)? ear;
    private int queued, receiving;
    private bool isClosed, hasChangedUnnoticed;

    /// <param name="locks">Of the board; null when it never sleeps.</param>
    public RadioBus(IBus inner, Radio radio, Board board, MessageBooks books, WakeLocks? locks = null)
    {
        (this.inner, this.radio, this.board, this.books, this.locks) = (inner, radio, board, books, locks);
        inner.ConnectionChanged += OnConnection;
        if (locks is not null) locks.Woken += OnWoken;
    }

    public bool IsConnected => inner.IsConnected;

    public event Action<bool>? ConnectionChanged;

    /// <summary>Bytes put on the air.</summary>
    public Bytes Sent => radio.Sent;

    /// <summary>Messages on the air or waiting for it, both ways.</summary>
    public int InFlight => queued + receiving;

    /// <summary>Messages lost because too many waited for the air.</summary>
    public long Overflowed { get; private set; }

    public void Publish(Topic topic, Message message)
    {
        books.Due(topic.Kind);
        if (isClosed || queued >= QueueMax)
        {
            if (!isClosed) Overflowed++;
            books.Dropped(topic.Kind);
            return;
        }
        if (radio.IsSlow && (topic.Rule.Delivery is Delivery.AtMostOnce || topic.Rule.Retained) && topic.Kind is not (TopicKind.Offload or TopicKind.Reply))
        {
            var isOlderWaiting = !(newest ??= new(StringComparer.Ordinal)).TryAdd(topic.Path, message);
            newest[topic.Path] = message;
            if (isOlderWaiting)
            {
                books.Superseded(topic.Kind);
                return;
            }
        }
        queued++;
        _ = Transmit(topic, message);
    }

    public IDisposable Subscribe(string filter, Action<Topic, Message> handler)
    {
        // Most devices hear everything with one ear.
        if (ear?.Handler != handler) ear = (handler, (topic, message) => _ = Receive(topic, message, handler));
        return inner.Subscribe(filter, ear!.Value.Heard);
    }

    /// <summary>The connection under it is going away: what is still on the air is lost.</summary>
    public void Close()
    {
        isClosed = true;
        radio.Close();
        while (untilAwake?.TryDequeue(out var message) is true) message.TrySetResult(false);
    }

    /// <summary>Takes what it costs to receive a message that is not an MQTT one, a download for instance, and waits for it.</summary>
    public ValueTask Download(Bytes bytes) => radio.Download(bytes);

    private async Unawaited Transmit(Topic topic, Message message)
    {
        if (locks is not null && radio.NeedsBoard) await locks.Take();
        if (message is TensorFrame { Codec: FeatureCodec.Png or FeatureCodec.Webp } image)
            await board.Compute(board.Profile.NominalImageCodecTime(image.Shape.Aggregate(1, (a, b) => a * b)));
        await radio.Await();
        if (newest is not null && newest.Remove(topic.Path, out var newer)) message = newer;
        var arrived = await radio.Up(Length(topic, message), topic.Rule.Delivery);
        queued--;
        if (radio.NeedsBoard) locks?.Release();
        // While the line is down the client under it keeps what MQTT keeps, and data is lost.
        if (!arrived || isClosed || !inner.IsConnected && topic.Kind is (TopicKind.Offload or TopicKind.Reply))
        {
            books.Dropped(topic.Kind);
            return;
        }
        books.Delivered(topic.Kind);
        inner.Publish(topic, message);
    }

    private async Unawaited Receive(Topic topic, Message message, Action<Topic, Message> handler)
    {
        books.Due(topic.Kind);
        receiving++;
        var arrived = locks is null ? await radio.Down(Length(topic, message)) : await ReceiveAwake(topic, message, locks);
        receiving--;
        if (!arrived || isClosed || !inner.IsConnected) books.Dropped(topic.Kind);
        else
        {
            books.Delivered(topic.Kind);
            handler(topic, message);
        }
        if (arrived) locks?.Release();
    }

    /// <summary>Whether it has arrived; then the board is awake, and a lock is held.</summary>
    private async ValueTask<bool> ReceiveAwake(Topic topic, Message message, WakeLocks board)
    {
        if (radio.NeedsBoard)
        {
            if (board.IsAsleep && !await Awakened(topic)) return false;
            await board.Take();
            if (await radio.Down(Length(topic, message))) return true;
            board.Release();
            return false;
        }
        if (!await radio.Down(Length(topic, message))) return false;
        await board.Take();
        return true;
    }

    private Task<bool> Awakened(Topic topic)
    {
        if (isClosed || topic.Rule.Delivery is Delivery.AtMostOnce || untilAwake?.Count >= SleepingMax) return Task.FromResult(false);
        var message = new TaskCompletionSource<bool>();
        (untilAwake ??= []).Enqueue(message);
        return message.Task;
    }

    private void OnWoken()
    {
        if (hasChangedUnnoticed) ConnectionChanged?.Invoke(inner.IsConnected);
        hasChangedUnnoticed = false;
        while (untilAwake?.TryDequeue(out var message) is true) message.TrySetResult(true);
    }

    /// <summary>Who sleeps notices when it wakes.</summary>
    private void OnConnection(bool connected)
    {
        if (locks is { IsAsleep: true }) hasChangedUnnoticed = true;
        else ConnectionChanged?.Invoke(connected);
    }

    private static int Length(Topic topic, Message message) => Wire.Length(message) + topic.Path.Length + MqttOverhead;
}
