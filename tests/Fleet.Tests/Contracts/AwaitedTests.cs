using System.Threading.Tasks.Sources;
using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

public sealed class AwaitedTests
{
    [Test]
    public async Task Outcome_EndedBefore_IsThereAtOnce()
    {
        var promise = new Promise();
        promise.Keep(7);
        Assert.That(promise.Outcome.IsCompletedSuccessfully, Is.True);
        Assert.That(await promise.Outcome, Is.EqualTo(7));
    }

    [Test]
    public void Outcome_Failed_ThrowsWhereItIsAwaited()
    {
        var promise = new Promise();
        var outcome = promise.Outcome;
        promise.Break(new InvalidDataException("broken"));
        Assert.That(outcome.IsFaulted, Is.True);
        Assert.That(async () => await outcome, Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Outcome_Cancelled_SaysSo()
    {
        var promise = new Promise();
        var outcome = promise.Outcome;
        promise.Break(new OperationCanceledException());
        Assert.That(outcome.IsCanceled, Is.True);
        Assert.That(async () => await outcome, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Outcome_TakenAndRenewed_AnOldTokenIsRefused()
    {
        var promise = new Promise();
        var first = promise.Outcome;
        promise.Keep(1);
        Assert.That(first.Result, Is.EqualTo(1));
        promise.Keep(2);
        Assert.That(() => first.Result, Throws.InvalidOperationException, "it belongs to an earlier wait");
        Assert.That(promise.Outcome.Result, Is.EqualTo(2));
    }

    [Test]
    public void End_Twice_IsAFault()
    {
        var promise = new Promise();
        promise.Keep(1);
        Assert.That(() => promise.Keep(2), Throws.InvalidOperationException);
    }

    [Test]
    public void OnCompleted_SomebodyWaitsAlready_IsAFault()
    {
        IValueTaskSource<int> source = new Promise();
        source.OnCompleted(_ => { }, null, 0, ValueTaskSourceOnCompletedFlags.None);
        Assert.That(() => source.OnCompleted(_ => { }, null, 0, ValueTaskSourceOnCompletedFlags.None), Throws.InvalidOperationException);
    }

    /// <summary>Whichever comes first, the waiter goes on once. Each round lets the two meet at another moment.</summary>
    [Test]
    public void OnCompleted_EndsOnAnotherThreadMeanwhile_GoesOnOnce()
    {
        const int Rounds = 20_000;
        var promises = Enumerable.Range(0, Rounds).Select(_ => new Promise()).ToArray();
        using var start = new Barrier(2);
        var wentOn = 0;
        var other = new Thread(() =>
        {
            start.SignalAndWait();
            foreach (var promise in promises) promise.Keep(1);
        });
        other.Start();
        start.SignalAndWait();
        foreach (IValueTaskSource<int> promise in promises) promise.OnCompleted(_ => Interlocked.Increment(ref wentOn), null, 0, ValueTaskSourceOnCompletedFlags.None);
        other.Join();
        Assert.That(wentOn, Is.EqualTo(Rounds));
    }

    [Test]
    public void After_OnAClock_IsThereThen()
    {
        var clock = new SimClock();
        var (got, at) = ("", Seconds.Zero);
        clock.Start(async () =>
        {
            got = await clock.After(new Seconds(2.5), "late");
            at = clock.Since(0);
        });
        clock.Run(TimeSpan.FromSeconds(2));
        Assert.That(got, Is.Empty);
        clock.Run(TimeSpan.FromSeconds(3));
        Assert.That((got, at), Is.EqualTo(("late", new Seconds(2.5))));
        Assert.That(clock.After(Seconds.Zero, 3).AsTask().IsCompletedSuccessfully, Is.True, "nothing to wait for");
    }

    private sealed class Promise : Awaited<int>
    {
        public void Keep(int value) => End(value);

        public void Break(Exception failure) => End(failure);

        protected override void Taken() => Renew();
    }
}
