using System.Globalization;
using Fleet.Controller.Planning;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Experiments.Deciding;

/// <summary>What a policy cost an inference in one phase, mean of the seeds, in seconds of the scenario's own weights.</summary>
/// <param name="Cost">Latency + joule_weight x energy of computing and radio + error_weight x share answered wrongly.</param>
public sealed record PhaseCost(int Phase, string Policy, double Cost, double Latency, double Accuracy, double Energy, double Offloaded, double Answered);

/// <summary>
/// A scenario whose links and load change in steps, under policies that decide by the input and under every fixed threshold of a grid. A phase lasts from one stage to the next; what
/// a policy needs to notice a step counts against it.
/// </summary>
public sealed class PhaseStudy
{
    public const int Seeds = 5;

    /// <summary>In the order of their names; the first is judged.</summary>
    public static readonly IReadOnlyList<string> Deciders = ["static-split+hierarchical", "static-split+hi-lcb", "static-split+hi-lcb-lite"];

    public static readonly IReadOnlyList<double> Thresholds = [0, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99, 0.995, 0.999, 2];

    private PhaseStudy(Scenario scenario, IReadOnlyList<PhaseCost> costs) => (Scenario, Costs) = (scenario, costs);

    public Scenario Scenario { get; }

    public IReadOnlyList<PhaseCost> Costs { get; }

    public int Phases => Costs.Max(cost => cost.Phase);

    /// <summary>Weights of phases by what was answered in them.</summary>
    public double Whole(string policy) => Of(policy).Sum(cost => cost.Cost * cost.Answered) / Of(policy).Sum(cost => cost.Answered);

    public IEnumerable<PhaseCost> Of(string policy) => Costs.Where(cost => cost.Policy == policy);

    public PhaseCost At(int phase, string policy) => Of(policy).Single(cost => cost.Phase == phase);

    /// <summary>The threshold that cost least in a phase.</summary>
    public PhaseCost BestIn(int phase) => Thresholds.Select(threshold => At(phase, Static(threshold))).MinBy(cost => cost.Cost)!;

    /// <summary>The threshold that cost least over all phases together.</summary>
    public string BestStatic => Thresholds.Select(Static).MinBy(Whole)!;

    public static string Static(double threshold) => string.Create(CultureInfo.InvariantCulture, $"static-split:threshold_ratio={threshold}");

    public static PhaseStudy Run(Scenario scenario, Stock stock, long seed, Action<double> progress)
    {
        var planned = Planned.Of(stock, scenario.Model);
        string[] policies = [.. Deciders, .. Thresholds.Select(Static)];
        var runs = policies.SelectMany(policy => Enumerable.Range(0, Seeds).Select(i => (Policy: policy, Seed: seed + i))).ToList();
        var (results, done) = (new IReadOnlyList<SiteBin>[runs.Count], 0);
        // Runs know nothing of each other: two threads give what one gives.
        Parallel.For(0, runs.Count, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i =>
        {
            results[i] = Bins(scenario with { Control = scenario.Control with { Policy = runs[i].Policy } }, stock, planned, runs[i].Seed);
            progress((double)Interlocked.Increment(ref done) / runs.Count);
        });
        var costs = runs.Zip(results).GroupBy(pair => pair.First.Policy).SelectMany(policy => Phased(scenario, policy.Key, [.. policy.Select(pair => pair.Second)]));
        return new PhaseStudy(scenario, [.. costs]);
    }

    /// <summary>The stretches of one run; throws when its books do not close.</summary>
    public static IReadOnlyList<SiteBin> Bins(Scenario scenario, Stock stock, Planned planned, long seed)
    {
        var world = new SiteWorld(scenario, scenario.Sites[0], seed, stock, planned);
        world.Run();
        ScenarioRun.CheckBooks(world);
        return SiteResult.Of(world).Bins;
    }

    /// <summary>A stretch belongs to the phase in which it begins.</summary>
    private static IEnumerable<PhaseCost> Phased(Scenario scenario, string policy, IReadOnlyList<IReadOnlyList<SiteBin>> seeds)
    {
        var begins = scenario.Stages.Select(stage => stage.At.Value).Distinct().Order().ToList();
        var length = scenario.Duration.Value / SiteWorld.Bins;
        for (var phase = 1; phase <= begins.Count + 1; phase++)
        {
            var each = seeds.Select(bins => SiteBin.Sum(bins.Where((_, i) => begins.Count(begin => begin <= i * length + 1e-9) + 1 == phase))).ToList();
            yield return Cost(scenario, phase, policy, each);
        }
    }

    public static PhaseCost Cost(Scenario scenario, int phase, string policy, IReadOnlyList<SiteBin> seeds)
    {
        double Mean(Func<SiteBin, double> of) => seeds.Average(bin => of(bin) / Math.Max(1, bin.Answered));
        var (latency, energy) = (Mean(bin => bin.LatencySum.Value), Mean(bin => bin.Energy.Spent.Value));
        var accuracy = seeds.Average(bin => bin.Correct / Math.Max(1.0, bin.Labelled));
        return new PhaseCost(phase, policy, latency + scenario.Control.JouleWeight * energy + scenario.Control.ErrorWeight * (1 - accuracy), latency, accuracy, energy, Mean(bin => bin.Offloaded), seeds.Average(bin => (double)bin.Answered));
    }
}
