using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Experiments.Deciding;

/// <summary>Accuracy and share sent in each stretch of a run, mean of the seeds.</summary>
public sealed record AloneOutcome(string Way, IReadOnlyList<double> Accuracy, IReadOnlyList<double> Offloaded, PhaseCost Cost);

/// <summary>Devices whose controller dies and whose images then change: by their last thresholds, or deciding alone within their last bounds.</summary>
public static class AloneStudy
{
    private const int Seeds = 3;

    public static IReadOnlyList<AloneOutcome> Run(Scenario scenario, Stock stock, long seed)
    {
        var planned = Planned.Of(stock, scenario.Model);
        (string Way, Scenario Scenario)[] ways =
        [
            ("thresholds stay", scenario with { Control = scenario.Control with { Alone = null } }),
            ("devices alone decide by hi-lcb", scenario),
            ("thresholds stay, controller lives", scenario with { FaultList = [], Control = scenario.Control with { Alone = null } }),
        ];
        return [.. ways.Select(way => One(way.Way, way.Scenario, stock, planned, seed))];
    }

    /// <summary>From the drift to the controller's return.</summary>
    private static AloneOutcome One(string way, Scenario scenario, Stock stock, Planned planned, long seed)
    {
        var seeds = Enumerable.Range(0, Seeds).Select(run => PhaseStudy.Bins(scenario, stock, planned, seed + run)).ToList();
        var drifted = scenario.Sites[0].Devices[0].Drift[0].At.Value / scenario.Duration.Value * SiteWorld.Bins;
        var judged = seeds.Select(bins => SiteBin.Sum(bins.Where((_, i) => i >= drifted && i < SiteWorld.Bins * 9 / 10))).ToList();
        double Mean(int stretch, Func<SiteBin, double> of, Func<SiteBin, double> by) => seeds.Average(bins => of(bins[stretch]) / Math.Max(1, by(bins[stretch])));
        return new AloneOutcome(
            way, [.. Enumerable.Range(0, SiteWorld.Bins).Select(i => Mean(i, bin => bin.Correct, bin => bin.Labelled))], [.. Enumerable.Range(0, SiteWorld.Bins).Select(i => Mean(i, bin => bin.Offloaded, bin => bin.Answered))],
            PhaseStudy.Cost(scenario, 0, way, judged));
    }
}
