using Fleet.Contracts;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Sun and clouds against closed forms.</summary>
public sealed class SunTests
{
    private const int Equinox = 81;

    /// <summary>
    /// On the equator at the equinox cosZ = cos h, and a day's energy per area is 1098 (86400 / pi) Ki2(0.059), with the Bickley-Naylor
    /// function Ki2(x) = int_0^(pi/2) cos(t) exp(-x / cos t) dt = 1 - pi x / 2 + x^2 (3/2 - gamma - ln(x/2)) / 2 + x^4 (19/12 - ... ) / 48 (integrating the
    /// series of K0 twice).
    /// </summary>
    [Test]
    public void ClearSky_EquatorAtEquinox_DailyEnergyIsBickleysFunction()
    {
        const double X = 0.059;
        const double Gamma = 0.57721566490153286;
        var logarithm = Math.Log(X / 2);
        var ki2 = 1 - Math.PI * X / 2 + X * X / 2 * (1.5 - Gamma - logarithm) + Math.Pow(X, 4) * ((1 - Gamma - logarithm) / 48 + 1.0 / 192 + 1.0 / 144);
        Assert.That(DailyEnergy(new Degrees(0), Equinox), Is.EqualTo(1098 * 86_400 / Math.PI * ki2).Within(2e-6).Percent);
    }

    [TestCase(48, 172)]
    [TestCase(48, 355)]
    [TestCase(-33, 355)]
    [TestCase(0, 1)]
    public void ClearSky_AnyPlace_LightLastsFromSunriseToSunset(double latitude, int day)
    {
        var (place, declination) = (new Degrees(latitude), ClearSky.Declination(day));
        var sunset = Math.Acos(-Math.Tan(place.Radians) * Math.Tan(declination.Radians)) / Math.PI * 43_200;
        // Near the horizon Haurwitz's light falls off faster than any power: a minute later there is some.
        Assert.That(ClearSky.At(place, day, new Seconds(43_200 - sunset - 1)).Value, Is.Zero);
        Assert.That(ClearSky.At(place, day, new Seconds(43_200 + sunset + 1)).Value, Is.Zero);
        Assert.That(ClearSky.At(place, day, new Seconds(43_200 - sunset + 900)).Value, Is.Positive);
        Assert.That(ClearSky.At(place, day, new Seconds(43_200 + sunset - 900)).Value, Is.Positive);
    }

    [Test]
    public void ClearSky_PolarNightAndDay_NoLightAndLightAllDay()
    {
        Assert.That(DailyEnergy(new Degrees(80), 355), Is.Zero);
        Assert.That(ClearSky.At(new Degrees(80), 172, Seconds.Zero).Value, Is.Positive);
    }

    [Test]
    public void Declination_SolsticesAndEquinox_AreTheTropicsAndZero()
    {
        Assert.That(ClearSky.Declination(172).Value, Is.EqualTo(23.45).Within(0.01));
        Assert.That(ClearSky.Declination(355).Value, Is.EqualTo(-23.45).Within(0.01));
        Assert.That(ClearSky.Declination(Equinox).Value, Is.EqualTo(0).Within(1e-9));
    }

    [Test]
    public void Sky_WithoutClouds_SumsToTheClearSkysDay()
    {
        var sky = new Sky(Spec(cloudyRatio: 1), new SeededRandom(1, "sky"));
        var energy = Enumerable.Range(0, 1440).Sum(step => sky.Light(step).Value * Sky.Step.Value);
        Assert.That(energy, Is.EqualTo(DailyEnergy(new Degrees(48), 172)).Within(0.001).Percent);
    }

    [Test]
    public void Sky_ManyDays_LetsThroughTheLongRunMix()
    {
        const int Days = 3650;
        var sky = new Sky(Spec(cloudyRatio: 0.25) with { ClearMean = new Seconds(7200), CloudyMean = new Seconds(3600) }, new SeededRandom(3, "sky"));
        var clear = new Sky(Spec(cloudyRatio: 1), new SeededRandom(3, "sky"));
        var (let, all) = (0.0, 0.0);
        for (var step = 0; step < Days * 1440; step++) (let, all) = (let + sky.Light(step).Value, all + clear.Light(step).Value);
        // A third of the time clouds take three quarters. Some 4 independent stretches a day: 0.35 / sqrt(4 * 3650) = 0.003.
        Assert.That(let / all, Is.EqualTo(1 - 0.75 / 3).Within(5 * 0.003));
    }

    [Test]
    public void Sky_AskedOutOfOrder_GivesTheSameLight()
    {
        var (forwards, backwards) = (new Sky(Spec(0.2), new SeededRandom(1, "sky")), new Sky(Spec(0.2), new SeededRandom(1, "sky")));
        var last = backwards.Light(2000);
        Assert.That(Enumerable.Range(0, 2001).Select(forwards.Light).ToList(), Is.EqualTo(Enumerable.Range(0, 2001).Select(backwards.Light).ToList()));
        Assert.That(forwards.Light(2000), Is.EqualTo(last));
    }

    [TestCase(1)]
    [TestCase(7)]
    [TestCase(40)]
    public void TwoStates_LookedAtEveryT_StaysBadAsItsClosedFormSays(double every)
    {
        var (good, bad) = (new Seconds(20), new Seconds(5));
        var process = new TwoStates(good, bad, new SeededRandom(1, "states"));
        const int Looks = 200_000;
        var seen = Enumerable.Range(0, Looks).Select(look => process.IsBad(new Seconds(look * every))).ToList();
        var ratio = bad / (good + bad);
        var stays = ratio + (1 - ratio) * Math.Exp(-(1 / good.Value + 1 / bad.Value) * every);
        Assert.That((double)seen.Count(isBad => isBad) / Looks, Is.EqualTo(ratio).Within(0.01));
        var stayed = seen.Zip(seen.Skip(1)).Where(pair => pair.First).Average(pair => pair.Second ? 1.0 : 0);
        Assert.That(stayed, Is.EqualTo(stays).Within(5 * 0.5 / Math.Sqrt(Looks * ratio)));
    }

    private static SkySpec Spec(double cloudyRatio) => new() { Latitude = new Degrees(48), DayOfYear = 172, Start = Seconds.Zero, CloudyRatio = cloudyRatio };

    /// <summary>Joules a square metre, by the midpoint rule over seconds.</summary>
    private static double DailyEnergy(Degrees latitude, int day) => Enumerable.Range(0, 86_400).Sum(second => ClearSky.At(latitude, day, new Seconds(second + 0.5)).Value);
}
