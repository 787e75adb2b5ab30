using System.Collections.Concurrent;
using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Live;

/// <summary>
/// Virtual time that keeps pace with real time, on a thread of its own: agents run on a <see cref="SimClock"/> as in `fleet run`, and
/// the clock is let run up to real time x speed, again and again. Their timers so cost what virtual ones cost, physics stays exact
/// below a timer's resolution, and how late a timer fires is plain: real time x speed less virtual time. While a broker has half a queue
/// still to take the clock stands: who was late for a while then catches up as fast as the broker does, and no message is dropped.
/// </summary>
public sealed class PacedWorld
{
    /// <summary>Real time that one turn is to take at most, so that sockets and inbox get their share.</summary>
    private static readonly Seconds Turn = new(0.005);

    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(2);

    /// <summary>Between two waits for a broker that hardly keeps up.</summary>
    private static readonly Seconds Moment = new(1);

    /// <summary>What is published waits so long for company: one write carries it all, and the broker reads it at once.</summary>
    public static readonly Seconds Linger = new(0.01);

    private readonly TimeProvider time;
    private readonly ConcurrentQueue<Action> inbox = new();
    private readonly AutoResetEvent came = new(false);
    private readonly List<Uplink> dirty = [];
    private readonly List<Uplink> crowded = [];
    private readonly Histogram lateness = new();
    private readonly Lock gate = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long anchorReal, flushed;
    private TimeSpan anchorVirtual;
    private double speed;
    private Seconds late, lateMax;
    private long? waitedAt;

    /// <param name="undeliveredMax">Received messages that wait for this world; beyond it its sockets are not read.</param>
    public PacedWorld(double speed, TimeProvider time, int undeliveredMax = 50_000)
    {
        (this.speed, this.time) = (speed, time);
        Backlog = new MqttBacklog(undeliveredMax);
        Clock = new SimClock(time.GetUtcNow());
    }

    /// <summary>Owned by the world's thread.</summary>
    public SimClock Clock { get; }

    /// <summary>Counts what was received and not yet handled.</summary>
    public MqttBacklog Backlog { get; }

    /// <summary>Virtual seconds in a real one.</summary>
    public double Speed => Volatile.Read(ref speed);

    /// <summary>How far virtual time is behind real time x speed now, in virtual time.</summary>
    public Seconds Late
    {
        get
        {
            lock (gate) return late;
        }
    }

    /// <summary>Whether it waits for its broker, or did a moment ago: who is late otherwise is so by itself.</summary>
    public bool WaitsForBroker
    {
        get
        {
            lock (gate) return waitedAt is { } at && time.Since(at) < Moment;
        }
    }

    /// <summary>Completes when the world's thread has ended; fails with what made it end.</summary>
    public Task Ended => ended.Task;

    /// <summary>Lateness of timers since the last call: median, 99th percentile, largest.</summary>
    public (Seconds Median, Seconds P99, Seconds Max) TakeLateness()
    {
        lock (gate)
        {
            var taken = (lateness.Percentile(0.5) ?? Seconds.Zero, lateness.Percentile(0.99) ?? Seconds.Zero, lateMax);
            lateness.Clear();
            lateMax = Seconds.Zero;
            return taken;
        }
    }

    /// <summary>From any thread: does something on the world's thread, in its next turn.</summary>
    public void Post(Action action)
    {
        Backlog.Add();
        inbox.Enqueue(action);
        came.Set();
    }

    /// <summary>Starts the thread; <paramref name="begin"/> is done first, on it.</summary>
    public void Start(Action begin, CancellationToken stop)
    {
        var thread = new Thread(() => Run(begin, stop)) { Name = "fleet-world", IsBackground = true };
        thread.Start();
    }

    /// <summary>Another speed from now on; what it was late is forgiven.</summary>
    public void ChangeSpeed(double next) => Post(() =>
    {
        Anchor();
        Volatile.Write(ref speed, next);
    });

    /// <summary>On the world's thread: to be flushed at the end of this turn.</summary>
    public void Flush(Uplink uplink) => dirty.Add(uplink);

    private void Run(Action begin, CancellationToken stop)
    {
        try
        {
            Clock.Run(Virtual);
            Clock.Soon(begin);
            Anchor();
            while (!stop.IsCancellationRequested)
            {
                TakeInbox();
                var behind = Behind();
                Note(behind);
                var mustWait = MustWait();
                // What has come is handled all the same: the broker may wait for that.
                Clock.Run(mustWait ? Virtual : Virtual + Seconds.Min(behind, Turn * speed).Span);
                FlushAll();
                if (mustWait || behind <= Turn * speed) came.WaitOne(Nap);
            }
            ended.SetResult();
        }
        catch (Exception e)
        {
            // A bug in what runs on it; whoever awaits the world is told.
            ended.SetException(e);
        }
    }

    private void FlushAll()
    {
        if (dirty.Count == 0 || time.Since(flushed) < Linger) return;
        flushed = time.GetTimestamp();
        foreach (var uplink in dirty)
        {
            uplink.Flush();
            if (uplink.IsCrowded && !crowded.Contains(uplink)) crowded.Add(uplink);
        }
        dirty.Clear();
    }

    private bool MustWait()
    {
        crowded.RemoveAll(uplink => !uplink.IsCrowded);
        if (crowded.Count == 0) return false;
        lock (gate) waitedAt = time.GetTimestamp();
        return true;
    }

    private TimeSpan Virtual => TimeSpan.FromTicks(Clock.GetTimestamp());

    private void Anchor() => (anchorReal, anchorVirtual) = (time.GetTimestamp(), Virtual);

    private Seconds Behind() => Seconds.Max(Seconds.Zero, Seconds.Of(anchorVirtual - Virtual) + Seconds.Of(time.GetElapsedTime(anchorReal)) * speed);

    private void Note(Seconds behind)
    {
        lock (gate)
        {
            late = behind;
            lateMax = Seconds.Max(lateMax, behind);
            lateness.Add(behind);
        }
    }

    private void TakeInbox()
    {
        for (var left = inbox.Count; left > 0 && inbox.TryDequeue(out var action); left--)
        {
            Backlog.Done();
            Clock.Soon(action);
        }
    }
}
