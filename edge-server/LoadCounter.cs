using Fleet.Contracts;

namespace Fleet.EdgeServer;

/// <summary>Counts of one load window.</summary>
public sealed class LoadCounter
{
    private int served, expired, refused, malformed, batches;
    private Seconds queued, computed;
    private long sequence, servedTotal, loads, unloads;
    private Bytes loaded;
    private Seconds loading;

    public void Served(Seconds queue)
    {
        served++;
        servedTotal++;
        queued += queue;
    }

    public void Batch(Seconds compute)
    {
        batches++;
        computed += compute;
    }

    public void Expired() => expired++;

    public void Refused() => refused++;

    public void Malformed() => malformed++;

    /// <summary>So many tails came in.</summary>
    public void Loaded(int count, Bytes size, Seconds took)
    {
        loads += count;
        loaded += size;
        loading += took;
    }

    public void Unloaded(int count) => unloads += count;

    /// <param name="isLimited">Whether memory for tails is: then it is told what they take.</param>
    public EdgeLoad Close(Seconds now, Seconds window, FrameQueue queue, int workers, TailSet? tails, bool isLimited)
    {
        var load = new EdgeLoad
        {
            Sequence = sequence++,
            SentAt = now,
            Window = Quantity.Rounded(window),
            Queue = queue.Count,
            QueueMax = queue.Capacity,
            Workers = workers,
            Served = served,
            Expired = expired,
            Refused = refused,
            Malformed = malformed,
            Rate = window.Value > 0 ? Quantity.Rounded(new Hertz(served / window.Value)) : Hertz.Zero,
            Busy = window.Value > 0 ? Quantity.Rounded(Math.Min(1, computed / (window * workers))) : 0,
            BatchMean = batches == 0 ? null : Quantity.Rounded((double)served / batches),
            QueueMean = served == 0 ? null : Quantity.Rounded(queued / served),
            ComputeMean = batches == 0 ? null : Quantity.Rounded(computed / batches),
            ServedTotal = servedTotal,
            TailSeconds = tails?.TailSeconds ?? PerExit.None,
            BottleneckSeconds = tails?.BottleneckSeconds ?? PerExit.None,
            Held = isLimited ? tails?.Size ?? Bytes.Zero : null,
            LoadsTotal = isLimited ? loads : null,
            UnloadsTotal = isLimited ? unloads : null,
            LoadedTotal = isLimited ? loaded : null,
            LoadingTotal = isLimited ? Quantity.Rounded(loading) : null,
        };
        served = expired = refused = malformed = batches = 0;
        queued = computed = Seconds.Zero;
        return load;
    }
}
