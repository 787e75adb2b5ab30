using CsCheck;
using Fleet.Controller.Placement;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Placement;

/// <summary>Projection against bisection, and rounding against its marginals.</summary>
public sealed class CappedSimplexTests
{
    private static readonly Gen<(double[] H, double[] Size, double Share)> Instance =
        from n in Gen.Int[1, 40]
        from h in Gen.OneOf(Gen.Double[1e-6, 1], Gen.Double[1, 50]).Array[n]
        from size in Gen.Double[0.5, 250].Array[n]
        from share in Gen.Double[0.01, 1.2]
        select (h, size, share);

    [Test]
    public void Project_AnyInstance_EqualsBisection() => Instance.Sample(instance =>
    {
        var (h, size, share) = instance;
        var budget = share * size.Sum();
        var projected = (double[])h.Clone();
        CappedSimplex.Project(projected, size, budget);
        var bisected = Bisected(h, size, budget);
        for (var i = 0; i < h.Length; i++) Assert.That(projected[i], Is.EqualTo(bisected[i]).Within(1e-9));
        Assert.That(projected.Zip(size, (y, s) => y * s).Sum(), Is.EqualTo(Math.Min(budget, size.Sum())).Within(1e-9 * size.Sum()));
    }, iter: 400, seed: "0000000000000001");

    /// <summary>A step may lift a part by e^40, beside which the others' sum is lost in rounding: by hand, the first is whole and what is left of the memory is the others' alike.</summary>
    [TestCase(1e17)]
    [TestCase(1e12)]
    [TestCase(50)]
    public void Project_OnePartBeyondAllOthers_IsWholeAndTheOthersShareTheRest(double largest)
    {
        double[] h = [largest, 1, 1], size = [1, 2, 2];
        CappedSimplex.Project(h, size, budget: 2);
        Assert.That(h, Is.EqualTo(new[] { 1, 0.25, 0.25 }).Within(1e-12));
    }

    /// <summary>The same over many steps, one piece asked for at a time: parts keep the memory whatever the rate.</summary>
    [Test]
    public void NodeAscent_LargeRate_StaysWithinTheBudget()
    {
        double[] size = [10, 30, 20, 50, 40];
        var ascent = new NodeAscent(size, budget: 60, new AscentOptions { IsScaled = false, Rate = 1e3 });
        for (var step = 0; step < 200; step++)
        {
            var slopes = new double[size.Length];
            slopes[step % size.Length] = 10;
            ascent.Step(slopes);
            Assert.That(ascent.Parts.ToArray().Zip(size, (part, s) => part * s).Sum(), Is.EqualTo(60).Within(1e-6), $"step {step}");
            Assert.That(ascent.Parts.ToArray(), Has.All.InRange(0, 1));
        }
    }

    [Test]
    public void DepRound_ManyDraws_KeepsMarginalsAndBudget()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new SeededRandom(seed, "depround");
            var n = 2 + random.Next(9);
            var (size, y) = (new double[n], new double[n]);
            for (var i = 0; i < n; i++) (size[i], y[i]) = (1 + 20 * random.NextDouble(), 0.05 + random.NextDouble());
            CappedSimplex.Project(y, size, size.Sum() * (0.2 + 0.6 * random.NextDouble()));
            var budget = y.Zip(size, (part, s) => part * s).Sum();
            const int Draws = 2500;
            var (mean, off, areWhole) = (new double[n], 0.0, true);
            for (var draw = 0; draw < Draws; draw++)
            {
                var x = (double[])y.Clone();
                DepRound.Round(x, size, random);
                areWhole &= x.All(part => part is 0 or 1);
                off = Math.Max(off, Math.Abs(x.Zip(size, (part, s) => part * s).Sum() - budget));
                for (var i = 0; i < n; i++) mean[i] += x[i] / Draws;
            }
            Assert.That(areWhole, Is.True, $"seed {seed}");
            Assert.That(off, Is.LessThan(size.Max() + 1e-6), $"seed {seed}");
            Assert.That(mean, Is.EqualTo(y).Within(0.05), $"seed {seed}");
        }
    }

    /// <summary>y = min(1, c h), c by bisection on its logarithm.</summary>
    private static double[] Bisected(double[] h, double[] size, double budget)
    {
        if (size.Sum() <= budget) return [.. h.Select(_ => 1.0)];
        var (low, high) = (-50.0, 50.0);
        for (var step = 0; step < 200; step++)
        {
            var middle = (low + high) / 2;
            if (h.Zip(size, (value, s) => s * Math.Min(1, Math.Exp(middle) * value)).Sum() < budget) low = middle;
            else high = middle;
        }
        return [.. h.Select(value => Math.Min(1, Math.Exp(low) * value))];
    }
}
