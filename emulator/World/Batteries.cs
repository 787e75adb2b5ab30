using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Emulator;

/// <summary>How full the batteries of many devices are at one moment, so that sites can be added up: counts by whole percent.</summary>
public sealed record Batteries
{
    public const int Levels = 101;

    [JsonPropertyName("devices")] public long Devices { get; init; }

    /// <summary>Those that give nothing: they have run empty and were not charged again.</summary>
    [JsonPropertyName("empty")] public long Empty { get; init; }
    [JsonPropertyName("sum_ratio")] public double Sum { get; init; }
    [JsonPropertyName("min_ratio")] public double Min { get; init; } = 1;

    /// <summary>Pairs of percent (rounded down) and devices.</summary>
    [JsonPropertyName("percent_counts")] public IReadOnlyList<long> Counts { get; init; } = [];

    [JsonIgnore] public double? Mean => Devices == 0 ? null : Sum / Devices;

    /// <summary>The ratio that a share of the devices do not exceed, to a percent; null without devices.</summary>
    public double? Quantile(double share)
    {
        if (Devices == 0) return null;
        var rank = Math.Max(1, (long)Math.Ceiling(share * Devices));
        long seen = 0;
        for (var i = 0; i < Counts.Count; i += 2)
            if ((seen += Counts[i + 1]) >= rank) return Counts[i] / 100.0;
        return 1;
    }

    public Batteries Plus(Batteries other)
    {
        var counts = new long[Levels];
        foreach (var pairs in (IReadOnlyList<long>[])[Counts, other.Counts])
            for (var i = 0; i < pairs.Count; i += 2) counts[pairs[i]] += pairs[i + 1];
        return new Batteries { Devices = Devices + other.Devices, Empty = Empty + other.Empty, Sum = Sum + other.Sum, Min = Math.Min(Min, other.Min), Counts = PairsOf(counts) };
    }

    internal static long[] PairsOf(long[] counts) => [.. counts.Index().Where(level => level.Item > 0).SelectMany(level => new[] { level.Index, level.Item })];
}

/// <summary>Counts batteries one by one.</summary>
internal sealed class ChargeCount
{
    private readonly long[] counts = new long[Batteries.Levels];
    private long devices, empty;
    private double sum, min = 1;

    public void Add(double ratio, bool isEmpty)
    {
        devices++;
        if (isEmpty) empty++;
        sum += ratio;
        min = Math.Min(min, ratio);
        counts[Math.Clamp((int)(ratio * 100), 0, Batteries.Levels - 1)]++;
    }

    public Batteries Total() => new() { Devices = devices, Empty = empty, Sum = Quantity.Rounded(sum), Min = Quantity.Rounded(min), Counts = Batteries.PairsOf(counts) };
}
