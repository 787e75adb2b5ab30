using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>
/// The first stages of a model, run one by one on one input at a time, and what crosses the network after any of them. Its engines
/// share buffers: a stage writes where the next one reads. Steady use allocates nothing.
/// </summary>
public sealed class Head : IDisposable
{
    private readonly IReadOnlyList<IEngine> stages;
    private readonly Trace? trace;
    private readonly float[] normalised = new float[256];
    private readonly byte[] zeros;
    private readonly IReadOnlyList<IDisposable> owned;
    private Sample sample;

    private Head(ModelCard card, ulong modelHash, IReadOnlyList<IEngine> stages, Trace? trace, IReadOnlyList<IDisposable> owned)
    {
        (Card, ModelHash, this.stages, this.trace, this.owned) = (card, modelHash, stages, trace, owned);
        for (var p = 0; p < 256; p++) normalised[p] = (float)((p / 255.0 - card.InputMean) / card.InputStd);
        zeros = trace is null ? [] : new byte[4 * card.Cuts.Max(cut => cut.Elements)];
    }

    public ModelCard Card { get; }

    public ulong ModelHash { get; }

    /// <summary>Deepest stage held; 0 when every input is sent.</summary>
    public int Depth => stages.Count;

    /// <summary>A head that computes.</summary>
    /// <param name="ownsPieces">Whether the pieces go with the head; shared ones stay the caller's.</param>
    public static Head Onnx(ModelCard card, ulong modelHash, IReadOnlyList<OnnxPiece> pieces, bool ownsPieces = false)
    {
        var stages = new List<IEngine>(pieces.Count);
        var input = Activations.Pinned(card.Cuts[0].Elements);
        for (var stage = 1; stage <= pieces.Count; stage++)
        {
            var behind = stage < card.StageCount ? card.Cuts[stage] : null;
            var rows = new Activations(1, input, behind?.Elements ?? 0, card.Classes.Count);
            stages.Add(new OnnxEngine(pieces[stage - 1], rows, card.Cuts[stage - 1].Shape, behind?.Shape));
            input = rows.Features;
        }
        return new Head(card, modelHash, stages, trace: null, ownsPieces ? pieces : []);
    }

    /// <summary>A head that answers from a trace; what it sends has the right length and no content.</summary>
    public static Head Traced(ModelCard card, ulong modelHash, Trace trace, int depth)
    {
        var stages = new List<IEngine>(depth);
        for (var stage = 1; stage <= depth; stage++) stages.Add(new TraceEngine(trace, stage, new Activations(1, [], 0, card.Classes.Count)));
        return new Head(card, modelHash, stages, trace, []);
    }

    /// <summary>The same head with every engine wrapped, as an emulated board does.</summary>
    public Head Wrap(Func<int, IEngine, IEngine> wrap) =>
        new(Card, ModelHash, [.. stages.Select((engine, i) => wrap(i + 1, engine))], trace, owned);

    /// <summary>Takes the next input. The pixels must stay as they are until the inference ends.</summary>
    public void Load(Sample next)
    {
        sample = next;
        if (stages.Count == 0) return;
        var input = stages[0].Rows.Input;
        if (input.Length == 0) return;
        var pixels = next.Pixels.Span;
        if (pixels.Length != input.Length) throw new ArgumentException($"the input has {pixels.Length} pixels; {Card.Name} needs {input.Length}");
        for (var i = 0; i < input.Length; i++) input[i] = normalised[pixels[i]];
    }

    /// <summary>Runs stage 1..Depth; stages run in order. Its logits are <see cref="Logits"/> until the next run. Gives the time it took.</summary>
    public ValueTask<Seconds> Run(int stage)
    {
        var engine = stages[stage - 1];
        engine.Rows.Origins[0] = new RowOrigin(sample.Index, default);
        return engine.Run();
    }

    public ReadOnlySpan<float> Logits(int stage) => stages[stage - 1].Rows.Logits;

    /// <summary>What crosses the network now; stages up to the route's cut have run. Always a fresh array: messages are never reused.</summary>
    public ReadOnlyMemory<byte> Payload(Route route)
    {
        var cut = Card.Cuts[route.Cut];
        if (trace is not null)
        {
            var bytes = trace.PayloadBytes(route, sample.Index) ?? FeatureCodecs.EncodedBytes(route.Codec, cut.Elements);
            return zeros.AsMemory(0, bytes);
        }
        if (route.Cut == 0) return ImageCodec.Encode(route.Codec, sample.Pixels.Span, cut.Shape[1], cut.Shape[2]);
        var payload = new byte[FeatureCodecs.EncodedBytes(route.Codec, cut.Elements)];
        FeatureCodecs.Encode(route.Codec, stages[route.Cut - 1].Rows.Features, cut.Scale, cut.ZeroPoint, payload);
        return payload;
    }

    public void Dispose()
    {
        foreach (var stage in stages) stage.Dispose();
        foreach (var piece in owned) piece.Dispose();
    }
}
