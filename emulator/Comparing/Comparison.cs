using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Comparing;

/// <summary>Runs policies on the same seeds of a scenario, so many at once.</summary>
public sealed class Comparison(Scenario scenario, long firstSeed, Stock stock, int threads)
{
    /// <param name="progress">Told the share done.</param>
    public IReadOnlyList<PolicyRun> Run(IReadOnlyList<string> policies, int seeds, Action<double> progress)
    {
        var planned = policies.Select(policy => scenario with { Control = scenario.Control with { Policy = policy } }).ToList();
        var runs = new PolicyRun[policies.Count * seeds];
        var done = 0;
        Parallel.For(0, runs.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
        {
            var variant = planned[i % policies.Count];
            var run = ScenarioRun.Execute(variant, firstSeed + i / policies.Count, stock);
            run.CheckBooks();
            runs[i] = PolicyRun.Of(variant, run);
            progress((double)Interlocked.Increment(ref done) / runs.Length);
        });
        return [.. policies.SelectMany(policy => runs.Where(run => run.Policy == policy))];
    }

    /// <summary>Each policy with the settings of its grid that cost least on the first seeds, unanswered inputs included.</summary>
    public IReadOnlyList<string> Tune(IReadOnlyList<string> policies, int seeds, Action<double> progress)
    {
        var grids = policies.Select(PolicyGrid.Of).ToList();
        var tried = grids.Where(grid => grid.Count > 1).SelectMany(grid => grid).ToList();
        if (tried.Count == 0) return policies;
        var costs = Run(tried, seeds, progress).GroupBy(run => run.Seed).SelectMany(seed => PolicyRun.Charged(scenario, [.. seed]))
            .GroupBy(run => run.Policy).ToDictionary(runs => runs.Key, runs => runs.Average(run => run.CostOfAll), StringComparer.Ordinal);
        return [.. grids.Select(grid => grid.Count == 1 ? grid[0] : grid.MinBy(policy => costs[policy])!)];
    }
}
