using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

public sealed class RemindersTests
{
    private SimClock clock = new();

    [SetUp]
    public void Begin() => clock = new SimClock();

    [Test]
    public void IsDue_SaysThatItRunsIt_Never()
    {
        var reminders = Make();
        Assert.That(Due(reminders, told: 5, isRun: true, untilSeconds: 100_000, step: 60), Is.Empty);
    }

    [Test]
    public void IsDue_DoesNotSaySo_AgainAndAgainAfterTwiceAsLongUpToSixHours()
    {
        var due = Due(Make(), told: 5, isRun: false, untilSeconds: 200_000, step: 5);
        Assert.That(due.Take(4), Is.EqualTo((double[])[15, 45, 105, 225]));
        Assert.That(due[^1] - due[^2], Is.EqualTo(6 * 3600));
    }

    [Test]
    public void IsDue_ToldSomethingElseMeanwhile_IsGivenItsTimeAnew()
    {
        var reminders = Make();
        Assert.That(Due(reminders, told: 5, isRun: false, untilSeconds: 100, step: 5), Is.EqualTo((double[])[15, 45]));
        Assert.That(Due(reminders, told: 6, isRun: false, untilSeconds: 160, step: 5), Is.EqualTo((double[])[115, 145]));
    }

    [TestCase(true, TestName = "it has run it meanwhile")]
    [TestCase(false, TestName = "it was forgotten meanwhile")]
    public void IsDue_WasRightBefore_BeginsAnew(bool ran)
    {
        var reminders = Make();
        Due(reminders, told: 5, isRun: false, untilSeconds: 100, step: 5);
        if (ran) Assert.That(reminders.IsDue("cam-1", told: 5, isRun: true), Is.False);
        else reminders.Forget("cam-1");
        Assert.That(Due(reminders, told: 5, isRun: false, untilSeconds: 130, step: 5), Is.EqualTo((double[])[115]));
    }

    private Reminders Make() => new(clock, new Seconds(15));

    /// <summary>When a device that says so every <paramref name="step"/> seconds from now on is to be told again.</summary>
    private List<double> Due(Reminders reminders, long told, bool isRun, double untilSeconds, double step)
    {
        List<double> due = [];
        for (var at = clock.Since(0).Value; at < untilSeconds; at += step)
        {
            clock.Run(TimeSpan.FromSeconds(at));
            if (reminders.IsDue("cam-1", told, isRun)) due.Add(at);
        }
        clock.Run(TimeSpan.FromSeconds(untilSeconds));
        return due;
    }
}
