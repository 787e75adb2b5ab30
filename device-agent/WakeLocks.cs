namespace Fleet.DeviceAgent;

/// <summary>
/// Who keeps a board awake (Linux and Android call it wake locks). A board that can suspend does so when the last lock is released and nobody takes one
/// in the same turn of the loop; whoever takes the next one waits until the board has woken.
/// </summary>
/// <param name="suspend">Puts the board to sleep, at once.</param>
/// <param name="resume">Wakes it; completes when its first instruction may run.</param>
public sealed class WakeLocks(Action suspend, Func<Task> resume)
{
    private Task waking = Task.CompletedTask;
    private int held;

    public bool IsAsleep { get; private set; }

    /// <summary>Raised each time the board has woken, before whoever waited for it goes on.</summary>
    public event Action? Woken;

    /// <summary>Completes when the board is awake; it stays so until <see cref="Release"/>, which must follow.</summary>
    public ValueTask Take()
    {
        held++;
        if (IsAsleep)
        {
            IsAsleep = false;
            waking = Wake();
        }
        return new ValueTask(waking);
    }

    /// <summary>Gives one lock back.</summary>
    /// <exception cref="InvalidOperationException">Nobody holds one.</exception>
    public void Release()
    {
        if (held == 0) throw new InvalidOperationException("nobody holds a wake lock");
        if (--held == 0) SuspendSoon();
    }

    private async Task Wake()
    {
        await resume();
        Woken?.Invoke();
    }

    /// <summary>A failure here is a bug and ends the process, hence async void.</summary>
    private async void SuspendSoon()
    {
        // Who goes on at once, as a camera that is late, needs no sleep between.
        await Task.Yield();
        if (held > 0 || IsAsleep) return;
        IsAsleep = true;
        suspend();
    }
}
