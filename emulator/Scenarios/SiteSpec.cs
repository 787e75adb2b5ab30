using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Physics;

namespace Fleet.Emulator.Scenarios;

/// <summary>A server that finishes what devices send.</summary>
public sealed record EdgeSpec
{
    /// <summary>Of the server; unique on its site.</summary>
    [JsonPropertyName("id")] public required string Id { get; init; }

    /// <summary>A hardware profile with role edge.</summary>
    [JsonPropertyName("profile")] public required string Profile { get; init; }

    /// <summary>Frames that it works on at once.</summary>
    [JsonPropertyName("workers")] public int Workers { get; init; } = 1;

    /// <summary>Frames that may wait; more are refused.</summary>
    [JsonPropertyName("queue_max")] public int QueueMax { get; init; } = 256;

    /// <summary>Time both ways between the broker and this server, and the mean of the exponential delay that is added each way. 0: beside the broker.</summary>
    [JsonPropertyName("rtt_s")] public Seconds RoundTrip { get; init; }

    /// <summary>Mean of the exponential delay that is added each way.</summary>
    [JsonPropertyName("jitter_s")] public Seconds Jitter { get; init; }

    /// <summary>Memory for tails, by the lengths of their files, and what besides may be taken while new ones are in and those before them not yet gone. Absent: there is no limit.</summary>
    [JsonPropertyName("tail_memory_bytes")] public Bytes? TailMemory { get; init; }

    /// <summary>Memory besides that may be taken while new tails are in and those before them not yet gone.</summary>
    [JsonPropertyName("tail_room_bytes")] public Bytes TailRoom { get; init; }

    /// <summary>Of the link over which tails come; absent: they are at hand.</summary>
    [JsonPropertyName("fetch_bytes_per_s")] public BytesPerSecond? FetchRate { get; init; }

    /// <summary>What is impossible about it, one sentence a fault.</summary>
    public IEnumerable<string> Faults(Stock stock)
    {
        if (!Name.IsValid(Id)) yield return Name.Fault("id", Id);
        if (!stock.IsRole(Profile, "edge")) yield return $"profile is \"{Profile}\"; allowed: {stock.Roles("edge")}";
        if (Workers is < 1 or > 1024) yield return $"workers is {Workers}; allowed: 1 to 1024";
        if (QueueMax is < 1 or > 1_000_000) yield return $"queue_max is {QueueMax}; allowed: 1 to 1000000";
        if (!(RoundTrip.Value is >= 0 and <= 60)) yield return $"rtt_s is {RoundTrip.Value}; allowed: 0 to 60";
        if (!(Jitter.Value is >= 0 and <= 60)) yield return $"jitter_s is {Jitter.Value}; allowed: 0 to 60";
        if (TailMemory is { Value: not (>= 1 and <= 1e15) } memory) yield return $"tail_memory_bytes is {memory.Value}; allowed: 1 to 1e15 (leave it out for no limit)";
        if (!(TailRoom.Value is >= 0 and <= 1e15)) yield return $"tail_room_bytes is {TailRoom.Value}; allowed: 0 to 1e15";
        if (TailRoom.Value > 0 && TailMemory is null) yield return "tail_room_bytes is given and tail_memory_bytes is not; room is needed only where memory is limited";
        if (FetchRate is { Value: not (>= 1 and <= 1e12) } rate) yield return $"fetch_bytes_per_s is {rate.Value}; allowed: 1 to 1e12 (leave it out when tails are at hand)";
    }
}

/// <summary>A planning domain: devices, their edge servers, one planner.</summary>
public sealed record SiteSpec
{
    /// <summary>Of the site, in every topic of it.</summary>
    [JsonPropertyName("name")] public required string Name { get; init; }

    /// <summary>So many sites like this one, NAME-0001, NAME-0002, ..., that know nothing of each other; each has luck of its own. Faults and stages of NAME are of all, those of NAME-0002 of one.</summary>
    [JsonPropertyName("repeat")] public int Repeat { get; init; } = 1;

    /// <summary>Groups of devices that are alike.</summary>
    [JsonPropertyName("devices")] public required IReadOnlyList<DeviceGroup> Devices { get; init; }

    /// <summary>Servers that finish what devices send.</summary>
    [JsonPropertyName("edges")] public required IReadOnlyList<EdgeSpec> Edges { get; init; }

    /// <summary>Servers far away that finish work as the edge servers do, each behind a round trip of its own.</summary>
    [JsonPropertyName("cloud")] public IReadOnlyList<EdgeSpec> Cloud { get; init; } = [];

    /// <summary>All that finish what devices send.</summary>
    [JsonIgnore] public IEnumerable<EdgeSpec> Servers => Edges.Concat(Cloud);

    /// <summary>Devices that work together, besides the others.</summary>
    [JsonPropertyName("groups")] public IReadOnlyList<GroupSpec> Groups { get; init; } = [];

    /// <summary>What shines on its solar panels.</summary>
    [JsonPropertyName("sky")] public SkySpec? Sky { get; init; }

    public const int RepeatMax = 10_000;

    /// <summary>The name that it shares with all that were written out of one; empty when it stands for itself.</summary>
    [JsonIgnore] public string Family { get; init; } = "";

    /// <summary>The sites that it stands for.</summary>
    public IEnumerable<SiteSpec> Expanded() => Repeat == 1 ? [this]
        : Enumerable.Range(1, Math.Clamp(Repeat, 0, RepeatMax)).Select(number => this with { Name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Name}-{number:D4}"), Repeat = 1, Family = Name });

    /// <summary>Whether a fault or a stage that names a site means it, or one of the sites that it stands for.</summary>
    public bool IsMeantBy(string site) => site == Name || site == Family || Repeat > 1 && Expanded().Any(copy => copy.Name == site);
}
