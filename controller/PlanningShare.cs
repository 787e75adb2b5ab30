using Fleet.Contracts;

namespace Fleet.Controller;

/// <summary>
/// Keeps planning to half of a loop's time, however many sites it steers: after a plan nobody plans for as long as that one took. Without it a fleet whose sites all begin at once
/// leaves no time for its messages, and its controller falls silent.
/// </summary>
public sealed class PlanningShare(TimeProvider clock)
{
    private Seconds freeFrom;

    /// <summary>Completes when somebody may plan, at once while nobody has planned lately; false when the stop came first.</summary>
    public async ValueTask<bool> Wait(CancellationToken stop)
    {
        while (freeFrom - clock.Since(0) is var left && left.Span > TimeSpan.Zero)
            if (!await clock.Sleep(left, stop)) return false;
        return !stop.IsCancellationRequested;
    }

    /// <summary>A plan was made, just now.</summary>
    public void Spent(Seconds took) => freeFrom = clock.Since(0) + took;
}
