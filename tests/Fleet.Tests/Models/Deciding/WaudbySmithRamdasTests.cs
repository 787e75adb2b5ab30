using CsCheck;
using Fleet.Models.Deciding;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>The bound against its formula written out, and against losses whose mean is known.</summary>
public sealed class WaudbySmithRamdasTests
{
    private static readonly Gen<double[]> Losses = Gen.Double[0, 1].Array[1, 60];
    private static readonly Gen<double> Delta = Gen.Double[0.01, 0.5];

    [Test]
    public void UpperBound_AnyLosses_IsWhereTheWealthFirstExceedsOneOverDelta() => Gen.Select(Losses, Delta).Sample((losses, delta) =>
    {
        var bound = WaudbySmithRamdas.UpperBound(losses, delta);
        return bound is > 0 and <= 1 && (bound == 1 || MaxWealth(losses, delta, bound + 1e-6) > 1 / delta) && MaxWealth(losses, delta, bound - 1e-6) <= 1 / delta;
    });

    [Test]
    public void Certifies_AnyEpsilon_AgreesWithTheBound() => Gen.Select(Losses, Delta, Gen.Double[0.001, 1.2]).Sample((losses, delta, epsilon) =>
    {
        var bound = WaudbySmithRamdas.UpperBound(losses, delta);
        return Math.Abs(bound - epsilon) < 1e-6 || WaudbySmithRamdas.Certifies(losses, epsilon, delta) == bound <= epsilon;
    });

    [Test]
    public void UpperBound_LossesInAnotherUnit_IsTheSameInThatUnit() => Gen.Select(Losses, Delta).Sample((losses, delta) =>
        Math.Abs(WaudbySmithRamdas.UpperBound(Array.ConvertAll(losses, loss => loss * 2), delta, largest: 2) - 2 * WaudbySmithRamdas.UpperBound(losses, delta)) < 1e-6);

    /// <summary>By a margin only: the bets themselves depend on delta, so that a slightly smaller delta may give a slightly lower bound.</summary>
    [Test]
    public void UpperBound_MuchMoreConfidence_IsHigher()
    {
        double[] losses = [.. Enumerable.Range(0, 300).Select(i => i % 10 == 3 ? 1.0 : 0.0)];
        var bounds = new[] { 0.5, 0.1, 0.01, 0.001 }.Select(delta => WaudbySmithRamdas.UpperBound(losses, delta)).ToList();
        Assert.That(bounds, Is.Ordered.And.All.GreaterThan(0.1));
    }

    [Test]
    public void UpperBound_OneSample_ProvesNothing() => Assert.That(WaudbySmithRamdas.UpperBound([0], 0.1), Is.EqualTo(1));

    [Test]
    public void UpperBound_NoLossAtAll_ShrinksAsOneOverTheSamples()
    {
        // Nobody can do better than delta^(1/n), about ln(10)/n; the bet pays a little for not knowing the variance.
        foreach (var n in (int[])[100, 1000, 10_000])
            Assert.That(WaudbySmithRamdas.UpperBound(new double[n], 0.1), Is.InRange(Math.Log(10) / n * 0.98, 2.5 * Math.Log(10) / n), $"{n}");
    }

    [TestCase(0.02, 500)]
    [TestCase(0.2, 200)]
    [TestCase(0.5, 50)]
    public void UpperBound_LossesOfAKnownMean_IsBelowItAtMostDeltaOfTheTime(double mean, int samples)
    {
        var random = new Random(1);
        var below = 0;
        for (var trial = 0; trial < 2000; trial++)
            if (WaudbySmithRamdas.Certifies([.. Enumerable.Range(0, samples).Select(_ => random.NextDouble() < mean ? 1.0 : 0)], mean - 1e-9, 0.1)) below++;
        Assert.That(below, Is.InRange(1, 200));
    }

    [Test]
    public void UpperBound_LossOutsideOrDeltaThatIsNone_IsRefused()
    {
        Assert.That(() => WaudbySmithRamdas.UpperBound([0.1, 1.1], 0.1), Throws.ArgumentException.With.Message.Contains("loss 1.1 of sample 1"));
        Assert.That(() => WaudbySmithRamdas.UpperBound([double.NaN], 0.1), Throws.ArgumentException);
        Assert.That(() => WaudbySmithRamdas.UpperBound([-0.1], 0.1), Throws.ArgumentException);
        foreach (var delta in (double[])[0, 1, double.NaN]) Assert.That(() => WaudbySmithRamdas.UpperBound([0.1], delta), Throws.ArgumentException.With.Message.Contains("delta"), $"{delta}");
    }

    /// <summary>max over i of the product of 1 - nu_j (x_j - mu), each sum of the definition written out.</summary>
    private static double MaxWealth(double[] x, double delta, double mu)
    {
        double Mean(int i) => (0.5 + x.Take(i).Sum()) / (1 + i);
        double Variance(int i) => (0.25 + Enumerable.Range(1, i).Sum(j => (x[j - 1] - Mean(j)) * (x[j - 1] - Mean(j)))) / (1 + i);
        double wealth = 1, most = 1;
        for (var i = 1; i <= x.Length; i++)
        {
            wealth *= 1 - Math.Min(1, Math.Sqrt(2 * Math.Log(1 / delta) / (x.Length * Variance(i - 1)))) * (x[i - 1] - mu);
            most = Math.Max(most, wealth);
        }
        return most;
    }
}
