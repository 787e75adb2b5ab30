using Fleet.Models;

namespace Fleet.Training;

/// <summary>A run of labelled grey square images out of a file.</summary>
public sealed class ImageSet(LabelledImages images, int start, int count)
{
    private static readonly float[] Table = [.. Enumerable.Range(0, 256).Select(pixel => (float)((pixel / 255.0 - FashionMnist.Mean) / FashionMnist.Std))];

    public ImageSet(LabelledImages images) : this(images, 0, images.Count)
    {
    }

    /// <summary>Height and width in pixels.</summary>
    public int Side => images.Rows;

    public int PixelCount => images.Rows * images.Columns;

    public int Count => count;

    /// <summary>Index in the file of the first image.</summary>
    public int FirstIndex => start;

    /// <summary>[count].</summary>
    public byte[] Labels { get; } = [.. Enumerable.Range(start, count).Select(index => (byte)images.Label(index))];

    /// <summary>[side, side], row by row, 0 black to 255 white.</summary>
    public ReadOnlySpan<byte> Image(int index) => images.Image(start + index).Span;

    public Sample Sample(int index) => images.Sample(start + index);

    public ImageSet Slice(int from, int length) => new(images, start + from, length);

    /// <summary>Writes image <paramref name="index"/> as the network takes it: (p / 255 - mean) / std.</summary>
    public void Normalise(int index, Span<float> target) => Normalise(Image(index), target);

    public static void Normalise(ReadOnlySpan<byte> pixels, Span<float> target)
    {
        for (var i = 0; i < pixels.Length; i++) target[i] = Table[pixels[i]];
    }
}
