using CsCheck;
using Fleet.Onnx;
using NUnit.Framework;

namespace Fleet.Tests.Models;

public sealed class ValueHistogramTests
{
    private static readonly Gen<float[]> Values = Gen.Select(Gen.Float[-1, 1], Gen.Int[-30, 30], (mantissa, exponent) => MathF.ScaleB(mantissa, exponent)).Array[1, 300];

    [Test]
    public void MinMax_AnyValues_AreTheirExtremes() => Values.Sample(values =>
        Histogram(values).MinMax() == new ValueRange(values.Min(), values.Max()));

    [Test]
    public void Percentile_OfOne_LeavesNothingOut() => Values.Sample(values =>
    {
        var histogram = Histogram(values);
        return histogram.Percentile(1) == histogram.MinMax();
    });

    [Test]
    public void Percentile_AnyValues_LeavesOutNoMoreThanItsShareToWithinABin() => Gen.Select(Values, Gen.Double[0.51, 1]).Sample((values, ratio) =>
    {
        var range = Histogram(values).Percentile(ratio);
        var (share, bin) = ((1 - ratio) * values.Length, values.Max(Math.Abs) / 2048);
        return values.Count(value => value < range.Low - bin) <= share && values.Count(value => value > range.High + bin) <= share;
    });

    [Test]
    public void Percentile_OneOutlierInAThousand_IsLeftOut()
    {
        var values = Enumerable.Range(0, 999).Select(i => i / 998f).Append(1.5f).ToArray();
        var range = Histogram(values).Percentile(0.999);
        Assert.That(range.High, Is.EqualTo(1).Within(0.003));
    }

    [Test]
    public void Add_InAnyOrderAndPortions_CountsTheSame()
    {
        var values = Enumerable.Range(-500, 1000).Select(i => i * i * i / 1e6f).ToArray();
        var piecemeal = new ValueHistogram();
        foreach (var value in values.Reverse()) piecemeal.Add([value]);
        Assert.That(piecemeal.Count, Is.EqualTo(values.Length));
        Assert.That(piecemeal.Percentile(0.9).High, Is.EqualTo(Histogram(values).Percentile(0.9).High).Within(125f / 2048));
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    public void Add_NoNumber_IsRefused(float value) => Assert.That(() => new ValueHistogram().Add([value]), Throws.TypeOf<InvalidDataException>());

    [Test]
    public void MinMax_OfNothing_IsRefused() => Assert.That(() => new ValueHistogram().MinMax(), Throws.InvalidOperationException);

    private static ValueHistogram Histogram(float[] values)
    {
        var histogram = new ValueHistogram();
        histogram.Add(values);
        return histogram;
    }
}
