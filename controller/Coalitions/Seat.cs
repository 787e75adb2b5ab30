namespace Fleet.Controller.Coalitions;

/// <summary>Where a device learns: at a gateway, sending by a spreading factor, or alone.</summary>
public readonly record struct Seat(int Gateway, int Spreading)
{
    public static readonly Seat Alone = new(-1, 0);

    public bool IsAlone => Gateway < 0;
}

/// <summary>A device that may federate.</summary>
/// <param name="Samples">What it has to learn from.</param>
/// <param name="Seats">Its choices; being alone is always one more.</param>
public sealed record Player(double Samples, IReadOnlyList<Seat> Seats);

/// <summary>What the game weighs.</summary>
public sealed record GameOptions
{
    /// <summary>mu_e: expected error of one sample's noise. K.</summary>
    public double Noise { get; init; } = 10;

    /// <summary>sigma squared: how far devices' truths lie apart. K.</summary>
    public double Spread { get; init; } = 0.01;

    /// <summary>kappa: error that a second on the air is worth. K.</summary>
    public double PricePerSecond { get; init; } = 0.002;

    /// <summary>Bytes of one update of an exit head.</summary>
    public int UpdateBytes { get; init; } = 500;

    /// <summary>Seconds between updates; what is on the air in that time is the load.</summary>
    public double Period { get; init; } = 600;

    /// <summary>Channels among which devices draw. D: 868.1, 868.3 and 868.5 MHz, in every EU868 network.</summary>
    public int Channels { get; init; } = 3;
}
