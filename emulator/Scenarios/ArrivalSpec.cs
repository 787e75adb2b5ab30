using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Workload;

namespace Fleet.Emulator.Scenarios;

/// <summary>How inputs come to a device; rate_hz is the mean rate of every kind but the recorded.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Arrivals>))]
public enum Arrivals
{
    /// <summary>Inputs that know nothing of each other.</summary>
    [JsonStringEnumMemberName("poisson")] Poisson,

    /// <summary>One input each 1/rate, from a random phase on.</summary>
    [JsonStringEnumMemberName("periodic")] Periodic,

    /// <summary>Poisson at one of two rates, calm or burst, that alternate at random (a Markov-modulated Poisson process).</summary>
    [JsonStringEnumMemberName("bursty")] Bursty,

    /// <summary>Poisson at a rate that follows the time of day.</summary>
    [JsonStringEnumMemberName("diurnal")] Diurnal,

    /// <summary>Something happens somewhere, and the devices nearby see it shortly after.</summary>
    [JsonStringEnumMemberName("event")] Event,

    /// <summary>Times read from a file.</summary>
    [JsonStringEnumMemberName("recorded")] Recorded,
}

/// <summary>Arrivals that are bursty. K: the defaults are stand-ins.</summary>
public sealed record BurstySpec
{
    /// <summary>Rate in a burst over the rate in calm.</summary>
    [JsonPropertyName("burst_ratio")] public double Ratio { get; init; } = 10;

    /// <summary>Mean times that it stays calm, and that a burst lasts.</summary>
    [JsonPropertyName("calm_mean_s")] public Seconds CalmMean { get; init; } = new(60);

    /// <summary>Mean time that a burst lasts.</summary>
    [JsonPropertyName("burst_mean_s")] public Seconds BurstMean { get; init; } = new(5);

    /// <summary>The rate in calm that gives a mean rate.</summary>
    public Hertz Calm(Hertz mean) => mean * ((CalmMean + BurstMean) / (CalmMean + BurstMean * Ratio));

    public IEnumerable<string> Faults()
    {
        if (!(Ratio is >= 1 and <= 10_000)) yield return $"bursty.burst_ratio is {Ratio}; allowed: 1 to 10000";
        if (!(CalmMean.Value is > 0 and <= 1e7)) yield return $"bursty.calm_mean_s is {CalmMean.Value}; allowed: above 0 to 1e7";
        if (!(BurstMean.Value is > 0 and <= 1e7)) yield return $"bursty.burst_mean_s is {BurstMean.Value}; allowed: above 0 to 1e7";
    }
}

/// <summary>Arrivals that follow the time of day: rate x (1 + depth x cos(2 pi (time of day - peak) / day)). K: the defaults are stand-ins.</summary>
public sealed record DiurnalSpec
{
    /// <summary>How far the rate swings about its mean: 1, and it falls to nothing.</summary>
    [JsonPropertyName("depth_ratio")] public double Depth { get; init; } = 0.8;

    /// <summary>Time of day at which the rate is highest.</summary>
    [JsonPropertyName("peak_s")] public Seconds Peak { get; init; } = new(14 * 3600);

    /// <summary>Time of day at which the run begins.</summary>
    [JsonPropertyName("start_s")] public Seconds Start { get; init; }

    /// <summary>Length of the day: shorter ones try out a day's course in a short run.</summary>
    [JsonPropertyName("day_s")] public Seconds Day { get; init; } = new(86_400);

    public IEnumerable<string> Faults()
    {
        if (!(Depth is >= 0 and <= 1)) yield return $"diurnal.depth_ratio is {Depth}; allowed: 0 to 1";
        if (!(Day.Value is >= 1 and <= 1e7)) yield return $"diurnal.day_s is {Day.Value}; allowed: 1 to 1e7";
        if (!(Peak.Value >= 0 && Peak <= Day)) yield return $"diurnal.peak_s is {Peak.Value}; allowed: 0 to day_s ({Day.Value})";
        if (!(Start.Value >= 0 && Start <= Day)) yield return $"diurnal.start_s is {Start.Value}; allowed: 0 to day_s ({Day.Value})";
    }
}

/// <summary>
/// Arrivals that devices share: the group's devices stand in a circle in the order of their names, something happens at each one's place as often as at any
/// other's, and all devices within reach of the place see it.
/// </summary>
public sealed record EventSpec
{
    /// <summary>How many neighbours to either side see what happens at a device's place.</summary>
    [JsonPropertyName("reach")] public int Reach { get; init; } = 2;

    /// <summary>Each sees it within this time, uniform from 0.</summary>
    [JsonPropertyName("within_s")] public Seconds Within { get; init; } = new(1);

    /// <param name="count">Devices of the group.</param>
    public IEnumerable<string> Faults(int count)
    {
        if (Reach < 0 || 2L * Reach + 1 > count) yield return $"event.reach is {Reach}; allowed: 0 to {(count - 1) / 2}, as {count} devices stand in the circle";
        if (!(Within.Value is >= 0 and <= 3600)) yield return $"event.within_s is {Within.Value}; allowed: 0 to 3600";
    }
}

/// <summary>Arrivals read from a file: a line of column names, time_s and if wanted device (from 1, in the group), then one arrival a line.</summary>
public sealed record RecordedSpec
{
    /// <summary>Relative to the scenario's file.</summary>
    [JsonPropertyName("file")] public required string File { get; init; }

    /// <summary>The arrivals come again after so long; absent: once.</summary>
    [JsonPropertyName("repeat_s")] public Seconds? Repeat { get; init; }

    /// <summary>Where the scenario's file lies.</summary>
    public string PathIn(string directory) => Path.Combine(directory, File);

    /// <param name="directory">Where the scenario's file lies.</param>
    /// <param name="count">Devices of the group.</param>
    public IEnumerable<string> Faults(string directory, int count, Stock stock)
    {
        RecordedTimes times;
        try
        {
            times = stock.Recorded(PathIn(directory));
        }
        catch (FaultsException e)
        {
            return e.Faults.Select(fault => $"recorded.file \"{File}\" {fault}");
        }
        return FaultsOf(times, count);
    }

    private IEnumerable<string> FaultsOf(RecordedTimes times, int count)
    {
        if (times.DeviceMax > count) yield return $"recorded.file \"{File}\" has arrivals of device {times.DeviceMax}; the group has {count}";
        if (Repeat is { } repeat && !(repeat > times.Last && repeat.Value <= 1e9)) yield return $"recorded.repeat_s is {repeat.Value}; allowed: above the last arrival's time ({times.Last.Value}) to 1e9";
    }
}
