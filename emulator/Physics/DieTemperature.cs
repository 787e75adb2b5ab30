using Fleet.Contracts;

namespace Fleet.Emulator.Physics;

/// <summary>
/// A processor's die as one thermal resistance and one capacity (a first-order RC circuit), and the firmware that lowers the clock when
/// it gets hot. Under constant power P the temperature goes to ambient + P R as 1 - exp(-t / time constant).
/// </summary>
public sealed class DieTemperature(ThermalProfile profile)
{
    public Celsius Temperature { get; private set; } = profile.Ambient.Value;

    /// <summary>The clock over its highest: 1 up to the start of throttling, then falling linearly to the slowest at its end.</summary>
    public double ClockRatio
    {
        get
        {
            var (start, end, slowest) = (profile.ThrottleStart.Value.Value, profile.ThrottleEnd.Value.Value, profile.SlowestClockRatio.Value);
            return 1 - (1 - slowest) * Math.Clamp((Temperature.Value - start) / (end - start), 0, 1);
        }
    }

    /// <summary>Lets a span pass under constant power; exact, however long the span.</summary>
    public void Pass(Seconds span, Watts power)
    {
        var goal = profile.Ambient.Value.Value + profile.Resistance.Value * power.Value;
        Temperature = new Celsius(goal + (Temperature.Value - goal) * Math.Exp(-span.Value / profile.TimeConstant.Value.Value));
    }
}
