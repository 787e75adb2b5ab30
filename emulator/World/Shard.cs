using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Emulator;

/// <summary>A part of a scenario's sites, number <paramref name="Number"/> of <paramref name="Count"/>: neighbours in the file, so that shards laid end to end are the whole.</summary>
public readonly record struct Shard(int Number, int Count)
{
    public static readonly Shard Whole = new(1, 1);

    public IReadOnlyList<T> Of<T>(IReadOnlyList<T> all) => [.. all.Take(End(Number, all.Count)).Skip(End(Number - 1, all.Count))];

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Count}");

    /// <summary>Reads i/n.</summary>
    /// <exception cref="FaultsException">It is no such text.</exception>
    public static Shard Parse(string text)
    {
        var parts = text.Split('/');
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && number >= 1 && number <= count
            ? new Shard(number, count) : throw new FaultsException("--shard", $"is \"{text}\"; allowed: i/n with i from 1 to n, such as 2/3");
    }

    private int End(int number, int sites) => (int)((long)number * sites / Count);
}
