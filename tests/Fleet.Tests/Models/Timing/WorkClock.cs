namespace Fleet.Tests.Models.Timing;

/// <summary>Stands still but while work is done.</summary>
internal sealed class WorkClock : TimeProvider
{
    private long now;

    public override long TimestampFrequency => 1_000_000_000;

    public override long GetTimestamp() => now;

    public void Work(double seconds) => now += (long)Math.Round(seconds * TimestampFrequency);
}
