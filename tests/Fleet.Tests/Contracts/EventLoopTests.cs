using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>Everything on one thread, in the order it was posted.</summary>
public sealed class EventLoopTests
{
    [Test]
    public void Run_MainThatReturns_GivesItsValue() => Assert.That(EventLoop.Run(_ => Task.FromResult(42)), Is.EqualTo(42));

    [Test]
    public void Run_MainThatAwaits_GivesItsValue() => Assert.That(EventLoop.Run(async loop =>
    {
        await Turn(loop);
        return "done";
    }), Is.EqualTo("done"));

    [Test]
    public void Run_MainThatThrows_ThrowsTheSame()
    {
        Assert.That(() => EventLoop.Run<int>(async loop =>
        {
            await Turn(loop);
            throw new InvalidOperationException("from main");
        }), Throws.InvalidOperationException.With.Message.EqualTo("from main"));
        Assert.That(() => EventLoop.Run<int>(_ => throw new InvalidOperationException("at once")), Throws.InvalidOperationException.With.Message.EqualTo("at once"));
    }

    [Test]
    public void Run_MainThatIsCancelled_ThrowsThat() =>
        Assert.That(() => EventLoop.Run(_ => Task.FromCanceled<int>(new CancellationToken(canceled: true))), Throws.InstanceOf<OperationCanceledException>());

    [Test]
    public void Run_PostedWorkThatThrows_Throws() => Assert.That(() => EventLoop.Run(loop =>
    {
        loop.Post(() => throw new InvalidOperationException("posted"));
        return new TaskCompletionSource<int>().Task;
    }), Throws.InvalidOperationException.With.Message.EqualTo("posted"));

    [Test]
    public void Post_ManyPieces_RunInOrderOnTheLoopsThread()
    {
        var seen = new List<(int Piece, int Thread)>();
        EventLoop.Run(async loop =>
        {
            for (var i = 0; i < 100; i++)
            {
                var piece = i;
                loop.Post(() => seen.Add((piece, Environment.CurrentManagedThreadId)));
            }
            await Turn(loop);
            return 0;
        });
        Assert.That(seen, Is.EqualTo(Enumerable.Range(0, 100).Select(piece => (piece, Environment.CurrentManagedThreadId))));
    }

    [Test]
    public void Post_FromOtherThreads_RunsEachOnesPiecesInOrderOnTheLoopsThread()
    {
        var seen = new List<(int Sender, int Piece, int Thread)>();
        EventLoop.Run(async loop =>
        {
            var finished = new TaskCompletionSource();
            for (var sender = 0; sender < 4; sender++)
            {
                var me = sender;
                new Thread(() =>
                {
                    for (var i = 0; i < 200; i++)
                    {
                        var piece = i;
                        loop.Post(() =>
                        {
                            seen.Add((me, piece, Environment.CurrentManagedThreadId));
                            if (seen.Count == 800) finished.SetResult();
                        });
                    }
                }).Start();
            }
            await finished.Task;
            return 0;
        });
        Assert.That(seen.Select(entry => entry.Thread), Is.All.EqualTo(Environment.CurrentManagedThreadId));
        foreach (var sender in seen.GroupBy(entry => entry.Sender)) Assert.That(sender.Select(entry => entry.Piece), Is.Ordered);
    }

    [Test]
    public void Await_OfWhatAnotherThreadCompletes_ComesBackToTheLoopsThread()
    {
        var thread = EventLoop.Run(async _ =>
        {
            var elsewhere = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            new Thread(() => elsewhere.SetResult(Environment.CurrentManagedThreadId)).Start();
            Assert.That(await elsewhere.Task, Is.Not.EqualTo(Environment.CurrentManagedThreadId));
            return Environment.CurrentManagedThreadId;
        });
        Assert.That(thread, Is.EqualTo(Environment.CurrentManagedThreadId));
    }

    [Test]
    public void Run_WhenItEnds_LeavesTheThreadAsItWasAndTakesNoMoreWork()
    {
        var before = SynchronizationContext.Current;
        EventLoop? kept = null;
        EventLoop.Run(loop =>
        {
            kept = loop;
            Assert.That(SynchronizationContext.Current, Is.SameAs(loop));
            return Task.FromResult(0);
        });
        Assert.That(SynchronizationContext.Current, Is.SameAs(before));
        Assert.That(() => kept!.Post(() => Assert.Fail("ran after the end")), Throws.Nothing);
    }

    /// <summary>Ends when all work posted before has run.</summary>
    private static Task Turn(EventLoop loop)
    {
        var turn = new TaskCompletionSource();
        loop.Post(turn.SetResult);
        return turn.Task;
    }
}
