using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>The rest of a model behind a cut, or behind the latent of a bottleneck, run on batches of frames.</summary>
public sealed class Tail : IDisposable
{
    private readonly IEngine engine;
    private readonly FrameReader reader;
    private readonly Route blank;

    private Tail(ModelCard card, ulong modelHash, TailStart start, IEngine engine, FrameReader reader, Route blank) =>
        (Card, ModelHash, Start, this.engine, this.reader, this.blank) = (card, modelHash, start, engine, reader, blank);

    public ModelCard Card { get; }

    public ulong ModelHash { get; }

    public TailStart Start { get; }

    /// <summary>The temperature that calibrates its logits, over the final exit's.</summary>
    public double TemperatureRatio => Start.Bottleneck == 0 ? 1 : Card.Bottleneck(Start.Bottleneck).TemperatureRatio;

    public int BatchMax => engine.Rows.Capacity;

    /// <summary>A tail that computes. The piece stays the caller's. Throws <see cref="FaultsException"/> when a bottleneck's does not fit the card.</summary>
    /// <param name="tables">What the latents of its bottleneck are coded with; null when they are not.</param>
    public static Tail Onnx(ModelCard card, ulong modelHash, TailStart start, OnnxPiece piece, int batchMax, EntropyModel? tables = null)
    {
        var crossing = card.Crossing(start);
        if (start.Bottleneck > 0) piece.Require(crossing.Shape, OnnxPiece.LogitsName, [card.Classes.Count]);
        var input = Activations.Pinned(batchMax * crossing.Elements);
        var engine = new OnnxEngine(piece, new Activations(batchMax, input, 0, card.Classes.Count), crossing.Shape, featureShape: null);
        return new Tail(card, modelHash, start, engine, new FrameReader(card, start, tables is null ? null : new RangeCoder(tables)), Plainest(start));
    }

    /// <summary>A tail that answers from a trace. Throws <see cref="FaultsException"/> when the trace has no route to it.</summary>
    public static Tail Traced(ModelCard card, ulong modelHash, TailStart start, Trace trace, int batchMax)
    {
        var known = trace.Routes.Append(Plainest(start)).Where(route => route.Tail == start && trace.Knows(route)).ToList();
        if (known.Count == 0) throw new FaultsException("trace", $"has no route over {start}");
        return new Tail(card, modelHash, start, new TraceEngine(trace, new Activations(batchMax, [], 0, card.Classes.Count)), new FrameReader(card, start, coder: null), known[^1]);
    }

    /// <summary>The same tail with its engine wrapped, as an emulated server or a worker thread does.</summary>
    public Tail Wrap(Func<IEngine, IEngine> wrap) => new(Card, ModelHash, Start, wrap(engine), reader, blank);

    /// <summary>Why this tail cannot take a frame; null when it can.</summary>
    public string? Refuses(TensorFrame frame) => reader.Refuses(frame);

    /// <summary>Puts a frame into a row; false when its payload is no such image, or no code of a latent.</summary>
    public bool Load(int row, TensorFrame frame)
    {
        var rows = engine.Rows;
        rows.Origins[row] = new RowOrigin(frame.Sample, frame.Route);
        return rows.Input.Length == 0 || reader.Read(frame, rows.Input.AsSpan(row * reader.Elements, reader.Elements));
    }

    /// <summary>Fills rows with blank inputs, to measure with.</summary>
    public void LoadBlank(int count)
    {
        Array.Clear(engine.Rows.Input);
        Array.Fill(engine.Rows.Origins, new RowOrigin(0, blank), 0, count);
    }

    /// <summary>Runs the first <paramref name="count"/> rows; gives the time it took.</summary>
    public ValueTask<Seconds> Run(int count)
    {
        engine.Rows.Count = count;
        return engine.Run();
    }

    public ReadOnlySpan<float> Logits(int row) => engine.Rows.LogitsOf(row);

    public void Dispose() => engine.Dispose();

    /// <summary>The route that changes what crosses least.</summary>
    private static Route Plainest(TailStart start) => new(start.Cut, start.Cut == 0 ? FeatureCodec.Raw : FeatureCodec.Float32, start.Bottleneck);
}
