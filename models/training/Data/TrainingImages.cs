using Fleet.Models;

namespace Fleet.Training;

/// <summary>What a network learns from: images that differ from epoch to epoch.</summary>
public interface ITrainingImages
{
    /// <summary>Images an epoch.</summary>
    int Count { get; }

    /// <summary>Height and width in pixels.</summary>
    int Side { get; }

    Normalisation Normalisation { get; }

    /// <summary>Draws image <paramref name="index"/> of an epoch into <paramref name="pixels"/> ([side, side], 0 black to 255 white).</summary>
    /// <returns>Its label.</returns>
    long Draw(int epoch, int index, Span<byte> pixels);
}

/// <summary>A data set's images as they are, for networks so small that they cannot learn them by heart.</summary>
public sealed class PlainImages(ImageSet images) : ITrainingImages
{
    public int Count => images.Count;

    public int Side => images.Side;

    public Normalisation Normalisation => images.Normalisation;

    public long Draw(int epoch, int index, Span<byte> pixels)
    {
        images.Image(index).CopyTo(pixels);
        return images.Labels[index];
    }
}

/// <summary>
/// A data set's images, each moved by up to some pixels each way, mirrored half of the time, and half of the time with a random
/// rectangle of it blanked (Zhong et al., Random erasing, 2020).
/// </summary>
public sealed class AugmentedImages(ImageSet images, int seed) : ITrainingImages
{
    /// <summary>By how many pixels an image is moved each way at most.</summary>
    public int Shift { get; init; } = 2;

    /// <summary>The share of images a rectangle of which is blanked.</summary>
    public double ErasingShare { get; init; } = 0.5;

    public int Count => images.Count;

    public int Side => images.Side;

    public Normalisation Normalisation => images.Normalisation;

    public long Draw(int epoch, int index, Span<byte> pixels)
    {
        var random = new Random(Seeds.Mix(Seeds.Mix(seed, epoch), index));
        Move(images.Image(index), random, pixels);
        if (random.NextDouble() < ErasingShare) Erase(random, pixels);
        return images.Labels[index];
    }

    private void Move(ReadOnlySpan<byte> source, Random random, Span<byte> moved)
    {
        var side = Side;
        var right = random.Next(-Shift, Shift + 1);
        var down = random.Next(-Shift, Shift + 1);
        var mirrored = random.Next(2) == 1;
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var fromX = (mirrored ? side - 1 - x : x) - right;
                var fromY = y - down;
                var inside = (uint)fromX < (uint)side && (uint)fromY < (uint)side;
                moved[y * side + x] = inside ? source[fromY * side + fromX] : (byte)0;
            }
        }
    }

    /// <summary>Fills a rectangle of 3 % to 20 % of the image with one grey level.</summary>
    private void Erase(Random random, Span<byte> moved)
    {
        var area = (0.03 + 0.17 * random.NextDouble()) * moved.Length;
        var height = Math.Clamp((int)Math.Round(Math.Sqrt(area) * (0.5 + random.NextDouble())), 1, Side);
        var width = Math.Clamp((int)Math.Round(area / height), 1, Side);
        var (left, top) = (random.Next(Side - width + 1), random.Next(Side - height + 1));
        var level = (byte)random.Next(256);
        for (var y = top; y < top + height; y++) moved.Slice(y * Side + left, width).Fill(level);
    }
}

/// <summary>Scenes drawn anew every epoch; the i-th of an epoch marks item i.</summary>
/// <param name="items">Fashion-MNIST images.</param>
/// <param name="normalisation">Of the scenes.</param>
/// <param name="count">Scenes an epoch; at most the number of items.</param>
/// <param name="seed">Of the scenes.</param>
public sealed class FreshScenes(ImageSet items, Normalisation normalisation, int count, int seed) : ITrainingImages
{
    private readonly Scenes scenes = new(items.Images, seed);

    public int Count => count;

    public int Side => Scenes.Side;

    public Normalisation Normalisation => normalisation;

    public long Draw(int epoch, int index, Span<byte> pixels)
    {
        // Past the range of any set that is measured on, whose scenes count from 0 with another seed.
        scenes.Compose(unchecked((epoch + 1) * 100_000 + index), items.FirstIndex + index, items.FirstIndex, items.Count, pixels);
        return items.Labels[index];
    }
}
