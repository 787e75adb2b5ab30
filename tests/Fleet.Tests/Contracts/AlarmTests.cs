using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>Waits and calls that are used again keep what belongs to whom apart.</summary>
public sealed class AlarmTests
{
    [Test]
    public void Sleep_AgainAndAgain_EndsInTimeUntilTheStop()
    {
        var clock = new SimClock();
        using var stop = new CancellationTokenSource();
        var rung = new List<(double At, bool InTime)>();
        clock.Start(async () =>
        {
            using var alarm = new Alarm(clock, stop.Token);
            for (var i = 0; i < 4; i++) rung.Add((await alarm.Sleep(new Seconds(2)), clock.Since(0).Value) is var (inTime, at) ? (at, inTime) : default);
        });
        clock.Start(async () =>
        {
            await clock.Delay(new Seconds(5));
            stop.Cancel();
        });
        clock.Run(TimeSpan.FromSeconds(60));
        Assert.That(rung, Is.EqualTo(new[] { (2.0, true), (4.0, true), (5.0, false), (5.0, false) }));
    }

    [Test]
    public void Sleep_OfNoTime_HasEnded()
    {
        using var alarm = new Alarm(new SimClock(), CancellationToken.None);
        Assert.That(alarm.Sleep(Seconds.Zero).AsTask().IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void Delay_CutShortWhileOthersWait_LeavesTheOthersAlone()
    {
        var clock = new SimClock();
        using var stop = new CancellationTokenSource();
        var ended = new List<string>();
        async Task Wait(string name, double seconds, CancellationToken until)
        {
            try
            {
                await clock.Delay(new Seconds(seconds), until);
                ended.Add($"{name} at {clock.Since(0).Value}");
            }
            catch (OperationCanceledException)
            {
                ended.Add($"{name} cut at {clock.Since(0).Value}");
            }
        }
        for (var round = 0; round < 2; round++)
        {
            clock.Start(() => Wait("short", 1, CancellationToken.None));
            clock.Start(() => Wait("long", 3, stop.Token));
            clock.Start(() => Wait("longest", 4, CancellationToken.None));
        }
        clock.Run(TimeSpan.FromSeconds(2));
        stop.Cancel();
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(ended, Is.EqualTo(new[] { "short at 1", "short at 1", "long cut at 2", "long cut at 2", "longest at 4", "longest at 4" }));
    }

    [Test]
    public void LoopMethod_ManyCallsAtOnce_EachHasItsOwnResult()
    {
        var clock = new SimClock();
        var results = new List<(int, double)>();
        for (var i = 1; i <= 3; i++)
        {
            var number = i;
            clock.Start(async () =>
            {
                for (var round = 0; round < 3; round++) results.Add((await Doubled(clock, number), clock.Since(0).Value));
            });
        }
        clock.Run(TimeSpan.FromSeconds(100));
        Assert.That(results, Is.EquivalentTo(new[] { (2, 1.0), (2, 2.0), (2, 3.0), (4, 2.0), (4, 4.0), (4, 6.0), (6, 3.0), (6, 6.0), (6, 9.0) }));
    }

    [Test]
    public void LoopMethod_ThatFails_GivesItsFailureToItsCaller()
    {
        var clock = new SimClock();
        clock.Start(async () => await Fail(clock));
        Assert.That(() => clock.Run(TimeSpan.FromSeconds(2)), Throws.InvalidOperationException.With.Message.EqualTo("after 1 s"));
        Assert.That(async () => await Fail(null), Throws.InvalidOperationException.With.Message.EqualTo("at once"));
    }

    [AsyncMethodBuilder(typeof(LoopMethod<>))]
    private static async ValueTask<int> Doubled(SimClock clock, int number)
    {
        await clock.Delay(new Seconds(number));
        return 2 * number;
    }

    [AsyncMethodBuilder(typeof(LoopMethod))]
    private static async ValueTask Fail(SimClock? clock)
    {
        if (clock is null) throw new InvalidOperationException("at once");
        await clock.Delay(new Seconds(1));
        throw new InvalidOperationException("after 1 s");
    }
}
