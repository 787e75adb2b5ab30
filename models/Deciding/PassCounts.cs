namespace Fleet.Models.Deciding;

/// <summary>
/// Judges all sets of a grid at once. A sample's level at an exit is the number of the exit's rules it passes, rules ascending by bar; it
/// stays under rule t iff its level is at most t. The samples that stay under rules t_1..t_k are then a prefix sum, over k axes, of the
/// histogram of levels, and a set is judged by looking up one such sum at each exit.
/// </summary>
internal sealed class PassCounts
{
    private readonly ExitRule[][] rules;
    private readonly double[] macs;
    private readonly int[][] staying;
    private readonly int[][] right;
    private readonly List<ScreenedSet> sets = [];

    private PassCounts(Cascade cascade, ExitRule[][] rules)
    {
        this.rules = rules;
        macs = [.. cascade.Macs.Select(work => work.Value)];
        var cells = new int[cascade.Samples];
        staying = new int[rules.Length + 1][];
        right = new int[rules.Length + 1][];
        for (var exit = 0; exit <= rules.Length; exit++)
        {
            // The last exit has no rule: it shares the axes of the one before.
            var axes = rules.Take(exit + 1).Select(grid => grid.Length + 1).ToArray();
            if (exit < rules.Length) Refine(cells, rules[exit], cascade.Sureness(exit + 1));
            (staying[exit], right[exit]) = Histogram(cells, cascade.Correct(exit + 1), axes.Aggregate(1, (product, axis) => product * axis));
            Accumulate(staying[exit], axes);
            Accumulate(right[exit], axes);
        }
    }

    /// <summary>Every set of one rule an exit.</summary>
    public static List<ScreenedSet> Count(Cascade cascade, ExitRule[][] rules)
    {
        var counts = new PassCounts(cascade, rules);
        counts.Visit(exit: 0, prefix: 0, new ScreenedSet());
        return counts.sets;
    }

    /// <param name="exit">The next to choose a rule for, from 0.</param>
    /// <param name="prefix">Cell of the rules chosen so far.</param>
    /// <param name="sum">What the exits so far answered.</param>
    private void Visit(int exit, int prefix, ScreenedSet sum)
    {
        if (exit == rules.Length)
        {
            sets.Add(sum with { Right = sum.Right + right[exit][prefix], Macs = sum.Macs + staying[exit][prefix] * macs[exit] });
            return;
        }
        var axis = rules[exit].Length + 1;
        var all = prefix * axis + axis - 1;
        for (var rule = 0; rule < rules[exit].Length; rule++)
        {
            var cell = prefix * axis + rule;
            var (left, leftRight) = (staying[exit][all] - staying[exit][cell], right[exit][all] - right[exit][cell]);
            Visit(exit + 1, cell, new ScreenedSet(sum.Index * rules[exit].Length + rule, sum.Right + leftRight, sum.Macs + left * macs[exit]));
        }
    }

    private static void Refine(int[] cells, ExitRule[] rules, ReadOnlySpan<double> sureness)
    {
        var bars = Array.ConvertAll(rules, rule => rule.Bar);
        for (var sample = 0; sample < cells.Length; sample++)
        {
            var level = 0;
            for (var (low, high) = (0, bars.Length); low < high; level = low)
            {
                var middle = (low + high) / 2;
                if (sureness[sample] >= bars[middle]) low = middle + 1;
                else high = middle;
            }
            cells[sample] = cells[sample] * (bars.Length + 1) + level;
        }
    }

    private static (int[] Samples, int[] Right) Histogram(int[] cells, ReadOnlySpan<bool> correct, int size)
    {
        var (samples, right) = (new int[size], new int[size]);
        for (var sample = 0; sample < cells.Length; sample++)
        {
            samples[cells[sample]]++;
            if (correct[sample]) right[cells[sample]]++;
        }
        return (samples, right);
    }

    /// <summary>Prefix sums along every axis, the last axis fastest.</summary>
    private static void Accumulate(int[] table, int[] axes)
    {
        var stride = 1;
        for (var axis = axes.Length - 1; axis >= 0; stride *= axes[axis--])
            for (var cell = stride; cell < table.Length; cell++)
                if (cell / stride % axes[axis] != 0) table[cell] += table[cell - stride];
    }
}
