namespace Fleet.DeviceAgent.Sensing;

/// <summary>
/// The sensors of one device, read as one. Where two know the same quantity the earlier in the list is believed: put a power
/// meter before the kernel's estimate.
/// </summary>
public sealed class SensorSuite(IEnumerable<ISensor> all) : IDisposable
{
    private readonly ISensor[] sensors = [.. all];

    /// <summary>Readings that failed, of any sensor, since the start.</summary>
    public long Faults { get; private set; }

    /// <summary>What failed in the last <see cref="Read"/>, each with its sensor's name; empty when nothing did.</summary>
    public string LastFault { get; private set; } = "";

    /// <summary>Whether the last <see cref="Read"/> held the board's power: false means a profile must stand in.</summary>
    public bool PowerMeasured { get; private set; }

    public Reading Read()
    {
        var known = default(Reading);
        List<string>? faults = null;
        for (var i = 0; i < sensors.Length; i++)
        {
            if (!sensors[i].TryRead(out var reading, out var fault)) (faults ??= []).Add($"{sensors[i].Name}: {fault}");
            known = i == 0 ? reading : known.Or(reading);
        }
        Faults += faults?.Count ?? 0;
        LastFault = faults is null ? "" : string.Join("; ", faults);
        PowerMeasured = known.Power is not null;
        return known;
    }

    public void Dispose()
    {
        foreach (var sensor in sensors) sensor.Dispose();
    }
}
