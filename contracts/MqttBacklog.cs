namespace Fleet.Contracts;

/// <summary>Counts messages posted to an event loop and not yet handled, and holds their producers back while there are too many.</summary>
public sealed class MqttBacklog(int max)
{
    private readonly Lock gate = new();
    private int count;
    private volatile TaskCompletionSource? room;

    public int Count => Volatile.Read(ref count);

    public bool IsFull => IsFullWith(0);

    /// <summary>Whether it is full, or will be when as many are added.</summary>
    public bool IsFullWith(int more) => Count + more >= max;

    public void Add(int messages = 1) => Interlocked.Add(ref count, messages);

    public void Done(int messages = 1)
    {
        if (Interlocked.Add(ref count, -messages) > max / 2 || room is null) return;
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
