using System.Text.Json.Serialization;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Reporting;

/// <summary>What `fleet run --replications --json` prints.</summary>
public sealed record ReplicationSummary
{
    [JsonPropertyName("scenario")] public required string Scenario { get; init; }
    [JsonPropertyName("policy")] public required string Policy { get; init; }
    [JsonPropertyName("seeds")] public required IReadOnlyList<long> Seeds { get; init; }
    [JsonPropertyName("trace_hashes")] public required IReadOnlyList<string> Hashes { get; init; }
    [JsonPropertyName("figures")] public required SortedDictionary<string, Estimate> Figures { get; init; }
}

/// <summary>One scenario under several seeds.</summary>
/// <param name="Results">In the order of their seeds.</param>
public sealed record Replications(IReadOnlyList<RunResult> Results)
{
    private static readonly Column[] StatisticColumns =
    [
        Column.Text("figure"), Column.Whole("count"), Column.Number("mean"), Column.Number("deviation"), Column.Number("ci95_low"), Column.Number("ci95_high"), Column.Number("min"), Column.Number("max"), Column.Number("resolution_ratio"),
    ];

    /// <summary>Each figure that at least one replication has.</summary>
    public IEnumerable<(RunFigure Figure, Estimate Estimate)> Estimates()
    {
        foreach (var figure in RunFigure.All)
            if (Results.Select(figure.Of).OfType<double>().ToList() is { Count: > 0 } values) yield return (figure, Statistics.Of(values) with { Resolution = figure.Resolution });
    }

    /// <summary>Runs seeds from <paramref name="seed"/> on, each on one thread; books are checked.</summary>
    /// <param name="threads">Replications that run at once; changes no result.</param>
    /// <param name="progress">Told the share of the work done, from any thread.</param>
    /// <param name="begins">Told each site of the first replication before it runs.</param>
    /// <param name="first">Given the first replication's run when it is done.</param>
    public static Replications Run(Scenario scenario, long seed, int count, Stock stock, int threads, bool throughWire, Action<double> progress, Action<SiteWorld>? begins, Action<ScenarioRun>? first)
    {
        var (results, done) = (new RunResult[count], new double[count]);
        void Replicate(int i)
        {
            var run = ScenarioRun.Execute(scenario, seed + i, stock, threads: 1, throughWire, progress: share =>
            {
                done[i] = share;
                progress(done.Sum() / count);
            }, begins: i == 0 ? begins : null);
            run.CheckBooks();
            results[i] = run.Result();
            if (i == 0) first?.Invoke(run);
        }
        if (threads == 1) for (var i = 0; i < count; i++) Replicate(i);
        else Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, Replicate);
        return new Replications(results);
    }

    /// <summary>For programs.</summary>
    public ReplicationSummary Summary() => new()
    {
        Scenario = Results[0].Scenario,
        Policy = Results[0].Policy,
        Hashes = [.. Results.Select(result => result.TraceHash)],
        Seeds = [.. Results.Select(result => result.Seed)],
        Figures = new SortedDictionary<string, Estimate>(Estimates().ToDictionary(pair => pair.Figure.Key, pair => pair.Estimate), StringComparer.Ordinal),
    };

    /// <summary>replications: a row a seed; statistics: a row a figure.</summary>
    public void Write(string directory)
    {
        using (var rows = new TableWriter(directory, "replications", [Column.Whole("seed"), Column.Text("trace_hash"), .. RunFigure.All.Select(figure => Column.Number(figure.Key))]))
            foreach (var result in Results)
            {
                rows.Add(result.Seed).Add(result.TraceHash);
                foreach (var figure in RunFigure.All) rows.Add(figure.Of(result));
                rows.EndRow();
            }
        using var statistics = new TableWriter(directory, "statistics", StatisticColumns);
        foreach (var (figure, estimate) in Estimates())
            statistics.Add(figure.Key).Add((long?)estimate.Count).Add(estimate.Mean).Add(estimate.Deviation).Add(estimate.Low).Add(estimate.High).Add(estimate.Min).Add(estimate.Max).Add(estimate.Resolution).EndRow();
    }
}
