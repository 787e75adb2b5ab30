using CsCheck;
using Fleet.EdgeServer;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.EdgeServer;

public sealed class FrameQueueTests
{
    [Test]
    public void Take_MostUrgentFirst_EqualDeadlinesInOrderOfArrival()
    {
        var queue = new FrameQueue(8);
        foreach (var (deadline, request) in ((long, ulong)[])[(30, 1), (10, 2), (20, 3), (10, 4)]) queue.TryAdd(Frame(1, deadline, request));
        Assert.That(TakeAll(queue, now: 0, batchMax: 1), Is.EqualTo((ulong[])[2, 4, 3, 1]));
    }

    [Test]
    public void TryAdd_Full_IsRefused()
    {
        var queue = new FrameQueue(2);
        Assert.That(queue.TryAdd(Frame(1, 1, 1)) && queue.TryAdd(Frame(1, 2, 2)), Is.True);
        Assert.That(queue.TryAdd(Frame(1, 0, 3)), Is.False);
        Assert.That(queue.Count, Is.EqualTo(2));
    }

    [Test]
    public void Take_Batch_HasOneCutOnlyAndLeavesTheOthersTheirTurn()
    {
        var queue = new FrameQueue(8);
        foreach (var (cut, request) in ((int, ulong)[])[(1, 1), (2, 2), (1, 3), (2, 4), (1, 5)]) queue.TryAdd(Frame(cut, 10, request));
        var (batch, expired) = Take(queue, 0, 2);
        Assert.That(batch, Is.EqualTo((ulong[])[1, 3]));
        Assert.That(expired, Is.Empty);
        Assert.That(TakeAll(queue, now: 0, batchMax: 1), Is.EqualTo((ulong[])[2, 4, 5]), "who was passed over keeps its place");
    }

    /// <summary>Any sequence of adds and takes does what a list sorted by (deadline, arrival) does.</summary>
    [Test]
    public void Queue_AnyUse_EqualsASortedList() => Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2], Gen.Int[1, 12]).Array[0, 80].Sample(
        steps =>
        {
            var queue = new FrameQueue(12);
            var model = new List<(long Deadline, ulong Request, int Cut)>();
            var (now, request) = (0L, 0UL);
            foreach (var (action, cut, number) in steps)
            {
                if (action > 0)
                {
                    var isRoom = model.Count < 12;
                    Assert.That(queue.TryAdd(Frame(cut, now + number, ++request)), Is.EqualTo(isRoom));
                    if (isRoom) model.Add((now + number, request, cut));
                }
                else
                {
                    now += number / 3;
                    var (batch, expired) = Take(queue, now, number % 4 + 1);
                    var (expectedBatch, expectedExpired) = TakeModel(model, now, number % 4 + 1);
                    Assert.That(batch, Is.EqualTo(expectedBatch));
                    Assert.That(expired, Is.EqualTo(expectedExpired));
                }
                Assert.That(queue.Count, Is.EqualTo(model.Count));
            }
        },
        iter: 300, threads: 1);

    private static (List<ulong> Batch, List<ulong> Expired) TakeModel(List<(long Deadline, ulong Request, int Cut)> model, long now, int batchMax)
    {
        var sorted = model.OrderBy(frame => frame.Deadline).ThenBy(frame => frame.Request).ToList();
        var (batch, expired) = (new List<ulong>(), new List<ulong>());
        int? cut = null;
        foreach (var frame in sorted)
        {
            if (batch.Count == batchMax) break;
            if (frame.Deadline <= now) expired.Add(frame.Request);
            else if ((cut ??= frame.Cut) == frame.Cut) batch.Add(frame.Request);
            else continue;
            model.Remove(frame);
        }
        return (batch, expired);
    }

    private static List<ulong> TakeAll(FrameQueue queue, long now, int batchMax)
    {
        var all = new List<ulong>();
        while (queue.Count > 0) all.AddRange(Take(queue, now, batchMax).Batch);
        return all;
    }

    private static (List<ulong> Batch, List<ulong> Expired) Take(FrameQueue queue, long now, int batchMax)
    {
        var (batch, expired) = (new List<WaitingFrame>(), new List<WaitingFrame>());
        queue.Take(now, _ => batchMax, batch, expired);
        return ([.. batch.Select(frame => frame.Frame.RequestId)], [.. expired.Select(frame => frame.Frame.RequestId)]);
    }

    private static WaitingFrame Frame(int cut, long deadline, ulong request) => new(TinyModel.Frame(cut, request), 0, deadline);
}
