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

/// <summary>Builds them: as <see cref="LoopMethod"/> does, but that the result is taken at once by itself.</summary>
public struct UnawaitedMethod
{
    private LoopMethod<bool> inner;

    public static UnawaitedMethod Create() => default;

    public readonly Unawaited Task => default;

    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine => inner.Start(ref stateMachine);

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public void SetResult() => inner.Discard();

    public readonly void SetException(Exception exception)
    {
        var failure = ExceptionDispatchInfo.Capture(exception);
        if (SynchronizationContext.Current is { } loop) loop.Post(static thrown => ((ExceptionDispatchInfo)thrown!).Throw(), failure);
        else failure.Throw();
    }

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine) where TAwaiter : INotifyCompletion where TStateMachine : IAsyncStateMachine =>
        inner.AwaitOnCompleted(ref awaiter, ref stateMachine);

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine) where TAwaiter : ICriticalNotifyCompletion where TStateMachine : IAsyncStateMachine =>
        inner.AwaitUnsafeOnCompleted(ref awaiter, ref stateMachine);
}
