namespace Fleet.Models.Calibrating;

/// <summary>Neighbouring samples that share a fitted value.</summary>
/// <param name="First">Smallest score in the block.</param>
/// <param name="Last">Largest score in the block.</param>
/// <param name="Weight">Samples in the block.</param>
/// <param name="Value">Their mean outcome.</param>
public readonly record struct IsotonicBlock(double First, double Last, double Weight, double Value);

/// <summary>
/// Least squares under the constraint that the fit never falls, by pooling adjacent violators in one pass. Source: Ayer et al., Ann.
/// Math. Stat. 26(4), 1955.
/// </summary>
public static class IsotonicRegression
{
    /// <summary>The blocks by ascending score, their values strictly ascending. Equal scores are one observation with their mean outcome.</summary>
    /// <exception cref="ArgumentException">The lengths differ or there is no sample.</exception>
    public static IReadOnlyList<IsotonicBlock> Fit(ReadOnlySpan<double> scores, ReadOnlySpan<bool> outcomes)
    {
        if (scores.Length != outcomes.Length) throw new ArgumentException($"{scores.Length} scores and {outcomes.Length} outcomes; one of each a sample is needed", nameof(outcomes));
        if (scores.IsEmpty) throw new ArgumentException("there is no sample", nameof(scores));
        var (keys, values) = (scores.ToArray(), outcomes.ToArray());
        Array.Sort(keys, values);
        var observations = new List<IsotonicBlock>(keys.Length);
        for (int from = 0, to; from < keys.Length; from = to)
        {
            var sum = 0;
            for (to = from; to < keys.Length && keys[to] == keys[from]; to++)
                if (values[to]) sum++;
            observations.Add(new IsotonicBlock(keys[from], keys[from], to - from, (double)sum / (to - from)));
        }
        return Pool(observations);
    }

    /// <summary>Pools observations that stand in order of score until their values ascend.</summary>
    public static IReadOnlyList<IsotonicBlock> Pool(IEnumerable<IsotonicBlock> observations)
    {
        var blocks = new List<IsotonicBlock>();
        foreach (var observation in observations)
        {
            var block = observation;
            while (blocks.Count > 0 && blocks[^1].Value >= block.Value)
            {
                var before = blocks[^1];
                var weight = before.Weight + block.Weight;
                block = new IsotonicBlock(before.First, block.Last, weight, (before.Weight * before.Value + block.Weight * block.Value) / weight);
                blocks.RemoveAt(blocks.Count - 1);
            }
            blocks.Add(block);
        }
        return blocks;
    }
}
