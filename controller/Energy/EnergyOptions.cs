using Fleet.Contracts;

namespace Fleet.Controller.Energy;

/// <summary>How devices on batteries are kept alive.</summary>
public sealed record EnergyOptions
{
    /// <summary>Time in which what a battery holds above its reserve may be used up, if the sun goes on as it did.</summary>
    public required Seconds Horizon { get; init; }

    /// <summary>How long a device must live on its reserve, if all it does is wait. K: a night and a dull day.</summary>
    public Seconds Dark { get; init; } = new(36 * 3600);

    public static IEnumerable<string> Faults(string key, Seconds? horizon)
    {
        if (horizon is { Value: not (>= 3600 and <= 1e9) } time) yield return $"{key} is {time.Value}; allowed: 3600 to 1e9 (leave it out, and energy is no concern)";
    }
}
