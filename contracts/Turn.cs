namespace Fleet.Contracts;

/// <summary>
/// One at a time, in the order of asking, on a single-threaded loop: it takes no lock, and no memory while nobody has to wait.
/// </summary>
public sealed class Turn
{
    // Few ever wait.
    private Queue<TaskCompletionSource>? waiting;
    private bool isTaken;

    /// <summary>Whether it is somebody's turn now.</summary>
    public bool IsTaken => isTaken;

    /// <summary>Completes when it is the caller's turn, which ends with <see cref="Release"/>.</summary>
    public ValueTask Wait()
    {
        if (!isTaken)
        {
            isTaken = true;
            return ValueTask.CompletedTask;
        }
        // Who waited goes on after whoever releases, not inside its call.
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        (waiting ??= []).Enqueue(mine);
        return new ValueTask(mine.Task);
    }

    /// <summary>Hands the turn to whoever waits longest.</summary>
    /// <exception cref="InvalidOperationException">It is nobody's turn.</exception>
    public void Release()
    {
        if (!isTaken) throw new InvalidOperationException("it is nobody's turn");
        if (waiting is not null && waiting.TryDequeue(out var next)) next.SetResult();
        else isTaken = false;
    }
}
