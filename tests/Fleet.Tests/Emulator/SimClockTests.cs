using CsCheck;
using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

public sealed class SimClockTests
{
    [Test]
    public void Timers_AnyDelays_FireInOrderOfDueThenSequence() => Gen.Int[0, 20].Array[0, 60].Sample(
        delays =>
        {
            var clock = new SimClock();
            var fired = new List<(long At, int Number)>();
            foreach (var (delay, number) in delays.Select((delay, i) => (delay, i)))
                clock.CreateTimer(_ => fired.Add((clock.GetTimestamp(), number)), null, TimeSpan.FromTicks(delay), Timeout.InfiniteTimeSpan);
            clock.Run(TimeSpan.FromSeconds(1));
            var expected = delays.Select((delay, i) => ((long)delay, i)).OrderBy(timer => timer.Item1).ThenBy(timer => timer.i);
            Assert.That(fired, Is.EqualTo(expected));
        },
        iter: 200, threads: 1);

    [Test]
    public void Delay_BelowAMillisecond_WaitsExactlySoLong()
    {
        var clock = new SimClock();
        var woke = TimeSpan.Zero;
        clock.Start(async () =>
        {
            await clock.Delay(new Seconds(0.0000007));
            woke = TimeSpan.FromTicks(clock.GetTimestamp());
        });
        clock.Run(TimeSpan.FromSeconds(1));
        Assert.That(woke, Is.EqualTo(TimeSpan.FromTicks(7)));
    }

    [Test]
    public void Run_UntilATime_StopsThereAndGoesOnLater()
    {
        var clock = new SimClock();
        var beats = 0;
        using var timer = clock.CreateTimer(_ => beats++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        clock.Run(TimeSpan.FromSeconds(3.5));
        Assert.That(beats, Is.EqualTo(3));
        Assert.That(clock.GetUtcNow(), Is.EqualTo(DateTimeOffset.UnixEpoch.AddSeconds(3.5)));
        clock.Run(TimeSpan.FromSeconds(5));
        Assert.That(beats, Is.EqualTo(5));
    }

    [Test]
    public void Timer_Disposed_NeverFires()
    {
        var clock = new SimClock();
        var fired = 0;
        var timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1));
        clock.Run(TimeSpan.FromSeconds(1));
        timer.Dispose();
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(fired, Is.Zero);
    }

    [Test]
    public void Timer_Changed_FiresAtItsNewTimeOnly()
    {
        var clock = new SimClock();
        var fired = new List<double>();
        using var timer = clock.CreateTimer(_ => fired.Add(clock.UnixTime().Value), null, TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan);
        clock.Run(TimeSpan.FromSeconds(1));
        timer.Change(TimeSpan.FromSeconds(4), Timeout.InfiniteTimeSpan);
        clock.Run(TimeSpan.FromSeconds(10));
        timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        clock.Run(TimeSpan.FromSeconds(20));
        Assert.That(fired, Is.EqualTo((double[])[5]));
    }

    [Test]
    public void Timer_DisposedByItsOwnCallback_FiresOnce()
    {
        var clock = new SimClock();
        var fired = 0;
        ITimer? timer = null;
        timer = clock.CreateTimer(
            _ =>
            {
                fired++;
                timer!.Dispose();
            },
            null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(fired, Is.EqualTo(1));
    }

    [Test]
    public void Timer_DueInThePast_IsRefusedAsOtherClocksDo()
    {
        var clock = new SimClock();
        Assert.That(() => clock.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(-1), Timeout.InfiniteTimeSpan), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Soon_FromACallback_RunsAtTheSameTimeButAfterIt()
    {
        var clock = new SimClock();
        var order = new List<string>();
        clock.CreateTimer(
            _ =>
            {
                clock.Soon(() => order.Add($"soon {clock.UnixTime().Value}"));
                order.Add("timer");
            },
            null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        clock.CreateTimer(_ => order.Add("next timer"), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        clock.Run(TimeSpan.FromSeconds(2));
        Assert.That(order, Is.EqualTo((string[])["timer", "soon 1", "next timer"]));
    }

    [Test]
    public void Start_ProcessThatFails_FailsTheRunWithItsOwnException()
    {
        var clock = new SimClock();
        clock.Start(async () =>
        {
            await clock.Delay(new Seconds(3));
            throw new InvalidDataException("mine");
        });
        Assert.That(() => clock.Run(TimeSpan.FromSeconds(10)), Throws.InstanceOf<InvalidDataException>().With.Message.EqualTo("mine"));
        Assert.That(clock.UnixTime().Value, Is.EqualTo(3));
    }

    [Test]
    public void Start_AsyncVoidThatFails_FailsTheRun()
    {
        var clock = new SimClock();
        async void Fail()
        {
            await clock.Delay(new Seconds(1));
            throw new InvalidDataException("nobody awaits me");
        }
        clock.Soon(Fail);
        Assert.That(() => clock.Run(TimeSpan.FromSeconds(10)), Throws.InstanceOf<InvalidDataException>());
    }

    [Test]
    public void Start_ProcessThatLeavesTheThread_FailsTheRun()
    {
        var clock = new SimClock();
        clock.Start(async () =>
        {
            var elsewhere = new TaskCompletionSource();
            clock.Soon(() => OnAnotherThread(elsewhere.SetResult));
            await elsewhere.Task;
        });
        Assert.That(() => clock.Run(TimeSpan.FromSeconds(1)), Throws.InvalidOperationException.With.Message.Contains("left the simulation's thread"));
    }

    [Test]
    public void CreateTimer_OnAnotherThread_FailsTheRun()
    {
        var clock = new SimClock();
        clock.Soon(() => OnAnotherThread(() => clock.CreateTimer(_ => { }, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan)));
        Assert.That(() => clock.Run(TimeSpan.FromSeconds(1)), Throws.InvalidOperationException);
    }

    [Test]
    public void Run_ProcessesThatMeet_IsTheSameEachTime()
    {
        static List<string> Once(long seed)
        {
            var clock = new SimClock();
            var log = new List<string>();
            var gate = new SemaphoreSlim(1);
            for (var process = 0; process < 5; process++)
            {
                var (name, random) = (process, new SeededRandom(seed, $"process {process}"));
                clock.Start(async () =>
                {
                    for (var step = 0; step < 20; step++)
                    {
                        await clock.Delay(new Seconds(random.NextDouble()));
                        await gate.WaitAsync();
                        await clock.Delay(new Seconds(0.01));
                        log.Add($"{clock.GetTimestamp()} {name}");
                        gate.Release();
                    }
                });
            }
            clock.Run(TimeSpan.FromSeconds(100));
            return log;
        }
        var (first, again, other) = (Once(1), Once(1), Once(2));
        Assert.That(first, Has.Count.EqualTo(100));
        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));
    }

    private static void OnAnotherThread(Action action)
    {
        var thread = new Thread(() => action());
        thread.Start();
        thread.Join();
    }
}
