using Fleet.Contracts;

namespace Fleet.DeviceAgent;

/// <summary>
/// Which inputs a device on a battery takes, within the bounds it was given: all while its charge is a band above the reserve, none at the reserve and below, and a
/// share in between that falls with the charge. It needs nobody for that: a controller that is away leaves the bounds behind.
/// </summary>
public sealed class EnergyDuty
{
    private double share = 1;
    private double owed;

    /// <summary>Inputs not taken.</summary>
    public int Spared { get; private set; }

    /// <summary>Looks at the charge; null when nobody measures it, and everything is taken.</summary>
    public void Look(Joules? battery, Assignment? runs) =>
        share = battery is { } charge && runs is { ChargeReserve: { } reserve, ChargeBand: { } band } ? Math.Clamp((charge - reserve) / band, 0, 1) : 1;

    /// <summary>Asked once for each input. Those taken are spread evenly, without luck.</summary>
    public bool Takes()
    {
        owed += share;
        if (owed >= 1)
        {
            owed--;
            return true;
        }
        Spared++;
        return false;
    }
}
