using Fleet.Contracts;
using Fleet.Controller.Judge;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Experiments.Energy;

/// <summary>What a device did with the sun, and what it could have done had it known it beforehand.</summary>
/// <param name="Asked">Inputs that came in the whole time.</param>
/// <param name="BrownOuts">Power losses.</param>
/// <param name="Dark">Time without power.</param>
/// <param name="Each">Joules drawn an input served, beyond sleeping all the time that it had power.</param>
/// <param name="Harvested">Joules that its panel gave.</param>
/// <param name="Best">Inputs that the clairvoyant serves at as many joules each; null when not even sleeping to the end is possible.</param>
public sealed record SolarDevice(string Device, string Group, double Asked, long Served, double Accuracy, int BrownOuts, Seconds Dark, double Each, double Harvested, double Spilled, double Left, double? Best)
{
    /// <summary>Share of the clairvoyant's inputs.</summary>
    public double? Reached => Best is > 0 and var best ? Served / best : null;
}

/// <summary>A solar scenario, and each device's clairvoyant plan under the very same sky.</summary>
/// <param name="LowestRatio">Least charge of any battery at the end of any stretch.</param>
public sealed record SolarRun(IReadOnlyList<SolarDevice> Devices, IReadOnlyList<SiteBin> Bins, double LowestRatio)
{
    /// <summary>Steps of the clairvoyant's plan: the light of ten minutes is one.</summary>
    private const int StepMinutes = 10;

    /// <summary>Groups of devices that sleep and have a panel are judged; throws <see cref="FaultsException"/> for others.</summary>
    public static SolarRun Execute(Scenario scenario, long seed, Stock stock)
    {
        var (run, site) = (ScenarioRun.Execute(scenario, seed, stock), scenario.Sites[0]);
        run.CheckBooks();
        FaultsException.ThrowIfAny("scenario", site.Devices.Where(group => !group.Sleep || group.Power?.Panel is null || group.Arrivals is not Arrivals.Periodic).Select(group => $"group \"{group.Name}\" must sleep, have a panel and be asked periodically"));
        var world = run.Worlds[0];
        var devices = world.Devices.Zip(SiteWorld.Names(site), (device, named) => Judge(device.Account, named.Group, scenario, site, seed, stock, device.Stored)).ToList();
        var bins = run.Sites[0].Bins;
        return new SolarRun(devices, bins, bins.Min(bin => bin.Batteries?.Min ?? 1));
    }

    private static SolarDevice Judge(DeviceAccount account, DeviceGroup group, Scenario scenario, SiteSpec site, long seed, Stock stock, Joules left)
    {
        var (profile, power) = (stock.Profiles[group.Board], group.Power!);
        var charge = power.ChargeOf(stock.Power.Cell(power.Cell)!);
        var sleeping = profile.Power.Sleep!.Value;
        var flows = EnergyFlows.Of(account.Energy);
        var up = flows.Sleep / sleeping + flows.Idle / (power.Idle ?? profile.Power.Idle.Value);
        var each = account.Answered == 0 ? double.NaN : (flows.Used - flows.Boot - sleeping * up).Value / account.Answered;
        var asked = group.Rate * scenario.Duration;
        var sun = Sun(scenario, site, group, seed, stock);
        var step = Sky.Step * StepMinutes;
        var best = each > 0
            ? SunniestPlan.Served([.. sun.Select(_ => group.Rate * step)], sun, (sleeping * step).Value, each, charge.Charged.Value, charge.Capacity.Value, -double.ExpM1(-(charge.Leak * step)))
            : null;
        return new SolarDevice(account.Id, group.Name, asked, account.Answered, account.Labelled == 0 ? 0 : (double)account.Correct / account.Labelled, account.PowerLosses, Seconds.Max(Seconds.Zero, scenario.Duration - up), each, flows.Harvested.Value, flows.Spilled.Value, left.Value, best);
    }

    /// <summary>Joules of each step: the same sky from the same seed, whoever stands under it.</summary>
    private static double[] Sun(Scenario scenario, SiteSpec site, DeviceGroup group, long seed, Stock stock)
    {
        var panel = new Panel(stock.Power.Panel(group.Power!.Panel!)!, group.Power.Panels, new Sky(site.Sky!, new SeededRandom(seed, $"{site.Name}/sky")));
        var steps = (int)(scenario.Duration / (Sky.Step * StepMinutes));
        return [.. Enumerable.Range(0, steps).Select(step => Enumerable.Range(step * StepMinutes, StepMinutes).Sum(minute => (panel.Power(minute) * Sky.Step).Value))];
    }
}
