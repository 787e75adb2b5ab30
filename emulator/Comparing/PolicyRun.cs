using Fleet.Contracts;
using Fleet.Controller.Planning;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Comparing;

/// <summary>What one policy did under one seed, measured, beside what its plans had promised. Costs are in the scenario's own weights, in seconds an inference.</summary>
/// <param name="Answered">Inputs answered by whomever.</param>
/// <param name="Cost">Mean latency + joule_weight x energy of computing and radio + error_weight x share answered wrongly.</param>
/// <param name="Promised">The same as estimated when it was planned, over the same answers; null when nothing was planned.</param>
public sealed record PolicyRun(string Policy, long Seed, long Answered, double Cost, double? Promised, double Accuracy, Seconds Latency, Joules Energy, double Offloaded, int DevicesDied, string TraceHash)
{
    /// <summary>Cost with what inputs cost that this policy did not answer and another did: an error each, and the deadline.</summary>
    public double CostOfAll { get; init; } = Cost;

    public static PolicyRun Of(Scenario scenario, ScenarioRun run)
    {
        var result = run.Result();
        var total = SiteBin.Sum(run.Sum().Bins);
        double answered = Math.Max(1, total.Answered);
        var (latency, energy) = (total.LatencySum / answered, result.Figures.EnergyPerInference ?? Joules.Zero);
        var accuracy = total.Correct / Math.Max(1.0, total.Labelled);
        var promises = run.Worlds.Select(world => world.LastController.Promised).ToList();
        var promised = promises.Sum(promise => (double)promise.Inferences);
        return new PolicyRun(
            scenario.Control.Policy, result.Seed, total.Answered, Weigh(scenario, latency, energy, accuracy),
            promised == 0 ? null : Weigh(scenario, new Seconds(promises.Sum(promise => promise.Latency.Value) / promised), new Joules(promises.Sum(promise => promise.Energy.Value) / promised), promises.Sum(promise => promise.Accuracy) / promised),
            accuracy, latency, energy, total.Offloaded / answered, result.DevicesDied, result.TraceHash);
    }

    /// <summary>Adds to each run of a seed what it left unanswered of what the busiest answered.</summary>
    public static IEnumerable<PolicyRun> Charged(Scenario scenario, IReadOnlyList<PolicyRun> seed)
    {
        var most = seed.Max(run => run.Answered);
        var lost = scenario.Control.Deadline.Value + scenario.Control.ErrorWeight;
        return most == 0 ? seed : seed.Select(run => run with { CostOfAll = (run.Cost * run.Answered + lost * (most - run.Answered)) / most });
    }

    private static double Weigh(Scenario scenario, Seconds latency, Joules energy, double accuracy) =>
        latency.Value + scenario.Control.JouleWeight * energy.Value + scenario.Control.ErrorWeight * (1 - accuracy);
}
