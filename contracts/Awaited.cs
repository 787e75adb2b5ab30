using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace Fleet.Contracts;

/// <summary>
/// Something that one caller awaits once. Who waits goes on in its own context, and at once when that is where it ends: a loop's work
/// needs no second turn of the loop for each method that was waiting. (The runtime's own pooled sources post every continuation.) AsyncLocals
/// do not flow through it.
/// </summary>
public abstract class Awaited<T> : IValueTaskSource<T>, IValueTaskSource
{
    private const int Open = 0, IsWaitedFor = 1, HasEnded = 2;

    private int phase;
    private Action<object?>? goOn;
    private object? state;
    private SynchronizationContext? context;
    private T? result;
    private ExceptionDispatchInfo? failure;
    private short version;

    public ValueTask<T> Outcome => new(this, version);

    public ValueTask Done => new(this, version);

    public ValueTaskSourceStatus GetStatus(short token)
    {
        Check(token);
        if (Volatile.Read(ref phase) != HasEnded) return ValueTaskSourceStatus.Pending;
        return failure is null ? ValueTaskSourceStatus.Succeeded : failure.SourceException is OperationCanceledException ? ValueTaskSourceStatus.Canceled : ValueTaskSourceStatus.Faulted;
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        if (Volatile.Read(ref phase) == IsWaitedFor) throw new InvalidOperationException("it is awaited already");
        context = (flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0 ? SynchronizationContext.Current : null;
        (goOn, this.state) = (continuation, state);
        // Unless it has ended on another thread since its caller looked.
        if (Interlocked.CompareExchange(ref phase, IsWaitedFor, Open) != Open) GoOn();
    }

    public T GetResult(short token)
    {
        Check(token);
        if (Volatile.Read(ref phase) != HasEnded) throw new InvalidOperationException("it has not ended");
        var (outcome, fault) = (result!, failure);
        Taken();
        fault?.Throw();
        return outcome;
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    protected void End(T result)
    {
        this.result = result;
        End();
    }

    protected void End(Exception failure)
    {
        this.failure = ExceptionDispatchInfo.Capture(failure);
        End();
    }

    /// <summary>The caller has its result and is gone.</summary>
    protected virtual void Taken()
    {
    }

    /// <summary>Makes it fit to be awaited again.</summary>
    protected void Renew()
    {
        version++;
        (phase, goOn, state, context, result, failure) = (Open, null, null, null, default, null);
    }

    private void End()
    {
        var before = Interlocked.Exchange(ref phase, HasEnded);
        if (before == HasEnded) throw new InvalidOperationException("it has ended already");
        if (before == IsWaitedFor) GoOn();
    }

    private void GoOn()
    {
        if (context is null || context == SynchronizationContext.Current) goOn!(state);
        else context.Post(static me => ((Awaited<T>)me!).Continue(), this);
    }

    private void Continue() => goOn!(state);

    private void Check(short token)
    {
        if (token != version) throw new InvalidOperationException("it was awaited twice: whoever awaits it now came too late");
    }
}
