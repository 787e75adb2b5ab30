using Fleet.Emulator.Comparing;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Comparing;

public sealed class PairedMeanTests
{
    /// <summary>Worked example: 1, 2, 3, 4, 5 have mean 3, standard error 0.7071, and t(0.975, 4) = 2.776.</summary>
    [Test]
    public void Of_FiveNumbers_IsTheirMeanAndStudentsInterval()
    {
        var mean = PairedMean.Of([1, 2, 3, 4, 5]);
        Assert.That((mean.Mean, mean.Count), Is.EqualTo((3.0, 5)));
        Assert.That(mean.HalfWidth, Is.EqualTo(2.776 * Math.Sqrt(0.5)).Within(1e-9));
    }

    [Test]
    public void Of_OneNumber_KnowsNoInterval() => Assert.That(PairedMean.Of([1]).HalfWidth, Is.EqualTo(double.PositiveInfinity));

    /// <summary>t(0.975, 60) = 2.000 and t(0.975, 120) = 1.980, beyond the table that is kept.</summary>
    [TestCase(61, 2.000)]
    [TestCase(121, 1.980)]
    public void Of_ManyNumbers_UsesTheTailOfStudentsTable(int count, double quantile)
    {
        var values = Enumerable.Range(0, count).Select(i => (double)(i % 2)).ToList();
        var deviation = Math.Sqrt(values.Sum(value => Math.Pow(value - values.Average(), 2)) / (count - 1));
        Assert.That(PairedMean.Of(values).HalfWidth / (deviation / Math.Sqrt(count)), Is.EqualTo(quantile).Within(0.002));
    }

    [Test]
    public void Difference_OfTheSameSeeds_ForgetsWhatTheyShare()
    {
        double[] luck = [10, 30, 20, 50];
        var difference = PairedMean.Difference([.. luck.Select(value => value + 1)], luck);
        Assert.That((difference.Mean, difference.HalfWidth), Is.EqualTo((1.0, 0.0)));
    }
}
