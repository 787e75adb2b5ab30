using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>Reads what frames carry into the input of whoever continues from there. Its buffers are its own: one for each that runs by itself.</summary>
internal sealed class FrameReader
{
    private readonly ModelCard card;
    private readonly TailStart start;
    private readonly Normalisation normalisation;
    private readonly byte[] pixels;
    private readonly CutPoint crossing;
    private readonly RangeCoder? coder;
    private readonly int[] symbols;

    /// <param name="coder">Of the latents of the start's bottleneck; null when they are not coded.</param>
    public FrameReader(ModelCard card, TailStart start, RangeCoder? coder)
    {
        (this.card, this.start, this.coder) = (card, start, coder);
        normalisation = new Normalisation(card);
        pixels = new byte[card.Cuts[0].Elements];
        crossing = card.Crossing(start);
        symbols = new int[coder is null ? 0 : crossing.Elements];
    }

    /// <summary>Of what crosses.</summary>
    public int Elements => crossing.Elements;

    /// <summary>Why a frame cannot be continued from here; null when it can.</summary>
    public string? Refuses(TensorFrame frame)
    {
        if (frame.Route.Tail != start) return $"{frame.Route.Tail}; this tail starts at {start}";
        return frame.Shape.SequenceEqual(crossing.Shape) ? null : $"shape [{string.Join(",", frame.Shape)}]; {card.Name} needs [{string.Join(",", crossing.Shape)}] at {start}";
    }

    /// <summary>False when the payload is no such image, or no code of a latent.</summary>
    public bool Read(TensorFrame frame, Span<float> input)
    {
        if (frame.Codec is FeatureCodec.Coded) return ReadCoded(frame, input);
        if (start.Cut > 0)
        {
            FeatureCodecs.Decode(frame.Codec, frame.Payload.Span, frame.Scale, frame.ZeroPoint, input);
            return true;
        }
        if (!ImageCodec.TryDecode(frame.Codec, frame.Payload.Span, crossing.Shape[1], crossing.Shape[2], pixels)) return false;
        normalisation.Apply(pixels, input);
        return true;
    }

    private bool ReadCoded(TensorFrame frame, Span<float> input)
    {
        if (coder is null || coder.Decode(frame.Payload.Span, symbols) is not null) return false;
        FeatureCodecs.Dequantise(symbols, frame.Scale, input);
        return true;
    }
}
