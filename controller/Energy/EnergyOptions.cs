using Fleet.Contracts;

namespace Fleet.Controller.Energy;

/// <summary>How devices on batteries are kept alive.</summary>
public sealed record EnergyOptions
{
    /// <summary>Time in which what a battery holds above its reserve may be used up, if the sun goes on as it did.</summary>
    public required Seconds Horizon { get; init; }

    /// <summary>Of the horizon, in seconds.</summary>
    public static Bounds HorizonBounds { get; } = new(3600, 1e9);

    /// <summary>How long a device must live on its reserve, if all it does is wait. K: a night and a dull day.</summary>
    public Seconds Dark { get; init; } = new(36 * 3600);
}
