namespace Fleet.Models.Profiling;

/// <summary>
/// Least squares whose solution has no negative element: Lawson and Hanson, "Solving Least Squares Problems", 1974, chapter 23 (NNLS),
/// by normal equations, which serve the dozen unknowns of a profile. The same input gives the same bits.
/// </summary>
public static class NonNegativeLeastSquares
{
    /// <summary>Gradients and pivots below this share of their column's scale count as zero.</summary>
    private const double Tolerance = 1e-12;

    /// <summary>The x of no negative element that minimises the sum over rows of (row · x − target)².</summary>
    /// <param name="rows">As many coefficients each as there are unknowns; at least one row.</param>
    /// <param name="targets">One a row.</param>
    public static double[] Solve(IReadOnlyList<double[]> rows, IReadOnlyList<double> targets)
    {
        var unknowns = rows[0].Length;
        // Columns of length one: rates per MAC and per layer differ by orders of magnitude.
        var length = Enumerable.Range(0, unknowns).Select(i => Math.Sqrt(rows.Sum(row => row[i] * row[i]))).ToArray();
        var gram = new double[unknowns, unknowns];
        var moment = new double[unknowns];
        for (var i = 0; i < unknowns; i++)
        {
            if (length[i] == 0) continue;
            for (var j = 0; j < unknowns; j++)
                if (length[j] > 0) gram[i, j] = rows.Sum(row => row[i] * row[j]) / (length[i] * length[j]);
            for (var r = 0; r < rows.Count; r++) moment[i] += rows[r][i] * targets[r] / length[i];
        }
        var x = Scaled(gram, moment);
        return [.. x.Select((value, i) => length[i] > 0 ? value / length[i] : 0)];
    }

    private static double[] Scaled(double[,] gram, double[] moment)
    {
        var x = new double[moment.Length];
        var passive = new List<int>();
        var scale = moment.Max(Math.Abs);
        // Each round takes in one unknown; Lawson and Hanson bound the rounds by three times their number.
        for (var round = 0; round < 3 * x.Length; round++)
        {
            var entering = Enumerable.Range(0, x.Length).Except(passive).Where(i => gram[i, i] > 0)
                .Select(i => (Index: i, Gain: moment[i] - Enumerable.Range(0, x.Length).Sum(j => gram[i, j] * x[j])))
                .Where(candidate => candidate.Gain > Tolerance * scale).OrderByDescending(candidate => candidate.Gain).ThenBy(candidate => candidate.Index).ToList();
            if (entering.Count == 0) return x;
            passive.Add(entering[0].Index);
            Retreat(gram, moment, passive, x);
        }
        return x;
    }

    /// <summary>Solves for the passive unknowns; those that would turn negative are stopped at zero and leave, until none would.</summary>
    private static void Retreat(double[,] gram, double[] moment, List<int> passive, double[] x)
    {
        while (passive.Count > 0)
        {
            var free = Unconstrained(gram, moment, passive);
            var step = 1.0;
            for (var k = 0; k < passive.Count; k++)
                if (free[k] <= 0 && x[passive[k]] - free[k] > 0) step = Math.Min(step, x[passive[k]] / (x[passive[k]] - free[k]));
            var isFeasible = free.All(value => value > 0);
            for (var k = 0; k < passive.Count; k++) x[passive[k]] = isFeasible ? free[k] : x[passive[k]] + step * (free[k] - x[passive[k]]);
            if (isFeasible) return;
            var leaving = passive.Where((i, k) => free[k] <= 0 && x[i] <= Tolerance).ToList();
            foreach (var i in leaving) x[i] = 0;
            passive.RemoveAll(leaving.Contains);
        }
    }

    /// <summary>Gaussian elimination with partial pivoting; an unknown that the others explain stays at zero.</summary>
    private static double[] Unconstrained(double[,] gram, double[] moment, List<int> passive)
    {
        var n = passive.Count;
        var a = passive.Select(i => passive.Select(j => gram[i, j]).Append(moment[i]).ToArray()).ToArray();
        for (var column = 0; column < n; column++)
        {
            var pivot = Enumerable.Range(column, n - column).MaxBy(row => Math.Abs(a[row][column]));
            (a[column], a[pivot]) = (a[pivot], a[column]);
            if (Math.Abs(a[column][column]) < Tolerance) continue;
            for (var row = column + 1; row < n; row++)
            {
                var factor = a[row][column] / a[column][column];
                for (var k = column; k <= n; k++) a[row][k] -= factor * a[column][k];
            }
        }
        var solution = new double[n];
        for (var row = n - 1; row >= 0; row--)
        {
            var rest = a[row][n] - Enumerable.Range(row + 1, n - row - 1).Sum(k => a[row][k] * solution[k]);
            solution[row] = Math.Abs(a[row][row]) < Tolerance ? 0 : rest / a[row][row];
        }
        return solution;
    }
}
