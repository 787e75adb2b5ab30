using Fleet.Models;
using Fleet.Models.Replaying;
using TorchSharp;

namespace Fleet.Training;

/// <summary>Pixel p enters a network as (p / 255 - mean) / std.</summary>
public sealed class Normalisation(double mean, double std)
{
    private readonly float[] table = [.. Enumerable.Range(0, 256).Select(pixel => (float)((pixel / 255.0 - mean) / std))];

    public double Mean => mean;

    public double Std => std;

    public void Apply(ReadOnlySpan<byte> pixels, Span<float> target)
    {
        for (var i = 0; i < pixels.Length; i++) target[i] = table[pixels[i]];
    }
}

/// <summary>A run of labelled grey square images out of a file.</summary>
public sealed class ImageSet(LabelledImages images, int start, int count, Normalisation normalisation)
{
    public ImageSet(LabelledImages images, Normalisation normalisation) : this(images, 0, images.Count, normalisation)
    {
    }

    /// <summary>Height and width in pixels.</summary>
    public int Side => images.Rows;

    public int PixelCount => images.Rows * images.Columns;

    public int Count => count;

    /// <summary>Index in the file of the first image.</summary>
    public int FirstIndex => start;

    public LabelledImages Images => images;

    /// <summary>The images as a replay takes them.</summary>
    public ImageRun Run => new(images, start, count);

    public Normalisation Normalisation => normalisation;

    /// <summary>[count].</summary>
    public byte[] Labels { get; } = [.. Enumerable.Range(start, count).Select(index => (byte)images.Label(index))];

    /// <summary>[side, side], row by row, 0 black to 255 white.</summary>
    public ReadOnlySpan<byte> Image(int index) => images.Image(start + index).Span;

    public Sample Sample(int index) => images.Sample(start + index);

    public ImageSet Slice(int from, int length) => new(images, start + from, length, normalisation);

    /// <summary>Writes image <paramref name="index"/> as the network takes it: (p / 255 - mean) / std.</summary>
    public void Normalise(int index, Span<float> target) => normalisation.Apply(Image(index), target);

    /// <summary>The images in order, as tensors [up to <paramref name="size"/>, 1, side, side] to be made when wanted.</summary>
    public IEnumerable<(int First, Func<torch.Tensor> Make)> Batches(int size)
    {
        for (var first = 0; first < count; first += size)
        {
            var (from, length) = (first, Math.Min(size, count - first));
            yield return (from, () =>
            {
                var pixels = new float[length * PixelCount];
                for (var i = 0; i < length; i++) Normalise(from + i, pixels.AsSpan(i * PixelCount, PixelCount));
                return torch.tensor(pixels, [length, 1, Side, Side]);
            }
            );
        }
    }
}
