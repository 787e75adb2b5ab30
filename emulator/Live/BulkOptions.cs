using Fleet.Contracts;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Live;

/// <summary>What to do when something cannot keep up.</summary>
public enum OnDrift
{
    Stop,
    Slow,
}

/// <summary>N emulated devices on a real broker.</summary>
public sealed record BulkOptions
{
    /// <summary>What a number adds to a name: a dash and up to nine digits, or words of gateways and edge servers.</summary>
    private const int SiteDigits = 10, IdDigits = 30;

    public required MqttAddress Broker { get; init; }

    public MqttTls Tls { get; init; } = new();

    public int Count { get; init; } = 1000;

    /// <summary>Number of the first device; several processes share a fleet by different ones.</summary>
    public int First { get; init; } = 1;

    public string IdPrefix { get; init; } = "dev-";

    public string Site { get; init; } = "lab";

    /// <summary>Devices of a site; a fleet of more has sites numbered from 1.</summary>
    public int PerSite { get; init; } = 1000;

    /// <summary>Connections that carry all devices; 0: one connection each.</summary>
    public int Gateways { get; init; } = 4;

    /// <summary>Devices started in a real second.</summary>
    public double Ramp { get; init; } = 500;

    /// <summary>Each device starts up to this much later, at random.</summary>
    public Seconds Phase { get; init; } = Seconds.Zero;

    public double Speed { get; init; } = 1;

    /// <summary>Inputs of each device.</summary>
    public Hertz Rate { get; init; } = new(1);

    /// <summary>Emulated edge servers of each site.</summary>
    public int Edges { get; init; }

    /// <summary>One board for all devices; null: the mix of `fleet up`.</summary>
    public string? Board { get; init; }

    public string Model { get; init; } = "fmnist";

    public InferenceKind Inference { get; init; } = InferenceKind.Trace;

    public Delivery Telemetry { get; init; } = Delivery.AtLeastOnce;

    public long Seed { get; init; } = 1;

    /// <summary>Threads the devices are spread over.</summary>
    public int Worlds { get; init; } = 1;

    /// <summary>How late anything may be.</summary>
    public Seconds DriftMax { get; init; } = new(5);

    public OnDrift OnDrift { get; init; } = OnDrift.Stop;

    /// <summary>Real devices whose measurements the emulated ones follow; empty: none.</summary>
    public IReadOnlyList<string> CloneOf { get; init; } = [];

    public IEnumerable<string> Faults(Stock stock)
    {
        if (Count is < 1 or > 5_000_000) yield return $"--count is {Count}; allowed: 1 to 5000000";
        if (First < 1 || First > 100_000_000) yield return $"--first is {First}; allowed: 1 to 100000000";
        if (PerSite is < 1 or > 100_000) yield return $"--per-site is {PerSite}; allowed: 1 to 100000";
        if (Gateways < 0 || Gateways > Math.Max(Count, 1)) yield return $"--gateways is {Gateways}; allowed: 1 to the number of devices ({Count})";
        if (!Name.IsValid(Site)) yield return Name.Fault("--site", Site);
        else if (Site.Length > Name.LengthMax - SiteDigits) yield return $"--site is \"{Site}\"; allowed with a number: {Name.LengthMax - SiteDigits} characters";
        if (!Name.IsValid(IdPrefix + "0") || IdPrefix.Length > Name.LengthMax - IdDigits)
            yield return $"--id-prefix is \"{IdPrefix}\"; allowed: 0 to {Name.LengthMax - IdDigits} lower-case letters, digits and dashes, not starting with a dash";
        foreach (var parts in CloneOf.Select(name => name.Split('/')).Where(parts => parts.Length > 2 || parts.Any(part => !Name.IsValid(part))))
            yield return $"--clone-of is \"{string.Join('/', parts)}\"; allowed: DEVICE or SITE/DEVICE";
        if (!(Ramp is > 0 and <= 1e6)) yield return $"--ramp is {Ramp}; allowed: above 0 to 1000000 devices a second";
        if (!(Speed is >= 0.01 and <= 1000)) yield return $"--speed is {Speed}; allowed: 0.01 to 1000";
        if (!(Rate.Value is >= 1e-6 and <= 1000)) yield return $"--rate is {Rate.Value}; allowed: 0.000001 to 1000 Hz";
        if (Edges is < 0 or > 100) yield return $"--edges is {Edges}; allowed: 0 to 100 a site";
        if (Worlds is < 1 or > 256 || Gateways > 0 && Worlds > Gateways) yield return $"--threads is {Worlds}; allowed: 1 to 256, and not more than gateways ({Gateways})";
        if (!(DriftMax.Value is >= 0.05 and <= 3600)) yield return $"--drift-max is {DriftMax.Value} s; allowed: 0.05s to 1h";
        if (Board is not null && !stock.IsRole(Board, "device")) yield return $"--board is \"{Board}\"; allowed: {stock.Roles("device")}";
        if (!stock.Models.ContainsKey(Model)) yield return $"--model is \"{Model}\"; allowed: {string.Join(", ", stock.Models.Keys)}";
    }
}
