using Fleet.Models.Offloading;
using NUnit.Framework;

namespace Fleet.Tests.Models.Offloading;

public sealed class ChangeWatchTests
{
    [TestCase(0.5)]
    [TestCase(0.9)]
    [TestCase(0.99)]
    public void Sees_NoChange_StaysQuietForALongTime(double right)
    {
        var (watch, random, agreed, seen) = (new ChangeWatch(), new Random(1), 0.0, 0.0);
        for (var i = 0; i < 100_000; i++)
        {
            var agrees = random.NextDouble() < right;
            Assert.That(watch.Sees(agrees, agreed, seen), Is.False, $"outcome {i}");
            seen++;
            if (agrees) agreed++;
        }
    }

    [TestCase(0.99, 0.8, 150)]
    [TestCase(0.9, 0.6, 150)]
    [TestCase(0.6, 0.9, 200)]
    public void Sees_Change_TellsIt(double before, double after, int within)
    {
        var (watch, random, agreed, seen) = (new ChangeWatch(), new Random(2), 0.0, 0.0);
        for (var i = 0; i < 2_000 + within; i++)
        {
            var agrees = random.NextDouble() < (i < 2_000 ? before : after);
            if (watch.Sees(agrees, agreed, seen)) return;
            seen++;
            if (agrees) agreed++;
        }
        Assert.Fail("no change was told");
    }
}
