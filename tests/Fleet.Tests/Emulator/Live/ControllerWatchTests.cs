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

    private static void Say(ControllerWatch watch, long answered) => watch.Hear(new Topic(TopicKind.Summary, "lab"), Samples.Summary with { AnsweredTotal = answered });
}
