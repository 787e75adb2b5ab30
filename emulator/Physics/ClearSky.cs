using Fleet.Contracts;

namespace Fleet.Emulator.Physics;

/// <summary>Sunlight on level ground under a sky without clouds, from latitude, day and solar time.</summary>
public static class ClearSky
{
    /// <summary>A solar day, noon to noon; its length over the year varies by half a minute, which is left out.</summary>
    public static readonly Seconds Day = new(86_400);

    /// <summary>
    /// Global irradiance on level ground: 1098 cosZ exp(-0.059 / cosZ), Z the sun's distance from the zenith; none when it is down.
    /// (Haurwitz, "Insolation in relation to cloudiness and cloud density", Journal of Meteorology 2, 1945; constants as in
    /// pvlib/pvlib-python@6382338a clearsky.haurwitz.)
    /// </summary>
    /// <param name="dayOfYear">1 is the first of January.</param>
    /// <param name="solarTime">Since midnight; the sun is highest at half a day.</param>
    public static Irradiance At(Degrees latitude, int dayOfYear, Seconds solarTime)
    {
        var height = CosZenith(latitude, Declination(dayOfYear), solarTime);
        return new Irradiance(height > 0 ? 1098 * height * Math.Exp(-0.059 / height) : 0);
    }

    /// <summary>The sun's angle above the equator (Cooper, "The absorption of radiation in solar stills", Solar Energy 12, 1969).</summary>
    public static Degrees Declination(int dayOfYear) => new(23.45 * Math.Sin(2 * Math.PI * (284 + dayOfYear) / 365));

    private static double CosZenith(Degrees latitude, Degrees declination, Seconds solarTime)
    {
        var hourAngle = 2 * Math.PI * (solarTime / Day - 0.5);
        return Math.Sin(latitude.Radians) * Math.Sin(declination.Radians) + Math.Cos(latitude.Radians) * Math.Cos(declination.Radians) * Math.Cos(hourAngle);
    }
}
