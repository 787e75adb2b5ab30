using CsCheck;
using Fleet.Emulator.Reporting;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Reporting;

public sealed class StatisticsTests
{
    // Any table of Student's t, two-sided 95 % but for the last two.
    [TestCase(0.975, 1, 12.7062)]
    [TestCase(0.975, 2, 4.30265)]
    [TestCase(0.975, 3, 3.18245)]
    [TestCase(0.975, 5, 2.57058)]
    [TestCase(0.975, 10, 2.22814)]
    [TestCase(0.975, 30, 2.04227)]
    [TestCase(0.975, 100, 1.98397)]
    [TestCase(0.975, 1000, 1.96234)]
    [TestCase(0.95, 1, 6.31375)]
    [TestCase(0.995, 4, 4.60409)]
    public void StudentQuantile_Tabled_IsTheTables(double p, int degrees, double expected)
    {
        Assert.That(Statistics.StudentQuantile(p, degrees), Is.EqualTo(expected).Within(5e-6 * expected));
        Assert.That(Statistics.StudentQuantile(1 - p, degrees), Is.EqualTo(-expected).Within(5e-6 * expected), "it is symmetric");
    }

    [Test]
    public void StudentQuantile_OneAndTwoDegrees_IsTheClosedForm() => Gen.Double[0.501, 0.9999].Sample(p =>
    {
        // Cauchy's distribution, and t = (2p - 1) / sqrt(2 p (1 - p)).
        var ofTwo = (2 * p - 1) / Math.Sqrt(2 * p * (1 - p));
        return Math.Abs(Statistics.StudentQuantile(p, 1) / Math.Tan(Math.PI * (p - 0.5)) - 1) < 1e-9 && Math.Abs(Statistics.StudentQuantile(p, 2) / ofTwo - 1) < 1e-9;
    });

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(double.NaN)]
    public void StudentQuantile_NoProbability_IsRefused(double p) => Assert.Throws<ArgumentOutOfRangeException>(() => Statistics.StudentQuantile(p, 3));

    [Test]
    public void Of_EightValues_MeanDeviationAndInterval()
    {
        var estimate = Statistics.Of([2, 4, 4, 4, 5, 5, 7, 9]);
        Assert.That(estimate.Mean, Is.EqualTo(5));
        Assert.That(estimate.Deviation, Is.EqualTo(Math.Sqrt(32 / 7.0)).Within(1e-12));
        Assert.That(estimate.HalfWidth, Is.EqualTo(2.364624 * Math.Sqrt(32 / 7.0) / Math.Sqrt(8)).Within(1e-6));
        Assert.That((estimate.Count, estimate.Min, estimate.Max), Is.EqualTo((8, 2.0, 9.0)));
    }

    [Test]
    public void Of_OneValue_HasNoInterval() => Assert.That(Statistics.Of([3]), Is.EqualTo(new Estimate(1, 3, 0, null, 3, 3)));

    /// <summary>Student's own example: hours of sleep gained by ten patients with either drug. R's t.test gives 0.7001142 to 2.4598858.</summary>
    [Test]
    public void OfDifferences_StudentsSleepData_IsThePublishedInterval()
    {
        var estimate = Statistics.OfDifferences([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]);
        Assert.That(estimate.Mean, Is.EqualTo(1.58).Within(1e-12));
        Assert.That(estimate.Low, Is.EqualTo(0.7001142).Within(1e-7));
        Assert.That(estimate.High, Is.EqualTo(2.4598858).Within(1e-7));
    }
}
