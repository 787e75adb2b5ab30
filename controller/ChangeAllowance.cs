using Fleet.Contracts;

namespace Fleet.Controller;

/// <summary>A bound on changes: a bucket that a minute's worth of changes fills evenly, and that holds as many.</summary>
/// <param name="perMinute">Null: no bound.</param>
public sealed class ChangeAllowance(double? perMinute, TimeProvider clock)
{
    private double left = perMinute ?? 0;
    private long filledAt = clock.GetTimestamp();

    public bool IsBounded => perMinute is not null;

    /// <summary>Takes one change; false when the bucket is empty.</summary>
    public bool Take()
    {
        if (perMinute is not { } rate) return true;
        left = Math.Min(rate, left + clock.Since(filledAt).Value / 60 * rate);
        filledAt = clock.GetTimestamp();
        if (left < 1) return false;
        left--;
        return true;
    }
}
