using System.Globalization;
using System.Numerics;
using Fleet.Contracts;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>
/// What Linux knows about the board, from text files. A file that is absent is a thing the board does not have; one that is there
/// and makes no sense is a fault that names it, and the other values are delivered all the same.
/// Source of units: the kernel's Documentation/ABI/testing/sysfs-class-thermal, sysfs-class-power, Documentation/admin-guide/pm/cpufreq.rst,
/// Documentation/filesystems/proc.rst.
/// </summary>
/// <param name="root">Where /sys and /proc are found; tests give a tree of their own.</param>
/// <param name="storagePath">Any path on the file system that holds the heads; null for <paramref name="root"/>.</param>
public sealed class SysfsSensor(string root = "/", string? storagePath = null) : ISensor
{
    private const double KelvinPerMilli = 1e-3;
    private const double HertzPerKilo = 1e3;
    private const double BytesPerKibi = 1024;
    private const double VoltsPerMicro = 1e-6;
    private const double AmperesPerMicro = 1e-6;
    private const double WattsPerMicro = 1e-6;
    private const double JoulesPerMicroWattHour = 3600e-6;
    private const double CoulombsPerMicroAmpereHour = 3600e-6;

    private readonly List<string> faults = [];

    public string Name => "sysfs";

    public bool TryRead(out Reading reading, out string fault)
    {
        faults.Clear();
        reading = Supplies() with
        {
            Temperature = Temperature(),
            CpuClock = CpuClock(),
            MemoryFree = MemoryFree(),
            StorageFree = StorageFree(),
        };
        fault = string.Join("; ", faults);
        return faults.Count == 0;
    }

    public void Dispose()
    {
    }

    /// <summary>
    /// The hottest zone of the processor, by its type (cpu-thermal on a Raspberry Pi, x86_pkg_temp, soc-thermal); of all zones where
    /// none says so. Only the zones wanted are read: those of a switched-off radio answer with an error for ever.
    /// </summary>
    private Celsius? Temperature()
    {
        var zones = Folders("sys/class/thermal", "thermal_zone*");
        var ofProcessor = zones.Where(zone => Text(zone, "type") is { } type && IsProcessor(type)).ToList();
        double? hottest = null;
        foreach (var zone in ofProcessor.Count > 0 ? ofProcessor : zones)
            if (Number<int>(zone, "temp") is { } milli && !(milli * KelvinPerMilli <= hottest)) hottest = milli * KelvinPerMilli;
        return hottest is { } celsius ? new Celsius(celsius) : null;
    }

    private static bool IsProcessor(string type) =>
        type.Contains("cpu", StringComparison.OrdinalIgnoreCase) || type.Contains("soc", StringComparison.OrdinalIgnoreCase) || type.Contains("x86_pkg", StringComparison.Ordinal);

    private Hertz? CpuClock()
    {
        Hertz? fastest = null;
        foreach (var policy in Folders("sys/devices/system/cpu/cpufreq", "policy*"))
            if (Number<ulong>(policy, "scaling_cur_freq") is { } kilo && !(fastest >= new Hertz(kilo * HertzPerKilo))) fastest = new Hertz(kilo * HertzPerKilo);
        return fastest;
    }

    private Bytes? MemoryFree()
    {
        const string Key = "MemAvailable:";
        var path = Path.Combine(root, "proc/meminfo");
        if (Text(root, "proc/meminfo") is not { } text) return null;
        foreach (var line in text.Split('\n'))
        {
            if (!line.StartsWith(Key, StringComparison.Ordinal)) continue;
            var words = line[Key.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words is [var kibi, "kB"] && ulong.TryParse(kibi, NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return new Bytes(value * BytesPerKibi);
            faults.Add($"{path} says \"{line.Trim()}\"; expected {Key} and a count of kB");
            return null;
        }
        faults.Add($"{path} has no line {Key}");
        return null;
    }

    private Bytes? StorageFree()
    {
        var path = storagePath ?? root;
        try
        {
            return new Bytes(new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            faults.Add($"free space of {path}: {e.Message}");
            return null;
        }
    }

    /// <summary>
    /// The first battery, by name, and all that feeds the board. A battery's own current is the board's power only while it is
    /// discharging; otherwise it is what the supply leaves over.
    /// </summary>
    private Reading Supplies()
    {
        var reading = new Reading();
        var batterySeen = false;
        foreach (var supply in Folders("sys/class/power_supply", "*"))
        {
            // Batteries of mice and keyboards carry the scope "Device": not ours.
            if (Text(supply, "scope") is "Device") continue;
            if (Text(supply, "type") is not "Battery")
            {
                if (Number<int>(supply, "online") is 1 && PowerOf(supply) is { } incoming) reading = reading with { Harvest = (reading.Harvest ?? Watts.Zero) + incoming };
                continue;
            }
            if (batterySeen || Number<int>(supply, "present") is 0) continue;
            batterySeen = true;
            reading = reading with
            {
                Battery = EnergyOf(supply),
                BatteryRatio = Number<uint>(supply, "capacity", max: 100) / 100.0,
                Power = Text(supply, "status") is "Discharging" ? PowerOf(supply) : null,
            };
        }
        return reading;
    }

    /// <summary>Drivers disagree on the sign of current_now; the status says the direction, so only the size is taken.</summary>
    private Watts? PowerOf(string supply) =>
        Number<long>(supply, "power_now") is { } micro ? new Watts(Math.Abs(micro * WattsPerMicro))
        : Number<long>(supply, "voltage_now") is { } volts && Number<long>(supply, "current_now") is { } amperes
            ? new Watts(Math.Abs(volts * VoltsPerMicro * (amperes * AmperesPerMicro)))
            : null;

    private Joules? EnergyOf(string supply) =>
        Number<ulong>(supply, "energy_now") is { } energy ? new Joules(energy * JoulesPerMicroWattHour)
        : Number<ulong>(supply, "charge_now") is { } charge && Number<ulong>(supply, "voltage_now") is { } volts
            ? new Joules(charge * CoulombsPerMicroAmpereHour * (volts * VoltsPerMicro))
            : null;

    /// <summary>In the order of their names, so that the same board always reads the same.</summary>
    private List<string> Folders(string under, string pattern)
    {
        var parent = Path.Combine(root, under);
        try
        {
            return Directory.Exists(parent) ? [.. Directory.EnumerateDirectories(parent, pattern).Order(StringComparer.Ordinal)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            faults.Add($"{parent}: {e.Message}");
            return [];
        }
    }

    private T? Number<T>(string folder, string file, double max = double.MaxValue) where T : struct, IBinaryInteger<T>
    {
        if (Text(folder, file) is not { } text) return null;
        if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && double.CreateChecked(value) <= max) return value;
        faults.Add($"{Path.Combine(folder, file)} says \"{Shortened(text)}\"; expected a whole number{(max < double.MaxValue ? $" up to {max}" : "")}");
        return null;
    }

    private string? Text(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A driver whose sensor is off answers a read with an error of its own.
            faults.Add($"{path}: {e.Message}");
            return null;
        }
    }

    private static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
