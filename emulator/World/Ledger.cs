using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>
/// What truly happened on a site, whoever reported what. Its books must close at the end of every run: inferences started = answered
/// by exits + by an edge server + by fallback + cut off by power loss + in flight. An inference costs it no allocation.
/// </summary>
/// <param name="binsMax">What comes later than the last bin's end counts in the last one.</param>
public sealed class Ledger(TimeProvider clock, Seconds binLength, int binsMax = int.MaxValue)
{
    private readonly long begun = clock.GetTimestamp();
    private readonly long binTicks = (long)Math.Ceiling(binLength.Value * clock.TimestampFrequency);
    private readonly List<LedgerBin> bins = [];
    private readonly List<DeviceAccount> devices = [];
    private readonly List<EdgeAccount> edges = [];
    private readonly List<Seconds> lifetimes = [];
    private LedgerBin bin = new();
    private long binEnd;

    public EventHash Hash { get; } = new();

    public MessageBooks Messages { get; } = new();

    public IReadOnlyList<DeviceAccount> Devices => devices;

    public IReadOnlyList<EdgeAccount> Edges => edges;

    /// <summary>Told each answer after it has been counted; null when nobody wants to know.</summary>
    public Action<DeviceAccount, Answer>? Recorder { get; set; }

    public IReadOnlyList<LedgerBin> Bins => bins;

    public Seconds BinLength => binLength;

    /// <summary>All bins together.</summary>
    public LedgerBin Total
    {
        get
        {
            var total = new LedgerBin();
            foreach (var one in bins) total.Add(one);
            return total;
        }
    }

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

    public DeviceAccount Open(string device, string board)
    {
        var account = new DeviceAccount(devices.Count, device, board);
        devices.Add(account);
        return account;
    }

    /// <summary>The edge server's account: a new one for each name.</summary>
    public EdgeAccount Open(EdgeSpec edge)
    {
        if (edges.Find(known => known.Id == edge.Id) is { } open) return open;
        edges.Add(new EdgeAccount(edge));
        return edges[^1];
    }

    public void Started(DeviceAccount device)
    {
        device.Start();
        Bin().Started++;
    }

    public void Answered(DeviceAccount device, in Answer answer)
    {
        Hash.Event(clock.GetTimestamp(), device.Id, answer.Sample, answer.Label * 100L + (int)answer.By * 10 + answer.Exit);
        device.Count(answer);
        Bin().Count(answer);
        Recorder?.Invoke(device, answer);
    }

    /// <param name="isDeath">Whether its battery has failed it, or it has crashed: what comes back with the power is not dead.</param>
    public void LostPower(DeviceAccount device, int inFlight, bool isDeath)
    {
        Hash.Event(clock.GetTimestamp(), device.Id + " died", inFlight, 0);
        CutOff += inFlight;
        PowerLosses++;
        var isFirst = isDeath && device.Lifetime is null;
        device.LosePower(inFlight, isDeath ? clock.Since(begun) : null);
        if (!isFirst) return;
        lifetimes.Add(clock.Since(begun));
        Died?.Invoke();
    }

    public void Rebooted(DeviceAccount device)
    {
        Hash.Event(clock.GetTimestamp(), device.Id + " rebooted", 0, 0);
        Reboots++;
        device.Reboot();
    }

    /// <summary>What the inference book cannot explain, given what the agents themselves hold in flight: always 0.</summary>
    public long Lost(long inFlight) => bins.Sum(one => one.Started - one.Answered) - CutOff - inFlight;

    private LedgerBin Bin()
    {
        var now = clock.GetTimestamp();
        if (now < binEnd) return bin;
        var index = (int)Math.Min((now - begun) / binTicks, binsMax - 1);
        while (bins.Count <= index) bins.Add(new LedgerBin());
        binEnd = index == binsMax - 1 ? long.MaxValue : begun + (index + 1) * binTicks;
        return bin = bins[index];
    }
}
