using CsCheck;
using Fleet.Controller.Judge;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Energy;

public sealed class SunniestPlanTests
{
    /// <summary>Enough for all; and with little: every joule that is not needed for waiting serves.</summary>
    [TestCase(1000, 40)]
    [TestCase(10, 18)]
    public void Served_KnownCases_IsWhatTheEnergyGives(double charged, double served) =>
        Assert.That(SunniestPlan.Served([10, 10, 10, 10], [0, 6, 6, 0], standing: 1, each: 1, charged, capacity: 1000), Is.EqualTo(served).Within(1e-6));

    [Test]
    public void Served_TheSunComesTooLate_IsNothing()
    {
        Assert.That(SunniestPlan.Served([10, 10], [0, 100], standing: 5, each: 1, charged: 1, capacity: 100), Is.Null, "it is dark before");
        Assert.That(SunniestPlan.Served([10, 10], [100, 0], standing: 0, each: 1, charged: 0, capacity: 5), Is.EqualTo(15).Within(1e-6), "the rest does not fit into the cell");
    }

    /// <summary>Whoever serves whenever there is charge, or saves some, serves no more.</summary>
    [Test]
    public void Served_AnySun_IsNoLessThanThresholdPolicies() =>
        Gen.Select(Gen.Double[0, 5].Array[5, 30], Gen.Double[0, 10], Gen.Double[1, 20], Gen.Double[0, 8]).Sample((sun, charged, capacity, threshold) =>
        {
            charged = Math.Min(charged, capacity);
            var best = SunniestPlan.Served([.. sun.Select(_ => 3.0)], sun, standing: 0, each: 1, charged, capacity)!.Value;
            var (charge, served) = (charged, 0.0);
            foreach (var harvest in sun)
            {
                var now = Math.Clamp(charge + harvest - threshold, 0, 3);
                served += now;
                charge = Math.Min(capacity, charge + harvest - now);
            }
            Assert.That(best, Is.GreaterThanOrEqualTo(served - 1e-6));
        }, iter: 50);
}
