using Fleet.Contracts;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>A device's connection to the broker through its radio: what it says and what it is told waits for the radio, and may be lost there.</summary>
public sealed class RadioBus : IBus
{
    /// <summary>MQTT fixed header, topic length, properties: a few bytes around topic and payload.</summary>
    private const int MqttOverhead = 8;

    /// <summary>Messages that may wait for the air; MQTT clients bound their queue too.</summary>
    private const int QueueMax = 256;

    private readonly IBus inner;
    private readonly Radio radio;
    private readonly Board board;
    private readonly MessageBooks books;

    // Reports that wait for a slow radio, by path: a newer one takes its place in the queue.
    private readonly Dictionary<string, Message> newest = new(StringComparer.Ordinal);
    private int queued, receiving;
    private bool isClosed;

    public RadioBus(IBus inner, Radio radio, Board board, MessageBooks books)
    {
        (this.inner, this.radio, this.board, this.books) = (inner, radio, board, books);
        inner.ConnectionChanged += connected => ConnectionChanged?.Invoke(connected);
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
        if (radio.IsSlow && topic.Rule.Delivery is Delivery.AtMostOnce && topic.Kind is not (TopicKind.Offload or TopicKind.Reply))
        {
            var isOlderWaiting = !newest.TryAdd(topic.Path, message);
            newest[topic.Path] = message;
            if (isOlderWaiting)
            {
                books.Dropped(topic.Kind);
                return;
            }
        }
        queued++;
        Transmit(topic, message);
    }

    public IDisposable Subscribe(string filter, Action<Topic, Message> handler) => inner.Subscribe(filter, (topic, message) => Receive(topic, message, handler));

    /// <summary>The connection under it is going away: what is still on the air is lost.</summary>
    public void Close()
    {
        isClosed = true;
        radio.Close();
    }

    /// <summary>Takes what it costs to receive a message that is not an MQTT one, a download for instance, and waits for it.</summary>
    public Task Download(Bytes bytes) => radio.Download(bytes);

    /// <summary>A failure here is a bug and ends the run, hence async void.</summary>
    private async void Transmit(Topic topic, Message message)
    {
        if (message is TensorFrame { Codec: FeatureCodec.Png or FeatureCodec.Webp } image)
            await board.Compute(board.Profile.NominalImageCodecTime(image.Shape.Aggregate(1, (a, b) => a * b)));
        await radio.Await();
        if (newest.Remove(topic.Path, out var newer)) message = newer;
        var arrived = await radio.Up(Length(topic, message), topic.Rule.Delivery);
        queued--;
        // While the line is down the client under it keeps what MQTT keeps, and data is lost.
        if (!arrived || isClosed || !inner.IsConnected && topic.Kind is (TopicKind.Offload or TopicKind.Reply))
        {
            books.Dropped(topic.Kind);
            return;
        }
        books.Delivered(topic.Kind);
        inner.Publish(topic, message);
    }

    /// <summary>A failure here is a bug and ends the run, hence async void.</summary>
    private async void Receive(Topic topic, Message message, Action<Topic, Message> handler)
    {
        books.Due(topic.Kind);
        receiving++;
        var arrived = await radio.Down(Length(topic, message));
        receiving--;
        if (!arrived || isClosed || !inner.IsConnected)
        {
            books.Dropped(topic.Kind);
            return;
        }
        books.Delivered(topic.Kind);
        handler(topic, message);
    }

    private static int Length(Topic topic, Message message) => Wire.Length(message) + topic.Path.Length + MqttOverhead;
}
