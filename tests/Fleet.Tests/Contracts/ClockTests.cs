using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>Waiting is as exact as the clock that is waited by.</summary>
public sealed class ClockTests
{
    [Test]
    public void Delay_OfAThirdOfAMillisecond_EndsAtThatTickAndNotBefore()
    {
        var clock = new ManualClock();
        var delay = clock.Delay(new Seconds(0.0003333)).AsTask();
        clock.Advance(3332);
        Assert.That(delay.IsCompleted, Is.False);
        clock.Advance(1);
        Assert.That(delay.IsCompletedSuccessfully, Is.True);
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(1e-9)]
    public void Delay_OfLessThanATick_HasEnded(double seconds) => Assert.That(new ManualClock().Delay(new Seconds(seconds)).AsTask().IsCompletedSuccessfully, Is.True);

    [Test]
    public void Delay_SeveralAtOnce_EndInTheOrderTheyAreDue()
    {
        var clock = new ManualClock();
        var order = new List<int>();
        foreach (var i in (int[])[3, 1, 2]) clock.Delay(new Seconds(i)).AsTask().ContinueWith(_ => order.Add(i), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        clock.Advance(5 * TimeSpan.TicksPerSecond);
        Assert.That(order, Is.EqualTo(new[] { 1, 2, 3 }));
    }

    [Test]
    public void Delay_StoppedMeanwhile_IsCancelledAndItsTimerGone()
    {
        var clock = new ManualClock();
        using var stop = new CancellationTokenSource();
        var delay = clock.Delay(new Seconds(1), stop.Token).AsTask();
        stop.Cancel();
        Assert.That((delay.IsCanceled, clock.Timers), Is.EqualTo((true, 0)));
        clock.Advance(TimeSpan.TicksPerSecond);
        Assert.That(delay.IsCanceled, Is.True);
    }

    [Test]
    public void Delay_StoppedBefore_IsCancelled()
    {
        var clock = new ManualClock();
        Assert.That((clock.Delay(new Seconds(1), new CancellationToken(canceled: true)).AsTask().IsCanceled, clock.Timers), Is.EqualTo((true, 0)));
        Assert.That(clock.Delay(Seconds.Zero, new CancellationToken(canceled: true)).AsTask().IsCanceled, Is.True);
    }

    [Test]
    public void Delay_StoppedAfterwards_StaysEnded()
    {
        var clock = new ManualClock();
        using var stop = new CancellationTokenSource();
        var delay = clock.Delay(new Seconds(1), stop.Token).AsTask();
        clock.Advance(TimeSpan.TicksPerSecond);
        stop.Cancel();
        Assert.That(delay.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void Sleep_ToItsEnd_IsTrueAndCutShortIsFalse()
    {
        var clock = new ManualClock();
        using var stop = new CancellationTokenSource();
        var toTheEnd = clock.Sleep(new Seconds(1), stop.Token).AsTask();
        clock.Advance(TimeSpan.TicksPerSecond);
        var cutShort = clock.Sleep(new Seconds(1), stop.Token).AsTask();
        stop.Cancel();
        Assert.That(toTheEnd.IsCompleted && cutShort.IsCompleted, Is.True);
        Assert.That((toTheEnd.Result, cutShort.Result), Is.EqualTo((true, false)));
    }

    [Test]
    public void UnixTime_OfAKnownDate_IsItsSecondsToTheMillisecond()
    {
        var clock = new ManualClock();
        clock.Advance(1_234_567);
        Assert.That(clock.UnixTime(), Is.EqualTo(new Seconds(1764000000.123)));
    }

    [Test]
    public void Since_ATimestamp_CountsTicks()
    {
        var clock = new ManualClock();
        var began = clock.GetTimestamp();
        clock.Advance(25);
        Assert.That(clock.Since(began), Is.EqualTo(new Seconds(2.5e-6)));
    }

    /// <summary>A clock that stands still until it is moved; its timers ring when they are passed, in order.</summary>
    private sealed class ManualClock : TimeProvider
    {
        private readonly List<Timer> timers = [];
        private long ticks;

        public int Timers => timers.Count;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeSeconds(1764000000).AddTicks(ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer(this, callback, state);
            timer.Change(dueTime, period);
            return timer;
        }

        public void Advance(long by)
        {
            ticks += by;
            while (timers.Where(timer => timer.Due <= ticks).MinBy(timer => timer.Due) is { } next)
            {
                timers.Remove(next);
                next.Callback(next.State);
            }
        }

        private sealed class Timer(ManualClock clock, TimerCallback callback, object? state) : ITimer
        {
            public TimerCallback Callback => callback;

            public object? State => state;

            public long Due { get; private set; }

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                clock.timers.Remove(this);
                Due = clock.ticks + dueTime.Ticks;
                if (dueTime != Timeout.InfiniteTimeSpan) clock.timers.Add(this);
                return true;
            }

            public void Dispose() => clock.timers.Remove(this);

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
