using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Physics;

/// <summary>The sky over a site as the scenario describes it.</summary>
public sealed record SkySpec
{
    /// <summary>North of the equator; south of it is negative.</summary>
    [JsonPropertyName("latitude_deg")] public required Degrees Latitude { get; init; }

    /// <summary>Of the day on which the run begins; 1 is the first of January.</summary>
    [JsonPropertyName("day_of_year")] public required int DayOfYear { get; init; }

    /// <summary>Solar time at which the run begins, from midnight.</summary>
    [JsonPropertyName("start_s")] public Seconds Start { get; init; } = ClearSky.Day / 2;

    /// <summary>Mean time without clouds before the sun, and with them. K: stand-ins, set them to the climate.</summary>
    [JsonPropertyName("clear_mean_s")] public Seconds ClearMean { get; init; } = new(7200);

    /// <summary>Mean time that clouds stay.</summary>
    [JsonPropertyName("cloudy_mean_s")] public Seconds CloudyMean { get; init; } = new(3600);

    /// <summary>Share of the clear sky's light that comes through clouds. K: engineering practice takes 0.2 (overcast) to 1.</summary>
    [JsonPropertyName("cloudy_ratio")] public double CloudyRatio { get; init; } = 0.25;

    /// <summary>Temperature of the air, which warms panels.</summary>
    [JsonPropertyName("ambient_c")] public Celsius Ambient { get; init; } = new(20);

    public IEnumerable<string> Faults()
    {
        if (!(Latitude.Value is >= -90 and <= 90)) yield return $"sky.latitude_deg is {Latitude.Value}; allowed: -90 to 90";
        if (DayOfYear is < 1 or > 365) yield return $"sky.day_of_year is {DayOfYear}; allowed: 1 to 365";
        if (!(Start.Value is >= 0 and < 86_400)) yield return $"sky.start_s is {Start.Value}; allowed: 0 to below 86400";
        if (!(ClearMean.Value is >= 60 and <= 1e7)) yield return $"sky.clear_mean_s is {ClearMean.Value}; allowed: 60 to 1e7";
        if (!(CloudyMean.Value is >= 60 and <= 1e7)) yield return $"sky.cloudy_mean_s is {CloudyMean.Value}; allowed: 60 to 1e7";
        if (!(CloudyRatio is >= 0 and <= 1)) yield return $"sky.cloudy_ratio is {CloudyRatio}; allowed: 0 to 1";
        if (!(Ambient.Value is >= -60 and <= 60)) yield return $"sky.ambient_c is {Ambient.Value}; allowed: -60 to 60";
    }
}

/// <summary>
/// The light over a site, minute by minute: the clear sky's, less what clouds take. All panels of a site are under the same clouds. Each
/// minute is made once, in order, whoever asks first.
/// </summary>
public sealed class Sky(SkySpec spec, SeededRandom random)
{
    /// <summary>Light is constant over a step: the sun moves by a quarter of a degree in it.</summary>
    public static readonly Seconds Step = new(60);

    private readonly TwoStates clouds = new(spec.ClearMean, spec.CloudyMean, random);
    private readonly List<Irradiance> steps = [];

    public Celsius Ambient => spec.Ambient;

    /// <param name="step">Steps since the run's begin.</param>
    public Irradiance Light(int step)
    {
        while (steps.Count <= step) steps.Add(Next());
        return steps[step];
    }

    private Irradiance Next()
    {
        var sinceBegin = Step * steps.Count;
        var middle = spec.Start + sinceBegin + Step / 2;
        var day = (int)Math.Floor(middle / ClearSky.Day);
        var clear = ClearSky.At(spec.Latitude, (spec.DayOfYear - 1 + day) % 365 + 1, middle - ClearSky.Day * day);
        return clouds.IsBad(sinceBegin) ? clear * spec.CloudyRatio : clear;
    }
}
