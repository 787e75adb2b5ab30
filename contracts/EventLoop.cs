using System.Runtime.ExceptionServices;

namespace Fleet.Contracts;

/// <summary>
/// One thread on which a process does everything that decides. Awaited work comes back to it because it is the
/// SynchronizationContext; the threads of MQTT, ONNX Runtime and timers only post to it. What was posted meanwhile is taken all at once.
/// </summary>
public sealed class EventLoop : SynchronizationContext
{
    private readonly object gate = new();
    private List<(SendOrPostCallback Callback, object? State)> posted = [];
    private bool isWaiting, hasEnded;

    /// <summary>Runs <paramref name="main"/> on this thread until it ends, and returns what it returns.</summary>
    public static T Run<T>(Func<EventLoop, Task<T>> main)
    {
        var loop = new EventLoop();
        var outer = Current;
        SetSynchronizationContext(loop);
        try
        {
            return loop.Pump(main(loop));
        }
        finally
        {
            // A late timer or network thread has nobody left to tell.
            loop.End();
            SetSynchronizationContext(outer);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (gate)
        {
            if (hasEnded) return;
            posted.Add((d, state));
            if (isWaiting) Monitor.Pulse(gate);
        }
    }

    public void Post(Action action) => Post(static state => ((Action)state!)(), action);

    public override SynchronizationContext CreateCopy() => this;

    private T Pump<T>(Task<T> main)
    {
        main.ContinueWith(_ => End(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        var taken = new List<(SendOrPostCallback Callback, object? State)>();
        while (TryTake(ref taken))
        {
            foreach (var (callback, state) in taken) callback(state);
            taken.Clear();
        }
        if (main.Exception?.InnerException is { } failure) ExceptionDispatchInfo.Throw(failure);
        return main.GetAwaiter().GetResult();
    }

    /// <summary>Waits for what is posted and takes it in exchange for an empty list; false when all is done that was posted before the end.</summary>
    private bool TryTake(ref List<(SendOrPostCallback Callback, object? State)> taken)
    {
        lock (gate)
        {
            while (posted.Count == 0 && !hasEnded)
            {
                isWaiting = true;
                Monitor.Wait(gate);
                isWaiting = false;
            }
            (taken, posted) = (posted, taken);
            return taken.Count > 0;
        }
    }

    private void End()
    {
        lock (gate)
        {
            hasEnded = true;
            Monitor.Pulse(gate);
        }
    }
}
