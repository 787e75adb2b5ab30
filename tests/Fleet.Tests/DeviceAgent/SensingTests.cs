using Fleet.Contracts;
using Fleet.DeviceAgent.Sensing;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>The kernel's files as a tree of the test's own.</summary>
public sealed class SensingTests
{
    private string root = "";

    [SetUp]
    public void MakeTree() => root = Directory.CreateTempSubdirectory("fleet-sysfs-").FullName;

    [TearDown]
    public void RemoveTree() => Directory.Delete(root, recursive: true);

    [Test]
    public void SysfsSensor_EmptyTree_KnowsOnlyTheDiskAndHasNoFault()
    {
        var reading = Read();
        Assert.That(reading with { StorageFree = null }, Is.EqualTo(default(Reading)));
        Assert.That(reading.StorageFree!.Value.Value, Is.GreaterThan(0));
    }

    [Test]
    public void SysfsSensor_RaspberryPi_GivesTemperatureClockAndMemory()
    {
        Put("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
        Put("sys/class/thermal/thermal_zone0/temp", "48312\n");
        Put("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "1500000\n");
        Put("proc/meminfo", "MemTotal:        3884380 kB\nMemFree:          210000 kB\nMemAvailable:    3102464 kB\n");
        var reading = Read();
        Assert.That(reading.Temperature!.Value.Value, Is.EqualTo(48.312).Within(1e-9));
        Assert.That(reading.CpuClock, Is.EqualTo(new Hertz(1.5e9)));
        Assert.That(reading.MemoryFree, Is.EqualTo(new Bytes(3102464.0 * 1024)));
        Assert.That(reading.Battery, Is.Null);
        Assert.That(reading.Power, Is.Null);
    }

    [Test]
    public void SysfsSensor_SeveralZones_TakesTheProcessors()
    {
        Put("sys/class/thermal/thermal_zone0/type", "iwlwifi");
        Put("sys/class/thermal/thermal_zone0/temp", "99000");
        Put("sys/class/thermal/thermal_zone1/type", "cpu-thermal");
        Put("sys/class/thermal/thermal_zone1/temp", "-5000");
        Assert.That(Read().Temperature, Is.EqualTo(new Celsius(-5)));
    }

    [Test]
    public void SysfsSensor_ZonesWithoutAKnownType_TakesTheHottest()
    {
        Put("sys/class/thermal/thermal_zone0/temp", "31000");
        Put("sys/class/thermal/thermal_zone1/temp", "42000");
        Put("sys/class/thermal/thermal_zone2/temp", "17000");
        Assert.That(Read().Temperature, Is.EqualTo(new Celsius(42)));
    }

    [Test]
    public void SysfsSensor_SeveralClocks_TakesTheFastest()
    {
        Put("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "600000");
        Put("sys/devices/system/cpu/cpufreq/policy4/scaling_cur_freq", "2400000");
        Assert.That(Read().CpuClock, Is.EqualTo(new Hertz(2.4e9)));
    }

    [Test]
    public void SysfsSensor_BatteryDischarging_GivesEnergyRatioAndPower()
    {
        PutSupply("BAT0", ("type", "Battery"), ("present", "1"), ("status", "Discharging"), ("capacity", "80"), ("energy_now", "10000000"), ("power_now", "2500000"));
        var reading = Read();
        Assert.That(reading.Battery!.Value.Value, Is.EqualTo(36_000).Within(1e-6), "10 Wh");
        Assert.That(reading.BatteryRatio, Is.EqualTo(0.8));
        Assert.That(reading.Power!.Value.Value, Is.EqualTo(2.5).Within(1e-9));
        Assert.That(reading.Harvest, Is.Null);
    }

    [TestCase("-500000")]
    [TestCase("500000")]
    public void SysfsSensor_BatteryInAmpereHours_IsConvertedWhateverTheDriversSign(string current)
    {
        PutSupply("axp20x-battery", ("type", "Battery"), ("status", "Discharging"), ("capacity", "50"), ("charge_now", "1000000"), ("voltage_now", "3700000"), ("current_now", current));
        var reading = Read();
        Assert.That(reading.Battery!.Value.Value, Is.EqualTo(3.7 * 3600).Within(1e-6));
        Assert.That(reading.Power!.Value.Value, Is.EqualTo(1.85).Within(1e-9));
    }

    [Test]
    public void SysfsSensor_Charging_TheSupplyIsHarvestAndTheBatterysCurrentIsNotTheBoards()
    {
        PutSupply("BAT0", ("type", "Battery"), ("status", "Charging"), ("capacity", "80"), ("energy_now", "10000000"), ("power_now", "2500000"));
        PutSupply("panel", ("type", "Mains"), ("online", "1"), ("voltage_now", "5000000"), ("current_now", "1000000"));
        PutSupply("usb", ("type", "USB"), ("online", "0"), ("voltage_now", "5000000"), ("current_now", "900000"));
        var reading = Read();
        Assert.That(reading.Power, Is.Null);
        Assert.That(reading.Harvest!.Value.Value, Is.EqualTo(5).Within(1e-9));
    }

    [Test]
    public void SysfsSensor_BatteryOfAMouse_IsNotTheBoards()
    {
        PutSupply("hidpp_battery_0", ("type", "Battery"), ("scope", "Device"), ("status", "Discharging"), ("capacity", "30"));
        Assert.That(Read().BatteryRatio, Is.Null);
    }

    [TestCase("sys/class/thermal/thermal_zone0/temp", "hot")]
    [TestCase("sys/class/thermal/thermal_zone0/temp", "")]
    [TestCase("sys/class/thermal/thermal_zone0/temp", "99999999999999999999")]
    [TestCase("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "-1")]
    [TestCase("proc/meminfo", "MemAvailable: lots kB")]
    [TestCase("proc/meminfo", "MemTotal: 1 kB")]
    public void SysfsSensor_MalformedFile_IsNamedAndTheOthersAreDelivered(string file, string content)
    {
        Put("sys/devices/system/cpu/cpufreq/policy9/scaling_cur_freq", "1000000");
        Put(file, content);
        using var sensor = new SysfsSensor(root);
        Assert.That(sensor.TryRead(out var reading, out var fault), Is.False);
        Assert.That(fault, Does.Contain(file));
        Assert.That(reading.CpuClock, Is.EqualTo(new Hertz(1e9)));
    }

    [Test]
    public void SysfsSensor_CapacityAboveFull_IsAFault()
    {
        PutSupply("BAT0", ("type", "Battery"), ("capacity", "101"));
        using var sensor = new SysfsSensor(root);
        Assert.That(sensor.TryRead(out var reading, out var fault), Is.False);
        Assert.That(fault, Does.Contain("capacity").And.Contain("101").And.Contain("up to 100"));
        Assert.That(reading.BatteryRatio, Is.Null);
    }

    [Test]
    public void SysfsSensor_ThisMachine_ReadsWithoutThrowing()
    {
        using var sensor = new SysfsSensor();
        sensor.TryRead(out var reading, out _);
        Assert.That(reading.StorageFree, Is.Not.Null);
    }

    [Test]
    public void SensorSuite_TwoSensorsKnowTheSame_TheEarlierIsBelievedAndGapsAreFilled()
    {
        using var suite = new SensorSuite(
        [
            new Fixed("meter", new Reading { Power = new Watts(2) }),
            new Fixed("kernel", new Reading { Power = new Watts(9), Temperature = new Celsius(40) }),
        ]);
        Assert.That(suite.Read(), Is.EqualTo(new Reading { Power = new Watts(2), Temperature = new Celsius(40) }));
        Assert.That(suite.PowerMeasured, Is.True);
        Assert.That((suite.Faults, suite.LastFault), Is.EqualTo((0L, "")));
    }

    [Test]
    public void SensorSuite_SensorFails_CountsNamesAndKeepsWhatWasRead()
    {
        var meter = new Fixed("meter", default) { Fault = "does not answer" };
        using var suite = new SensorSuite([meter, new Fixed("kernel", new Reading { Temperature = new Celsius(40) }) { Fault = "clock says hot" }]);
        suite.Read();
        var reading = suite.Read();
        Assert.That(reading, Is.EqualTo(new Reading { Temperature = new Celsius(40) }));
        Assert.That(suite.Faults, Is.EqualTo(4));
        Assert.That(suite.LastFault, Is.EqualTo("meter: does not answer; kernel: clock says hot"));
        Assert.That(suite.PowerMeasured, Is.False);
    }

    [Test]
    public void SensorSuite_SensorRecovers_ForgetsTheLastFaultButNotTheCount()
    {
        var meter = new Fixed("meter", new Reading { Power = new Watts(1) }) { Fault = "does not answer" };
        using var suite = new SensorSuite([meter]);
        suite.Read();
        meter.Fault = "";
        suite.Read();
        Assert.That((suite.Faults, suite.LastFault), Is.EqualTo((1L, "")));
    }

    [Test]
    public void SensorSuite_Disposed_DisposesItsSensors()
    {
        var sensor = new Fixed("meter", default);
        new SensorSuite([sensor]).Dispose();
        Assert.That(sensor.IsDisposed, Is.True);
    }

    private Reading Read()
    {
        using var sensor = new SysfsSensor(root);
        Assert.That(sensor.TryRead(out var reading, out var fault), Is.True, fault);
        return reading;
    }

    private void PutSupply(string name, params (string File, string Content)[] files)
    {
        foreach (var (file, content) in files) Put($"sys/class/power_supply/{name}/{file}", content + "\n");
    }

    private void Put(string file, string content)
    {
        var path = Path.Combine(root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    private sealed class Fixed(string name, Reading reading) : ISensor
    {
        public string Name => name;

        public string Fault { get; set; } = "";

        public bool IsDisposed { get; private set; }

        public bool TryRead(out Reading now, out string fault)
        {
            (now, fault) = (reading, Fault);
            return Fault.Length == 0;
        }

        public void Dispose() => IsDisposed = true;
    }
}
