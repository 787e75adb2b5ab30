using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Experiments.Deciding;

/// <summary>Who answered and what it cost, mean of the seeds; in seconds of the scenario's own weights.</summary>
/// <param name="Device">Share answered by devices' exits.</param>
/// <param name="Edge">By the edge server's own exits or tails.</param>
/// <param name="Cloud">By the cloud.</param>
public sealed record TierOutcome(string Way, PhaseCost Cost, double Device, double Edge, double Cloud);

/// <summary>Three tiers that each decide, beside two tiers that do, and a fixed threshold on either.</summary>
public static class TierStudy
{
    private const int Seeds = 3;

    public static IReadOnlyList<TierOutcome> Run(Scenario scenario, Stock stock, long seed)
    {
        var planned = Planned.Of(stock, scenario.Model);
        var (both, site) = (scenario.Control.Policy, scenario.Sites[0]);
        var cloudOnly = site with { Edges = [], Cloud = site.Cloud };
        (string Way, SiteSpec Site, string Policy)[] ways =
        [
            ("device, edge and cloud, each decides", site, both), ("device and edge, the device decides", site with { Cloud = [] }, both), ("device and cloud, the device decides", cloudOnly, both),
            ("device and edge, threshold 0.8", site with { Cloud = [] }, "static-split"), ("device and cloud, threshold 0.8", cloudOnly, "static-split"),
        ];
        var outcomes = new TierOutcome[ways.Length];
        Parallel.For(0, ways.Length, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i => outcomes[i] = One(ways[i].Way, scenario with { Sites = [ways[i].Site], Control = scenario.Control with { Policy = ways[i].Policy } }, stock, planned, seed));
        return outcomes;
    }

    private static TierOutcome One(string way, Scenario scenario, Stock stock, Planned planned, long seed)
    {
        var (totals, edge, cloud) = (new List<SiteBin>(), 0.0, 0.0);
        for (var run = 0; run < Seeds; run++)
        {
            var world = new SiteWorld(scenario, scenario.Sites[0], seed + run, stock, planned);
            world.Run();
            ScenarioRun.CheckBooks(world);
            var result = SiteResult.Of(world);
            totals.Add(SiteBin.Sum(result.Bins));
            long Served(IEnumerable<EdgeSpec> servers) => result.Edges.Where(server => servers.Any(spec => spec.Id == server.Id)).Sum(server => server.Total.Served);
            var (near, far) = (Served(scenario.Sites[0].Edges), Served(scenario.Sites[0].Cloud));
            // What an edge server passes on it answers too, when the cloud has answered.
            var passed = scenario.Sites[0].Edges.Count > 0 ? Math.Min(near, far) : 0;
            (edge, cloud) = (edge + (double)(near - passed) / (near + far - passed) / Seeds, cloud + (double)far / (near + far - passed) / Seeds);
        }
        var cost = PhaseStudy.Cost(scenario, 0, scenario.Control.Policy, totals);
        return new TierOutcome(way, cost, 1 - cost.Offloaded, cost.Offloaded * edge, cost.Offloaded * cloud);
    }
}
