using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>One stretch of a run: what was answered, how, and at what cost.</summary>
public sealed class LedgerBin
{
    public long Started { get; set; }

    public long[] Exits { get; } = new long[PerExit.Max];

    public long Edge { get; set; }

    public long Fallback { get; set; }

    public long DeadlineMissed { get; set; }

    public long Labelled { get; set; }

    public long Correct { get; set; }

    public Seconds LatencySum { get; set; }

    public long Answered => Exits.Sum() + Edge + Fallback;
}

/// <summary>
/// What truly happened on a site, whoever reported what. Its books must close at the end of every run: inferences started = answered
/// by exits + by an edge server + by fallback + cut off by power loss + in flight.
/// </summary>
public sealed class Ledger(TimeProvider clock, Seconds binLength)
{
    private readonly long begun = clock.GetTimestamp();
    private readonly List<LedgerBin> bins = [];
    private readonly List<Seconds> lifetimes = [];

    public EventHash Hash { get; } = new();

    public MessageBooks Messages { get; } = new();

    public EnergyBooks Energy { get; } = new();

    /// <summary>Of the edge servers, apart: they run on the mains.</summary>
    public EnergyBooks EdgeEnergy { get; } = new();

    public Histogram Latency { get; } = new();

    public LedgerBin Total { get; } = new();

    public IReadOnlyList<LedgerBin> Bins => bins;

    public Seconds BinLength => binLength;

    /// <summary>Inferences that a device's own power loss ended.</summary>
    public long CutOff { get; private set; }

    /// <summary>How long each device that has died had lived, in the order of their deaths: from the run's begin to its first power loss.</summary>
    public IReadOnlyList<Seconds> Lifetimes => lifetimes;

    /// <summary>Power losses of devices, first ones and others.</summary>
    public int PowerLosses { get; private set; }

    /// <summary>Devices that the sun has brought back.</summary>
    public int Reboots { get; private set; }

    /// <summary>Raised at each device's first power loss.</summary>
    public event Action? Died;

    public void Started()
    {
        Bin().Started++;
        Total.Started++;
    }

    public void Answered(string device, in Answer answer)
    {
        Hash.Event(clock.GetTimestamp(), device, answer.Sample, answer.Label * 100L + (int)answer.By * 10 + answer.Exit);
        Latency.Add(answer.Latency);
        Count(Bin(), answer);
        Count(Total, answer);
    }

    /// <param name="isFirst">Whether it is the device's first.</param>
    public void LostPower(string device, int inFlight, bool isFirst)
    {
        Hash.Event(clock.GetTimestamp(), device + " died", inFlight, 0);
        CutOff += inFlight;
        PowerLosses++;
        if (!isFirst) return;
        lifetimes.Add(clock.Since(begun));
        Died?.Invoke();
    }

    public void Rebooted(string device)
    {
        Hash.Event(clock.GetTimestamp(), device + " rebooted", 0, 0);
        Reboots++;
    }

    /// <summary>What the inference book cannot explain, given what the agents themselves hold in flight: always 0.</summary>
    public long Lost(long inFlight) => Total.Started - Total.Answered - CutOff - inFlight;

    private static void Count(LedgerBin bin, in Answer answer)
    {
        switch (answer.By)
        {
            case AnsweredBy.Exit: bin.Exits[answer.Exit - 1]++; break;
            case AnsweredBy.Edge: bin.Edge++; break;
            default: bin.Fallback++; break;
        }
        if (answer.DeadlineMissed) bin.DeadlineMissed++;
        bin.LatencySum += answer.Latency;
        if (answer.TrueLabel < 0) return;
        bin.Labelled++;
        if (answer.TrueLabel == answer.Label) bin.Correct++;
    }

    private LedgerBin Bin()
    {
        var index = (int)(clock.Since(begun) / binLength);
        while (bins.Count <= index) bins.Add(new LedgerBin());
        return bins[index];
    }
}
