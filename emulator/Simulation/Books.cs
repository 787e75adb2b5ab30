using Fleet.Contracts;

namespace Fleet.Emulator.Simulation;

/// <summary>
/// Counts of deliveries: due + duplicated = delivered + dropped + superseded + in flight. What is in flight is asked of those who hold it (the bus,
/// the radios), or a message they mislay would never be missed.
/// </summary>
public sealed class MessageBooks
{
    private readonly long[] due = new long[Kinds.Count], duplicated = new long[Kinds.Count], delivered = new long[Kinds.Count], dropped = new long[Kinds.Count], superseded = new long[Kinds.Count];

    public static IReadOnlyList<TopicKind> Kinds { get; } = Enum.GetValues<TopicKind>();

    public long DueTotal => due.Sum();

    public long DuplicatedTotal => duplicated.Sum();

    public long DeliveredTotal => delivered.Sum();

    public long DroppedTotal => dropped.Sum();

    /// <summary>Reports that a newer one of the same topic replaced while they waited for a slow radio.</summary>
    public long SupersededTotal => superseded.Sum();

    public void Due(TopicKind kind) => due[(int)kind]++;

    /// <summary>A delivery is made once more than is due.</summary>
    public void Duplicated(TopicKind kind) => duplicated[(int)kind]++;

    public void Delivered(TopicKind kind) => delivered[(int)kind]++;

    public void Dropped(TopicKind kind) => dropped[(int)kind]++;

    public MessageCounts Of(TopicKind kind) => new(due[(int)kind], duplicated[(int)kind], delivered[(int)kind], dropped[(int)kind], superseded[(int)kind]);

    public void Superseded(TopicKind kind) => superseded[(int)kind]++;

    /// <summary>What the counts cannot explain, given what is held now: always 0.</summary>
    public long Unexplained(long inFlight) => DueTotal + DuplicatedTotal - DeliveredTotal - DroppedTotal - SupersededTotal - inFlight;
}

/// <summary>Deliveries of one kind of message.</summary>
public readonly record struct MessageCounts(long Due, long Duplicated, long Delivered, long Dropped, long Superseded)
{
    public static MessageCounts operator +(MessageCounts a, MessageCounts b) => new(a.Due + b.Due, a.Duplicated + b.Duplicated, a.Delivered + b.Delivered, a.Dropped + b.Dropped, a.Superseded + b.Superseded);

    public static MessageCounts operator -(MessageCounts a, MessageCounts b) => new(a.Due - b.Due, a.Duplicated - b.Duplicated, a.Delivered - b.Delivered, a.Dropped - b.Dropped, a.Superseded - b.Superseded);
}

/// <summary>Where energy came from and went: initial + harvested = used + leaked + spilled + stored.</summary>
public sealed class EnergyBooks
{
    public Joules Initial { get; private set; }

    public Joules Harvested { get; private set; }

    public Joules Idle { get; private set; }

    public Joules Compute { get; private set; }

    public Joules Transmit { get; private set; }

    public Joules Receive { get; private set; }

    public Joules Boot { get; private set; }

    public Joules Sleep { get; private set; }

    public Joules Wake { get; private set; }

    public Joules Leaked { get; private set; }

    public Joules Spilled { get; private set; }

    public Joules Used => Idle + Compute + Transmit + Receive + Boot + Sleep + Wake;

    /// <summary>Takes over what other books hold.</summary>
    public void Add(EnergyBooks other)
    {
        Initial += other.Initial;
        Harvested += other.Harvested;
        Idle += other.Idle;
        Compute += other.Compute;
        Transmit += other.Transmit;
        Receive += other.Receive;
        Boot += other.Boot;
        Sleep += other.Sleep;
        Wake += other.Wake;
        Leaked += other.Leaked;
        Spilled += other.Spilled;
    }

    public void Begin(Joules stored) => Initial += stored;

    public void Harvest(Joules energy) => Harvested += energy;

    public void Leak(Joules energy) => Leaked += energy;

    public void Spill(Joules energy) => Spilled += energy;

    public void Use(EnergyUse use, Joules energy)
    {
        switch (use)
        {
            case EnergyUse.Idle: Idle += energy; break;
            case EnergyUse.Compute: Compute += energy; break;
            case EnergyUse.Transmit: Transmit += energy; break;
            case EnergyUse.Receive: Receive += energy; break;
            case EnergyUse.Sleep: Sleep += energy; break;
            case EnergyUse.Wake: Wake += energy; break;
            default: Boot += energy; break;
        }
    }

    /// <summary>What the entries cannot explain, given what is stored now: 0 but for rounding.</summary>
    public Joules Unexplained(Joules stored) => Initial + Harvested - Used - Leaked - Spilled - stored;
}

/// <summary>What energy is drawn for.</summary>
public enum EnergyUse
{
    Idle,
    Compute,
    Transmit,
    Receive,

    /// <summary>Starting again after a power loss, above idling.</summary>
    Boot,

    /// <summary>Asleep between inputs.</summary>
    Sleep,

    /// <summary>Waking up, above sleeping.</summary>
    Wake,
}
