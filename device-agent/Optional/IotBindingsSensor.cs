// Sensors of the package Iot.Device.Bindings 4.2.0, for boards that carry chips the agent has no driver of its own for.
//
// Compiled only with -p:IotDeviceBindings=true, and NOT compiled by this project's own builds: the package could not be restored
// where this file was written, so it was written against a listing of the package's public API and has run on no board. The
// agent's own INA219 driver does not come from there on purpose: the package's Ina219 reads negative currents and shunt
// voltages as large positive ones.
#if IOT_DEVICE_BINDINGS
using System.Device.I2c;
using Fleet.Contracts;
using Fleet.DeviceAgent.Sensing;
using Iot.Device.Adc;
using Iot.Device.Axp192;
using Iot.Device.CpuTemperature;
using UnitsNet;

namespace Fleet.DeviceAgent.Optional;

/// <summary>
/// A driver of Iot.Device.Bindings as an <see cref="ISensor"/>. The driver is made at the first reading and again after a failure,
/// so that a chip that is away at the start, or for a while, costs readings and not the process.
/// </summary>
public sealed class IotBindingsSensor : ISensor
{
    private readonly Func<(IDisposable Driver, Func<Reading> Read)> make;
    private (IDisposable Driver, Func<Reading> Read)? open;

    private IotBindingsSensor(string name, Func<(IDisposable Driver, Func<Reading> Read)> make) => (Name, this.make) = (name, make);

    public string Name { get; }

    /// <summary>INA236 between the supply and the board: what the board draws. Source: data sheet SBOS994, https://www.ti.com/lit/ds/symlink/ina236.pdf.</summary>
    public static IotBindingsSensor Ina236(int bus, int address, double shuntOhms, double maxAmperes) => new($"ina236@{bus}:0x{address:x2}", () =>
    {
        var chip = new Ina236(I2cDevice.Create(new I2cConnectionSettings(bus, address)), ElectricResistance.FromOhms(shuntOhms), ElectricCurrent.FromAmperes(maxAmperes));
        // From voltage and current, not the power register: those two have a sign in every revision.
        return (chip, () => new Reading { Power = NotNegative(chip.ReadBusVoltage().Volts * chip.ReadCurrent().Amperes, "power") });
    });

    /// <summary>
    /// AXP192, the power chip of some battery boards: what comes in, and what the battery gives while it is the only source.
    /// It knows no energy left; pair it with the kernel's battery where there is one.
    /// </summary>
    public static IotBindingsSensor Axp192(int bus) => new($"axp192@{bus}:0x{Iot.Device.Axp192.Axp192.I2cDefaultAddress:x2}", () =>
    {
        var chip = new Axp192(I2cDevice.Create(new I2cConnectionSettings(bus, Iot.Device.Axp192.Axp192.I2cDefaultAddress)));
        return (chip, () => Balance(chip));
    });

    /// <summary>The processor's temperature where the kernel has no thermal zone that says so.</summary>
    public static IotBindingsSensor CpuTemperature() => new("cpu-temperature", () =>
    {
        var chip = new CpuTemperature();
        return (chip, () => chip.IsAvailable ? new Reading { Temperature = new Celsius(Finite(chip.Temperature.DegreesCelsius, "temperature")) } : default);
    });

    public bool TryRead(out Reading reading, out string fault)
    {
        try
        {
            open ??= make();
            reading = open.Value.Read();
            fault = "";
            return true;
        }
        catch (Exception e)
        {
            // Drivers throw what they like (IOException, TimeoutException, ArgumentException on a bad reading): a sensor only has faults.
            Dispose();
            reading = default;
            fault = e.Message;
            return false;
        }
    }

    public void Dispose()
    {
        open?.Driver.Dispose();
        open = null;
    }

    /// <summary>What comes in and is not stored is drawn; losses of the charger count as the board's.</summary>
    private static Reading Balance(Axp192 chip)
    {
        var harvest = chip.GetInputVoltage().Volts * chip.GetInputCurrent().Amperes + chip.GetUsbVoltageInput().Volts * chip.GetUsbCurrentInput().Amperes;
        var charging = chip.GetBatteryVoltage().Volts * (chip.GetBatteryChargeCurrent().Amperes - chip.GetBatteryDischargeCurrent().Amperes);
        return new Reading { Harvest = NotNegative(harvest, "input power"), Power = NotNegative(Math.Max(0, harvest - charging), "power") };
    }

    private static Watts NotNegative(double watts, string what) =>
        Finite(watts, what) >= 0 ? new Watts(watts) : throw new InvalidOperationException($"{what} is {watts:G4} W; expected 0 or more: is the shunt turned round?");

    private static double Finite(double value, string what) =>
        double.IsFinite(value) ? value : throw new InvalidOperationException($"{what} is {value}; expected a number");
}
#endif
