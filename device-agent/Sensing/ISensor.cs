using Fleet.Contracts;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>
/// Something that says how the board is doing: <see cref="SysfsSensor"/> (what Linux knows), <see cref="Ina219"/> (a power meter on I2C).
/// A sensor that fails says so and goes on: the next reading may work.
/// </summary>
public interface ISensor : IDisposable
{
    /// <summary>Names the sensor in logs and reports: ina219@1:0x40.</summary>
    string Name { get; }

    /// <summary>
    /// Reads everything there is now. False when something that should be there could not be read; <paramref name="fault"/> then
    /// says what (empty otherwise), and <paramref name="reading"/> still holds what could. What the board does not have is no fault.
    /// </summary>
    bool TryRead(out Reading reading, out string fault);
}

/// <summary>What sensors know at one moment; null is unknown. The words are those of <see cref="Budget"/>.</summary>
public readonly record struct Reading
{
    /// <summary>Drawn by the board, 0 or more.</summary>
    public Watts? Power { get; init; }

    /// <summary>Of the processor.</summary>
    public Celsius? Temperature { get; init; }

    /// <summary>Energy left in the battery.</summary>
    public Joules? Battery { get; init; }

    /// <summary>Charge left over charge when full, 0 to 1.</summary>
    public double? BatteryRatio { get; init; }

    /// <summary>Coming in from a panel or a supply, 0 or more.</summary>
    public Watts? Harvest { get; init; }

    /// <summary>Of the fastest core now.</summary>
    public Hertz? CpuClock { get; init; }

    /// <summary>What new work may take without swapping.</summary>
    public Bytes? MemoryFree { get; init; }

    /// <summary>Of the file system that holds the heads.</summary>
    public Bytes? StorageFree { get; init; }

    /// <summary>This reading, its gaps filled from <paramref name="other"/>.</summary>
    public Reading Or(Reading other) => new()
    {
        Power = Power ?? other.Power,
        Temperature = Temperature ?? other.Temperature,
        Battery = Battery ?? other.Battery,
        BatteryRatio = BatteryRatio ?? other.BatteryRatio,
        Harvest = Harvest ?? other.Harvest,
        CpuClock = CpuClock ?? other.CpuClock,
        MemoryFree = MemoryFree ?? other.MemoryFree,
        StorageFree = StorageFree ?? other.StorageFree,
    };
}
