using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Tests.Emulator;

/// <summary>
/// Three stages, five classes, and a trace made by hand in which the class tells who answered: exit k answers class k - 1, and
/// so does the last exit on an edge server behind raw input; behind int8 features it answers class 3. Sample 0 is confident at every exit, sample 1 from exit 2 on, sample 2 only at the last.
/// </summary>
internal static class TinyModel
{
    public const string Sha = "00000000000000010000000000000000000000000000000000000000000000ff";
    public const ulong Hash = 1;
    public const int Samples = 3;
    public const int EdgeLabel = 3;

    public static readonly ModelCard Card = new()
    {
        Name = "tiny",
        Task = "test",
        Classes = ["exit-1", "exit-2", "exit-3", "edge", "none"],
        InputMean = 0,
        InputStd = 1,
        Parameters = 3,
        Cuts = [Cut(0, 1, 4, 4), Cut(1, 2, 2, 2), Cut(2, 3, 1, 1)],
        Stages = [Piece(1, "stage"), Piece(2, "stage"), Piece(3, "stage")],
        Tails = [Piece(0, "tail"), Piece(1, "tail"), Piece(2, "tail")],
        Exits = [Exit(1), Exit(2), Exit(3)],
        Routes = [new RouteCard { Cut = 0, Codec = FeatureCodec.Raw, Accuracy = 1, Payload = new Bytes(16) }, .. Features.Select(route => new RouteCard { Cut = route.Cut, Codec = route.Codec, Accuracy = 1, Payload = new Bytes(8) })],
        CalibrationTrace = new CardFile { File = "c", Sha256 = "", Samples = Samples },
        TestTrace = new CardFile { File = "t", Sha256 = "", Samples = Samples },
        Provenance = new Provenance { Command = "", Data = "", Seed = 1, Epochs = 1, TrainedAccuracy = [1, 1, 1] },
    };

    public static readonly Trace Trace = new(
        "tiny", new byte[32], 0, [0, 1, EdgeLabel], 5,
        [Logits(0, 5, 0, 0), Logits(1, 5, 5, 0), Logits(2, 9, 9, 9)],
        Features, Features.Select(_ => Logits(EdgeLabel, 9, 9, 9)), Features.Select(_ => new[] { 8, 8, 8 }));

    private static Route[] Features => [new(1, FeatureCodec.Int8), new(2, FeatureCodec.Int8)];

    /// <summary>A head of so many stages, each taking so long on the clock.</summary>
    public static Head Head(int depth, TimeProvider clock, Seconds each, Action<int>? ran = null) => Head(depth, clock, () => each, ran);

    /// <summary>A head whose stages take as long as told each time.</summary>
    public static Head Head(int depth, TimeProvider clock, Func<Seconds> each, Action<int>? ran = null) =>
        Fleet.Models.Head.Traced(Card, Hash, Trace, depth).Wrap((piece, engine) => new TimedEngine(engine, clock, _ => each(), _ => ran?.Invoke(piece.Index)));

    /// <summary>A tail that takes so long for so many rows.</summary>
    public static Tail Tail(int cut, TimeProvider clock, Func<int, Seconds> time, ulong hash = Hash, Action<int>? ran = null, Action? disposed = null, int batchMax = 8) =>
        Fleet.Models.Tail.Traced(Card, hash, cut, Trace, batchMax).Wrap(engine => new TimedEngine(engine, clock, time, ran, disposed));

    /// <summary>Stages between two cuts, each taking so long.</summary>
    public static Middle Middle(int from, int to, TimeProvider clock, Seconds each) =>
        Fleet.Models.Middle.Traced(Card, Hash, from, to, Trace).Wrap((_, engine) => new TimedEngine(engine, clock, _ => each));

    public static Sample Sample(int index) => new(index, Trace.Label(index), new byte[16]);

    /// <summary>Head, thresholds 0.8 for all exits but a local head's last, temperature 1.</summary>
    public static Assignment Assign(int head, string edge = "", int? cut = null, double threshold = 0.8) => new()
    {
        Version = 1,
        Epoch = 1,
        Model = Card.Name,
        CardSha256 = Sha,
        Head = head,
        Cut = cut ?? (edge.Length > 0 ? head : 0),
        Thresholds = new PerExit(Enumerable.Range(1, head).Select(exit => edge.Length == 0 && exit == head ? 0 : threshold)),
        Temperatures = new PerExit(Enumerable.Repeat(1.0, head)),
        OffloadTo = edge,
        Deadline = new Seconds(0.5),
        ReportPeriod = new Seconds(5),
    };

    public static TensorFrame Frame(int cut, ulong request = 1, double deadline = 0.5, int sample = 0, string device = "cam-1", ulong hash = Hash) => new()
    {
        Codec = cut == 0 ? FeatureCodec.Raw : FeatureCodec.Int8,
        Cut = cut,
        ModelHash = hash,
        RequestId = request,
        Deadline = new Seconds(deadline),
        Sample = sample,
        Shape = Card.Cuts[cut].Shape,
        Payload = new byte[Card.Cuts[cut].Elements],
        ReplyTo = new Topic(TopicKind.Reply, "lab", device),
    };

    /// <summary>Logits for the three samples: so much for one class, 0 for the others.</summary>
    private static float[] Logits(int label, params float[] perSample)
    {
        var logits = new float[Samples * 5];
        for (var sample = 0; sample < Samples; sample++) logits[sample * 5 + label] = perSample[sample] + 0.01f;
        return logits;
    }

    private static CutPoint Cut(int cut, params int[] shape) => new() { Cut = cut, Shape = shape };

    private static ModelPiece Piece(int index, string kind) =>
        new() { Index = index, File = $"{kind}-{index}.onnx", Sha256 = $"{kind}{index}", FileBytes = 100, Parameters = 1, PeakActivationBytes = 100, Work = new KernelWork() };

    private static ExitCard Exit(int exit) => new() { Exit = exit, Temperature = 1, Accuracy = 1, CalibrationAccuracy = 1, EceBefore = 0, EceAfter = 0 };

    private sealed class TimedEngine(IEngine inner, TimeProvider clock, Func<int, Seconds> time, Action<int>? ran = null, Action? disposed = null) : IEngine
    {
        public Activations Rows => inner.Rows;

        public async ValueTask<Seconds> Run()
        {
            var takes = time(inner.Rows.Count);
            ran?.Invoke(inner.Rows.Count);
            await clock.Delay(takes);
            await inner.Run();
            return takes;
        }

        public void Dispose() => disposed?.Invoke();
    }
}
