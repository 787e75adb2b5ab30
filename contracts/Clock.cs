namespace Fleet.Contracts;

/// <summary>What everybody asks of a clock, in units.</summary>
public static class Clock
{
    /// <summary>Unix time to the millisecond.</summary>
    public static Seconds UnixTime(this TimeProvider clock) => new(clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);

    /// <summary>Time since a <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public static Seconds Since(this TimeProvider clock, long timestamp) => new((clock.GetTimestamp() - timestamp) / (double)clock.TimestampFrequency);

    /// <summary>Waits to the clock's own resolution. (Task.Delay cuts every clock's delays to whole milliseconds.)</summary>
    public static Task Delay(this TimeProvider clock, Seconds time, CancellationToken stop = default)
    {
        if (stop.IsCancellationRequested) return Task.FromCanceled(stop);
        return time.Span <= TimeSpan.Zero ? Task.CompletedTask : new Wait(clock, time.Span, stop).Task;
    }

    /// <summary>Waits; false when <paramref name="stop"/> came first.</summary>
    public static async Task<bool> Sleep(this TimeProvider clock, Seconds time, CancellationToken stop)
    {
        await clock.Delay(time, stop).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        return !stop.IsCancellationRequested;
    }

    private sealed class Wait : TaskCompletionSource
    {
        private readonly CancellationToken stop;
        private readonly ITimer timer;
        private readonly CancellationTokenRegistration registration;

        public Wait(TimeProvider clock, TimeSpan time, CancellationToken stop)
        {
            this.stop = stop;
            timer = clock.CreateTimer(static state => ((Wait)state!).Ring(), this, time, Timeout.InfiniteTimeSpan);
            if (stop.CanBeCanceled) registration = stop.UnsafeRegister(static state => ((Wait)state!).Cancel(), this);
        }

        private void Ring()
        {
            registration.Dispose();
            TrySetResult();
        }

        private void Cancel()
        {
            timer.Dispose();
            TrySetCanceled(stop);
        }
    }
}
