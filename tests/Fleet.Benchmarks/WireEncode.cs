using BenchmarkDotNet.Attributes;
using Fleet.Contracts;

namespace Fleet.Benchmarks;

/// <summary>Messages to bytes and back: the two reports every device sends, and what crosses cut 1 of the image network.</summary>
public class WireEncode
{
    private static readonly Topic Replies = new(TopicKind.Reply, "bench", "device");

    private Message message = null!;
    private Topic topic = null!;
    private byte[] bytes = [];

    [Params(nameof(Budget), nameof(InferWindow), nameof(TensorFrame))]
    public string Kind { get; set; } = "";

    [GlobalSetup]
    public void Make()
    {
        (topic, message) = Kind switch
        {
            nameof(Budget) => (new Topic(TopicKind.Budget, "bench", "device"), (Message)Report),
            nameof(InferWindow) => (new Topic(TopicKind.Infer, "bench", "device"), Answers),
            _ => (new Topic(TopicKind.Offload, "bench", "edge"), Frame),
        };
        bytes = Wire.Encode(message);
        if (Wire.Decode(topic, bytes, Replies.Path) is Malformed bad) throw new InvalidOperationException(bad.ToString());
    }

    [Benchmark]
    public int Encode() => Wire.Encode(message).Length;

    /// <summary>What virtual time asks for each message: its exact length.</summary>
    [Benchmark]
    public int Length() => Wire.Length(message);

    [Benchmark]
    public Message Decode() => Wire.Decode(topic, bytes, Replies.Path);

    private static Budget Report { get; } = new()
    {
        Sequence = 1234,
        SentAt = new Seconds(1_790_000_000.123),
        ReportPeriod = new Seconds(5),
        CpuTemperature = new Celsius(51.4),
        Battery = new Joules(35123.4),
        BatteryRatio = 0.8123,
        Harvest = new Watts(1.25),
        Power = new Watts(3.1415),
        EnergyBudget = new Watts(0.5),
        RequestRate = new Hertz(4),
        RoundTrip = new Seconds(0.0123),
        StageSeconds = new PerExit([0.00123, 0.00456, 0.0101]),
        StageJoules = new PerExit([0.0052, 0.0203, 0.0446]),
    };

    private static InferWindow Answers { get; } = new()
    {
        Sequence = 1234,
        SentAt = new Seconds(1_790_000_000.123),
        Window = new Seconds(5),
        Count = 20,
        Labelled = 20,
        Correct = 18,
        Exits = new PerExit([12, 5]),
        Offloaded = 3,
        LatencyP50 = new Seconds(0.0021),
        LatencyP95 = new Seconds(0.0312),
        Energy = new Joules(0.412),
        BytesSent = new Bytes(19012),
        ConfidenceMean = 0.9412,
        StartedTotal = 24680,
        AnsweredTotal = 24680,
    };

    private static TensorFrame Frame { get; } = new()
    {
        Codec = FeatureCodec.Int8,
        Cut = 1,
        ModelHash = 0x0123456789ABCDEF,
        RequestId = 42,
        Deadline = new Seconds(0.5),
        Scale = 0.0186f,
        ZeroPoint = -128,
        Shape = [32, 14, 14],
        Payload = new byte[32 * 14 * 14],
        ReplyTo = Replies,
    };
}
