namespace Fleet.Contracts;

/// <summary>A part of the EU868 band with its duty cycle and the channels that LoRaWAN networks use in it.</summary>
public sealed record SubBand(string Name, double Duty, int Channels)
{
    /// <summary>868.1, 868.3 and 868.5 MHz are in every EU868 network; channels of the other two are K.</summary>
    public static readonly IReadOnlyList<SubBand> All = [new("868.0-868.6", 0.01, 3), new("868.7-869.2", 0.001, 2), new("869.4-869.65", 0.1, 1)];

    /// <summary>Where gateways answer in a device's second window: 869.525 MHz.</summary>
    public static int Second => 2;
}
