using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Fuzz;

/// <summary>A scenario that failed, and how.</summary>
public sealed record FailedTrial(long Seed, Scenario Scenario, string Problem);

/// <summary>Many random scenarios, each from a seed of its own.</summary>
public sealed class Sweep(Stock stock)
{
    private readonly Lock gate = new();
    private readonly List<FailedTrial> failures = [];

    public IReadOnlyList<FailedTrial> Failures => failures;

    /// <summary>Answered in all scenarios together, in their first run each.</summary>
    public long Inferences { get; private set; }

    public long Messages { get; private set; }

    public long Faults { get; private set; }

    /// <param name="progress">Told the share of the work done.</param>
    public void Run(long from, int count, int threads, Action<double>? progress = null)
    {
        var done = 0;
        void Try(long seed)
        {
            var scenario = RandomScenario.Of(seed, stock);
            var outcome = Trial.Run(scenario, seed, stock);
            lock (gate)
            {
                if (outcome.Problem is { } problem) failures.Add(new FailedTrial(seed, scenario, problem));
                Inferences += outcome.Inferences;
                Messages += outcome.Messages;
                Faults += scenario.FaultList.Count;
                progress?.Invoke((double)++done / count);
            }
        }
        if (threads == 1) for (var i = 0; i < count; i++) Try(from + i);
        else Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, i => Try(from + i));
    }
}
