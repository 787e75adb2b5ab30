using System.Buffers.Binary;
using System.Device.I2c;
using Fleet.Contracts;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>What the wire that an <see cref="Ina219"/> sits in carries.</summary>
public enum MeteredWire
{
    /// <summary>From the supply to the board: the meter reads what the board draws.</summary>
    Load,

    /// <summary>From a panel or charger: the meter reads what comes in.</summary>
    Harvest,
}

/// <summary>One conversion of an <see cref="Ina219"/>. Current and power are negative when current flows from IN- to IN+.</summary>
public readonly record struct Ina219Measurement(double ShuntVolts, double BusVolts, double Amperes, Watts Power);

/// <summary>
/// Texas Instruments INA219: voltage, current and power of one wire, over I2C, 16-bit big-endian registers. Continuous conversion,
/// 32 samples averaged (17 ms each for shunt and bus). Nothing is asked of the chip before the first reading, and its set-up is
/// checked at each, since a dip of its supply silently sets the calibration, and with it current and power, to 0.
/// Source: data sheet SBOS448G, https://www.ti.com/lit/ds/symlink/ina219.pdf (section 8.6: registers; 8.5.1: calibration and worked example).
/// </summary>
public sealed class Ina219 : ISensor
{
    public const int AddressMin = 0x40;
    public const int AddressMax = 0x4F;

    /// <summary>Full scale of the shunt voltage at the lowest gain (PGA /8).</summary>
    public const double ShuntVoltsMax = 0.32;

    private const byte ConfigurationRegister = 0x00;
    private const byte ShuntVoltageRegister = 0x01;
    private const byte BusVoltageRegister = 0x02;
    private const byte PowerRegister = 0x03;
    private const byte CurrentRegister = 0x04;
    private const byte CalibrationRegister = 0x05;

    /// <summary>BRNG = 1: 32 V full scale; BADC = SADC = 1101: 32 samples of 12 bits; MODE = 111: shunt and bus, continuous.</summary>
    private const ushort Configuration = 1 << 13 | 0b1101 << 7 | 0b1101 << 3 | 0b111;
    private const int GainShift = 11;
    private const int GainMax = 0b11;
    private const double ShuntVoltsAtGain1 = 0.04;

    private const double ShuntLsbVolts = 10e-6;
    private const double BusLsbVolts = 4e-3;
    private const int BusShift = 3;
    private const int ConversionReady = 1 << 1;
    private const int Overflow = 1 << 0;

    /// <summary>Power LSB over current LSB.</summary>
    private const int PowerLsbOverCurrentLsb = 20;

    /// <summary>Calibration = trunc(0.04096 V / (current LSB * shunt)), equation 1; its lowest bit is always 0.</summary>
    private const double CalibrationVolts = 0.04096;
    private const int CalibrationMax = 0xFFFE;

    /// <summary>Offset of the shunt voltage, plus or minus, at most (INA219A): below it the direction of the current is not known.</summary>
    private const double ShuntOffsetVolts = 100e-6;

    /// <summary>0.4 * 0.1 is above 0.04 in binary, and 0.04096 / (1e-4 * 0.1) may fall short of 4096: a hair's breadth is forgiven.</summary>
    private const double RoundingSlack = 1 + 1e-9;

    private readonly I2cDevice device;
    private readonly MeteredWire wire;
    private readonly ushort configuration;
    private readonly ushort calibration;
    private readonly double currentLsb;
    private readonly double offsetAmperes;
    private readonly int shuntFullScale;
    private bool isSetUp;

    /// <param name="device">Is disposed with the sensor.</param>
    /// <param name="shuntOhms">The resistor between IN+ and IN-: 0.1 on common boards.</param>
    /// <param name="maxAmperes">Largest current expected; with the shunt it chooses gain and resolution, at most 0.32 V together.</param>
    /// <param name="wire">Where the meter sits.</param>
    public Ina219(I2cDevice device, double shuntOhms, double maxAmperes, MeteredWire wire = MeteredWire.Load)
    {
        var settings = device.ConnectionSettings;
        Name = $"ina219@{settings.BusId}:0x{settings.DeviceAddress:x2}";
        FaultsException.ThrowIfAny(Name, RangeFaults(settings.DeviceAddress, shuntOhms, maxAmperes));
        this.device = device;
        this.wire = wire;
        var gain = 0;
        while (gain < GainMax && ShuntVoltsAtGain1 * (1 << gain) * RoundingSlack < maxAmperes * shuntOhms) gain++;
        configuration = (ushort)(Configuration | gain << GainShift);
        shuntFullScale = (int)(ShuntVoltsAtGain1 / ShuntLsbVolts + 0.5) << gain;
        calibration = CalibrationOf(CurrentLsb(shuntOhms, maxAmperes), shuntOhms);
        // The chip multiplies by what calibration became after truncation, so this is the true LSB.
        currentLsb = CalibrationVolts / (calibration * shuntOhms);
        offsetAmperes = ShuntOffsetVolts / shuntOhms;
    }

    public string Name { get; }

    /// <summary>
    /// The meter at an address of a bus (/dev/i2c-<paramref name="bus"/>). Throws <see cref="FaultsException"/> on values out of
    /// range; a chip that does not answer is a fault of each reading instead.
    /// </summary>
    public static Ina219 Open(int bus, int address, double shuntOhms, double maxAmperes, MeteredWire wire = MeteredWire.Load)
    {
        FaultsException.ThrowIfAny($"ina219@{bus}:0x{address:x2}", RangeFaults(address, shuntOhms, maxAmperes));
        return new Ina219(I2cDevice.Create(new I2cConnectionSettings(bus, address)), shuntOhms, maxAmperes, wire);
    }

    /// <summary>
    /// The smallest current LSB of the form 1, 2 or 5 times a power of ten that reaches the expected current in 15 bits
    /// (equation 2) with a calibration that fits its register.
    /// </summary>
    public static double CurrentLsb(double shuntOhms, double maxAmperes)
    {
        var least = Math.Max(maxAmperes / 32768, CalibrationVolts / (CalibrationMax * shuntOhms));
        var decade = Math.Pow(10, Math.Floor(Math.Log10(least)));
        foreach (var step in (ReadOnlySpan<double>)[1, 2, 5])
            if (decade * step >= least) return decade * step;
        return decade * 10;
    }

    /// <summary>The calibration register for a current LSB in amperes.</summary>
    public static ushort CalibrationOf(double currentLsb, double shuntOhms)
    {
        var exact = CalibrationVolts / (currentLsb * shuntOhms);
        return (ushort)((int)(exact * RoundingSlack) & CalibrationMax);
    }

    /// <inheritdoc/>
    public bool TryRead(out Reading reading, out string fault)
    {
        reading = default;
        if (!TryMeasure(out var measured, out fault)) return false;
        if (measured is not { } wireNow) return true;
        if (wireNow.Amperes < -offsetAmperes)
        {
            fault = $"current is {wireNow.Amperes:G4} A, from IN- to IN+; expected the other way: are the two swapped, or is the wire another than the {wire} wire?";
            return false;
        }
        var power = new Watts(Math.Max(0, wireNow.Power.Value));
        reading = wire is MeteredWire.Load ? new Reading { Power = power } : new Reading { Harvest = power };
        return true;
    }

    /// <summary>Null without a fault when the chip was just set up and has not finished its first conversion.</summary>
    public bool TryMeasure(out Ina219Measurement? measured, out string fault)
    {
        measured = null;
        fault = "";
        try
        {
            if (!isSetUp)
            {
                SetUp();
                return true;
            }
            return TryMeasureOnce(out measured, out fault);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            // No acknowledge: unplugged, another address, or no right to open the bus. It may come back with its registers reset.
            isSetUp = false;
            fault = $"does not answer: {e.Message}";
            return false;
        }
    }

    public void Dispose() => device.Dispose();

    private bool TryMeasureOnce(out Ina219Measurement? measured, out string fault)
    {
        measured = null;
        fault = "";
        if (Read(ConfigurationRegister) != configuration || Read(CalibrationRegister) != calibration)
        {
            SetUp();
            fault = "had lost its set-up (a dip of its supply?) and was set up anew; this reading is lost";
            return false;
        }
        var bus = Read(BusVoltageRegister);
        if ((bus & ConversionReady) == 0)
        {
            fault = "no conversion was finished since the last reading; one takes 34 ms";
            return false;
        }
        var shuntRaw = (short)Read(ShuntVoltageRegister);
        var shuntVolts = shuntRaw * ShuntLsbVolts;
        var amperes = (short)Read(CurrentRegister) * currentLsb;
        // Read last: it clears the conversion-ready flag. The register holds a size; the current gives the sign.
        var watts = Math.CopySign(Read(PowerRegister) * PowerLsbOverCurrentLsb * currentLsb, amperes);
        // Beyond the gain's full scale the converter sticks at it and raises no flag.
        if ((bus & Overflow) != 0 || Math.Abs((int)shuntRaw) >= shuntFullScale)
        {
            fault = $"overflowed at {shuntVolts:G4} V over the shunt; raise the expected current, or take a smaller shunt";
            return false;
        }
        measured = new Ina219Measurement(shuntVolts, (bus >> BusShift) * BusLsbVolts, amperes, new Watts(watts));
        return true;
    }

    private void SetUp()
    {
        Write(CalibrationRegister, calibration);
        // Writing the mode clears the conversion-ready flag, so the first reading is one of this set-up.
        Write(ConfigurationRegister, configuration);
        isSetUp = true;
    }

    private ushort Read(byte register)
    {
        Span<byte> word = stackalloc byte[2];
        device.WriteRead([register], word);
        return BinaryPrimitives.ReadUInt16BigEndian(word);
    }

    private void Write(byte register, ushort value) => device.Write([register, (byte)(value >> 8), (byte)value]);

    private static IEnumerable<string> RangeFaults(int address, double shuntOhms, double maxAmperes)
    {
        if (address is < AddressMin or > AddressMax) yield return $"address is 0x{address:x2}; allowed: 0x{AddressMin:x2} to 0x{AddressMax:x2}";
        if (!(shuntOhms is >= 1e-4 and <= 10)) yield return $"shunt is {shuntOhms} ohm; allowed: 0.0001 to 10";
        if (!(maxAmperes is > 0 and <= 1000)) yield return $"largest current is {maxAmperes} A; allowed: above 0 to 1000";
        else if (maxAmperes * shuntOhms > ShuntVoltsMax * RoundingSlack) yield return $"{maxAmperes} A over {shuntOhms} ohm are {maxAmperes * shuntOhms:G4} V; the chip reads at most {ShuntVoltsMax} V: take a smaller shunt or current";
    }
}
