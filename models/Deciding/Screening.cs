using Fleet.Contracts;

namespace Fleet.Models.Deciding;

/// <summary>
/// Threshold screening: every combination of a grid of thresholds per exit, of which those stay that no other beats in both accuracy and
/// mean work. Source: BranchyNet, ICPR 2016. Choose on calibration data, report on test data.
/// </summary>
public static class Screening
{
    /// <summary>More combinations than this are refused: a coarser grid is meant.</summary>
    public const int MostSets = 5_000_000;

    /// <summary>The entropies, in nats, that BranchyNet screens for B-LeNet.</summary>
    public static readonly IReadOnlyList<double> LeNetEntropies = [1e-4, 5e-4, 1e-3, 5e-3, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2, 3, 5, 10];

    /// <summary>The grid for each exit but the last: LeNet's for entropies, for other scores the quantiles of the exit's own.</summary>
    public static IReadOnlyList<IReadOnlyList<double>> DefaultGrids(Cascade cascade, int quantiles = 40) =>
        [.. Enumerable.Range(1, cascade.Exits - 1).Select(exit => cascade.Score == ExitScore.Entropy ? LeNetEntropies : Quantiles(cascade, exit, quantiles))];

    /// <summary>Thresholds that let about 1/n, 2/n, ..., all of the samples leave by the exit.</summary>
    public static IReadOnlyList<double> Quantiles(Cascade cascade, int exit, int count)
    {
        var sorted = cascade.Sureness(exit).ToArray();
        Array.Sort(sorted);
        return [.. Enumerable.Range(0, count).Select(i => sorted[(int)((long)i * sorted.Length / count)]).Distinct().Select(sureness => ExitRule.AtLeast(cascade.Score, sureness).Threshold)];
    }

    /// <summary>
    /// The sets that are not dominated, by rising mean work and accuracy. A threshold that never exits is tried at every exit besides the
    /// grid, so that the full network is among those screened. Takes O(samples x exits + sets): see <see cref="PassCounts"/>.
    /// </summary>
    /// <exception cref="ArgumentException">Not one grid for each exit but the last, or more than <see cref="MostSets"/> combinations.</exception>
    public static IReadOnlyList<CascadeOutcome> ParetoFront(Cascade cascade, IReadOnlyList<IReadOnlyList<double>> grids)
    {
        if (grids.Count != cascade.Exits - 1) throw new ArgumentException($"{grids.Count} grids for {cascade.Exits} exits; each but the last has one", nameof(grids));
        var never = ExitRule.Never(cascade.Score).Threshold;
        var rules = grids.Select(grid => grid.Append(never).Distinct().Select(threshold => new ExitRule(cascade.Score, threshold)).OrderBy(rule => rule.Bar).ToArray()).ToArray();
        var sets = rules.Aggregate(1.0, (product, grid) => product * grid.Length);
        if (sets > MostSets) throw new ArgumentException($"{sets:0} sets of thresholds; at most {MostSets} are screened", nameof(grids));
        return [.. Undominated(PassCounts.Count(cascade, rules)).Select(set => cascade.Evaluate([.. Choice(rules, set).Select(rule => rule.Threshold)]))];
    }

    /// <summary>The set of a front with the least work whose accuracy is at least this; null when there is none.</summary>
    public static CascadeOutcome? Cheapest(IReadOnlyList<CascadeOutcome> front, double accuracy) =>
        front.FirstOrDefault(outcome => outcome.Accuracy >= accuracy - 1e-12);

    private static IEnumerable<ScreenedSet> Undominated(List<ScreenedSet> sets)
    {
        sets.Sort((a, b) => a.Macs != b.Macs ? a.Macs.CompareTo(b.Macs) : a.Right != b.Right ? b.Right.CompareTo(a.Right) : a.Index.CompareTo(b.Index));
        var best = -1;
        foreach (var set in sets)
        {
            if (set.Right <= best) continue;
            best = set.Right;
            yield return set;
        }
    }

    /// <summary>The rules of a set from its index: mixed radix, the last exit fastest.</summary>
    private static ExitRule[] Choice(ExitRule[][] rules, ScreenedSet set)
    {
        var (choice, index) = (new ExitRule[rules.Length], set.Index);
        for (var exit = rules.Length - 1; exit >= 0; index /= rules[exit--].Length) choice[exit] = rules[exit][index % rules[exit].Length];
        return choice;
    }
}

/// <param name="Index">Which rule at which exit, mixed radix.</param>
/// <param name="Right">Samples answered rightly.</param>
/// <param name="Macs">Work of all samples together.</param>
internal readonly record struct ScreenedSet(int Index, int Right, double Macs);
