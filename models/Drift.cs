using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>How a site's images may differ from those a model was trained on.</summary>
public enum DriftKind
{
    /// <summary>About the centre, by 12 degrees a level; to the left and to the right in turn.</summary>
    Rotation,

    /// <summary>Gaussian, its standard deviation 16 grey levels a level.</summary>
    Noise,

    /// <summary>Gaussian, its standard deviation 2.5 % of the image's side a level.</summary>
    Blur,

    /// <summary>The distance of each pixel from the image's mean, times 0.6 a level.</summary>
    Contrast,

    /// <summary>Every pixel lighter by 24 grey levels a level. Of this kind there are no traces.</summary>
    Brightness,
}

/// <summary>A kind of drift and how strong it is; its name is such as "noise-2".</summary>
public readonly record struct Drift(DriftKind Kind, int Level)
{
    public const int LevelMax = 3;

    private const double DegreesALevel = 12;
    private const double NoiseALevel = 16;
    private const double BlurALevel = 0.025;
    private const double ContrastALevel = 0.6;
    private const double BrightnessALevel = 24;

    /// <summary>Every kind but brightness at the two lower levels: what traces exist of.</summary>
    public static IReadOnlyList<Drift> Levels { get; } =
        [.. Enum.GetValues<DriftKind>().Where(kind => kind is not DriftKind.Brightness).SelectMany(kind => new[] { new Drift(kind, 1), new Drift(kind, 2) })];

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind.ToString().ToLowerInvariant()}-{Level}");

    /// <exception cref="FaultsException">The text names no drift; the message says which there are.</exception>
    public static Drift Parse(string text)
    {
        foreach (var kind in Enum.GetValues<DriftKind>())
            for (var level = 1; level <= LevelMax; level++)
                if (new Drift(kind, level).ToString() == text) return new Drift(kind, level);
        var kinds = string.Join(", ", Enum.GetNames<DriftKind>().Select(name => name.ToLowerInvariant()));
        throw new FaultsException($"drift \"{text}\"", $"is unknown; a drift is one of {kinds}, a dash and a level from 1 to {LevelMax}, such as noise-2");
    }

    /// <summary>The same images, drifted; labels and order stay. What is random follows from the drift and each image's place.</summary>
    /// <param name="images">All of one size.</param>
    /// <param name="first">The first image to take.</param>
    /// <param name="count">How many.</param>
    public LabelledImages Of(LabelledImages images, int first, int count)
    {
        var size = images.Rows * images.Columns;
        var pixels = new byte[count * size];
        var labels = new byte[count];
        for (var i = 0; i < count; i++)
        {
            labels[i] = (byte)images.Label(first + i);
            Apply(images.Image(first + i).Span, images.Rows, first + i, pixels.AsSpan(i * size, size));
        }
        return new LabelledImages(count, images.Rows, images.Columns, pixels, labels);
    }

    /// <summary>Writes a square image, drifted.</summary>
    /// <param name="image">[side, side].</param>
    /// <param name="side">Height and width.</param>
    /// <param name="index">Determines, with the drift, what is random.</param>
    /// <param name="target">[side, side].</param>
    public void Apply(ReadOnlySpan<byte> image, int side, int index, Span<byte> target)
    {
        var random = new Random(Seeds.Mix(Seeds.Mix((int)Kind, Level), index));
        switch (Kind)
        {
            case DriftKind.Rotation:
                Rotate(image, side, (random.Next(2) * 2 - 1) * Level * DegreesALevel * Math.PI / 180, target);
                break;
            case DriftKind.Noise:
                for (var i = 0; i < image.Length; i++)
                    target[i] = Grey(image[i] + Level * NoiseALevel * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
                break;
            case DriftKind.Blur:
                Smooth(image, side, Level * BlurALevel * side, target);
                break;
            case DriftKind.Brightness:
                for (var i = 0; i < image.Length; i++) target[i] = Grey(image[i] + Level * BrightnessALevel);
                break;
            default:
                var mean = 0.0;
                foreach (var pixel in image) mean += (double)pixel / image.Length;
                for (var i = 0; i < image.Length; i++) target[i] = Grey(mean + Math.Pow(ContrastALevel, Level) * (image[i] - mean));
                break;
        }
    }

    /// <summary>Bilinear; what comes from outside repeats the border.</summary>
    private static void Rotate(ReadOnlySpan<byte> image, int side, double angle, Span<byte> target)
    {
        var (sine, cosine) = Math.SinCos(angle);
        var centre = (side - 1) / 2.0;
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var fromX = Math.Clamp(centre + cosine * (x - centre) + sine * (y - centre), 0, side - 1);
                var fromY = Math.Clamp(centre - sine * (x - centre) + cosine * (y - centre), 0, side - 1);
                var (column, row) = (Math.Min((int)fromX, side - 2), Math.Min((int)fromY, side - 2));
                var (right, down) = (fromX - column, fromY - row);
                var i = row * side + column;
                var above = image[i] + right * (image[i + 1] - image[i]);
                var below = image[i + side] + right * (image[i + side + 1] - image[i + side]);
                target[y * side + x] = Grey(above + down * (below - above));
            }
        }
    }

    /// <summary>Rows, then columns; the border repeats.</summary>
    private static void Smooth(ReadOnlySpan<byte> image, int side, double sigma, Span<byte> target)
    {
        var reach = (int)Math.Ceiling(3 * sigma);
        var weights = Enumerable.Range(-reach, 2 * reach + 1).Select(offset => Math.Exp(-offset * offset / (2 * sigma * sigma))).ToArray();
        var total = weights.Sum();
        var across = new double[image.Length];
        for (var i = 0; i < image.Length; i++)
            for (var offset = -reach; offset <= reach; offset++)
                across[i] += weights[offset + reach] / total * image[i / side * side + Math.Clamp(i % side + offset, 0, side - 1)];
        for (var i = 0; i < image.Length; i++)
        {
            var sum = 0.0;
            for (var offset = -reach; offset <= reach; offset++)
                sum += weights[offset + reach] / total * across[Math.Clamp(i / side + offset, 0, side - 1) * side + i % side];
            target[i] = Grey(sum);
        }
    }

    private static byte Grey(double level) => (byte)Math.Clamp(Math.Round(level), 0, 255);
}
