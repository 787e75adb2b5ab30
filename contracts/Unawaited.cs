using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Fleet.Contracts;

/// <summary>
/// What a method of a loop returns that nobody waits for: it is to `async void` what <see cref="LoopMethod"/> is to a task. What a call keeps while it
/// waits is used again by later calls; a failure is a bug and is thrown on the loop.
/// </summary>
[AsyncMethodBuilder(typeof(UnawaitedMethod))]
public readonly struct Unawaited : IEquatable<Unawaited>
{
    public bool Equals(Unawaited other) => true;

    public override bool Equals(object? obj) => obj is Unawaited;

    public override int GetHashCode() => 0;

    public static bool operator ==(Unawaited left, Unawaited right) => left.Equals(right);

    public static bool operator !=(Unawaited left, Unawaited right) => !left.Equals(right);
}

/// <summary>Builds them.</summary>
public struct UnawaitedMethod
{
    private UnawaitedCall? call;

    public static UnawaitedMethod Create() => default;

    public readonly Unawaited Task => default;

    /// <inheritdoc cref="LoopMethod{T}.Start"/>
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine => default(AsyncValueTaskMethodBuilder).Start(ref stateMachine);

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public readonly void SetResult() => call?.End();

    public readonly void SetException(Exception exception)
    {
        call?.End();
        var failure = ExceptionDispatchInfo.Capture(exception);
        if (SynchronizationContext.Current is { } loop) loop.Post(static thrown => ((ExceptionDispatchInfo)thrown!).Throw(), failure);
        else failure.Throw();
    }

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine) where TAwaiter : INotifyCompletion where TStateMachine : IAsyncStateMachine
    {
        Keep(ref stateMachine);
        awaiter.OnCompleted(call!.GoOn);
    }

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine) where TAwaiter : ICriticalNotifyCompletion where TStateMachine : IAsyncStateMachine
    {
        Keep(ref stateMachine);
        awaiter.UnsafeOnCompleted(call!.GoOn);
    }

    /// <inheritdoc cref="LoopMethod{T}.Keep"/>
    private void Keep<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine
    {
        if (call is not null) return;
        var kept = UnawaitedCall<TStateMachine>.Rent();
        call = kept;
        kept.Hold(stateMachine);
    }
}

/// <summary>A call that waits for something.</summary>
internal abstract class UnawaitedCall
{
    /// <summary>Goes on with the method.</summary>
    public Action GoOn { get; protected init; } = null!;

    /// <summary>The method has ended.</summary>
    public abstract void End();
}

internal sealed class UnawaitedCall<TStateMachine> : UnawaitedCall where TStateMachine : IAsyncStateMachine
{
    [ThreadStatic] private static UnawaitedCall<TStateMachine>? spare;

    private TStateMachine? method;
    private UnawaitedCall<TStateMachine>? nextSpare;

    private UnawaitedCall() => GoOn = () => method!.MoveNext();

    public static UnawaitedCall<TStateMachine> Rent()
    {
        if (spare is not { } call) return new UnawaitedCall<TStateMachine>();
        spare = call.nextSpare;
        call.nextSpare = null;
        return call;
    }

    public void Hold(TStateMachine stateMachine) => method = stateMachine;

    /// <summary>Its last step is still running, and touches nothing of it any more.</summary>
    public override void End()
    {
        method = default;
        nextSpare = spare;
        spare = this;
    }
}
