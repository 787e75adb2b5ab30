using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>The rest of a model behind a cut, run on batches of frames.</summary>
public sealed class Tail : IDisposable
{
    private readonly IEngine engine;
    private readonly float[] normalised = new float[256];
    private readonly byte[] pixels;

    private Tail(ModelCard card, ulong modelHash, int cut, IEngine engine)
    {
        (Card, ModelHash, Cut, this.engine) = (card, modelHash, cut, engine);
        for (var p = 0; p < 256; p++) normalised[p] = (float)((p / 255.0 - card.InputMean) / card.InputStd);
        pixels = new byte[card.Cuts[0].Elements];
    }

    public ModelCard Card { get; }

    public ulong ModelHash { get; }

    public int Cut { get; }

    public int BatchMax => engine.Rows.Capacity;

    /// <summary>A tail that computes. The piece stays the caller's.</summary>
    public static Tail Onnx(ModelCard card, ulong modelHash, int cut, OnnxPiece piece, int batchMax)
    {
        var input = Activations.Pinned(batchMax * card.Cuts[cut].Elements);
        return new Tail(card, modelHash, cut, new OnnxEngine(piece, new Activations(batchMax, input, 0, card.Classes.Count), card.Cuts[cut].Shape, featureShape: null));
    }

    /// <summary>A tail that answers from a trace.</summary>
    public static Tail Traced(ModelCard card, ulong modelHash, int cut, Trace trace, int batchMax) =>
        new(card, modelHash, cut, new TraceEngine(trace, exit: 0, new Activations(batchMax, [], 0, card.Classes.Count)));

    /// <summary>The same tail with its engine wrapped, as an emulated server or a worker thread does.</summary>
    public Tail Wrap(Func<IEngine, IEngine> wrap) => new(Card, ModelHash, Cut, wrap(engine));

    /// <summary>Why this tail cannot take a frame; null when it can.</summary>
    public string? Refuses(TensorFrame frame)
    {
        var cut = Card.Cuts[Cut];
        if (frame.Cut != Cut) return $"cut {frame.Cut}; this tail starts at {Cut}";
        return frame.Shape.SequenceEqual(cut.Shape) ? null : $"shape [{string.Join(",", frame.Shape)}]; {Card.Name} needs [{string.Join(",", cut.Shape)}] at cut {Cut}";
    }

    /// <summary>Puts a frame into a row; false when its payload is no such image.</summary>
    public bool Load(int row, TensorFrame frame)
    {
        var rows = engine.Rows;
        rows.Origins[row] = new RowOrigin(frame.Sample, frame.Route);
        if (rows.Input.Length == 0) return true;
        var cut = Card.Cuts[Cut];
        var input = rows.Input.AsSpan(row * cut.Elements, cut.Elements);
        if (Cut > 0)
        {
            FeatureCodecs.Decode(frame.Codec, frame.Payload.Span, frame.Scale, frame.ZeroPoint, input);
            return true;
        }
        if (!ImageCodec.TryDecode(frame.Codec, frame.Payload.Span, cut.Shape[1], cut.Shape[2], pixels)) return false;
        for (var i = 0; i < input.Length; i++) input[i] = normalised[pixels[i]];
        return true;
    }

    /// <summary>Fills rows with blank inputs, to measure with.</summary>
    public void LoadBlank(int count)
    {
        Array.Clear(engine.Rows.Input);
        Array.Fill(engine.Rows.Origins, new RowOrigin(0, new Route(Cut, Cut == 0 ? FeatureCodec.Raw : FeatureCodec.Float32)), 0, count);
    }

    /// <summary>Runs the first <paramref name="count"/> rows; gives the time it took.</summary>
    public ValueTask<Seconds> Run(int count)
    {
        engine.Rows.Count = count;
        return engine.Run();
    }

    public ReadOnlySpan<float> Logits(int row) => engine.Rows.LogitsOf(row);

    public void Dispose() => engine.Dispose();
}
