namespace Fleet.Contracts;

/// <summary>
/// Counts of durations in bins that grow by 5 %, from 1 us to about 100 s: bounded memory, none for bins far from any that was hit, no
/// allocation in steady use, and any percentile within 2.5 % of the exact one. Durations outside fall into the first or last bin.
/// </summary>
public sealed class Histogram
{
    /// <summary>How far a percentile may be from the exact one, as a share of it: half a bin.</summary>
    public const double Resolution = 0.025;

    private const double Smallest = 1e-6;
    private const int Bins = 380;
    private static readonly double LogGrowth = Math.Log(1.05);

    /// <summary>Bins that memory is taken for at once.</summary>
    private const int Step = 8;
    private long[] counts = [];
    private int first;

    public long Count { get; private set; }

    public Seconds Sum { get; private set; }

    public Seconds? Mean => Count == 0 ? null : Sum / Count;

    public void Add(Seconds duration)
    {
        var bin = duration.Value <= Smallest ? 0 : (int)(Math.Log(duration.Value / Smallest) / LogGrowth);
        Count++;
        Sum += duration;
        Add(Math.Clamp(bin, 0, Bins - 1), 1);
    }

    public void Add(Histogram other)
    {
        for (var i = 0; i < other.counts.Length; i++)
            if (other.counts[i] > 0) Add(other.first + i, other.counts[i]);
        Count += other.Count;
        Sum += other.Sum;
    }

    /// <summary>The duration that a share of the counted ones does not exceed; null when nothing was counted.</summary>
    public Seconds? Percentile(double share)
    {
        if (Count == 0) return null;
        var rank = Math.Max(1, (long)Math.Ceiling(share * Count));
        var bin = 0;
        for (var seen = counts[0]; seen < rank; seen += counts[bin]) bin++;
        return new Seconds(Smallest * Math.Exp((first + bin + 0.5) * LogGrowth));
    }

    /// <summary>Bins that have counted something, as pairs of bin and count: how a histogram is written down.</summary>
    public long[] Pairs() => [.. counts.Index().Where(bin => bin.Item > 0).SelectMany(bin => new[] { first + bin.Index, bin.Item })];

    /// <summary>Adds what <see cref="Pairs"/> gave; throws <see cref="ArgumentOutOfRangeException"/> when these are no such pairs.</summary>
    /// <param name="sum">Of the durations counted.</param>
    public void Add(ReadOnlySpan<long> pairs, Seconds sum)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(pairs.Length % 2, 0, nameof(pairs));
        for (var i = 0; i < pairs.Length; i += 2)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)pairs[i], (ulong)Bins, nameof(pairs));
            ArgumentOutOfRangeException.ThrowIfNegative(pairs[i + 1], nameof(pairs));
            if (pairs[i + 1] > 0) Add((int)pairs[i], pairs[i + 1]);
            Count += pairs[i + 1];
        }
        Sum += sum;
    }

    /// <summary>The shortest duration that falls into a bin (but for the first, which takes all shorter ones).</summary>
    public static Seconds From(long bin) => new(Smallest * Math.Exp(bin * LogGrowth));

    public void Clear()
    {
        Array.Clear(counts);
        Count = 0;
        Sum = Seconds.Zero;
    }

    private void Add(int bin, long times)
    {
        if ((uint)(bin - first) >= (uint)counts.Length) Cover(bin);
        counts[bin - first] += times;
    }

    /// <summary>Widens the bins kept by whole steps.</summary>
    private void Cover(int bin)
    {
        var (from, to) = counts.Length == 0 ? (bin, bin + 1) : (Math.Min(first, bin), Math.Max(first + counts.Length, bin + 1));
        from -= from % Step;
        var wider = new long[(to - from + Step - 1) / Step * Step];
        counts.CopyTo(wider, counts.Length == 0 ? 0 : first - from);
        (counts, first) = (wider, from);
    }
}
