using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

public sealed class BoundsTests
{
    private static readonly Bounds Hour = new(0.5, 3600);

    [TestCase(0.5)]
    [TestCase(1)]
    [TestCase(3600)]
    public void Checked_BothEndsAndWhatIsBetween_IsAllowed(double value)
    {
        Assert.That(Hour.Checked("--flag", value), Is.EqualTo(value));
        Assert.That(Hour.Checked("--flag", new Seconds(value)), Is.EqualTo(new Seconds(value)));
        Assert.That(Hour.Faults("key", value), Is.Empty);
    }

    [TestCase(0.49)]
    [TestCase(3600.1)]
    [TestCase(-1)]
    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    public void Checked_WhatIsOutside_NamesFlagValueAndRange(double value)
    {
        var said = System.FormattableString.Invariant($"is {value}; allowed: 0.5 to 3600");
        Assert.That(() => Hour.Checked("--flag", value), Throws.TypeOf<FaultsException>().With.Message.EqualTo("--flag: " + said));
        Assert.That(Hour.Faults("key", value), Is.EqualTo(new[] { "key " + said }));
    }

    [Test]
    public void ToString_LargeAndSmallEnds_AreWrittenOut() => Assert.That(new Bounds(0.001, 1e9).ToString(), Is.EqualTo("0.001 to 1000000000"));
}
