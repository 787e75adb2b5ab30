using Fleet.Contracts;

namespace Fleet.Controller;

/// <summary>
/// When a device has to be told again: it speaks, and does not say that it runs what it was told last. That may have got lost, or its answer; if it cannot do it, being
/// asked again harms nobody. Each time it is given twice as long.
/// </summary>
/// <param name="patience">The first time.</param>
public sealed class Reminders(TimeProvider clock, Seconds patience)
{
    /// <summary>What is asked again at most so often.</summary>
    private static readonly Seconds PatienceMax = new(3600 * 6);

    // Of those that do not say so, who are few: what they were told, since when, and how long they are given.
    private readonly Dictionary<string, (long Told, long Since, Seconds Patience)> behind = new(StringComparer.Ordinal);

    /// <summary>Whether a device is to be told again now.</summary>
    /// <param name="told">Version it was told last.</param>
    /// <param name="isRun">Whether it says that it runs that.</param>
    public bool IsDue(string device, long told, bool isRun)
    {
        if (isRun)
        {
            if (behind.Count > 0) behind.Remove(device);
            return false;
        }
        if (!behind.TryGetValue(device, out var known) || known.Told != told)
        {
            behind[device] = (told, clock.GetTimestamp(), patience);
            return false;
        }
        if (clock.Since(known.Since) < known.Patience) return false;
        behind[device] = (told, clock.GetTimestamp(), Seconds.Min(known.Patience * 2, PatienceMax));
        return true;
    }

    /// <summary>A device is gone for good.</summary>
    public void Forget(string device) => behind.Remove(device);
}
