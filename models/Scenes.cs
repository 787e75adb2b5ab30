namespace Fleet.Models;

/// <summary>
/// Cluttered scenes: 96x96 grey images in which one of several items, marked by four bright corners, is to be classified. The items
/// are small grey images on black (Fashion-MNIST), at random size, place and mirroring, over a textured background with sensor noise.
/// In the manner of cluttered MNIST (Mnih et al., Recurrent models of visual attention, 2014). A scene is a pure function of the items,
/// the seed and its index.
/// </summary>
public sealed class Scenes(LabelledImages items, int seed)
{
    public const int Side = 96;

    /// <summary>Standard deviation of the sensor noise in grey levels.</summary>
    public const double NoiseSigma = 8;

    private const int Distractors = 3;
    private const int Margin = 2;
    private const int CornerLength = 7;
    private const int CornerWidth = 2;
    private const byte CornerLevel = 245;

    /// <summary>An item's own levels up to here fade into the background.</summary>
    private const float Opaque = 32;

    private readonly float[] canvas = new float[Side * Side];

    /// <summary>Whole scenes, the i-th of which marks item i.</summary>
    /// <param name="items">One of them is the target of each scene, others clutter it.</param>
    /// <param name="first">The first item.</param>
    /// <param name="count">Of items and of scenes.</param>
    /// <param name="seed">Determines everything else.</param>
    public static LabelledImages Make(LabelledImages items, int first, int count, int seed)
    {
        var scenes = new Scenes(items, seed);
        var pixels = new byte[count * Side * Side];
        var labels = new byte[count];
        for (var i = 0; i < count; i++)
        {
            scenes.Compose(i, first + i, first, count, pixels.AsSpan(i * Side * Side, Side * Side));
            labels[i] = (byte)items.Label(first + i);
        }
        return new LabelledImages(count, Side, Side, pixels, labels);
    }

    /// <summary>Draws scene <paramref name="index"/>, which marks item <paramref name="target"/>, into <paramref name="pixels"/> ([96, 96]).</summary>
    /// <param name="index">With the seed it determines all that is drawn at random.</param>
    /// <param name="target">The marked item.</param>
    /// <param name="first">Clutter comes from items first .. first + count - 1.</param>
    /// <param name="count">How many items there are to choose clutter from.</param>
    /// <param name="pixels">Row by row, 0 black to 255 white.</param>
    public void Compose(int index, int target, int first, int count, Span<byte> pixels)
    {
        var random = new Random(Seeds.Mix(seed, index));
        DrawBackground(random);
        for (var i = 0; i < Distractors; i++)
            DrawItem(items.Image(first + random.Next(count)).Span, random, random.Next(20, 37));
        var size = random.Next(28, 45);
        var (left, top) = DrawItem(items.Image(target).Span, random, size);
        DrawCorners(left - Margin, top - Margin, size + 2 * Margin);
        Expose(random, pixels);
    }

    /// <summary>A level, broad clouds on it, and a fine grain of a few pixels on those.</summary>
    private void DrawBackground(Random random)
    {
        Array.Fill(canvas, 40 + 70 * random.NextSingle());
        AddValueNoise(random, cell: 24, amplitude: 10 + 25 * random.NextSingle());
        AddValueNoise(random, cell: 4, amplitude: 4 + 12 * random.NextSingle());
    }

    /// <summary>Random levels within +-amplitude on a grid, bilinear between.</summary>
    private void AddValueNoise(Random random, int cell, float amplitude)
    {
        var across = Side / cell + 2;
        Span<float> grid = stackalloc float[across * across];
        foreach (ref var level in grid) level = amplitude * (2 * random.NextSingle() - 1);
        for (var y = 0; y < Side; y++)
        {
            var (row, down) = (y / cell, (float)(y % cell) / cell);
            for (var x = 0; x < Side; x++)
            {
                var (column, right) = (x / cell, (float)(x % cell) / cell);
                var corner = row * across + column;
                var above = grid[corner] + right * (grid[corner + 1] - grid[corner]);
                var below = grid[corner + across] + right * (grid[corner + across + 1] - grid[corner + across]);
                canvas[y * Side + x] += above + down * (below - above);
            }
        }
    }

    /// <summary>Scales an item bilinearly to size x size and lays it at a random place, never over the border.</summary>
    private (int Left, int Top) DrawItem(ReadOnlySpan<byte> item, Random random, int size)
    {
        var left = random.Next(Margin, Side - size - Margin + 1);
        var top = random.Next(Margin, Side - size - Margin + 1);
        var mirrored = random.Next(2) == 1;
        var step = (float)items.Columns / size;
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var level = Sample(item, ((mirrored ? size - 1 - x : x) + 0.5f) * step - 0.5f, (y + 0.5f) * step - 0.5f);
                ref var under = ref canvas[(top + y) * Side + left + x];
                under += (level - under) * Math.Min(1, level / Opaque);
            }
        }
        return (left, top);
    }

    private float Sample(ReadOnlySpan<byte> item, float x, float y)
    {
        var (column, row) = (Math.Clamp((int)x, 0, items.Columns - 2), Math.Clamp((int)y, 0, items.Rows - 2));
        var (right, down) = (Math.Clamp(x - column, 0, 1), Math.Clamp(y - row, 0, 1));
        var i = row * items.Columns + column;
        var above = item[i] + right * (item[i + 1] - item[i]);
        var below = item[i + items.Columns] + right * (item[i + items.Columns + 1] - item[i + items.Columns]);
        return above + down * (below - above);
    }

    private void DrawCorners(int left, int top, int size)
    {
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var (fromSide, fromEnd) = (Math.Min(x, size - 1 - x), Math.Min(y, size - 1 - y));
                if (fromSide < CornerLength && fromEnd < CornerLength && (fromSide < CornerWidth || fromEnd < CornerWidth))
                    canvas[(top + y) * Side + left + x] = CornerLevel;
            }
        }
    }

    /// <summary>Adds Gaussian noise and rounds to bytes. The deviates come from a table, each row from a place of its own.</summary>
    private void Expose(Random random, Span<byte> pixels)
    {
        for (var y = 0; y < Side; y++)
        {
            var noise = Deviates.AsSpan(random.Next(Deviates.Length - Side), Side);
            for (var x = 0; x < Side; x++)
                pixels[y * Side + x] = (byte)Math.Clamp(MathF.Round(canvas[y * Side + x] + noise[x]), 0, 255);
        }
    }

    /// <summary>N(0, sigma^2) by Box and Muller, the same for every scene.</summary>
    private static readonly float[] Deviates = MakeDeviates();

    private static float[] MakeDeviates()
    {
        var random = new Random(96);
        return [.. Enumerable.Range(0, 1 << 16).Select(_ =>
            (float)(NoiseSigma * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}

/// <summary>The seeds of the scenes that figures are about.</summary>
public static class SceneSets
{
    /// <summary>Drawn from the last 5,000 training images of Fashion-MNIST.</summary>
    public const int CalibrationSeed = 9601;

    /// <summary>Drawn from its 10,000 test images.</summary>
    public const int TestSeed = 9602;
}
