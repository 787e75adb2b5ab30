using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>Planning takes half of a loop's time at most.</summary>
public sealed class PlanningShareTests
{
    [Test]
    public void Wait_ManySitesAtOnce_EachLeavesAsMuchTimeAsThePlanBeforeItTook()
    {
        var clock = new SimClock();
        var share = new PlanningShare(clock);
        var planned = new List<double>();
        for (var site = 0; site < 3; site++)
            clock.Start(async () =>
            {
                await share.Wait(CancellationToken.None);
                planned.Add(clock.Since(0).Value);
                share.Spent(new Seconds(2));
            });
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(planned, Is.EqualTo(new[] { 0.0, 2, 4 }));
    }

    [Test]
    public void Wait_PlansThatTakeNoTime_HoldNobodyUp()
    {
        var share = new PlanningShare(new SimClock());
        share.Spent(Seconds.Zero);
        Assert.That(share.Wait(CancellationToken.None).AsTask().IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void Wait_Stopped_EndsWithoutATurn()
    {
        var clock = new SimClock();
        var share = new PlanningShare(clock);
        using var stop = new CancellationTokenSource();
        bool? mayPlan = null;
        share.Spent(new Seconds(100));
        clock.Start(async () => mayPlan = await share.Wait(stop.Token));
        clock.Run(TimeSpan.FromSeconds(1));
        stop.Cancel();
        clock.Run(TimeSpan.FromSeconds(2));
        Assert.That(mayPlan, Is.False);
    }
}
