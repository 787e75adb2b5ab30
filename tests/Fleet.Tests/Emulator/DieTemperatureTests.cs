using CsCheck;
using Fleet.Contracts;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

public sealed class DieTemperatureTests
{
    private static readonly HardwareProfile Pi = ProfileFile.Read(Path.Combine(ProjectFiles.Find("hardware-profiles"), "pi-4b.json"));

    [Test]
    public void Pass_OneTimeConstant_ReachesTheShareThatTheFormulaSays()
    {
        var die = new DieTemperature(Thermal(resistance: 10, timeConstant: 100));
        die.Pass(new Seconds(100), new Watts(3));
        Assert.That(die.Temperature.Value, Is.EqualTo(25 + 30 * (1 - Math.Exp(-1))).Within(1e-9));
        die.Pass(new Seconds(100), Watts.Zero);
        Assert.That(die.Temperature.Value, Is.EqualTo(25 + 30 * (1 - Math.Exp(-1)) * Math.Exp(-1)).Within(1e-9));
    }

    [Test]
    public void Pass_InPiecesOrAtOnce_IsTheSame()
    {
        Gen.Select(Gen.Double[0.01, 500], Gen.Double[0, 10], Gen.Int[2, 20]).Sample((span, power, pieces) =>
        {
            var (once, often) = (new DieTemperature(Thermal(8, 120)), new DieTemperature(Thermal(8, 120)));
            once.Pass(new Seconds(span), new Watts(power));
            for (var i = 0; i < pieces; i++) often.Pass(new Seconds(span / pieces), new Watts(power));
            return Math.Abs(once.Temperature.Value - often.Temperature.Value) < 1e-9;
        }, seed: "0000KmXBCoy0");
    }

    [TestCase(2.0, 1.0)]
    [TestCase(5.5, 1.0)]
    [TestCase(5.75, 0.7)]
    [TestCase(6.0, 0.4)]
    [TestCase(20.0, 0.4)]
    public void ClockRatio_Settled_FallsLinearlyFromStartToEnd(double watts, double ratio)
    {
        // 25 + 10 P: 80 degrees at 5.5 W, 85 at 6 W.
        var die = new DieTemperature(Thermal(10, 100));
        die.Pass(new Seconds(1e6), new Watts(watts));
        Assert.That(die.ClockRatio, Is.EqualTo(ratio).Within(1e-9));
    }

    [Test]
    public void Compute_BusyForLong_SlowsDownToWhereHeatBalancesAndSpendsTheSameEnergy()
    {
        var (cold, hot) = (Run(Pi with { Thermal = null }), Run(Pi with { Thermal = Thermal(resistance: 25, timeConstant: 20) }));
        Assert.That(hot.Last / cold.Last, Is.GreaterThan(1.05));
        Assert.That(hot.Energy, Is.EqualTo(cold.Energy).Within(1e-9));
        // At balance: ambient + R (idle + (active - idle) ratio) = temperature, and ratio follows from temperature.
        var (idle, active) = (Pi.Power.Idle.Value.Value, Pi.Power.Active.Value.Value);
        Assert.That(hot.Temperature!.Value.Value, Is.EqualTo(25 + 25 * (idle + (active - idle) * (1 - 0.6 * (hot.Temperature.Value.Value - 80) / 5))).Within(0.2));
        Assert.That(cold.Temperature, Is.Null);
    }

    [Test]
    public void Compute_AsShipped_OneBusyCoreDoesNotThrottle()
    {
        var (with, without) = (Run(Pi), Run(Pi with { Thermal = null }));
        Assert.That(with.Last, Is.EqualTo(without.Last));
        Assert.That(with.Temperature!.Value.Value, Is.InRange(26, 79));
    }

    private static (double Last, double Energy, Celsius? Temperature) Run(HardwareProfile profile)
    {
        var (clock, books) = (new SimClock(), new EnergyBooks());
        var board = new Board(profile, new Battery(clock, null, profile.Power.Idle.Value, books), clock, new SeededRandom(1, "board"));
        var last = Seconds.Zero;
        clock.Start(async () =>
        {
            for (var i = 0; i < 3000; i++) last = await board.Compute(new Seconds(0.1));
        });
        clock.Run(TimeSpan.FromSeconds(1000));
        return (last.Value, books.Compute.Value, board.Temperature);
    }

    private static ThermalProfile Thermal(double resistance, double timeConstant) => new()
    {
        Ambient = Made(new Celsius(25)),
        Resistance = Made(resistance),
        TimeConstant = Made(new Seconds(timeConstant)),
        ThrottleStart = Made(new Celsius(80)),
        ThrottleEnd = Made(new Celsius(85)),
        SlowestClockRatio = Made(0.4),
    };

    private static Sourced<T> Made<T>(T value) => new() { Value = value, Confidence = Evidence.Unverified, Source = "made up for the test" };
}
