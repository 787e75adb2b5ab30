using System.Globalization;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Pareto;
using Fleet.Controller.Planning;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Experiments.Front;

/// <summary>The front of a scenario's site as its controller sees the site at some time, and the points of it that have names.</summary>
public sealed record SiteFront(string Site, string Text, FleetSnapshot Fleet, OptionTable Table, SiteWays Ways, ParetoFront Front, IReadOnlyList<NamedPoint> Named)
{
    /// <summary>Ways that a device may choose from; of more, those farthest apart.</summary>
    public const int DefaultWays = 48;

    public Objectives Objectives => new() { Site = Site, Text = Text, Points = [.. Named.Select(named => named.Objective(Front))] };

    /// <param name="site">Null: the first.</param>
    /// <param name="at">How long the scenario has run when the controller is asked.</param>
    /// <exception cref="FaultsException">There is no such site, or nobody on it can run anything.</exception>
    public static SiteFront Of(Scenario scenario, string? site, Seconds at, long seed, Stock stock, int wayMax, Action<double>? progress = null)
    {
        scenario = scenario.Expanded();
        var spec = scenario.Sites.FirstOrDefault(known => site is null || known.Name == site) ?? throw new FaultsException("--site", $"is \"{site}\"; allowed: {string.Join(", ", scenario.Sites.Select(known => known.Name))}");
        var run = ScenarioRun.Execute(scenario with { Duration = at, Sites = [spec], FaultList = [.. scenario.FaultList.Where(fault => spec.IsMeantBy(fault.Site) && fault.At < at)], Stages = [.. scenario.Stages.Where(stage => stage.Concerns(spec) && stage.At < at)] }, seed, stock);
        var fleet = run.Worlds[0].LastController.Fleet;
        var table = Planned.Of(stock, scenario.Model, scenario.Control.ExitRisk).Table;
        var ways = SiteWays.Of(fleet, table, new CostModel(new Weights()), wayMax);
        if (ways.Devices.Count == 0) throw new FaultsException(spec.Name, $"has no device that can run anything after {at}");
        var front = new FrontSearch(ways).Run(progress);
        return new SiteFront(spec.Name, string.Create(CultureInfo.InvariantCulture, $"scenario {scenario.Name}, site {spec.Name}, seed {seed}, after {at.Value:0.###} s; {ways.Devices.Count} devices, at most {wayMax} ways each"), fleet, table, ways, front, NamedPoint.Of(front));
    }

    /// <summary>Where a policy's plan lies among these figures; null when it has no plan for some device.</summary>
    public PlanFigures? Of(string policy)
    {
        var plan = Policies.Create(policy, Table, new CostModel(new Weights())).Plan(Fleet, PlannerState.Empty, new Random(1)).Plan;
        var sum = default(PlanFigures);
        for (var device = 0; device < Ways.Devices.Count; device++)
        {
            if (!plan.Choices.TryGetValue(Ways.Devices[device].Id, out var choice)) return null;
            sum += PlanFigures.Of(choice.Option, choice.Estimate, Ways.Devices[device]) * Ways.Share(device);
        }
        return sum;
    }
}
