using System.Collections.ObjectModel;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>
/// The first stages of a model, run one by one on one input at a time, and what crosses the network after any of them: the features
/// themselves, or the latent that a bottleneck's encoder makes of them. Its engines share buffers: a stage writes where the next one
/// and the encoder read. Steady use allocates nothing but what is sent.
/// </summary>
public sealed class Head : IDisposable
{
    private readonly IEngine[] stages;

    // Of stages that compute: asked for several times an input.
    private readonly Activations[] rows;
    private readonly float[] input;
    private readonly IReadOnlyDictionary<int, Encoder> encoders;
    private readonly Trace? trace;
    private readonly Normalisation? normalisation;
    private readonly byte[] zeros;
    private readonly IReadOnlyList<IDisposable> owned;
    private Sample sample;

    private Head(ModelCard card, ulong modelHash, IEngine[] stages, IReadOnlyDictionary<int, Encoder> encoders, Trace? trace, IReadOnlyList<IDisposable> owned)
    {
        (Card, ModelHash, this.stages, this.encoders, this.trace, this.owned) = (card, modelHash, stages, encoders, trace, owned);
        rows = trace is null ? [.. stages.Select(engine => engine.Rows)] : [];
        input = rows.Length == 0 ? [] : rows[0].Input;
        normalisation = trace is null ? new Normalisation(card) : null;
        zeros = trace?.Blank(Math.Max(trace.PayloadBytesMax, 4 * card.Cuts.Concat(encoders.Values.Select(encoder => encoder.Latent)).Max(cut => cut.Elements))) ?? [];
    }

    /// <summary>The same with every engine in the place of one that has the same rows.</summary>
    private Head(Head same, IEngine[] stages, IReadOnlyDictionary<int, Encoder> encoders)
    {
        (Card, ModelHash, trace, owned, rows, input, normalisation, zeros) = (same.Card, same.ModelHash, same.trace, same.owned, same.rows, same.input, same.normalisation, same.zeros);
        (this.stages, this.encoders) = (stages, encoders);
    }

    public ModelCard Card { get; }

    public ulong ModelHash { get; }

    /// <summary>Deepest stage held; 0 when every input is sent.</summary>
    public int Depth => stages.Length;

    /// <summary>Numbers of the bottlenecks whose encoders are held.</summary>
    public IEnumerable<int> Bottlenecks => encoders.Keys;

    /// <summary>A head that computes. Throws <see cref="FaultsException"/> when an encoder does not fit the card or lies behind the head.</summary>
    /// <param name="ownsPieces">Whether the pieces go with the head; shared ones stay the caller's.</param>
    /// <param name="encoders">Of the bottlenecks that may be sent.</param>
    public static Head Onnx(ModelCard card, ulong modelHash, IReadOnlyList<OnnxPiece> pieces, bool ownsPieces = false, IReadOnlyList<EncoderPiece>? encoders = null)
    {
        encoders ??= [];
        FaultsException.ThrowIfAny("bottleneck", TooDeep(card, pieces.Count, encoders.Select(encoder => encoder.Bottleneck)));
        var stages = new List<IEngine>(pieces.Count);
        var input = Activations.Pinned(card.Cuts[0].Elements);
        for (var stage = 1; stage <= pieces.Count; stage++)
        {
            var behind = stage < card.StageCount ? card.Cuts[stage] : null;
            var rows = new Activations(1, input, behind?.Elements ?? 0, card.Classes.Count);
            stages.Add(new OnnxEngine(pieces[stage - 1], rows, card.Cuts[stage - 1].Shape, behind?.Shape));
            input = rows.Features;
        }
        var byNumber = encoders.ToDictionary(encoder => encoder.Bottleneck, encoder => Encoder.Onnx(card, encoder, stages[card.Bottleneck(encoder.Bottleneck).Cut - 1].Rows.Features));
        return new Head(card, modelHash, [.. stages], byNumber, trace: null, ownsPieces ? [.. pieces, .. encoders] : []);
    }

    /// <summary>A head that answers from a trace; what it sends has the right length and no content. Throws as <see cref="Onnx"/>.</summary>
    public static Head Traced(ModelCard card, ulong modelHash, Trace trace, int depth, IReadOnlyList<int>? bottlenecks = null)
    {
        bottlenecks ??= [];
        FaultsException.ThrowIfAny("bottleneck", TooDeep(card, depth, bottlenecks));
        return new Head(card, modelHash, [.. Enumerable.Repeat(ReplayedPiece.Shared, depth)], bottlenecks.Count == 0 ? ReadOnlyDictionary<int, Encoder>.Empty : bottlenecks.ToDictionary(number => number, number => Encoder.Traced(card.Bottleneck(number))), trace, []);
    }

    /// <summary>The same head with every engine wrapped, as an emulated board does.</summary>
    public Head Wrap(Func<ModelPiece, IEngine, IEngine> wrap) =>
        new(this, [.. stages.Select((engine, i) => wrap(Card.Stages[i], engine))], encoders.Count == 0 ? encoders : encoders.ToDictionary(pair => pair.Key, pair => pair.Value.Wrap(wrap)));

    /// <summary>Takes the next input. The pixels must stay as they are until the inference ends.</summary>
    public void Load(Sample next)
    {
        sample = next;
        if (input.Length == 0) return;
        var pixels = next.Pixels.Span;
        if (pixels.Length != input.Length) throw new ArgumentException($"the input has {pixels.Length} pixels; {Card.Name} needs {input.Length}");
        normalisation!.Apply(pixels, input);
    }

    /// <summary>Runs stage 1..Depth; stages run in order. Its logits are <see cref="Logits"/> until the next run or input. Gives the time it took.</summary>
    public ValueTask<Seconds> Run(int stage)
    {
        trace?.Require(sample.Index);
        return stages[stage - 1].Run();
    }

    public ReadOnlySpan<float> Logits(int stage) => trace is null ? rows[stage - 1].Logits : trace.Replay(stage, sample.Index);

    /// <summary>What the stage made for the next one, until the next run; empty of the last stage and of a trace.</summary>
    public ReadOnlySpan<float> Features(int stage) => trace is null ? rows[stage - 1].Features : [];

    /// <summary>
    /// Makes the latent of a bottleneck held (1..) from the features of its cut, whose stage has run; nothing for 0, where the cut itself
    /// crosses. Gives the time it took, without that of coding, which is some tens of nanoseconds an element.
    /// </summary>
    public ValueTask<Seconds> Encode(int bottleneck) => bottleneck == 0 ? new(Seconds.Zero) : EncoderOf(bottleneck).Run();

    /// <summary>
    /// What crosses the network now; stages up to the route's cut have run, and so has <see cref="Encode"/>. Always a fresh array:
    /// messages are never reused.
    /// </summary>
    public ReadOnlyMemory<byte> Payload(Route route)
    {
        var crossing = Crossing(route.Tail);
        if (trace is not null) return zeros.AsMemory(0, trace.PayloadBytes(route, sample.Index) ?? FeatureCodecs.EncodedBytes(route.Codec, crossing.Elements));
        if (route.Cut == 0) return ImageCodec.Encode(route.Codec, sample.Pixels.Span, crossing.Shape[1], crossing.Shape[2]);
        if (route.Bottleneck > 0) return EncoderOf(route.Bottleneck).Payload(route.Codec);
        var payload = new byte[FeatureCodecs.EncodedBytes(route.Codec, crossing.Elements)];
        FeatureCodecs.Encode(route.Codec, rows[route.Cut - 1].Features, crossing.Scale, crossing.ZeroPoint, payload);
        return payload;
    }

    /// <summary>The frame that sends the current input on a route, and the time its encoder took.</summary>
    public async ValueTask<(TensorFrame Frame, Seconds Took)> Pack(Route route, ulong requestId, Seconds deadline, Topic replyTo)
    {
        var took = await Encode(route.Bottleneck);
        var crossing = Crossing(route.Tail);
        return (new TensorFrame
        {
            Codec = route.Codec,
            Cut = route.Cut,
            Bottleneck = route.Bottleneck,
            ModelHash = ModelHash,
            RequestId = requestId,
            Deadline = deadline,
            Sample = sample.Index,
            Scale = crossing.Scale,
            ZeroPoint = crossing.ZeroPoint,
            Shape = crossing.Shape,
            Payload = Payload(route),
            ReplyTo = replyTo,
        }, took);
    }

    public void Dispose()
    {
        foreach (var stage in stages) stage.Dispose();
        foreach (var encoder in encoders.Values) encoder.Dispose();
        foreach (var piece in owned) piece.Dispose();
    }

    private CutPoint Crossing(TailStart start) => start.Bottleneck == 0 ? Card.Cuts[start.Cut] : EncoderOf(start.Bottleneck).Latent;

    private Encoder EncoderOf(int bottleneck) =>
        encoders.TryGetValue(bottleneck, out var encoder) ? encoder : throw new ArgumentOutOfRangeException(nameof(bottleneck), bottleneck, $"the head holds the encoders of [{string.Join(", ", encoders.Keys)}]");

    private static IEnumerable<string> TooDeep(ModelCard card, int depth, IEnumerable<int> bottlenecks) => bottlenecks.Select(card.Bottleneck)
        .Where(bottleneck => bottleneck.Cut > depth).Select(bottleneck => $"is \"{bottleneck.Name}\" at cut {bottleneck.Cut}; the head has {depth} stages");
}
