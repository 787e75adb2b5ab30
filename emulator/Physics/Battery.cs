using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Physics;

/// <summary>
/// A board's source of energy: a battery that can run empty, or the mains, which counts as a harvest that always matches the draw.
/// The idle draw is settled lazily, whenever something else happens.
/// </summary>
public sealed class Battery
{
    private readonly TimeProvider clock;
    private readonly Watts idle;
    private readonly EnergyBooks books;
    private readonly Joules? capacity;
    private long settledAt;

    /// <param name="capacity">Usable energy when full; null for the mains.</param>
    public Battery(TimeProvider clock, Joules? capacity, Watts idle, EnergyBooks books)
    {
        (this.clock, this.capacity, this.idle, this.books) = (clock, capacity, idle, books);
        Stored = capacity ?? Joules.Zero;
        books.Begin(Stored);
        settledAt = clock.GetTimestamp();
    }

    public Joules Stored { get; private set; }

    public bool IsEmpty { get; private set; }

    /// <summary>Raised once, when the last joule has gone.</summary>
    public event Action? Emptied;

    public double? Ratio => capacity is { } full ? Stored / full : null;

    public bool IsMains => capacity is null;

    /// <summary>Time until the idle draw alone empties it; null on the mains.</summary>
    public Seconds? TimeLeft => capacity is null ? null : Stored / idle;

    /// <summary>Takes the idle draw since the last time.</summary>
    public void Settle()
    {
        var now = clock.GetTimestamp();
        var elapsed = new Seconds((now - settledAt) / (double)clock.TimestampFrequency);
        settledAt = now;
        if (!IsEmpty) Take(EnergyUse.Idle, idle * elapsed);
    }

    /// <summary>Takes energy above the idle draw; what an empty battery cannot give is not used.</summary>
    public void Draw(EnergyUse use, Joules energy)
    {
        Settle();
        if (!IsEmpty) Take(use, energy);
    }

    private void Take(EnergyUse use, Joules energy)
    {
        if (capacity is null)
        {
            books.Harvest(energy);
            books.Use(use, energy);
            return;
        }
        var given = Joules.Min(energy, Stored);
        Stored -= given;
        books.Use(use, given);
        if (Stored > Joules.Zero) return;
        IsEmpty = true;
        Emptied?.Invoke();
    }
}
