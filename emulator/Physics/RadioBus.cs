using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Physics;

/// <summary>A link as the scenario describes it.</summary>
public sealed record LinkModel
{
    /// <summary>Time both ways without load.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("rtt_s")] public Seconds RoundTrip { get; init; } = new(0.004);

    /// <summary>Mean of the exponential delay that is added each way.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("jitter_s")] public Seconds Jitter { get; init; } = new(0.001);

    /// <summary>Share of packets that must be sent again.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("loss_ratio")] public double Loss { get; init; } = 0.01;

    /// <summary>Share of the profile's goodput that this link reaches: distance and neighbours.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("rate_ratio")] public double Rate { get; init; } = 1;

    public IEnumerable<string> Faults()
    {
        if (!(RoundTrip.Value is >= 0 and <= 60)) yield return $"link.rtt_s is {RoundTrip.Value}; allowed: 0 to 60";
        if (!(Jitter.Value is >= 0 and <= 60)) yield return $"link.jitter_s is {Jitter.Value}; allowed: 0 to 60";
        if (!(Loss is >= 0 and <= 0.9)) yield return $"link.loss_ratio is {Loss}; allowed: 0 to 0.9";
        if (!(Rate is > 0 and <= 1)) yield return $"link.rate_ratio is {Rate}; allowed: above 0 to 1";
    }
}

/// <summary>
/// A device's connection through its radio. What the device says waits for the air (one packet after another, lost ones again), costs
/// energy by the byte, and arrives in order, since MQTT runs over TCP; what it is told comes the same way back.
/// </summary>
public sealed class RadioBus : IBus
{
    /// <summary>MQTT fixed header, topic length, properties: a few bytes around topic and payload.</summary>
    private const int MqttOverhead = 8;

    /// <summary>Messages that may wait for the air; MQTT clients bound their queue too.</summary>
    private const int QueueMax = 256;

    /// <summary>First retransmission time-out of TCP on Linux (TCP_RTO_MIN, 200 ms) is for a silent line; with later packets behind it a lost one is noticed after about a round trip.</summary>
    private static readonly Seconds Retransmit = new(0.02);

    private readonly IBus inner;
    private readonly LinkModel link;
    private readonly Board board;
    private readonly TimeProvider clock;
    private readonly SeededRandom random;
    private readonly MessageBooks books;
    private Seconds airFreeAt, lastUp, lastDown;
    private int queued, receiving;
    private bool isClosed;

    public RadioBus(IBus inner, LinkModel link, Board board, TimeProvider clock, SeededRandom random, MessageBooks books)
    {
        (this.inner, this.link, this.board, this.clock, this.random, this.books) = (inner, link, board, clock, random, books);
        inner.ConnectionChanged += connected => ConnectionChanged?.Invoke(connected);
    }

    public bool IsConnected => inner.IsConnected;

    public event Action<bool>? ConnectionChanged;

    /// <summary>Bytes put on the air.</summary>
    public Bytes Sent { get; private set; }

    /// <summary>Messages on the air or waiting for it, both ways.</summary>
    public int InFlight => queued + receiving;

    /// <summary>Messages lost because too many waited for the air.</summary>
    public long Overflowed { get; private set; }

    public void Publish(Topic topic, Message message)
    {
        books.Due();
        if (isClosed || queued >= QueueMax)
        {
            if (!isClosed) Overflowed++;
            books.Dropped();
            return;
        }
        queued++;
        Transmit(topic, message);
    }

    public IDisposable Subscribe(string filter, Action<Topic, Message> handler) => inner.Subscribe(filter, (topic, message) => Receive(topic, message, handler));

    /// <summary>The connection under it is going away: what is still on the air is lost.</summary>
    public void Close() => isClosed = true;

    /// <summary>Takes what it costs to receive a message that is not an MQTT one, a download for instance, and waits for it.</summary>
    public Task Download(Bytes bytes)
    {
        board.Draw(EnergyUse.Receive, bytes * board.Profile.Radio.RxPerByte.Value);
        return clock.Delay(bytes / (board.Profile.Radio.Goodput.Value * link.Rate) + link.RoundTrip);
    }

    /// <summary>A failure here is a bug and ends the run, hence async void.</summary>
    private async void Transmit(Topic topic, Message message)
    {
        if (message is TensorFrame { Codec: FeatureCodec.Png or FeatureCodec.Webp } image)
            await board.Compute(board.Profile.NominalImageCodecTime(image.Shape.Aggregate(1, (a, b) => a * b)));
        var onAir = board.Profile.OnAir(Wire.Length(message) + topic.Path.Length + MqttOverhead);
        var (sends, waits) = Attempts(onAir);
        var air = onAir / (board.Profile.Radio.Goodput.Value * link.Rate) * sends;
        var now = Now;
        airFreeAt = Seconds.Max(airFreeAt, now) + air;
        lastUp = Seconds.Max(lastUp, airFreeAt + OneWay() + Retransmit * waits);
        Sent += onAir * sends;
        board.Draw(EnergyUse.Transmit, onAir * sends * board.Profile.Radio.TxPerByte.Value);
        await clock.Delay(lastUp - now);
        queued--;
        // While the line is down the client under it keeps what MQTT keeps, and data is lost.
        if (isClosed || !inner.IsConnected && topic.Kind is (TopicKind.Offload or TopicKind.Reply))
        {
            books.Dropped();
            return;
        }
        books.Delivered();
        inner.Publish(topic, message);
    }

    /// <summary>A failure here is a bug and ends the run, hence async void.</summary>
    private async void Receive(Topic topic, Message message, Action<Topic, Message> handler)
    {
        books.Due();
        receiving++;
        var onAir = board.Profile.OnAir(Wire.Length(message) + topic.Path.Length + MqttOverhead);
        var (sends, waits) = Attempts(onAir);
        var now = Now;
        lastDown = Seconds.Max(lastDown, now + onAir / (board.Profile.Radio.Goodput.Value * link.Rate) * sends + OneWay() + Retransmit * waits);
        board.Draw(EnergyUse.Receive, onAir * board.Profile.Radio.RxPerByte.Value);
        await clock.Delay(lastDown - now);
        receiving--;
        if (isClosed || !inner.IsConnected)
        {
            books.Dropped();
            return;
        }
        books.Delivered();
        handler(topic, message);
    }

    private Seconds Now => new(clock.GetTimestamp() / (double)clock.TimestampFrequency);

    private Seconds OneWay() => link.RoundTrip / 2 + link.Jitter * -Math.Log(1 - random.NextDouble());

    /// <summary>How often the message's packets are sent on average, and how many lost ones had to be waited for.</summary>
    private (double Sends, int Waits) Attempts(Bytes onAir)
    {
        var packets = Math.Max(1, (int)Math.Ceiling(onAir.Value / (board.Profile.Radio.PacketPayload.Value.Value + board.Profile.Radio.OverheadPerPacket.Value.Value)));
        var sent = 0;
        for (var packet = 0; packet < packets; packet++)
            do sent++;
            while (random.NextDouble() < link.Loss);
        return ((double)sent / packets, sent - packets);
    }
}
