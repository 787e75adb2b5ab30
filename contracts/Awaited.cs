using System.Threading.Tasks.Sources;

namespace Fleet.Contracts;

/// <summary>
/// Something that one caller awaits once. Who waits goes on in its own context, and at once when that is where it ends: a loop's work
/// needs no second turn of the loop for each method that was waiting. (The runtime's own pooled sources post every continuation.)
/// </summary>
public abstract class Awaited<T> : IValueTaskSource<T>, IValueTaskSource
{
    private ManualResetValueTaskSourceCore<T> core;
    private SynchronizationContext? context;
    private Action<object?>? goOn;
    private object? state;

    public ValueTask<T> Outcome => new(this, core.Version);

    public ValueTask Done => new(this, core.Version);

    public ValueTaskSourceStatus GetStatus(short token) => core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        context = (flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0 ? SynchronizationContext.Current : null;
        (goOn, this.state) = (continuation, state);
        core.OnCompleted(static me => ((Awaited<T>)me!).GoOn(), this, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);
    }

    public T GetResult(short token)
    {
        var result = core.GetResult(token);
        Taken();
        return result;
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    protected void End(T result) => core.SetResult(result);

    protected void End(Exception failure) => core.SetException(failure);

    /// <summary>The caller has its result and is gone.</summary>
    protected virtual void Taken()
    {
    }

    /// <summary>Makes it fit to be awaited again.</summary>
    protected void Renew()
    {
        core.Reset();
        (context, goOn, state) = (null, null, null);
    }

    private void GoOn()
    {
        if (context is null || context == SynchronizationContext.Current) goOn!(state);
        else context.Post(static me => ((Awaited<T>)me!).Continue(), this);
    }

    private void Continue() => goOn!(state);
}
