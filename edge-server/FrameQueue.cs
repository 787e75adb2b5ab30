using Fleet.Contracts;

namespace Fleet.EdgeServer;

/// <summary>A frame that waits, with its arrival and the time by which its sender gives up, both in clock ticks.</summary>
public readonly record struct WaitingFrame(TensorFrame Frame, long Arrived, long Deadline);

/// <summary>
/// Frames in the order of their deadlines (earliest deadline first, equal ones in order of arrival), bounded. A frame past its
/// deadline is handed out apart, to be answered and not computed.
/// </summary>
public sealed class FrameQueue(int capacity)
{
    private readonly PriorityQueue<WaitingFrame, (long Deadline, long Sequence)> frames = new();
    private readonly List<(WaitingFrame Frame, (long, long) Rank)> passedOver = [];
    private long sequence;

    public int Count => frames.Count;

    public int Capacity => capacity;

    /// <summary>False when full.</summary>
    public bool TryAdd(WaitingFrame frame)
    {
        if (frames.Count >= capacity) return false;
        frames.Enqueue(frame, (frame.Deadline, sequence++));
        return true;
    }

    /// <summary>Whether a frame waits for a tail; looks at all of them.</summary>
    public bool Waits(TailStart start)
    {
        foreach (var (waited, _) in frames.UnorderedItems)
            if (waited.Frame.Route.Tail == start) return true;
        return false;
    }

    /// <summary>
    /// Moves the most urgent frame into <paramref name="batch"/> and with it others that wait for the same tail, up to
    /// <paramref name="batchMax"/> of that tail; frames past <paramref name="now"/> go to <paramref name="expired"/>.
    /// </summary>
    public void Take(long now, Func<TailStart, int> batchMax, List<WaitingFrame> batch, List<WaitingFrame> expired)
    {
        passedOver.Clear();
        var limit = int.MaxValue;
        while (batch.Count < limit && frames.TryDequeue(out var next, out var rank))
        {
            if (next.Deadline <= now)
            {
                expired.Add(next);
            }
            else if (batch.Count == 0 || next.Frame.Route.Tail == batch[0].Frame.Route.Tail)
            {
                if (batch.Count == 0) limit = batchMax(next.Frame.Route.Tail);
                batch.Add(next);
            }
            else
            {
                passedOver.Add((next, rank));
            }
        }
        foreach (var (frame, rank) in passedOver) frames.Enqueue(frame, rank);
    }
}
