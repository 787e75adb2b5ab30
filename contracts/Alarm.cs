namespace Fleet.Contracts;

/// <summary>
/// The waits of one loop, one at a time, all cut short by one stop: it registers with the stop once, and each wait after the first costs
/// no memory.
/// </summary>
public sealed class Alarm : Awaited<bool>, IDisposable
{
    private readonly CancellationToken stop;
    private readonly ITimer timer;
    private readonly CancellationTokenRegistration registration;
    private int isWaiting;

    public Alarm(TimeProvider clock, CancellationToken stop)
    {
        this.stop = stop;
        timer = clock.CreateTimer(static state => ((Alarm)state!).Ring(true), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        registration = stop.UnsafeRegister(static state => ((Alarm)state!).Ring(false), this);
    }

    /// <summary>Waits to the clock's own resolution; false when the stop came first. The last wait must have ended.</summary>
    public ValueTask<bool> Sleep(Seconds time)
    {
        if (stop.IsCancellationRequested) return new(false);
        if (time.Span is var span && span <= TimeSpan.Zero) return new(true);
        Volatile.Write(ref isWaiting, 1);
        timer.Change(span, Timeout.InfiniteTimeSpan);
        // A stop that came in between has found nobody waiting.
        if (stop.IsCancellationRequested) Ring(false);
        return Outcome;
    }

    /// <summary>Ends the wait now, if there is one, as if its time had come.</summary>
    public void Wake() => Ring(true);

    public void Dispose()
    {
        registration.Dispose();
        timer.Dispose();
    }

    protected override void Taken() => Renew();

    /// <summary>By the timer or by the stop, whichever is first; after the stop the alarm is not used again.</summary>
    private void Ring(bool isInTime)
    {
        if (Interlocked.Exchange(ref isWaiting, 0) == 0) return;
        if (!isInTime) timer.Dispose();
        End(isInTime);
    }
}
