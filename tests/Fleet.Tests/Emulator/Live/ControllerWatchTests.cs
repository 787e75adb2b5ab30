using Fleet.Contracts;
using Fleet.Emulator.Live;
using Fleet.Emulator.Simulation;
using Fleet.Tests.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Live;

public sealed class ControllerWatchTests
{
    [Test]
    public void Heard_AfterAnEarlierRun_CountsThisRunsAnswersOnly()
    {
        var watch = new ControllerWatch(new SimClock());
        Say(watch, 1000);
        watch.HasBegun = true;
        Say(watch, 1000);
        Say(watch, 1250);
        Assert.That(watch.Heard, Is.EqualTo(250));
    }

    [Test]
    public void Heard_ControllersThatBeginAnew_CountsWhatEachHeard()
    {
        var watch = new ControllerWatch(new SimClock());
        Say(watch, 1000);
        watch.HasBegun = true;
        foreach (var total in (long[])[1250, 40, 100, 30]) Say(watch, total);
        Assert.That(watch.Heard, Is.EqualTo(250 + 100 + 30));
    }

    [Test]
    public void Heard_SiteThatNobodySpokeOfBefore_CountsFromZero()
    {
        var watch = new ControllerWatch(new SimClock()) { HasBegun = true };
        Say(watch, 30);
        Assert.That(watch.Heard, Is.EqualTo(30));
    }

    [Test]
    public void Faults_OfAnEarlierRun_AreNotThisRuns()
    {
        var watch = new ControllerWatch(new SimClock());
        Fail(watch, 31, 196_047);
        watch.HasBegun = true;
        Assert.That(watch.Faults, Is.EqualTo((0L, 0L)));
        Fail(watch, 33, 196_050);
        Assert.That(watch.Faults, Is.EqualTo((2L, 3L)));
        // Another controller, with its own broker.
        Fail(watch, 1, 4);
        Assert.That(watch.Faults, Is.EqualTo((3L, 7L)));
    }

    [Test]
    public void Missing_NamesEachThingThatKeepsARunFromBeingWhole()
    {
        var whole = new BulkFigures
        {
            Devices = 1,
            Ready = 1,
            Assigned = 1,
            Misdirected = 0,
            Connections = 1,
            Reconnects = 0,
            Published = 1,
            Reports = 1,
            Received = 1,
            Dropped = 0,
            Unacknowledged = 0,
            Inferences = 1,
            Lost = 0,
            Steady = new(1),
            SteadyMessages = new(1),
            CpuPerMessage = new(1),
            CpuRatio = 1,
            MemoryPerDevice = new(1),
            Memory = new(1),
            Speed = 1,
            DriftMax = new(0),
            Drift = new Drift(new(0), new(0), 0, 0, null),
        };
        Assert.That(whole.IsWhole);
        var not = whole with { Lost = 1, Dropped = 2, Unacknowledged = 3, Misdirected = 4, BrokerDropped = 5, Unheard = 6 };
        Assert.That(not.Missing.Select(line => int.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)), Is.EqualTo(Enumerable.Range(1, 6)));
        Assert.That(not.IsWhole, Is.False);
    }

    private static void Fail(ControllerWatch watch, long malformed, long dropped) =>
        watch.Hear(new Topic(TopicKind.Summary, "lab"), Samples.Summary with { MalformedTotal = malformed, BrokerDroppedTotal = dropped });

    private static void Say(ControllerWatch watch, long answered) => watch.Hear(new Topic(TopicKind.Summary, "lab"), Samples.Summary with { AnsweredTotal = answered });
}
