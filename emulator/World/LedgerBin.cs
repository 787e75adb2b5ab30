using Fleet.Contracts;
using Fleet.DeviceAgent;

namespace Fleet.Emulator;

/// <summary>One stretch of a run: what was answered, how, and how fast.</summary>
public sealed class LedgerBin
{
    public long Started { get; set; }

    public long[] Exits { get; } = new long[PerExit.Max];

    public long Edge { get; private set; }

    public long Fallback { get; private set; }

    public long DeadlineMissed { get; private set; }

    public long Labelled { get; private set; }

    public long Correct { get; private set; }

    public Histogram Latency { get; } = new();

    public long Answered => Exits.Sum() + Edge + Fallback;

    public void Count(in Answer answer)
    {
        switch (answer.By)
        {
            case AnsweredBy.Exit: Exits[answer.Exit - 1]++; break;
            case AnsweredBy.Edge: Edge++; break;
            default: Fallback++; break;
        }
        if (answer.DeadlineMissed) DeadlineMissed++;
        Latency.Add(answer.Latency);
        if (answer.TrueLabel < 0) return;
        Labelled++;
        if (answer.TrueLabel == answer.Label) Correct++;
    }

    public void Add(LedgerBin other)
    {
        Started += other.Started;
        for (var exit = 0; exit < Exits.Length; exit++) Exits[exit] += other.Exits[exit];
        Edge += other.Edge;
        Fallback += other.Fallback;
        DeadlineMissed += other.DeadlineMissed;
        Labelled += other.Labelled;
        Correct += other.Correct;
        Latency.Add(other.Latency);
    }
}
