using Fleet.Controller.Quality;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Quality;

public sealed class DriftDetectorTests
{
    /// <summary>The least favourable case of the null: as many differ as may, or as few. The promise is a mean of at least A audits to a false alarm.</summary>
    [TestCase(0.02, 0.05, 0.05)]
    [TestCase(0.02, 0.05, 0.02)]
    [TestCase(0.2, 0.3, 0.25)]
    public void Add_NothingChanges_AlarmsNoMoreOftenThanPromised(double least, double most, double rate)
    {
        const int Audits = 200_000;
        const double Promised = 500;
        var (detector, random, alarms) = (new DriftDetector(Promised), new SeededRandom(1, "null"), 0);
        for (var audit = 0; audit < Audits; audit++)
            if (detector.Add(least, most, random.NextDouble() < rate)) alarms++;
        Assert.That(alarms, Is.LessThanOrEqualTo(Audits / Promised));
    }

    [TestCase(0.25, Description = "more differ")]
    [TestCase(0.0, Description = "fewer differ")]
    public void Add_ShareChanges_AlarmsSoonAndKnowsSinceWhen(double after)
    {
        var (delays, misses) = (new List<int>(), new List<double>());
        for (var seed = 1; seed <= 20; seed++)
        {
            var (detector, random) = (new DriftDetector(10_000), new SeededRandom(seed, "shift"));
            for (var audit = 0; audit < 1000; audit++) Assert.That(detector.Add(0.08, 0.1, random.NextDouble() < 0.09), Is.False, "a thousand audits are far fewer than ten thousand");
            var late = 1;
            while (!detector.Add(0.08, 0.1, random.NextDouble() < after)) late++;
            delays.Add(late);
            misses.Add(Math.Abs(detector.Since - late));
        }
        Assert.That(delays.Average(), Is.LessThan(200));
        Assert.That(misses.Average(), Is.LessThan(40));
    }

    [Test]
    public void Add_AllOrNothingIsInOrder_NeverAlarms()
    {
        var detector = new DriftDetector(100);
        for (var audit = 0; audit < 1000; audit++) Assert.That(detector.Add(-0.01, 1.01, audit % 2 == 0), Is.False);
    }
}
