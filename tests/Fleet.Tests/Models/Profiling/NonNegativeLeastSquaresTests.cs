using CsCheck;
using Fleet.Models.Profiling;
using NUnit.Framework;

namespace Fleet.Tests.Models.Profiling;

public sealed class NonNegativeLeastSquaresTests
{
    [Test]
    public void Solve_OneUnknown_IsTheProjectionOrZero()
    {
        // x = (a · b) / (a · a) = (1*2 + 2*3) / 5.
        Assert.That(NonNegativeLeastSquares.Solve([[1], [2]], [2, 3])[0], Is.EqualTo(1.6).Within(1e-12));
        Assert.That(NonNegativeLeastSquares.Solve([[1], [2]], [-2, -3])[0], Is.Zero);
    }

    [Test]
    public void Solve_OrthogonalColumns_ClipsEachByItself()
    {
        Assert.That(NonNegativeLeastSquares.Solve([[2, 0], [0, 4]], [6, -8]), Is.EqualTo((double[])[3, 0]));
    }

    [Test]
    public void Solve_NegativeOptimum_IsNotTheClippedUnconstrainedOne()
    {
        // Unconstrained: x = (2, -1). On x2 = 0 the optimum is (1*1 + 1*1) / 2 + ... = a · b / a · a with a = (1, 1, 0), b = (1, 1, -1): 1.
        var x = NonNegativeLeastSquares.Solve([[1, 1], [1, 1], [0, 1]], [1, 1, -1]);
        Assert.That(x[0], Is.EqualTo(1).Within(1e-12));
        Assert.That(x[1], Is.Zero);
    }

    [Test]
    public void Solve_EqualColumns_FitsWithEitherOfThem()
    {
        var x = NonNegativeLeastSquares.Solve([[1, 1], [2, 2]], [3, 6]);
        Assert.That(x.Sum(), Is.EqualTo(3).Within(1e-9));
        Assert.That(x, Has.All.GreaterThanOrEqualTo(0));
    }

    [Test]
    public void Solve_ColumnOfZeros_IsZero() => Assert.That(NonNegativeLeastSquares.Solve([[0, 1]], [2]), Is.EqualTo((double[])[0, 2]));

    [Test]
    public void Solve_AnySystem_MeetsTheConditionsOfKuhnAndTucker()
    {
        var entry = Gen.Double[-1, 1];
        Gen.Select(entry.Array[5], entry.Array[5], entry.Array[5], entry.Array[5], entry.Array[5], Gen.Double[-3, 3].Array[5]).Sample((a, b, c, d, e, targets) =>
        {
            double[][] rows = [a, b, c, d, e];
            var x = NonNegativeLeastSquares.Solve(rows, targets);
            for (var i = 0; i < 5; i++)
            {
                // The slope of the sum of squares along x_i: zero where x_i may move both ways, not downhill where it may only grow.
                var slope = Enumerable.Range(0, 5).Sum(r => rows[r][i] * (rows[r].Zip(x, (p, q) => p * q).Sum() - targets[r]));
                var tolerance = 1e-6 * (1 + x.Max());
                if (x[i] < 0 || (x[i] > 0 ? Math.Abs(slope) > tolerance : slope < -tolerance)) return false;
            }
            return true;
        }, iter: 500, seed: "0000KmXBCoy0");
    }
}
