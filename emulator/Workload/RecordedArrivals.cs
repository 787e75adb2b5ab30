using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Fitting;

namespace Fleet.Emulator.Workload;

/// <summary>Arrivals of a group of devices as somebody recorded them.</summary>
public sealed class RecordedTimes
{
    private readonly Dictionary<int, Seconds[]> byDevice;
    private readonly Seconds[] all;

    private RecordedTimes(IReadOnlyList<(Seconds At, int Device)> arrivals)
    {
        all = [.. arrivals.Select(arrival => arrival.At)];
        byDevice = arrivals.Where(arrival => arrival.Device > 0).GroupBy(arrival => arrival.Device).ToDictionary(own => own.Key, own => own.Select(arrival => arrival.At).ToArray());
    }

    public Seconds Last => all[^1];

    /// <summary>Largest device number in it; 0 when the arrivals are nobody's.</summary>
    public int DeviceMax => byDevice.Count == 0 ? 0 : byDevice.Keys.Max();

    /// <summary>
    /// Reads time_s[,device]: seconds from 0 on in rising order, device from 1.
    /// Throws <see cref="FaultsException"/> with all that is wrong, line by line.
    /// </summary>
    public static RecordedTimes Read(string path)
    {
        var lines = CsvTable.Read(path, "time_s");
        var faults = new List<string>();
        var arrivals = new List<(Seconds, int)>(lines.Count);
        var last = 0.0;
        foreach (var line in lines)
        {
            if (!double.TryParse(line["time_s"], NumberStyles.Float, CultureInfo.InvariantCulture, out var at) || !(at >= last && at <= 1e9))
                faults.Add($"line {line.Line}: time_s is \"{line["time_s"]}\"; allowed: seconds from the line before ({last.ToString(CultureInfo.InvariantCulture)}) to 1e9");
            else last = at;
            var device = 0;
            if (line.Cells.ContainsKey("device") && !(int.TryParse(line["device"], NumberStyles.None, CultureInfo.InvariantCulture, out device) && device > 0))
                faults.Add($"line {line.Line}: device is \"{line["device"]}\"; allowed: a whole number from 1");
            arrivals.Add((new Seconds(at), device));
        }
        if (lines.Count == 0) faults.Add("has no arrivals; at least one is needed");
        FaultsException.ThrowIfAny(path, faults);
        return new RecordedTimes(arrivals);
    }

    /// <summary>The arrivals of one device. Those that are nobody's are dealt to the group's devices in turn.</summary>
    /// <param name="device">From 0.</param>
    /// <param name="count">Devices of the group.</param>
    public Seconds[] Of(int device, int count) => DeviceMax > 0
        ? byDevice.GetValueOrDefault(device + 1, [])
        : [.. all.Where((_, i) => i % count == device)];
}

/// <summary>Inputs at recorded times.</summary>
/// <param name="times">Since the run's begin, rising.</param>
/// <param name="repeat">They come again after so long; null: once.</param>
public sealed class RecordedArrivals(Seconds[] times, Seconds? repeat) : ArrivalProcess
{
    private Seconds round;
    private int next;

    public override Seconds Mean => times.Length == 0 ? new Seconds(1) : Seconds.Max(new Seconds(1e-6), (repeat ?? times[^1]) / times.Length);

    public override Seconds? Next(Seconds now)
    {
        if (times.Length == 0) return null;
        while (true)
        {
            for (; next < times.Length; next++)
                if (round + times[next] >= now) return round + times[next++] - now;
            if (repeat is not { } length) return null;
            (round, next) = (round + length, 0);
        }
    }
}
