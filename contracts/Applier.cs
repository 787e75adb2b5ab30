namespace Fleet.Contracts;

/// <summary>
/// Applies the newest thing wanted, one at a time: what is wanted meanwhile replaces what waits, a failure is told and tried again
/// with a growing pause, and a newer wish does not wait for that pause. Nothing that is wanted can end the process.
/// </summary>
/// <param name="apply">Does it; any exception is a failure of that wish.</param>
/// <param name="failed">Told of a failure.</param>
/// <param name="jitter">Draws a factor of each pause, so that a fleet that failed together does not try together; null: nothing is drawn.</param>
public sealed class Applier<T>(TimeProvider clock, Func<T, ValueTask> apply, Action<T, string> failed, Random? jitter = null)
    where T : class
{
    private static readonly Seconds FirstPause = new(2);
    private static readonly Seconds LongestPause = new(300);
    private CancellationTokenSource? pause;
    private bool isApplying;
    private TaskCompletionSource? untilIdle;
    private CancellationToken stopping;

    // Counts what was wanted: a wish that is said twice is two wishes, whether or not both are one object.
    private long wishes;

    /// <summary>What is being applied or waits to be; null when nothing does.</summary>
    public T? Wanted { get; private set; }

    public void Want(T target)
    {
        Wanted = target;
        wishes++;
        if (isApplying) pause?.Cancel();
        else _ = Apply();
    }

    /// <summary>Gives up when <paramref name="stop"/> is cancelled.</summary>
    public void StopWith(CancellationToken stop) => stopping = stop;

    /// <summary>Completes when nothing is being applied any more.</summary>
    public Task Idle() => isApplying ? (untilIdle ??= new TaskCompletionSource()).Task : Task.CompletedTask;

    private async Unawaited Apply()
    {
        isApplying = true;
        var next = FirstPause;
        while (Wanted is { } target && !stopping.IsCancellationRequested)
        {
            var wish = wishes;
            try
            {
                await apply(target);
                if (wishes == wish) Wanted = null;
                next = FirstPause;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // Given up.
            }
            catch (Exception e)
            {
                // It came over the network: whatever it makes the file system, the native library or our own code throw is its failure.
                failed(target, e is FaultsException ? e.Message : $"{e.GetType().Name}: {e.Message.Split('\n')[0]}");
                if (wishes == wish) await Pause(next * (jitter is null ? 1 : 0.5 + jitter.NextDouble()));
                next = wishes == wish ? Seconds.Min(next * 2, LongestPause) : FirstPause;
            }
        }
        isApplying = false;
        (var waiting, untilIdle) = (untilIdle, null);
        waiting?.SetResult();
    }

    private async Task Pause(Seconds time)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        pause = cut;
        await clock.Sleep(time, cut.Token);
        pause = null;
    }
}
