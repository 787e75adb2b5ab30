using Fleet.Contracts;

namespace Fleet.Emulator.Radios;

/// <summary>
/// The share of time that one sender may be on the air in a sub-band: after each transmission it keeps silent for ToA (1 / duty - 1), as
/// LoRaWAN devices do (LoRaWAN 1.0.x regional parameters, EU868; ETSI EN 300 220).
/// </summary>
public sealed class DutyCycle(double duty)
{
    /// <summary>When it may send again.</summary>
    public Seconds FreeAt { get; private set; }

    public void Sent(Seconds begin, Seconds airTime) => FreeAt = begin + airTime + airTime * (1 / duty - 1);
}
