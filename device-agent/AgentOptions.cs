using Fleet.Contracts;

namespace Fleet.DeviceAgent;

/// <summary>What an agent is told about itself.</summary>
public sealed record AgentOptions
{
    public required string Site { get; init; }

    public required string Id { get; init; }

    public required Info Info { get; init; }

    /// <summary>Estimates power where no sensor measures it.</summary>
    public required HardwareProfile Profile { get; init; }

    /// <summary>Run while no controller has said anything; null waits for one.</summary>
    public Assignment? Default { get; init; }

    /// <summary>Time the battery should last from now; gives energy_budget_w.</summary>
    public Seconds? Lifetime { get; init; }

    /// <summary>Lets the board sleep while there is nothing to do; null keeps it awake.</summary>
    public WakeLocks? WakeLocks { get; init; }

    /// <summary>Drawn by a run above what the device draws anyway, idling or asleep.</summary>
    public Watts RunPower => Profile.Power.Active.Value - (WakeLocks is null ? Profile.Power.Idle.Value : Profile.Power.Sleep!.Value);

    /// <summary>Drawn by waiting for an answer above what the device draws anyway: nothing where it stays awake whatever comes.</summary>
    public Watts WaitPower => WakeLocks is null ? Watts.Zero : Profile.Power.Idle.Value - Profile.Power.Sleep!.Value;

    /// <summary>Share of audits whose label somebody tells, where inputs have one.</summary>
    public double LabelledAudits { get; init; }

    /// <summary>Offloads that may wait for their answers at once; one more falls back at once.</summary>
    public int PendingMax { get; init; } = 32;

    /// <summary>Runs of each stage when it is measured.</summary>
    public int MeasureRuns { get; init; } = 3;
}

/// <summary>Who gave an answer.</summary>
public enum AnsweredBy
{
    Exit,
    Edge,
    Fallback,
}

/// <summary>The answer to one input.</summary>
/// <param name="Exit">The exit that answered; 0 when an edge server did.</param>
/// <param name="Latency">From the input's arrival.</param>
/// <param name="Assignment">What the device ran.</param>
public readonly record struct Answer(int Sample, int TrueLabel, int Label, double Confidence, AnsweredBy By, int Exit, Seconds Latency, bool DeadlineMissed, Assignment Assignment);
