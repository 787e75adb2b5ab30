using System.Buffers.Binary;
using System.Device.I2c;
using Fleet.Contracts;
using Fleet.DeviceAgent.Sensing;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>
/// The chip as its register file. Config and calibration can be written; the others are set by the test, as conversions would.
/// Reading power clears the conversion-ready flag; so does writing the configuration (data sheet SBOS448G, 8.6.3.2).
/// </summary>
internal sealed class SimulatedIna219(int address = 0x40) : I2cDevice
{
    public const ushort ResetConfiguration = 0x399F;

    public ushort[] Registers { get; } = [ResetConfiguration, 0, 0, 0, 0, 0];

    /// <summary>No chip at the address: the bus says so with an IOException, as System.Device.I2c does.</summary>
    public bool IsUnplugged { get; set; }

    public override I2cConnectionSettings ConnectionSettings { get; } = new(1, address);

    public void Convert(ushort shunt, ushort busShifted, ushort power, ushort current, bool overflow = false)
    {
        (Registers[1], Registers[3], Registers[4]) = (shunt, power, current);
        Registers[2] = (ushort)(busShifted << 3 | 0b10 | (overflow ? 1 : 0));
    }

    public void Reset() => new ushort[] { ResetConfiguration, 0, 0, 0, 0, 0 }.CopyTo(Registers, 0);

    public override void Read(Span<byte> buffer) => throw new NotSupportedException("the driver addresses registers explicitly");

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Acknowledge();
        Assert.That(buffer.Length, Is.EqualTo(3), "register and 16 bits");
        var value = BinaryPrimitives.ReadUInt16BigEndian(buffer[1..]);
        // Bit 0 of the calibration is void: it cannot be set.
        Registers[buffer[0]] = buffer[0] switch
        {
            0 => value,
            5 => (ushort)(value & 0xFFFE),
            _ => throw new NotSupportedException($"register {buffer[0]} is read-only"),
        };
        if (buffer[0] == 0) Registers[2] &= 0xFFFD;
    }

    public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer)
    {
        Acknowledge();
        BinaryPrimitives.WriteUInt16BigEndian(readBuffer, Registers[writeBuffer[0]]);
        if (writeBuffer[0] == 3) Registers[2] &= 0xFFFD;
    }

    private void Acknowledge()
    {
        if (IsUnplugged) throw new IOException("Error 121 performing I2C data transfer.");
    }
}

public sealed class Ina219Tests
{
    [Test]
    public void CalibrationOf_CommonBoard_IsThatOfTheTestVectors() => Assert.That(Ina219.CalibrationOf(1e-4, 0.1), Is.EqualTo(4096));

    [Test]
    public void CalibrationOf_WorkedExampleOfTheDataSheet_Is0x5000() => Assert.That(Ina219.CalibrationOf(1e-3, 0.002), Is.EqualTo(0x5000));

    [TestCase(0.1, 3.2, 1e-4)]
    [TestCase(0.1, 0.4, 2e-5)]
    [TestCase(0.002, 15, 5e-4)]
    [TestCase(0.002, 32, 1e-3)]
    public void CurrentLsb_OfARange_IsTheNextRoundValue(double shunt, double max, double expected) =>
        Assert.That(Ina219.CurrentLsb(shunt, max), Is.EqualTo(expected).Within(1e-9).Percent);

    [TestCase(0.0001, 0.1)]
    [TestCase(0.001, 1)]
    [TestCase(0.1, 3.2)]
    [TestCase(10, 0.032)]
    [TestCase(10, 1e-6)]
    public void CurrentLsb_AnyLawfulRange_ReachesTheCurrentWithACalibrationThatFits(double shunt, double max)
    {
        var lsb = Ina219.CurrentLsb(shunt, max);
        Assert.That(lsb * 32768, Is.GreaterThanOrEqualTo(max));
        Assert.That(Ina219.CalibrationOf(lsb, shunt), Is.GreaterThan(256));
    }

    [Test]
    public void TryMeasure_TestVectors_AreDecoded()
    {
        var (chip, meter) = Ready(0.1, 3.2);
        chip.Convert(shunt: 0xFF9C, busShifted: 0x2710 >> 3, power: 50, current: 0xFF9C);
        Assert.That(meter.TryMeasure(out var measured, out var fault), Is.True, fault);
        Assert.That(chip.Registers[5], Is.EqualTo(4096));
        Assert.That(measured!.Value.ShuntVolts, Is.EqualTo(-0.001).Within(1e-12));
        Assert.That(measured.Value.Amperes, Is.EqualTo(-0.01).Within(1e-12));
        Assert.That(measured.Value.BusVolts, Is.EqualTo(5.0).Within(1e-12));
        Assert.That(measured.Value.Power.Value, Is.EqualTo(-50 * 20 * 1e-4).Within(1e-12), "power LSB is 20 current LSBs; the sign is the current's");
    }

    [Test]
    public void TryMeasure_WorkedExampleOfTheDataSheet_Gives10AAnd119Watts()
    {
        // SBOS448G, "Configure/Measure/Calculate Example": 10 A, 12 V, 2 mOhm, current LSB 1 mA.
        var (chip, meter) = Ready(0.002, 32);
        chip.Convert(shunt: 0x07D0, busShifted: 0x5D98 >> 3, power: 0x1766, current: 0x2710);
        Assert.That(meter.TryMeasure(out var measured, out var fault), Is.True, fault);
        Assert.That(chip.Registers[5], Is.EqualTo(0x5000));
        Assert.That(measured!.Value.ShuntVolts, Is.EqualTo(0.02).Within(1e-12));
        Assert.That(measured.Value.BusVolts, Is.EqualTo(11.98).Within(1e-9));
        Assert.That(measured.Value.Amperes, Is.EqualTo(10.0).Within(1e-9));
        Assert.That(measured.Value.Power.Value, Is.EqualTo(119.8).Within(1e-9));
    }

    [TestCase(0.4, 0b00)]
    [TestCase(0.8, 0b01)]
    [TestCase(1.6, 0b10)]
    [TestCase(3.2, 0b11)]
    public void SetUp_ExpectedCurrent_ChoosesTheSmallestGainThatHoldsIt(double max, int gain)
    {
        var (chip, _) = Ready(0.1, max);
        Assert.That(chip.Registers[0] >> 11 & 0b11, Is.EqualTo(gain));
        Assert.That(chip.Registers[0] & 0b111, Is.EqualTo(0b111), "continuous");
        Assert.That(chip.Registers[0] >> 13, Is.EqualTo(1), "32 V, no reset");
    }

    [Test]
    public void TryRead_AsLoad_GivesPower()
    {
        var (chip, meter) = Ready(0.1, 3.2);
        chip.Convert(shunt: 5000, busShifted: 1275, power: 1275, current: 5000);
        Assert.That(meter.TryRead(out var reading, out _), Is.True);
        Assert.That(reading.Power!.Value.Value, Is.EqualTo(2.55).Within(1e-9));
        Assert.That(reading.Harvest, Is.Null);
    }

    [Test]
    public void TryRead_AsHarvest_GivesHarvest()
    {
        var (chip, meter) = Ready(0.1, 3.2, MeteredWire.Harvest);
        chip.Convert(shunt: 5000, busShifted: 1275, power: 1275, current: 5000);
        Assert.That(meter.TryRead(out var reading, out _), Is.True);
        Assert.That(reading.Harvest!.Value.Value, Is.EqualTo(2.55).Within(1e-9));
        Assert.That(reading.Power, Is.Null);
    }

    [Test]
    public void TryRead_CurrentBackwardsWithinTheOffset_IsZeroPower()
    {
        var (chip, meter) = Ready(0.1, 3.2);
        chip.Convert(shunt: unchecked((ushort)-9), busShifted: 1275, power: 2, current: unchecked((ushort)-9));
        Assert.That(meter.TryRead(out var reading, out _), Is.True);
        Assert.That(reading.Power!.Value, Is.EqualTo(Watts.Zero));
    }

    [Test]
    public void TryRead_CurrentBackwards_SaysThatTheWiresMayBeSwapped()
    {
        var (chip, meter) = Ready(0.1, 3.2);
        chip.Convert(shunt: unchecked((ushort)-5000), busShifted: 1275, power: 1275, current: unchecked((ushort)-5000));
        Assert.That(meter.TryRead(out var reading, out var fault), Is.False);
        Assert.That(fault, Does.Contain("-0.5 A").And.Contain("swapped"));
        Assert.That(reading, Is.EqualTo(default(Reading)));
    }

    [Test]
    public void TryRead_Overflow_IsAFault()
    {
        var (chip, meter) = Ready(0.1, 3.2);
        chip.Convert(shunt: 5000, busShifted: 1275, power: 1275, current: 5000, overflow: true);
        Assert.That(meter.TryRead(out _, out var fault), Is.False);
        Assert.That(fault, Does.Contain("overflowed at 0.05 V"));
    }

    [TestCase(4000)]
    [TestCase(-4000)]
    public void TryRead_ShuntAtTheGainsFullScale_IsAFault(int shunt)
    {
        var (chip, meter) = Ready(0.1, 0.4);
        chip.Convert(unchecked((ushort)shunt), busShifted: 1275, power: 1275, current: 20000);
        Assert.That(meter.TryRead(out _, out var fault), Is.False);
        Assert.That(fault, Does.Contain("overflowed"));
    }

    [Test]
    public void TryRead_NoNewConversion_IsAFault()
    {
        var (chip, meter) = Ready(0.1, 3.2);
        chip.Convert(shunt: 5000, busShifted: 1275, power: 1275, current: 5000);
        Assert.That(meter.TryRead(out _, out _), Is.True);
        Assert.That(meter.TryRead(out var reading, out var fault), Is.False);
        Assert.That(fault, Does.Contain("no conversion"));
        Assert.That(reading.Power, Is.Null);
    }

    [Test]
    public void TryRead_First_SetsUpAndKnowsNothingYet()
    {
        using var meter = new Ina219(new SimulatedIna219(), 0.1, 3.2);
        Assert.That(meter.TryRead(out var reading, out var fault), Is.True, fault);
        Assert.That(reading, Is.EqualTo(default(Reading)));
    }

    [Test]
    public void TryRead_AfterADipOfTheSupply_SetsUpAnewAndRecovers()
    {
        var (chip, meter) = Ready(0.1, 3.2);
        chip.Reset();
        chip.Convert(shunt: 5000, busShifted: 1275, power: 0, current: 0);
        Assert.That(meter.TryRead(out _, out var fault), Is.False, "an uncalibrated chip says 0 W");
        Assert.That(fault, Does.Contain("set up anew"));
        chip.Convert(shunt: 5000, busShifted: 1275, power: 1275, current: 5000);
        Assert.That(meter.TryRead(out var reading, out _), Is.True);
        Assert.That(reading.Power!.Value.Value, Is.EqualTo(2.55).Within(1e-9));
    }

    [Test]
    public void TryRead_NoAcknowledge_IsAFaultAndTheChipMayComeBack()
    {
        var chip = new SimulatedIna219 { IsUnplugged = true };
        using var meter = new Ina219(chip, 0.1, 3.2);
        Assert.That(meter.TryRead(out _, out var fault), Is.False);
        Assert.That(fault, Does.Contain("does not answer").And.Contain("121"));
        chip.IsUnplugged = false;
        Assert.That(meter.TryRead(out _, out _), Is.True);
        chip.Convert(shunt: 5000, busShifted: 1275, power: 1275, current: 5000);
        Assert.That(meter.TryRead(out var reading, out _), Is.True);
        Assert.That(reading.Power, Is.Not.Null);
    }

    [TestCase(0x40, 0.1, 4, "at most 0.32 V")]
    [TestCase(0x40, 0, 1, "shunt is 0 ohm; allowed")]
    [TestCase(0x40, 0.1, double.NaN, "largest current is NaN A; allowed")]
    [TestCase(0x50, 0.1, 1, "address is 0x50; allowed: 0x40 to 0x4f")]
    public void Open_OutOfRange_SaysWhatIsAllowed(int address, double shunt, double max, string expected) =>
        Assert.That(() => Ina219.Open(1, address, shunt, max), Throws.TypeOf<FaultsException>().With.Message.Contains(expected).And.Message.StartsWith("ina219@1:"));

    private static (SimulatedIna219 Chip, Ina219 Meter) Ready(double shunt, double max, MeteredWire wire = MeteredWire.Load)
    {
        var chip = new SimulatedIna219();
        var meter = new Ina219(chip, shunt, max, wire);
        Assert.That(meter.TryRead(out _, out var fault), Is.True, fault);
        return (chip, meter);
    }
}
