using Fleet.Contracts;
using Fleet.Emulator.Experiments.Energy;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Experiments;

/// <summary>The solar-fortnight scenario: three days, one device.</summary>
public sealed class SolarRunTests
{
    [Test]
    public void Execute_MoreIsAskedThanTheSunGives_AwareDevicesLiveAndServeNearlyWhatTheClairvoyantDoes()
    {
        var scenario = World.Read("solar-fortnight");
        var often = scenario.Sites[0].Devices.Single(group => group.Name == "often");
        scenario = scenario with
        {
            Duration = new Seconds(3 * 86_400),
            Sites = [scenario.Sites[0] with { Devices = [often with { Count = 1, Power = often.Power! with { Charged = 0.02 } }] }],
        };
        var aware = SolarRun.Execute(scenario, 1, World.Stock);
        Assert.That(aware.Devices.Sum(device => device.BrownOuts), Is.Zero);
        // The reserve that is left at the end weighs more after three days than after a fortnight.
        Assert.That(aware.Devices.Min(device => device.Reached), Is.GreaterThan(0.8).And.LessThanOrEqualTo(1.01));
        var blind = SolarRun.Execute(scenario with { Control = scenario.Control with { EnergyHorizon = null } }, 1, World.Stock);
        Assert.That(blind.Devices.Sum(device => device.BrownOuts), Is.GreaterThan(0));
    }
}
