using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

public sealed class UnawaitedTests
{
    [Test]
    public void Call_ManyAtOnce_EachKeepsItsOwn()
    {
        var clock = new SimClock();
        var said = new List<(int Who, double At)>();
        async Unawaited Say(int who)
        {
            await clock.Delay(new Seconds(who));
            said.Add((who, clock.Since(0).Value));
            if (who > 2) _ = Say(who - 2);
            await clock.Delay(new Seconds(10));
            said.Add((-who, clock.Since(0).Value));
        }
        clock.Soon(() =>
        {
            _ = Say(3);
            _ = Say(1);
            _ = Say(2);
        });
        clock.Run(TimeSpan.FromSeconds(60));
        Assert.That(said, Is.EqualTo(new[] { (1, 1.0), (2, 2.0), (3, 3.0), (1, 4.0), (-1, 11.0), (-2, 12.0), (-3, 13.0), (-1, 14.0) }));
    }

    [TestCase(0)]
    [TestCase(5)]
    public void Call_Fails_EndsTheRunWithItsFailure(double after)
    {
        var clock = new SimClock();
        async Unawaited Fail()
        {
            await clock.Delay(new Seconds(after));
            throw new InvalidOperationException("as it must");
        }
        clock.Soon(() => _ = Fail());
        Assert.That(() => clock.Run(TimeSpan.FromSeconds(9)), Throws.InvalidOperationException.With.Message.EqualTo("as it must"));
        Assert.That(clock.Since(0).Value, Is.EqualTo(after));
    }
}
