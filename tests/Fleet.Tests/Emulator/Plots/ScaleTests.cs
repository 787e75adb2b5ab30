using Fleet.Emulator.Plots;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Plots;

public sealed class ScaleTests
{
    [Test]
    public void LinearTicks_AreRoundAndWithin()
    {
        var scale = new Scale("", 0.884, 0.938, IsLogarithmic: false, Scale.Percent);
        Assert.That(scale.Ticks.Select(scale.Text), Is.EqualTo(new[] { "89 %", "90 %", "91 %", "92 %", "93 %" }));
    }

    [Test]
    public void LinearTicks_FromZero_BeginWithPlainZero() =>
        Assert.That(new Scale("", 0, 1, IsLogarithmic: false, Scale.Number).Ticks.Select(Scale.Number), Is.EqualTo(new[] { "0", "0.2", "0.4", "0.6", "0.8", "1" }));

    [Test]
    public void LogarithmicTicks_AreOneTwoFive() =>
        Assert.That(new Scale("", 30, 2_000, IsLogarithmic: true, Scale.Number).Ticks.Select(Scale.Number), Is.EqualTo(new[] { "50", "100", "200", "500", "1,000", "2,000" }));

    [TestCase(false, 55, 0.5)]
    [TestCase(true, 31.6227766, 0.5)]
    [TestCase(true, 10, 0)]
    [TestCase(false, 100, 1)]
    public void Share_Value_IsWhereItLies(bool logarithmic, double value, double share) =>
        Assert.That(new Scale("", 10, 100, logarithmic, Scale.Number).Share(value), Is.EqualTo(share).Within(1e-9));

    [TestCase(new[] { 5.0 })]
    [TestCase(new[] { 0.0 })]
    [TestCase(new[] { 1.0, 2, 3 })]
    public void Linear_AnyValues_HoldsThemAndHasLength(double[] values)
    {
        var scale = Scale.Linear("", values, Scale.Number);
        Assert.That(scale.To, Is.GreaterThan(scale.From));
        Assert.That(values.Select(scale.Share), Is.All.InRange(0, 1));
        Assert.That(scale.Ticks, Is.Not.Empty);
    }
}
