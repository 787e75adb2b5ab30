namespace Fleet.Contracts;

/// <summary>What everybody asks of a clock, in units.</summary>
public static class Clock
{
    /// <summary>Unix time to the millisecond.</summary>
    public static Seconds UnixTime(this TimeProvider clock) => new(clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);

    /// <summary>Time since a <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public static Seconds Since(this TimeProvider clock, long timestamp) => new((clock.GetTimestamp() - timestamp) / (double)clock.TimestampFrequency);

    public static Task Delay(this TimeProvider clock, Seconds time, CancellationToken stop = default) => Task.Delay(time.Span, clock, stop);

    /// <summary>Waits; false when <paramref name="stop"/> came first.</summary>
    public static async Task<bool> Sleep(this TimeProvider clock, Seconds time, CancellationToken stop)
    {
        await Task.Delay(time.Span, clock, stop).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        return !stop.IsCancellationRequested;
    }
}
