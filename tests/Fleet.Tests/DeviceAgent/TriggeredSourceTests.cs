using Fleet.Contracts;
using Fleet.DeviceAgent.Sensing;
using Fleet.Emulator.Simulation;
using Fleet.Models;
using Fleet.Tests.Models;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

public sealed class TriggeredSourceTests
{
    private static readonly Hertz Rate = new(4);

    [Test]
    public void Cameras_StartedApart_TakeTheSamePictureAtTheSameMoment()
    {
        var clock = new SimClock();
        var (one, two) = (Watch(clock, view: 1, after: 0.3), Watch(clock, view: 6, after: 1.1));
        clock.Run(TimeSpan.FromSeconds(3));
        Assert.That(two, Has.Count.EqualTo(8));
        Assert.That(one.TakeLast(8).Select(taken => (taken.At, taken.Sample.Index)), Is.EqualTo(two.Select(taken => (taken.At, taken.Sample.Index))));
        Assert.That(one.Select(taken => taken.At % 0.25), Is.All.Zero);
        Assert.That(one.Select(taken => taken.Sample.Index), Is.Unique);
        var last = one[^1].Sample;
        Assert.That(last.Pixels.ToArray(), Is.EqualTo(ViewGrid.Six.Cut(Zoo.Images.Image(last.Index).Span, 1)));
        Assert.That(two[^1].Sample.Pixels.ToArray(), Is.EqualTo(ViewGrid.Six.Cut(Zoo.Images.Image(last.Index).Span, 6)));
        Assert.That(last.Label, Is.EqualTo(Zoo.Images.Label(last.Index)));
    }

    [Test]
    public void Camera_BusyTooLong_MissesTriggersInsteadOfFallingBehind()
    {
        var clock = new SimClock();
        var (idle, busy) = (Watch(clock, view: 1, after: 0), Watch(clock, view: 2, after: 0, busy: 0.6));
        clock.Run(TimeSpan.FromSeconds(3));
        Assert.That(busy, Has.Count.InRange(3, 6));
        foreach (var taken in busy)
        {
            // Those taken are late by less than half a period.
            var same = idle.Single(other => other.Sample.Index == taken.Sample.Index);
            Assert.That(taken.At - same.At, Is.InRange(0, 0.125));
        }
    }

    private static List<(double At, Sample Sample)> Watch(SimClock clock, int view, double after, double busy = 0)
    {
        var taken = new List<(double, Sample)>();
        clock.Start(async () =>
        {
            await clock.Delay(new Seconds(after));
            await foreach (var sample in new TriggeredSource(Zoo.Images, ViewGrid.Six, view, Rate, new SeededRandom(1, "order"), clock))
            {
                taken.Add((clock.Since(0).Value, sample));
                await clock.Delay(new Seconds(busy));
            }
        });
        return taken;
    }
}
