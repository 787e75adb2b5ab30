using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>A site where one class comes more often than elsewhere: the images are the same, their mixture is not. Its name is such as "label-6-70".</summary>
/// <param name="Label">The frequent class.</param>
/// <param name="Percent">Its share of all images, 1 to 99.</param>
public readonly record struct LabelShift(int Label, int Percent)
{
    private const string Prefix = "label-";

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Label}-{Percent}");

    public static bool Names(string text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    /// <exception cref="FaultsException">The text names no shift; the message says how one is named.</exception>
    public static LabelShift Parse(string text)
    {
        var parts = text.Split('-');
        if (Names(text) && parts.Length == 3
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var label) && label <= byte.MaxValue
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var percent) && percent is >= 1 and <= 99)
            return new LabelShift(label, percent);
        throw new FaultsException($"label shift \"{text}\"", "is unknown; one is called label-LABEL-PERCENT, such as label-6-70, with a percentage from 1 to 99");
    }

    /// <summary>Which samples the site sees, in random order and none twice: as many as the rarer side has enough of, at most <paramref name="count"/>.</summary>
    /// <param name="labels">Of all samples.</param>
    /// <param name="count">How many at the most.</param>
    /// <param name="random">Chooses among samples of a side.</param>
    /// <returns>Indices into <paramref name="labels"/>.</returns>
    public int[] Pick(ReadOnlySpan<byte> labels, int count, Random random)
    {
        var (frequent, others) = (new List<int>(), new List<int>());
        for (var i = 0; i < labels.Length; i++) (labels[i] == Label ? frequent : others).Add(i);
        var share = Percent / 100.0;
        count = Math.Min(count, (int)Math.Min(frequent.Count / share, others.Count / (1 - share)));
        var mine = (int)Math.Round(count * share);
        int[] picked = [.. Some(frequent, mine, random), .. Some(others, count - mine, random)];
        random.Shuffle(picked);
        return picked;
    }

    private static Span<int> Some(List<int> from, int count, Random random)
    {
        var all = from.ToArray();
        random.Shuffle(all);
        return all.AsSpan(0, Math.Min(count, all.Length));
    }
}
