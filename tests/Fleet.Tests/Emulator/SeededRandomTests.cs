using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

public sealed class SeededRandomTests
{
    /// <summary>Computed by another program from the papers' formulas: results of old runs must stay repeatable.</summary>
    [TestCase(1, "lab/pi-5-001/board", 6203263644265607291, 7559963684287927476, 223327649556836326)]
    [TestCase(2, "lab/pi-5-001/board", 5496952762052753899, 5943309536930758294, 5776562569952925795)]
    [TestCase(1, "lab/pi-5-002/board", 6773341045705551573, 3559921396985870524, 9083600745164048517)]
    public void NextInt64_SeedAndName_GivesTheGoldenValues(long seed, string name, long first, long second, long third)
    {
        var random = new SeededRandom(seed, name);
        Assert.That((long[])[random.NextInt64(), random.NextInt64(), random.NextInt64()], Is.EqualTo((long[])[first, second, third]));
    }

    [Test]
    public void Streams_NeighbouringNamesAndSeeds_DoNotCorrelate()
    {
        var streams = new List<SeededRandom>();
        for (var i = 0; i < 5; i++)
        {
            streams.Add(new SeededRandom(1, $"device-{i}"));
            streams.Add(new SeededRandom(i + 2, "device"));
        }
        const int Draws = 4000;
        var drawn = streams.Select(stream => Enumerable.Range(0, Draws).Select(_ => stream.NextDouble() - 0.5).ToArray()).ToList();
        for (var a = 0; a < drawn.Count; a++)
            for (var b = 0; b < a; b++)
                Assert.That(drawn[a].Zip(drawn[b], (x, y) => x * y).Average() * 12, Is.EqualTo(0).Within(5 / Math.Sqrt(Draws)), $"streams {a} and {b}");
    }

    [Test]
    public void NextDouble_ManyDraws_FillTwentyBinsEvenly()
    {
        const int Draws = 40_000;
        var bins = new int[20];
        var random = new SeededRandom(7, "uniform");
        for (var i = 0; i < Draws; i++) bins[(int)(random.NextDouble() * bins.Length)]++;
        var expected = (double)Draws / bins.Length;
        var chiSquare = bins.Sum(count => (count - expected) * (count - expected) / expected);
        // 99.9 % quantile of chi-square with 19 degrees of freedom.
        Assert.That(chiSquare, Is.LessThan(43.8));
    }

    [Test]
    public void Next_Range_StaysInsideAndReachesBothEnds()
    {
        var random = new SeededRandom(3, "range");
        var drawn = Enumerable.Range(0, 1000).Select(_ => random.Next(-3, 4)).ToHashSet();
        Assert.That(drawn.Order(), Is.EqualTo(Enumerable.Range(-3, 7)));
        Assert.That(() => random.Next(2, 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void NextNormal_ManyDraws_HasTheMomentsOfAStandardNormal()
    {
        const int Draws = 40_000;
        var random = new SeededRandom(11, "normal");
        var drawn = Enumerable.Range(0, Draws).Select(_ => random.NextNormal()).ToArray();
        Assert.That(drawn.Average(), Is.EqualTo(0).Within(5 / Math.Sqrt(Draws)));
        Assert.That(drawn.Average(x => x * x), Is.EqualTo(1).Within(5 * Math.Sqrt(2.0 / Draws)));
        Assert.That(drawn.Average(x => x * x * x), Is.EqualTo(0).Within(5 * Math.Sqrt(15.0 / Draws)));
        Assert.That(drawn.Average(x => x * x * x * x), Is.EqualTo(3).Within(5 * Math.Sqrt(96.0 / Draws)));
    }
}
