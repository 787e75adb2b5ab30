namespace Fleet.Contracts;

/// <summary>Counts messages posted to an event loop and not yet handled, and holds their producers back while there are too many.</summary>
public sealed class MqttBacklog(int max)
{
    private readonly Lock gate = new();
    private int count;
    private volatile TaskCompletionSource? room;

    public int Count => Volatile.Read(ref count);

    public bool IsFull => Count >= max;

    public void Add() => Interlocked.Increment(ref count);

    public void Done()
    {
        if (Interlocked.Decrement(ref count) > max / 2 || room is null) return;
        Release();
    }

    /// <summary>Completes when half of the places are free again, or at <see cref="Release"/>.</summary>
    public Task WhenRoomAsync()
    {
        lock (gate)
        {
            var waiting = room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            // Done reads the two in the other order: one of both sees the other's write.
            Interlocked.MemoryBarrier();
            if (Count > max / 2) return waiting.Task;
        }
        Release();
        return Task.CompletedTask;
    }

    public void Release()
    {
        TaskCompletionSource? waiting;
        lock (gate)
        {
            waiting = room;
            room = null;
        }
        waiting?.TrySetResult();
    }
}
