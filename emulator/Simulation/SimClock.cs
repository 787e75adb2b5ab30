using System.Runtime.ExceptionServices;

namespace Fleet.Emulator.Simulation;

/// <summary>
/// Virtual time on one thread. Ordinary async code that is given this clock runs unchanged: delays, periodic timers and deadlines all
/// wait in virtual time. Events fire in the order (due, sequence), so that a run is a pure function of its seed.
/// </summary>
public sealed class SimClock : TimeProvider
{
    private readonly EventQueue<SimTimer> due = new();
    private readonly Queue<(SendOrPostCallback Callback, object? State)> ready = new();
    private readonly LoopContext context;
    private int thread;
    private long now;
    private long nextSequence;
    private Exception? failure;
    private readonly DateTimeOffset origin;
    private bool isStopped;

    /// <param name="origin">The date at its beginning; Unix time 0 when none is given, so that a run depends on no date.</param>
    public SimClock(DateTimeOffset? origin = null)
    {
        this.origin = origin ?? DateTimeOffset.UnixEpoch;
        thread = Environment.CurrentManagedThreadId;
        context = new LoopContext(this);
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Timers fired so far.</summary>
    public long Fired { get; private set; }

    public override long GetTimestamp() => now;

    public override DateTimeOffset GetUtcNow() => origin.AddTicks(now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Starts a process; it takes its first step when the clock runs. Its failure fails the run.</summary>
    public void Start(Func<Task> process) => Post(_ => Watch(process), null);

    /// <summary>Does something at this very moment, but after what is being done now.</summary>
    public void Soon(Action action) => Soon(static state => ((Action)state!)(), action);

    /// <inheritdoc cref="Soon(Action)"/>
    public void Soon(SendOrPostCallback action, object? state) => Post(action, state);

    /// <summary>Whether time stands still for good.</summary>
    public bool IsStopped => isStopped;

    /// <summary>Ends <see cref="Run"/> after what is being done now: time stands still from here on.</summary>
    public void Stop() => isStopped = true;

    /// <summary>Runs until virtual time <paramref name="until"/> since the start, on the calling thread.</summary>
    public void Run(TimeSpan until)
    {
        var outer = SynchronizationContext.Current;
        thread = Environment.CurrentManagedThreadId;
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            while (Step(until.Ticks))
            {
            }
            if (!isStopped) now = Math.Max(now, until.Ticks);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    private bool Step(long until)
    {
        while (ready.TryDequeue(out var work)) work.Callback(work.State);
        if (Volatile.Read(ref failure) is { } failed) ExceptionDispatchInfo.Throw(failed);
        if (isStopped || !due.TryPeek(out var timer, out var at, out var sequence) || at > until) return false;
        due.RemoveFirst();
        if (timer.Sequence != sequence) return true; // Stopped or moved since it was queued.
        now = at;
        Fired++;
        timer.Fire();
        return true;
    }

    private async void Watch(Func<Task> process)
    {
        try
        {
            await process();
        }
        catch (Exception e)
        {
            // Any failure of any process is a bug that must end the run with its own stack.
            Interlocked.CompareExchange(ref failure, e, null);
        }
    }

    private void Post(SendOrPostCallback callback, object? state)
    {
        if (IsOnThread()) ready.Enqueue((callback, state));
    }

    private bool IsOnThread()
    {
        if (Environment.CurrentManagedThreadId == thread) return true;
        Interlocked.CompareExchange(ref failure, new InvalidOperationException("Code left the simulation's thread:\n" + Environment.StackTrace), null);
        return false;
    }

    private sealed class LoopContext(SimClock clock) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => clock.Post(d, state);

        public override SynchronizationContext CreateCopy() => this;
    }

    private sealed class SimTimer(SimClock clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan period;

        /// <summary>Of the entry in the queue that counts; -1 when stopped.</summary>
        public long Sequence { get; private set; } = -1;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != Timeout.InfiniteTimeSpan) ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, TimeSpan.Zero);
            if (!clock.IsOnThread()) return false;
            (this.period, Sequence) = (period, -1);
            if (dueTime == Timeout.InfiniteTimeSpan) return true;
            Sequence = clock.nextSequence++;
            clock.due.Add(this, clock.now + dueTime.Ticks, Sequence);
            return true;
        }

        public void Fire()
        {
            Sequence = -1;
            if (period > TimeSpan.Zero) Change(period, period);
            callback(state);
        }

        public void Dispose() => Sequence = -1;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
