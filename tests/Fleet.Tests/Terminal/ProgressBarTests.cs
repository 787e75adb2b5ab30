using Fleet.Contracts;
using Fleet.Terminal;
using NUnit.Framework;

namespace Fleet.Tests.Terminal;

public sealed class ProgressBarTests
{
    [TestCase(600, 0.5, 10, "30 s/s")]
    [TestCase(604_800, 0.25, 60, "2,520 s/s")]
    [TestCase(10, 0.1, 8, "0.13 s/s")]
    [TestCase(600, 0, 10, "")]
    [TestCase(600, 0.5, 0, "")]
    public void Rate_OfWork_IsVirtualSecondsASecond(double simulated, double done, double elapsed, string text) =>
        Assert.That(ProgressBar.Rate(new Seconds(simulated), done, TimeSpan.FromSeconds(elapsed)), Is.EqualTo(text));

    [Test]
    public void Rate_BeforeTheBegin_IsNothing() => Assert.That(ProgressBar.Rate(new Seconds(600), 0.5, elapsed: null), Is.Empty);
}
