using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using Fleet.Emulator.Workload;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Workload;

/// <summary>Arrival processes against what is known of them in closed form.</summary>
public sealed class ArrivalTests
{
    [Test]
    public void Poisson_CountsInWindows_HaveDispersionOne()
    {
        var (mean, dispersion) = Counts(new PoissonArrivals(new Hertz(2), Stream("poisson")), window: 10, windows: 20_000);
        Assert.That(mean, Is.EqualTo(20).Within(1).Percent);
        Assert.That(dispersion, Is.EqualTo(1).Within(0.05));
    }

    /// <summary>
    /// Variance over mean of the counts in windows of length t: 1 + A/(s1 + s2) (1 - (1 - e^{-(s1+s2)t}) / ((s1+s2)t)),
    /// A = 2 s1 s2 (r1 - r2)^2 / ((s1 + s2) (r1 s2 + r2 s1)). Fischer and Meier-Hellstern, "The Markov-modulated Poisson process cookbook",
    /// Performance Evaluation 18(2), 1993, for two states.
    /// </summary>
    [TestCase(10.0, 5.0, 1.0, 20.0)]
    [TestCase(4.0, 2.0, 2.0, 5.0)]
    public void Bursty_CountsInWindows_HaveTheDispersionOfTheProcess(double ratio, double calmMean, double burstMean, double window)
    {
        var spec = new BurstySpec { Ratio = ratio, CalmMean = new Seconds(calmMean), BurstMean = new Seconds(burstMean) };
        var calm = spec.Calm(new Hertz(2)).Value;
        var process = new BurstyArrivals(new Hertz(calm), new Hertz(calm * ratio), spec.CalmMean, spec.BurstMean, Stream("bursty"));
        Assert.That(process.Mean.Value, Is.EqualTo(0.5).Within(1e-9));
        var (s1, s2) = (1 / calmMean, 1 / burstMean);
        var (s, gap) = (s1 + s2, calm * ratio - calm);
        var limit = 2 * s1 * s2 * gap * gap / (s * s * (calm * s2 + calm * ratio * s1));
        var expected = 1 + limit * (1 - (1 - Math.Exp(-s * window)) / (s * window));
        var (mean, dispersion) = Counts(process, window, windows: 20_000);
        Assert.That(mean, Is.EqualTo(2 * window).Within(3).Percent);
        Assert.That(dispersion, Is.EqualTo(expected).Within(8).Percent);
        Assert.That(expected, Is.GreaterThan(1.5), "it is bursty");
    }

    [Test]
    public void Diurnal_WholeDays_GiveTheDailyTotalAndTheHighestRateAtThePeak()
    {
        const double Rate = 0.05;
        const int Days = 50;
        var process = new DiurnalArrivals(new Hertz(Rate), depth: 0.8, begin: new Seconds(3600), peak: new Seconds(14 * 3600), day: new Seconds(86_400), Stream("diurnal"));
        var times = Times(process, Days * 86_400);
        Assert.That(times, Has.Count.EqualTo(Rate * 86_400 * Days).Within(1).Percent);
        // Over the six hours around the peak and around the trough: rate x (6 h +- 0.8 x day / pi x sin(pi / 4)).
        int Between(double from, double to) => times.Count(time => (time + 3600) % 86_400 is var hour && hour >= from * 3600 && hour < to * 3600);
        var swing = 0.8 * 86_400 / Math.PI * Math.Sin(Math.PI / 4);
        Assert.That(Between(11, 17), Is.EqualTo(Rate * Days * (6 * 3600 + swing)).Within(2).Percent);
        Assert.That(Between(23, 24) + Between(0, 5), Is.EqualTo(Rate * Days * (6 * 3600 - swing)).Within(4).Percent);
    }

    [Test]
    public void Event_Neighbours_SeeTheSameThingsAndStrangersDoNot()
    {
        const int Devices = 12;
        EventArrivals Device(int index) => new(new Hertz(1), Seconds.Zero, [.. new[] { index - 1, index, index + 1 }.Select(place => Stream($"place {(place + Devices) % Devices}"))], Stream($"device {index}"));
        var seen = Enumerable.Range(0, Devices).Select(index => Times(Device(index), 5_000).ToHashSet()).ToList();
        double Shared(int a, int b) => (double)seen[a].Count(seen[b].Contains) / seen[a].Count;
        Assert.That(seen.Average(times => times.Count), Is.EqualTo(5_000).Within(2).Percent);
        Assert.That(Shared(3, 4), Is.EqualTo(2 / 3.0).Within(0.03), "two of three places are in reach of both");
        Assert.That(Shared(3, 5), Is.EqualTo(1 / 3.0).Within(0.03));
        Assert.That(Shared(0, 11), Is.EqualTo(2 / 3.0).Within(0.03), "they stand in a circle");
        Assert.That(Shared(3, 6), Is.Zero);
    }

    [Test]
    public void Event_WithADelay_IsSeenInOrderAndInTime()
    {
        EventArrivals Device(double within) => new(new Hertz(1), new Seconds(within), [Stream("a"), Stream("b")], Stream("device"));
        var (happened, seen) = (Times(Device(0), 1_000), Times(Device(5), 1_000));
        Assert.That(seen, Is.Ordered);
        Assert.That(seen.Count, Is.EqualTo(happened.Count).Within(15));
        Assert.That(seen.Zip(happened), Is.All.Matches<(double Seen, double Happened)>(pair => pair.Seen >= pair.Happened - 1e-9), "the n-th seen is no sooner than the n-th that happened");
    }

    [Test]
    public void Recorded_WithDevices_GivesEachItsOwn()
    {
        var times = Read("time_s,device\n1,1\n2.5,2\n4,1\n");
        Assert.That(Times(new RecordedArrivals(times.Of(0, 2), repeat: null), 100), Is.EqualTo([1.0, 4.0]));
        Assert.That(Times(new RecordedArrivals(times.Of(1, 2), new Seconds(10)), 25), Is.EqualTo([2.5, 12.5, 22.5]));
        Assert.That(Times(new RecordedArrivals(times.Of(2, 3), repeat: null), 100), Is.Empty);
    }

    [Test]
    public void Recorded_WithoutDevices_IsDealtInTurn()
    {
        var times = Read("time_s\n1\n2\n3\n4\n5\n");
        Assert.That(times.Of(0, 2).Select(time => time.Value), Is.EqualTo([1, 3, 5]));
        Assert.That(times.Of(1, 2).Select(time => time.Value), Is.EqualTo([2, 4]));
    }

    [Test]
    public void Recorded_DeviceThatBeganLate_HasMissedWhatWasBefore() =>
        Assert.That(new RecordedArrivals([new(1), new(2), new(5)], new Seconds(6)).Next(new Seconds(8.5))!.Value.Value, Is.EqualTo(2.5).Within(1e-9), "5 s of the second round");

    [Test]
    public void Recorded_BadFile_AllItsFaultsAreNamed()
    {
        var failure = Assert.Throws<FaultsException>(() => Read("time_s,device\n3,1\n2,1\nsoon,0\n"))!;
        Assert.That(failure.Faults, Has.Count.EqualTo(3));
        Assert.That(failure.Faults, Has.One.Contains("line 3: time_s is \"2\"").And.One.Contains("line 4: time_s is \"soon\"").And.One.Contains("line 4: device is \"0\""));
    }

    [Test]
    public void Staged_AtItsTime_AnotherProcessGoesOn()
    {
        var process = new StagedArrivals([(Seconds.Zero, new PeriodicArrivals(new Hertz(1), 0.5)), (new Seconds(3), new PeriodicArrivals(new Hertz(10), 0))]);
        Assert.That(Times(process, 3.35).Select(time => Math.Round(time, 9)), Is.EqualTo([0.5, 1.5, 2.5, 3, 3.1, 3.2, 3.3]));
        Assert.That(process.Mean.Value, Is.EqualTo(0.1).Within(1e-12));
    }

    [Test]
    public void Staged_OnceRecordedOnesHaveEnded_TheNextStageBeginsAllTheSame()
    {
        var process = new StagedArrivals([(Seconds.Zero, new RecordedArrivals([new(1)], repeat: null)), (new Seconds(5), new PeriodicArrivals(new Hertz(1), 0))]);
        Assert.That(Times(process, 7.5), Is.EqualTo([1.0, 5.0, 6.0, 7.0]));
    }

    private static (double Mean, double Dispersion) Counts(ArrivalProcess process, double window, int windows)
    {
        var counts = new double[windows];
        foreach (var time in Times(process, window * windows)) counts[(int)(time / window)]++;
        var mean = counts.Average();
        return (mean, counts.Sum(count => (count - mean) * (count - mean)) / (windows - 1) / mean);
    }

    private static List<double> Times(ArrivalProcess process, double until)
    {
        var times = new List<double>();
        var at = Seconds.Zero;
        while (process.Next(at) is { } wait && (at + wait).Value < until)
        {
            at += wait;
            times.Add(at.Value);
        }
        return times;
    }

    private static RecordedTimes Read(string text)
    {
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"arrivals-{Guid.CreateVersion7()}.csv");
        File.WriteAllText(path, text);
        try
        {
            return RecordedTimes.Read(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static SeededRandom Stream(string name) => new(1, name);
}
