using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>
/// The stages behind a cut, run one by one on one frame at a time: what a server does that may answer at an exit of its own, pass on what
/// crosses at a later cut, or finish by itself. A middle that answers from a trace says what each exit says of the input itself, whatever crossed before.
/// </summary>
public sealed class Middle : IDisposable
{
    private readonly IReadOnlyList<IEngine> stages;
    private readonly FrameReader reader;
    private readonly Trace? trace;
    private int sample;

    private Middle(ModelCard card, ulong modelHash, int from, int to, IReadOnlyList<IEngine> stages, FrameReader reader, Trace? trace) =>
        (Card, ModelHash, From, To, this.stages, this.reader, this.trace) = (card, modelHash, from, to, stages, reader, trace);

    public ModelCard Card { get; }

    public ulong ModelHash { get; }

    /// <summary>The cut at which frames come.</summary>
    public int From { get; }

    /// <summary>The cut at which they go on.</summary>
    public int To { get; }

    /// <summary>A middle that computes. The pieces stay the caller's.</summary>
    /// <param name="pieces">Of all stages from <paramref name="from"/> + 1 on.</param>
    public static Middle Onnx(ModelCard card, ulong modelHash, int from, int to, IReadOnlyList<OnnxPiece> pieces)
    {
        var stages = new List<IEngine>(pieces.Count);
        var input = Activations.Pinned(card.Cuts[from].Elements);
        for (var i = 0; i < pieces.Count; i++)
        {
            var behind = from + i + 1 < card.StageCount ? card.Cuts[from + i + 1] : null;
            var rows = new Activations(1, input, behind?.Elements ?? 0, card.Classes.Count);
            stages.Add(new OnnxEngine(pieces[i], rows, card.Cuts[from + i].Shape, behind?.Shape));
            input = rows.Features;
        }
        return new Middle(card, modelHash, from, to, stages, new FrameReader(card, from, coder: null), trace: null);
    }

    /// <summary>A middle that answers from a trace; what it passes on has the right length and no content.</summary>
    public static Middle Traced(ModelCard card, ulong modelHash, int from, int to, Trace trace) =>
        new(card, modelHash, from, to, [.. Enumerable.Repeat(ReplayedPiece.Shared, card.StageCount - from)], new FrameReader(card, from, coder: null), trace);

    /// <summary>The same with every engine wrapped, as an emulated server or a worker thread does.</summary>
    public Middle Wrap(Func<ModelPiece, IEngine, IEngine> wrap) => new(Card, ModelHash, From, To, [.. stages.Select((engine, i) => wrap(Card.Stages[From + i], engine))], reader, trace);

    /// <summary>Takes a frame; false when its payload is no such image.</summary>
    public bool Load(TensorFrame frame)
    {
        sample = frame.Sample;
        return trace is not null || reader.Read(frame, stages[0].Rows.Input);
    }

    /// <summary>Runs stage From + 1 and on; stages run in order. Gives the time it took.</summary>
    public ValueTask<Seconds> Run(int stage)
    {
        trace?.Require(sample);
        return stages[stage - From - 1].Run();
    }

    public ReadOnlySpan<float> Logits(int stage) => trace is null ? stages[stage - From - 1].Rows.Logits : trace.Replay(stage, sample);

    /// <summary>The frame that passes on the features of the later cut; the stages up to it have run, and none behind it.</summary>
    public TensorFrame Pack(ulong requestId, Seconds deadline, Topic replyTo)
    {
        var crossing = Card.Cuts[To];
        var payload = new byte[FeatureCodecs.EncodedBytes(FeatureCodec.Int8, crossing.Elements)];
        if (trace is null) FeatureCodecs.Encode(FeatureCodec.Int8, stages[To - From - 1].Rows.Features, crossing.Scale, crossing.ZeroPoint, payload);
        return new TensorFrame
        {
            Codec = FeatureCodec.Int8,
            Cut = To,
            ModelHash = ModelHash,
            RequestId = requestId,
            Deadline = deadline,
            Sample = sample,
            Scale = crossing.Scale,
            ZeroPoint = crossing.ZeroPoint,
            Shape = crossing.Shape,
            Payload = payload,
            ReplyTo = replyTo,
        };
    }

    public void Dispose()
    {
        foreach (var stage in stages) stage.Dispose();
    }
}
