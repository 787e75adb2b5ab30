namespace Fleet.DeviceAgent.Sensing;

/// <summary>
/// The sensors of one device, read as one. Where two know the same quantity the earlier in the list is believed: put a power
/// meter before the kernel's estimate.
/// </summary>
public sealed class SensorSuite(IReadOnlyList<ISensor> sensors) : IDisposable
{
    /// <summary>Readings that failed, of any sensor, since the start.</summary>
    public long Faults { get; private set; }

    /// <summary>What failed in the last <see cref="Read"/>, each with its sensor's name; empty when nothing did.</summary>
    public string LastFault { get; private set; } = "";

    /// <summary>Whether the last <see cref="Read"/> held the board's power: false means a profile must stand in.</summary>
    public bool PowerMeasured { get; private set; }

    public Reading Read()
    {
        var all = new Reading();
        List<string>? faults = null;
        foreach (var sensor in sensors)
        {
            if (!sensor.TryRead(out var reading, out var fault)) (faults ??= []).Add($"{sensor.Name}: {fault}");
            all = all.Or(reading);
        }
        Faults += faults?.Count ?? 0;
        LastFault = faults is null ? "" : string.Join("; ", faults);
        PowerMeasured = all.Power is not null;
        return all;
    }

    public void Dispose()
    {
        foreach (var sensor in sensors) sensor.Dispose();
    }
}
