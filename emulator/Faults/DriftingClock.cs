using Fleet.Contracts;

namespace Fleet.Emulator.Faults;

/// <summary>
/// A device's own clock over the world's: it may run fast or slow, and its date may be off. Timers that are running when that changes keep
/// the moment they were set for.
/// </summary>
public sealed class DriftingClock(TimeProvider world) : TimeProvider
{
    private double speed = 1;
    private TimeSpan offset;

    // Where both clocks stood when the speed last changed.
    private long worldThen = world.GetTimestamp();
    private long ownThen = world.GetTimestamp();

    public override long TimestampFrequency => world.TimestampFrequency;

    /// <param name="ppm">Parts per million that it runs fast.</param>
    /// <param name="ahead">How far its date is ahead.</param>
    public void Drift(double ppm, Seconds ahead)
    {
        (ownThen, worldThen) = (GetTimestamp(), world.GetTimestamp());
        (speed, offset) = (1 + ppm * 1e-6, ahead.Span);
    }

    /// <summary>Its date is set right, and it runs as the world's does; what it has counted since the start stays.</summary>
    public void SetRight()
    {
        Drift(0, Seconds.Zero);
        offset = TimeSpan.FromSeconds((world.GetTimestamp() - GetTimestamp()) / (double)TimestampFrequency);
    }

    public override long GetTimestamp() => ownThen + (long)((world.GetTimestamp() - worldThen) * speed);

    public override DateTimeOffset GetUtcNow() => world.GetUtcNow() + TimeSpan.FromSeconds((GetTimestamp() - world.GetTimestamp()) / (double)TimestampFrequency) + offset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new OwnTimer(this, world.CreateTimer(callback, state, OfWorld(dueTime), OfWorld(period)));

    private TimeSpan OfWorld(TimeSpan own) => own == Timeout.InfiniteTimeSpan ? own : TimeSpan.FromTicks((long)Math.Round(own.Ticks / speed));

    private sealed class OwnTimer(DriftingClock clock, ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(clock.OfWorld(dueTime), clock.OfWorld(period));

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
