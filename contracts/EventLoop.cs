using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Fleet.Contracts;

/// <summary>
/// One thread on which a process does everything that decides. Awaited work comes back to it because it is the
/// SynchronizationContext; the threads of MQTT, ONNX Runtime and timers only post to it.
/// </summary>
public sealed class EventLoop : SynchronizationContext, IDisposable
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> work = [];

    /// <summary>Runs <paramref name="main"/> on this thread until it ends, and returns what it returns.</summary>
    public static T Run<T>(Func<EventLoop, Task<T>> main)
    {
        using var loop = new EventLoop();
        var outer = Current;
        SetSynchronizationContext(loop);
        try
        {
            return loop.Pump(main(loop));
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        try
        {
            work.Add((d, state));
        }
        catch (Exception e) when (e is InvalidOperationException or ObjectDisposedException)
        {
            // The loop has ended; a late timer or network thread has nobody left to tell.
        }
    }

    public void Post(Action action) => Post(static state => ((Action)state!)(), action);

    public override SynchronizationContext CreateCopy() => this;

    public void Dispose() => work.Dispose();

    private T Pump<T>(Task<T> main)
    {
        main.ContinueWith(_ => work.CompleteAdding(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        foreach (var (callback, state) in work.GetConsumingEnumerable()) callback(state);
        if (main.Exception?.InnerException is { } failure) ExceptionDispatchInfo.Throw(failure);
        return main.GetAwaiter().GetResult();
    }
}
