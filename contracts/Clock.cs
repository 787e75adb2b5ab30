namespace Fleet.Contracts;

/// <summary>What everybody asks of a clock, in units.</summary>
public static class Clock
{
    /// <summary>Unix time to the millisecond.</summary>
    public static Seconds UnixTime(this TimeProvider clock) => new(clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);

    /// <summary>Time since a <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public static Seconds Since(this TimeProvider clock, long timestamp) => new((clock.GetTimestamp() - timestamp) / (double)clock.TimestampFrequency);

    /// <summary>Waits to the clock's own resolution (Task.Delay cuts every clock's delays to whole milliseconds), without memory of its own in steady use. To be awaited once.</summary>
    /// <exception cref="OperationCanceledException">When awaited, if <paramref name="stop"/> came first.</exception>
    public static ValueTask Delay(this TimeProvider clock, Seconds time, CancellationToken stop = default)
    {
        if (stop.IsCancellationRequested) return ValueTask.FromCanceled(stop);
        return time.Span is var span && span <= TimeSpan.Zero ? ValueTask.CompletedTask : Wait<bool>.Begin(clock, span, outcome: true, isDelay: true, stop).Done;
    }

    /// <summary>Waits likewise; false when <paramref name="stop"/> came first.</summary>
    public static ValueTask<bool> Sleep(this TimeProvider clock, Seconds time, CancellationToken stop)
    {
        if (stop.IsCancellationRequested) return new(false);
        return time.Span is var span && span <= TimeSpan.Zero ? new(true) : Wait<bool>.Begin(clock, span, outcome: true, isDelay: false, stop).Outcome;
    }

    /// <summary>Something that is there after a time: as <see cref="Delay"/>, for methods that only wait before they give what they know already.</summary>
    public static ValueTask<T> After<T>(this TimeProvider clock, Seconds time, T outcome) =>
        time.Span is var span && span <= TimeSpan.Zero ? new(outcome) : Wait<T>.Begin(clock, span, outcome, isDelay: false, CancellationToken.None).Outcome;
}
