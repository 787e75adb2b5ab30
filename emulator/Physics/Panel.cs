using Fleet.Contracts;

namespace Fleet.Emulator.Physics;

/// <summary>What solar panels that lie level under a sky charge a battery with.</summary>
/// <param name="count">Panels of this kind.</param>
public sealed class Panel(PanelPart part, int count, Sky sky)
{
    /// <summary>A panel gives this much less for each degree that its cells are above 25 degrees Celsius. K: crystalline silicon.</summary>
    private const double LossPerDegree = 0.004;

    /// <summary>Degrees that full light (W/m2) warms cells above the air: a nominal operating temperature of 45 at 20 and 800 W/m2. K: usual label.</summary>
    private const double WarmingPerLight = 25.0 / 800;

    /// <param name="step">Of the sky, since the run's begin.</param>
    public Watts Power(int step)
    {
        var light = sky.Light(step);
        var cells = sky.Ambient.Value + WarmingPerLight * light.Value;
        return light * part.Area.Value * (count * part.Efficiency.Value * part.ChargerRatio.Value * Math.Max(0, 1 - LossPerDegree * (cells - 25)));
    }
}
