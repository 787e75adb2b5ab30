using CsCheck;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>Percentiles from bins lie within 2.5 % of the exact ones.</summary>
public sealed class HistogramTests
{
    // From 1 us to 100 s, evenly over the decades.
    private static readonly Gen<double> Duration = Gen.Double[-6, 2].Select(decade => Math.Pow(10, decade));

    [Test]
    public void Percentile_AnyDurations_IsWithinTwoAndAHalfPercentOfTheExactOne() => Gen.Select(Duration.Array[1, 300], Gen.Double[0.001, 1]).Sample((durations, share) =>
    {
        Array.Sort(durations);
        var exact = durations[Math.Max(1, (int)Math.Ceiling(share * durations.Length)) - 1];
        return Math.Abs(Of(durations).Percentile(share)!.Value.Value / exact - 1) <= 0.025;
    }, iter: 2000);

    [Test]
    public void Percentile_OneToAHundredMilliseconds_IsTheNamedOne()
    {
        var histogram = Of(Enumerable.Range(1, 100).Select(i => i / 1000.0));
        Assert.That(histogram.Percentile(0.5)!.Value.Value, Is.EqualTo(0.050).Within(2.5).Percent);
        Assert.That(histogram.Percentile(0.95)!.Value.Value, Is.EqualTo(0.095).Within(2.5).Percent);
        Assert.That(histogram.Percentile(1)!.Value.Value, Is.EqualTo(0.100).Within(2.5).Percent);
        Assert.That(histogram.Percentile(0)!.Value.Value, Is.EqualTo(0.001).Within(2.5).Percent);
        Assert.That(histogram.Mean!.Value.Value, Is.EqualTo(0.0505).Within(1e-12));
    }

    [Test]
    public void Add_OtherHistogram_IsTheHistogramOfBoth() => Gen.Select(Duration.Array[0, 100], Duration.Array[0, 100], Gen.Double[0, 1]).Sample((first, second, share) =>
    {
        var merged = Of(first);
        merged.Add(Of(second));
        var together = Of(first.Concat(second));
        return merged.Count == together.Count && merged.Percentile(share) == together.Percentile(share) && Math.Abs((merged.Sum - together.Sum).Value) <= 1e-9 * together.Sum.Value;
    }, iter: 1000);

    [Test]
    public void Percentile_NothingCounted_IsUnknown()
    {
        var histogram = new Histogram();
        Assert.That((histogram.Percentile(0.5), histogram.Mean, histogram.Count), Is.EqualTo(((Seconds?)null, (Seconds?)null, 0L)));
    }

    [TestCase(0, 1e-6)]
    [TestCase(-1, 1e-6)]
    [TestCase(1e-9, 1e-6)]
    [TestCase(1e9, 110)]
    [TestCase(double.PositiveInfinity, 110)]
    public void Add_DurationOutside_CountsInTheNearestBin(double seconds, double expected) =>
        Assert.That(Of([seconds]).Percentile(0.5)!.Value.Value, Is.EqualTo(expected).Within(3).Percent);

    [Test]
    public void Clear_AfterUse_LeavesNothing()
    {
        var histogram = Of([1, 2, 3]);
        histogram.Clear();
        Assert.That((histogram.Count, histogram.Sum, histogram.Percentile(1)), Is.EqualTo((0L, Seconds.Zero, (Seconds?)null)));
    }

    private static Histogram Of(IEnumerable<double> durations)
    {
        var histogram = new Histogram();
        foreach (var duration in durations) histogram.Add(new Seconds(duration));
        return histogram;
    }
}
