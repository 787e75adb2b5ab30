namespace Fleet.Onnx;

/// <summary>
/// Counts the values that an activation takes, in bins of equal width on both sides of 0. The width doubles whenever a value lies
/// outside, so one pass over the data is enough and a bin is never wider than 1/2,048 of the largest magnitude.
/// </summary>
public sealed class ValueHistogram
{
    private const int Half = 4096;

    /// <summary>Below it a float loses digits, and doubling could start from nothing.</summary>
    private const float NarrowestWidth = 1e-37f;

    private readonly long[] bins = new long[2 * Half];
    private float width;
    private float low = float.PositiveInfinity;
    private float high = float.NegativeInfinity;

    public long Count { get; private set; }

    /// <exception cref="InvalidDataException">A value is infinite or not a number.</exception>
    public void Add(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value)) throw new InvalidDataException($"an activation is {value}");
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
            Widen(Math.Abs(value));
            bins[Bin(value)]++;
        }
        Count += values.Length;
    }

    /// <summary>From the smallest value to the largest.</summary>
    /// <exception cref="InvalidOperationException">No value has been added.</exception>
    public ValueRange MinMax() => Count > 0 ? new ValueRange(low, high) : throw new InvalidOperationException("a histogram of nothing has no range");

    /// <summary>The range that leaves out a share of 1 - <paramref name="ratio"/> of the values at either end, to within a bin.</summary>
    /// <param name="ratio">Above 0.5 and at most 1: 0.999 leaves out one value in a thousand at either end.</param>
    /// <exception cref="InvalidOperationException">No value has been added.</exception>
    public ValueRange Percentile(double ratio)
    {
        if (!(ratio is > 0.5 and <= 1)) throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "a percentile lies above 0.5 and is at most 1");
        var all = MinMax();
        var leftOut = (long)((1 - ratio) * Count);
        // The edge of a bin is rounded, so that the extreme value in it may lie a digit outside.
        if (leftOut == 0) return all;
        var (first, last) = (0, bins.Length - 1);
        var (below, above) = (bins[first], bins[last]);
        while (below <= leftOut) below += bins[++first];
        while (above <= leftOut) above += bins[--last];
        return new ValueRange(Math.Max(all.Low, (first - Half) * width), Math.Min(all.High, (last + 1 - Half) * width));
    }

    private int Bin(float value) => width == 0 ? Half : Math.Min(bins.Length - 1, (int)MathF.Floor(value / width) + Half);

    /// <summary>Makes the bins reach a magnitude; values of exactly 0 have bin <see cref="Half"/> at any width.</summary>
    private void Widen(float magnitude)
    {
        if (width == 0 && magnitude > 0) width = Math.Max(magnitude / Half, NarrowestWidth);
        while (magnitude > width * Half)
        {
            for (var i = 0; i < Half; i++)
            {
                // Outwards from the middle, so that no bin is overwritten before it has been read.
                Merge(Half + i, Half + 2 * i, Half + 2 * i + 1);
                Merge(Half - 1 - i, Half - 1 - 2 * i, Half - 2 - 2 * i);
            }
            width *= 2;
        }
    }

    private void Merge(int into, int a, int b) => bins[into] = Has(a) && Has(b) ? bins[a] + bins[b] : 0;

    private bool Has(int bin) => bin >= 0 && bin < bins.Length;
}
