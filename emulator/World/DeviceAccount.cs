using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>What one device did in a run, through all its lives.</summary>
/// <param name="index">Its place among the site's devices, from 0.</param>
public sealed class DeviceAccount(int index, string id, string board)
{
    public int Index => index;

    public string Id => id;

    public string Board => board;

    public EnergyBooks Energy { get; } = new();

    public long Started { get; private set; }

    public long Exits { get; private set; }

    public long Edge { get; private set; }

    public long Fallback { get; private set; }

    public long DeadlineMissed { get; private set; }

    public long Labelled { get; private set; }

    public long Correct { get; private set; }

    public long CutOff { get; private set; }

    public Seconds LatencySum { get; private set; }

    public Seconds LatencyMax { get; private set; }

    public int PowerLosses { get; private set; }

    public int Reboots { get; private set; }

    /// <summary>From the run's begin to its first death; null while it has had none.</summary>
    public Seconds? Lifetime { get; private set; }

    public long Answered => Exits + Edge + Fallback;

    internal void Start() => Started++;

    internal void Count(in Answer answer)
    {
        switch (answer.By)
        {
            case AnsweredBy.Exit: Exits++; break;
            case AnsweredBy.Edge: Edge++; break;
            default: Fallback++; break;
        }
        if (answer.DeadlineMissed) DeadlineMissed++;
        LatencySum += answer.Latency;
        LatencyMax = Seconds.Max(LatencyMax, answer.Latency);
        if (answer.TrueLabel < 0) return;
        Labelled++;
        if (answer.TrueLabel == answer.Label) Correct++;
    }

    /// <param name="lifetime">Null when it is no death.</param>
    internal void LosePower(int inFlight, Seconds? lifetime)
    {
        CutOff += inFlight;
        PowerLosses++;
        Lifetime ??= lifetime;
    }

    internal void Reboot() => Reboots++;
}
