using System.Runtime.CompilerServices;

namespace Fleet.Contracts;

/// <summary>
/// Builds async methods of loops that run often ([AsyncMethodBuilder(typeof(LoopMethod&lt;&gt;))]): what a call keeps while it waits is
/// used again by later calls, and its caller goes on at once when it ends, see <see cref="Awaited{T}"/>. AsyncLocals do not flow into such a
/// method, and its task is awaited once.
/// </summary>
public struct LoopMethod<T>
{
    private LoopCall<T>? call;
    private Exception? failure;
    private T? result;

    public static LoopMethod<T> Create() => default;

    public readonly ValueTask<T> Task => call is not null ? call.Outcome : failure is null ? new(result!) : ValueTask.FromException<T>(failure);

    internal readonly ValueTask Done => call is not null ? call.Done : failure is null ? ValueTask.CompletedTask : ValueTask.FromException(failure);

    /// <summary>The runtime's own start keeps what the method does to the context from its caller.</summary>
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine => default(AsyncValueTaskMethodBuilder).Start(ref stateMachine);

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public void SetResult(T result)
    {
        if (call is null) this.result = result;
        else call.Finish(result);
    }

    public void SetException(Exception exception)
    {
        if (call is null) failure = exception;
        else call.Fail(exception);
    }

    /// <summary>Ends with a result that nobody wants. The last step of the call is still running, and touches nothing of it any more.</summary>
    internal readonly void Discard() => call?.Discard();

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

    /// <summary>At its first wait the state machine, and this builder in it, move from the stack into a call; the builder must know the call before.</summary>
    private void Keep<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine
    {
        if (call is not null) return;
        var kept = LoopCall<T, TStateMachine>.Rent();
        call = kept;
        kept.Hold(stateMachine);
    }
}

/// <summary>As <see cref="LoopMethod{T}"/>, of methods without a result.</summary>
public struct LoopMethod
{
    private LoopMethod<bool> inner;

    public static LoopMethod Create() => default;

    public readonly ValueTask Task => inner.Done;

    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine => inner.Start(ref stateMachine);

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public void SetResult() => inner.SetResult(true);

    public void SetException(Exception exception) => inner.SetException(exception);

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine) where TAwaiter : INotifyCompletion where TStateMachine : IAsyncStateMachine =>
        inner.AwaitOnCompleted(ref awaiter, ref stateMachine);

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine) where TAwaiter : ICriticalNotifyCompletion where TStateMachine : IAsyncStateMachine =>
        inner.AwaitUnsafeOnCompleted(ref awaiter, ref stateMachine);
}

/// <summary>A call that waits.</summary>
internal abstract class LoopCall<T> : Awaited<T>
{
    /// <summary>Goes on with the method.</summary>
    public Action GoOn { get; protected init; } = null!;

    public void Finish(T result) => End(result);

    public void Fail(Exception failure) => End(failure);

    public void Discard() => Taken();
}

internal sealed class LoopCall<T, TStateMachine> : LoopCall<T> where TStateMachine : IAsyncStateMachine
{
    [ThreadStatic] private static LoopCall<T, TStateMachine>? spare;

    private TStateMachine? method;
    private LoopCall<T, TStateMachine>? nextSpare;

    private LoopCall() => GoOn = () => method!.MoveNext();

    public static LoopCall<T, TStateMachine> Rent()
    {
        if (spare is not { } call) return new LoopCall<T, TStateMachine>();
        spare = call.nextSpare;
        call.nextSpare = null;
        return call;
    }

    public void Hold(TStateMachine stateMachine) => method = stateMachine;

    protected override void Taken()
    {
        method = default;
        Renew();
        nextSpare = spare;
        spare = this;
    }
}
