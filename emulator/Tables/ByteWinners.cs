namespace Fleet.Emulator.Tables;

/// <summary>A stretch of byte counts over which the same two ways are the best that fit.</summary>
/// <param name="From">Whole bytes, in the stretch.</param>
/// <param name="To">Whole bytes, in the stretch.</param>
/// <param name="Bottleneck">The most accurate bottleneck of at most so many bytes; null when none is.</param>
/// <param name="Codec">The most accurate codec of the input likewise.</param>
public sealed record ByteStretch(int From, int To, Way? Bottleneck, Way? Codec)
{
    /// <summary>Accuracy of the bottleneck less that of the codec; null when one is missing.</summary>
    public double? Margin => Bottleneck?.Accuracy - Codec?.Accuracy;

    public string Winner => (Bottleneck, Codec) switch
    {
        (null, null) => "nobody",
        (_, null) => "bottleneck",
        (null, _) => "codec",
        _ => Margin > 0 ? "bottleneck" : Margin < 0 ? "codec" : "both",
    };
}

/// <summary>Who is most accurate when an inference may take so many bytes on the wire, for every byte count of a range.</summary>
public static class ByteWinners
{
    /// <summary>The range without holes, cut where the best of either kind changes. Where cards offer bottlenecks, those of comparisons do not compete.</summary>
    public static IReadOnlyList<ByteStretch> Over(IReadOnlyList<Way> all, int from, int to)
    {
        var ways = all.Where(way => way.Family is not Family.Bottleneck || way.IsShipped || !OffersBottlenecks(all)).ToList();
        var edges = ways.Where(way => way.Family is Family.Codec or Family.Bottleneck && way.Wire is not null)
            .Select(way => (int)Math.Ceiling(way.Wire!.Value.Value)).Where(bytes => bytes > from && bytes <= to).Append(from).Distinct().Order().ToList();
        var stretches = new List<ByteStretch>();
        foreach (var (edge, i) in edges.Select((edge, i) => (edge, i)))
        {
            var stretch = new ByteStretch(edge, i + 1 < edges.Count ? edges[i + 1] - 1 : to, Best(ways, Family.Bottleneck, edge), Best(ways, Family.Codec, edge));
            if (stretches.Count > 0 && stretches[^1].Bottleneck == stretch.Bottleneck && stretches[^1].Codec == stretch.Codec) stretches[^1] = stretches[^1] with { To = stretch.To };
            else stretches.Add(stretch);
        }
        return stretches;
    }

    /// <summary>Whether a card offers a bottleneck.</summary>
    public static bool OffersBottlenecks(IReadOnlyList<Way> ways) => ways.Any(way => way.Family is Family.Bottleneck && way.IsShipped);

    private static Way? Best(IReadOnlyList<Way> ways, Family family, int bytes) => ways
        .Where(way => way.Family == family && way.Wire?.Value <= bytes)
        .OrderByDescending(way => way.Accuracy).ThenBy(way => way.Wire!.Value.Value).FirstOrDefault();
}
