using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>Entries of an energy book over some time: initial + harvested = used + leaked + spilled + what is stored at the end.</summary>
public sealed record EnergyFlows
{
    [JsonPropertyName("initial_j")] public Joules Initial { get; init; }
    [JsonPropertyName("harvested_j")] public Joules Harvested { get; init; }
    [JsonPropertyName("idle_j")] public Joules Idle { get; init; }
    [JsonPropertyName("compute_j")] public Joules Compute { get; init; }
    [JsonPropertyName("transmit_j")] public Joules Transmit { get; init; }
    [JsonPropertyName("receive_j")] public Joules Receive { get; init; }
    [JsonPropertyName("boot_j")] public Joules Boot { get; init; }
    [JsonPropertyName("sleep_j")] public Joules Sleep { get; init; }
    [JsonPropertyName("wake_j")] public Joules Wake { get; init; }
    [JsonPropertyName("leaked_j")] public Joules Leaked { get; init; }
    [JsonPropertyName("spilled_j")] public Joules Spilled { get; init; }

    [JsonIgnore] public Joules Used => Idle + Compute + Transmit + Receive + Boot + Sleep + Wake;

    /// <summary>Of waking, computing and radio, without idling and sleeping.</summary>
    [JsonIgnore] public Joules Spent => Compute + Transmit + Receive + Wake;

    public static EnergyFlows Of(EnergyBooks books) => new()
    {
        Initial = books.Initial,
        Harvested = books.Harvested,
        Idle = books.Idle,
        Compute = books.Compute,
        Transmit = books.Transmit,
        Receive = books.Receive,
        Boot = books.Boot,
        Sleep = books.Sleep,
        Wake = books.Wake,
        Leaked = books.Leaked,
        Spilled = books.Spilled,
    };

    public static EnergyFlows operator +(EnergyFlows a, EnergyFlows b) => Join(a, b, static (x, y) => x + y);

    public static EnergyFlows operator -(EnergyFlows a, EnergyFlows b) => Join(a, b, static (x, y) => x - y);

    private static EnergyFlows Join(EnergyFlows a, EnergyFlows b, Func<Joules, Joules, Joules> of) => new()
    {
        Initial = of(a.Initial, b.Initial),
        Harvested = of(a.Harvested, b.Harvested),
        Idle = of(a.Idle, b.Idle),
        Compute = of(a.Compute, b.Compute),
        Transmit = of(a.Transmit, b.Transmit),
        Receive = of(a.Receive, b.Receive),
        Boot = of(a.Boot, b.Boot),
        Sleep = of(a.Sleep, b.Sleep),
        Wake = of(a.Wake, b.Wake),
        Leaked = of(a.Leaked, b.Leaked),
        Spilled = of(a.Spilled, b.Spilled),
    };
}
