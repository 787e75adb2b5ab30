using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>Running totals of an edge server.</summary>
/// <param name="Waited">Sum of the times that answered frames had waited for a worker: over a stretch of time, the mean number that waited (Little's law).</param>
/// <param name="Busy">Time its processor computed.</param>
/// <param name="Batches">How many batches the frames served came in.</param>
public readonly record struct EdgeCounts(long Served, long Refused, long Expired, double Batches, Seconds Waited, Seconds Busy, Joules Energy)
{
    public static EdgeCounts operator -(EdgeCounts a, EdgeCounts b) =>
        new(a.Served - b.Served, a.Refused - b.Refused, a.Expired - b.Expired, a.Batches - b.Batches, a.Waited - b.Waited, a.Busy - b.Busy, a.Energy - b.Energy);
}

/// <summary>Tails of an edge server whose memory for them is limited: how many came and went.</summary>
public sealed record TailTraffic
{
    [JsonPropertyName("loads")] public long Loads { get; init; }
    [JsonPropertyName("unloads")] public long Unloads { get; init; }
    [JsonPropertyName("loaded_bytes")] public Bytes Loaded { get; init; }

    /// <summary>Time that fetching and reading took.</summary>
    [JsonPropertyName("loading_s")] public Seconds Loading { get; init; }

    /// <summary>Most memory that tails took at one time, of one server.</summary>
    [JsonPropertyName("held_max_bytes")] public Bytes HeldMax { get; init; }

    public TailTraffic Plus(TailTraffic other) => new()
    {
        Loads = Loads + other.Loads,
        Unloads = Unloads + other.Unloads,
        Loaded = Loaded + other.Loaded,
        Loading = Loading + other.Loading,
        HeldMax = HeldMax >= other.HeldMax ? HeldMax : other.HeldMax,
    };
}

/// <summary>What one edge server did in a run, through all lives of its process.</summary>
public sealed class EdgeAccount(EdgeSpec spec)
{
    private Board? machine;
    private Seconds busyBefore;
    private long served, refused, expired;
    private double batches;
    private Seconds waited;
    private Bytes held;

    public string Id => spec.Id;

    public string Profile => spec.Profile;

    public int Workers => spec.Workers;

    public EnergyBooks Energy { get; } = new();

    /// <summary>Totals up to now; nothing changes by asking.</summary>
    public EdgeCounts Now()
    {
        var energy = new EnergyBooks();
        if (machine is null) energy.Add(Energy);
        else machine.Battery.Peek(energy);
        return new EdgeCounts(served, refused, expired, batches, waited, busyBefore + (machine?.Busy ?? Seconds.Zero), energy.Used);
    }

    /// <summary>Null where memory for tails is not limited.</summary>
    public TailTraffic? Tails { get; private set; } = spec.TailMemory is null ? null : new TailTraffic();

    public void Loaded(int tails, Bytes size, Seconds took)
    {
        held += size;
        Tails = Tails?.Plus(new TailTraffic { Loads = tails, Loaded = size, Loading = took, HeldMax = held });
    }

    public void Unloaded(Bytes size)
    {
        held -= size;
        Tails = Tails?.Plus(new TailTraffic { Unloads = 1 });
    }

    public void Settle() => machine?.Battery.Settle();

    /// <summary>Its process begins anew on this machine.</summary>
    public void Start(Board board)
    {
        busyBefore += machine?.Busy ?? Seconds.Zero;
        machine = board;
    }

    /// <summary>The process has died; the machine draws nothing that anybody counts until it is back.</summary>
    public void Stop()
    {
        Settle();
        busyBefore += machine?.Busy ?? Seconds.Zero;
        machine = null;
        held = Bytes.Zero;
    }

    public void Count(Reply reply)
    {
        switch (reply.Status)
        {
            case OffloadStatus.Ok:
                served++;
                batches += 1.0 / Math.Max(1, reply.Batch);
                waited += reply.Queue;
                break;
            case OffloadStatus.Expired: expired++; break;
            case OffloadStatus.BitsWanted: break;
            default: refused++; break;
        }
    }
}

/// <summary>An edge server's connection, read along: its replies say what it served and how long that had waited.</summary>
public sealed class CountingBus(IBus inner, EdgeAccount account) : IBus
{
    public bool IsConnected => inner.IsConnected;

    public event Action<bool>? ConnectionChanged
    {
        add => inner.ConnectionChanged += value;
        remove => inner.ConnectionChanged -= value;
    }

    public void Publish(Topic topic, Message message)
    {
        if (message is Reply reply) account.Count(reply);
        inner.Publish(topic, message);
    }

    public IDisposable Subscribe(string filter, Action<Topic, Message> handler) => inner.Subscribe(filter, handler);
}
