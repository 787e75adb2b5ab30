using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>The device's side of a bottleneck, loaded.</summary>
/// <param name="Bottleneck">Its place in the card's list, from 1.</param>
/// <param name="Tables">What its latents are coded with; null when they are not.</param>
public sealed record EncoderPiece(int Bottleneck, OnnxPiece Piece, EntropyModel? Tables) : IDisposable
{
    public void Dispose() => Piece.Dispose();
}

/// <summary>Makes a bottleneck's latent from the features of its cut, and a payload from the latent.</summary>
internal sealed class Encoder(BottleneckCard card, IEngine engine, RangeCoder? coder) : IDisposable
{
    private readonly int[] symbols = new int[coder is null ? 0 : card.Latent.Elements];

    public BottleneckCard Card => card;

    public CutPoint Latent { get; } = card.Latent;

    /// <param name="features">Where the stage before the cut writes.</param>
    public static Encoder Onnx(ModelCard model, EncoderPiece encoder, float[] features)
    {
        var card = model.Bottleneck(encoder.Bottleneck);
        var from = model.Cuts[card.Cut].Shape;
        encoder.Piece.Require(from, OnnxPiece.FeaturesName, card.Shape);
        return new Encoder(card, new OnnxEngine(encoder.Piece, new Activations(1, features, card.Latent.Elements, classes: 0), from, card.Shape), encoder.Tables is { } tables ? new RangeCoder(tables) : null);
    }

    public static Encoder Traced(BottleneckCard card) => new(card, ReplayedPiece.Shared, coder: null);

    public Encoder Wrap(Func<ModelPiece, IEngine, IEngine> wrap) => new(card, wrap(card.Encoder, engine), coder);

    public ValueTask<Seconds> Run() => engine.Run();

    /// <summary>Throws <see cref="InvalidOperationException"/> when the latent shall be coded and there are no tables.</summary>
    public byte[] Payload(FeatureCodec codec)
    {
        var latent = engine.Rows.Features;
        if (codec is FeatureCodec.Coded)
        {
            FeatureCodecs.Quantise(latent, card.Scale, symbols);
            return (coder ?? throw new InvalidOperationException($"bottleneck {card.Name} has no tables to code with")).Encode(symbols);
        }
        var payload = new byte[FeatureCodecs.EncodedBytes(codec, latent.Length)];
        FeatureCodecs.Encode(codec, latent, card.Scale, card.ZeroPoint, payload);
        return payload;
    }

    public void Dispose() => engine.Dispose();
}
