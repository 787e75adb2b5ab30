using Fleet.Contracts;

namespace Fleet.EdgeServer;

/// <summary>Counts of one load window.</summary>
public sealed class LoadCounter
{
    private int served, expired, refused, malformed, batches;
    private Seconds queued, computed;
    private long sequence, servedTotal;

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

    public EdgeLoad Close(Seconds now, Seconds window, FrameQueue queue, int workers, TailSet? tails)
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
            TailSeconds = tails?.TailSeconds ?? new PerExit(),
            BottleneckSeconds = tails?.BottleneckSeconds ?? new PerExit(),
        };
        served = expired = refused = malformed = batches = 0;
        queued = computed = Seconds.Zero;
        return load;
    }
}
