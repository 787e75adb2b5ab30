using Fleet.Contracts;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Fuzz;

/// <summary>
/// Makes a failing scenario as small as it can be and still fail: takes away faults, stages, sites, groups, servers and devices, plainer power, links and
/// workloads, and shortens, as long as anything of that leaves the failure in place.
/// </summary>
public static class Shrink
{
    /// <param name="fails">Whether a scenario fails; asked for lawful ones only.</param>
    /// <param name="isLawful">Taking something away may leave something that names it.</param>
    public static Scenario Smallest(Scenario scenario, Func<Scenario, bool> isLawful, Func<Scenario, bool> fails)
    {
        while (Smaller(scenario).FirstOrDefault(smaller => isLawful(smaller) && fails(smaller)) is { } found) scenario = found;
        return scenario;
    }

    /// <summary>Everything one step smaller, the largest steps first. Each step makes it smaller by some measure, so that it ends.</summary>
    public static IEnumerable<Scenario> Smaller(Scenario scenario)
    {
        if (scenario.Sites.Count > 1)
            foreach (var sites in Without(scenario.Sites))
                yield return scenario with { Sites = sites, FaultList = [.. scenario.FaultList.Where(fault => sites.Any(site => site.IsMeantBy(fault.Site)))], Stages = [.. scenario.Stages.Where(stage => stage.Site is null || sites.Any(site => site.IsMeantBy(stage.Site)))] };
        foreach (var faults in Without(scenario.FaultList)) yield return scenario with { FaultList = faults };
        foreach (var stages in Without(scenario.Stages)) yield return scenario with { Stages = stages };
        if (scenario.UntilDead is not null) yield return scenario with { UntilDead = null };
        for (var i = 0; i < scenario.Sites.Count; i++)
            foreach (var site in Smaller(scenario.Sites[i])) yield return scenario with { Sites = [.. scenario.Sites.Take(i), site, .. scenario.Sites.Skip(i + 1)] };
        if (scenario.Duration.Value > 2) yield return scenario with { Duration = new Seconds(Math.Ceiling(scenario.Duration.Value / 2)) };
        if (scenario.Duration.Value > 1) yield return scenario with { Duration = new Seconds(Math.Ceiling(scenario.Duration.Value) - 1) };
        for (var i = 0; i < scenario.FaultList.Count; i++)
            if (scenario.FaultList[i].For.Value > 1 && scenario.FaultList[i].Kind is not FaultKind.DeviceCrash)
                yield return scenario with { FaultList = [.. scenario.FaultList.Take(i), scenario.FaultList[i] with { For = scenario.FaultList[i].For / 2 }, .. scenario.FaultList.Skip(i + 1)] };
    }

    private static IEnumerable<SiteSpec> Smaller(SiteSpec site)
    {
        if (site.Devices.Count > 1)
            foreach (var devices in Without(site.Devices)) yield return site with { Devices = devices };
        foreach (var cloud in Without(site.Cloud)) yield return site with { Cloud = cloud };
        foreach (var edges in Without(site.Edges)) yield return site with { Edges = edges };
        for (var i = 0; i < site.Devices.Count; i++)
            foreach (var group in Smaller(site.Devices[i])) yield return site with { Devices = [.. site.Devices.Take(i), group, .. site.Devices.Skip(i + 1)] };
        if (site.Sky is not null && site.Devices.All(group => group.Power?.Panel is null)) yield return site with { Sky = null };
    }

    private static IEnumerable<DeviceGroup> Smaller(DeviceGroup group)
    {
        if (group.Count > 1) yield return group with { Count = group.Count / 2 };
        if (group.Count > 1) yield return group with { Count = group.Count - 1 };
        if (group.Drift.Count > 0) yield return group with { Drift = [] };
        if (group.Radio is not null) yield return group with { Radio = null };
        if (group.Power is not null) yield return group with { Power = null };
        if (group.Battery is not null) yield return group with { Battery = null, Lifetime = null };
        if (group.Arrivals is not Arrivals.Periodic) yield return group with { Arrivals = Arrivals.Periodic, Bursty = null, Diurnal = null, Event = null, Recorded = null };
        if (group.Link != new Radios.LinkModel()) yield return group with { Link = new Radios.LinkModel() };
    }

    private static IEnumerable<List<T>> Without<T>(IReadOnlyList<T> all) => all.Select((_, i) => (List<T>)[.. all.Take(i), .. all.Skip(i + 1)]);
}
