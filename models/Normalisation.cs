using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>What a network sees of each grey value of its input: (grey / 255 - mean) / deviation, as its card has them.</summary>
internal sealed class Normalisation(ModelCard card)
{
    private readonly float[] ofGrey = [.. Enumerable.Range(0, 256).Select(grey => (float)((grey / 255.0 - card.InputMean) / card.InputStd))];

    /// <param name="pixels">As many as <paramref name="floats"/>.</param>
    public void Apply(ReadOnlySpan<byte> pixels, Span<float> floats)
    {
        // A field would be read anew for each pixel, and pixels of another length be checked one by one.
        var table = ofGrey;
        pixels = pixels[..floats.Length];
        for (var i = 0; i < floats.Length; i++) floats[i] = table[pixels[i]];
    }
}
