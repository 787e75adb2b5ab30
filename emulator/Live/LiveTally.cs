using Fleet.Contracts;

namespace Fleet.Emulator.Live;

/// <summary>What goes through all uplinks of a run. Counted by worlds and network threads at once.</summary>
public sealed class LiveTally
{
    private readonly Lock gate = new();
    private readonly Histogram latency = new();
    private readonly Histogram latencyTotal = new();
    private long published, reliable, acknowledged, received, dropped, connected, reconnects, ready, desired, misdirected, reports;
    private double reportPeriod;

    /// <summary>Messages put on their way.</summary>
    public long Published => Interlocked.Read(ref published);

    /// <summary>Of these, the ones that are to be acknowledged.</summary>
    public long Reliable => Interlocked.Read(ref reliable);

    public long Acknowledged => Interlocked.Read(ref acknowledged);

    public long Received => Interlocked.Read(ref received);

    /// <summary>Not sent: the queue was full, or data while there was no connection.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    public long Connected => Interlocked.Read(ref connected);

    public long Reconnects => Interlocked.Read(ref reconnects);

    /// <summary>Devices that have a head and take inputs.</summary>
    public long Ready => Interlocked.Read(ref ready);

    /// <summary>Devices that were told by a controller what to run, each by its own desired.</summary>
    public long Assigned => Interlocked.Read(ref desired);

    /// <summary>Desired assignments that came to a device and were another's: always 0.</summary>
    public long Misdirected => Interlocked.Read(ref misdirected);

    /// <summary>Budgets and windows sent.</summary>
    public long Reports => Interlocked.Read(ref reports);

    /// <summary>As the controller wants it; null before it has said anything.</summary>
    public Seconds? ReportPeriod => Volatile.Read(ref reportPeriod) is > 0 and var period ? new Seconds(period) : null;

    /// <summary>From the first byte on its way to the acknowledgement, since the last call: median, 99th percentile; null when nothing was acknowledged.</summary>
    public (Seconds? Median, Seconds? P99) TakeLatency()
    {
        lock (gate)
        {
            var taken = (latency.Percentile(0.5), latency.Percentile(0.99));
            latencyTotal.Add(latency);
            latency.Clear();
            return taken;
        }
    }

    /// <summary>Likewise over the whole run, for any share.</summary>
    public Seconds? Latency(double share)
    {
        lock (gate)
        {
            latencyTotal.Add(latency);
            latency.Clear();
            return latencyTotal.Percentile(share);
        }
    }

    /// <summary>A budget or a window was sent.</summary>
    public void Report() => Interlocked.Increment(ref reports);

    /// <summary>A device has become ready, or is no longer.</summary>
    public void Become(bool isReady) => Interlocked.Add(ref ready, isReady ? 1 : -1);

    public void Publish(bool acknowledge)
    {
        Interlocked.Increment(ref published);
        if (acknowledge) Interlocked.Increment(ref reliable);
    }

    public void Drop() => Interlocked.Increment(ref dropped);

    public void Acknowledge(Seconds after)
    {
        Interlocked.Increment(ref acknowledged);
        lock (gate) latency.Add(after);
    }

    public void Receive() => Interlocked.Increment(ref received);

    /// <summary>A device was told what to run.</summary>
    /// <param name="isFirst">Whether it is the first time.</param>
    public void Assign(Assignment assignment, bool isFirst, bool isItsOwn)
    {
        Volatile.Write(ref reportPeriod, assignment.ReportPeriod.Value);
        if (!isItsOwn) Interlocked.Increment(ref misdirected);
        else if (isFirst) Interlocked.Increment(ref desired);
    }

    public void Connect(bool isFirst)
    {
        Interlocked.Increment(ref connected);
        if (!isFirst) Interlocked.Increment(ref reconnects);
    }

    public void Disconnect() => Interlocked.Decrement(ref connected);
}
