using Fleet.Contracts;

namespace Fleet.Controller;

/// <summary>
/// When a device has to be told again: its windows go on naming another version than it was told last. What it was told may have got lost; if it cannot do it,
/// being asked again harms nobody. Each time it is given twice as long.
/// </summary>
/// <param name="patience">The first time.</param>
public sealed class Reminders(TimeProvider clock, Seconds patience)
{
    /// <summary>What is asked again at most so often.</summary>
    private static readonly Seconds PatienceMax = new(3600 * 6);

    // Of those that run something else, whom few are: what they were told, since when, and how long they are given.
    private readonly Dictionary<string, (long Told, long Since, Seconds Patience)> behind = new(StringComparer.Ordinal);

    /// <summary>Whether a device is to be told again now.</summary>
    /// <param name="told">Version it was told last.</param>
    /// <param name="runs">Version its window says; 0 while it runs nothing.</param>
    public bool IsDue(string device, long told, long runs)
    {
        if (runs == told)
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
