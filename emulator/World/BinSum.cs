using Fleet.Contracts;

namespace Fleet.Emulator;

/// <summary>Adds up stretches, of one site or of the same time on many, in the order they come in: the same stretches give the same bits.</summary>
public sealed class BinSum
{
    private readonly List<long> exits = [];
    private readonly Histogram latency = new();
    private readonly MessageTable messages = [];
    private long started, offloaded, fallback, deadlineMissed, labelled, correct, skipped;
    private Bytes sent;
    private EnergyFlows energy = new();
    private Joules stored;
    private Batteries? batteries;

    public void Add(SiteBin bin)
    {
        while (exits.Count < bin.Exits.Count) exits.Add(0);
        for (var exit = 0; exit < bin.Exits.Count; exit++) exits[exit] += bin.Exits[exit];
        (started, offloaded, fallback, deadlineMissed) = (started + bin.Started, offloaded + bin.Offloaded, fallback + bin.Fallback, deadlineMissed + bin.DeadlineMissed);
        (labelled, correct, skipped, sent) = (labelled + bin.Labelled, correct + bin.Correct, skipped + bin.Skipped, sent + bin.Sent);
        bin.AddLatencyTo(latency);
        (energy, stored) = (energy + bin.Energy, stored + bin.Stored);
        if (bin.Batteries is { } more) batteries = batteries?.Plus(more) ?? more;
        messages.Add(bin.Messages);
    }

    public SiteBin Total() => new()
    {
        Started = started,
        Exits = [.. exits],
        Offloaded = offloaded,
        Fallback = fallback,
        DeadlineMissed = deadlineMissed,
        Labelled = labelled,
        Correct = correct,
        LatencySum = latency.Sum,
        LatencyCounts = latency.Pairs(),
        Skipped = skipped,
        Sent = sent,
        Energy = energy,
        Stored = stored,
        Batteries = batteries,
        Messages = messages.Copy(),
    };
}
