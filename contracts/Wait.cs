namespace Fleet.Contracts;

/// <summary>
/// One wait on a clock. One that has rung is used again by the next on its thread and clock; one that was cut short is not, since its timer
/// may still be about to ring.
/// </summary>
internal sealed class Wait<T> : Awaited<T>
{
    /// <summary>Of the clock that was waited by last on this thread.</summary>
    [ThreadStatic] private static Wait<T>? spare;

    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private Wait<T>? nextSpare;
    private CancellationToken stop;
    private CancellationTokenRegistration registration;
    private T outcome = default!;
    private bool isDelay, hasRung;
    private int hasEnded;

    private Wait(TimeProvider clock)
    {
        this.clock = clock;
        timer = clock.CreateTimer(static state => ((Wait<T>)state!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <param name="clock">By which it waits.</param>
    /// <param name="time">How long; above zero.</param>
    /// <param name="outcome">What it gives in the end.</param>
    /// <param name="isDelay">Whether it is cancelled when cut short, instead of giving nothing (false).</param>
    /// <param name="stop">Cuts it short.</param>
    public static Wait<T> Begin(TimeProvider clock, TimeSpan time, T outcome, bool isDelay, CancellationToken stop)
    {
        var wait = spare;
        if (wait is null || wait.clock != clock) wait = new Wait<T>(clock);
        spare = wait.nextSpare;
        (wait.nextSpare, wait.outcome, wait.stop, wait.isDelay, wait.hasRung, wait.hasEnded) = (null, outcome, stop, isDelay, false, 0);
        // Before the timer starts, or it might ring while there is nothing to unregister yet.
        if (stop.CanBeCanceled) wait.registration = stop.UnsafeRegister(static state => ((Wait<T>)state!).Cut(), wait);
        wait.timer.Change(time, Timeout.InfiniteTimeSpan);
        return wait;
    }

    protected override void Taken()
    {
        if (!hasRung) return;
        Renew();
        (stop, registration, outcome) = (default, default, default!);
        nextSpare = spare?.clock == clock ? spare : null;
        spare = this;
    }

    private void Ring()
    {
        if (Interlocked.Exchange(ref hasEnded, 1) != 0) return;
        registration.Dispose();
        hasRung = true;
        End(outcome);
    }

    private void Cut()
    {
        if (Interlocked.Exchange(ref hasEnded, 1) != 0) return;
        timer.Dispose();
        if (isDelay) End(new OperationCanceledException(stop));
        else End(default(T)!);
    }
}
