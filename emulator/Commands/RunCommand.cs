using System.CommandLine;
using Fleet.Contracts;
using Fleet.Controller.Tails;
using Fleet.Emulator.Reporting;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Commands;

/// <summary>What the command line asks of a run.</summary>
internal sealed record RunRequest(string File)
{
    public long Seed { get; init; } = 1;

    public string? Policy { get; init; }

    /// <summary>A point of a front.</summary>
    public Objective? Objective { get; init; }

    public string? Inference { get; init; }

    public string? Placement { get; init; }

    public int Threads { get; init; } = 1;

    public bool Wire { get; init; }

    public string? Output { get; init; }

    public bool Events { get; init; }

    /// <summary>Seeds from <see cref="Seed"/> on.</summary>
    public int Replications { get; init; } = 1;

    /// <summary>Null for all sites.</summary>
    public Shard? Shard { get; init; }

    public bool Json { get; init; }
}

/// <summary>`fleet run SCENARIO`: a scenario in virtual time, from seed to hash.</summary>
public static class RunCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("SCENARIO") { Description = "Scenario file (see emulator/scenarios)." };
        var seed = new Option<long>("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 };
        var policy = new Option<string?>("--policy") { Description = "Planner to use instead of the scenario's: " + string.Join(", ", Policies.Names) + "; behind a plus who decides on devices, such as dual+hierarchical." };
        var objective = new Option<string?>("--objective") { Description = "FILE:NAME, a point that `fleet pareto` found: dual keeps to it, instead of the scenario's policy, weights and limits." };
        var inference = new Option<string?>("--inference") { Description = "trace (recorded answers) or onnx (computed), instead of the scenario's." };
        var placement = new Option<string?>("--placement") { Description = "Who decides which tails servers hold that have not memory for all, instead of the scenario's: all, greedy or infida." };
        var threads = new Option<int>("--threads") { Description = "Sites that run at once; changes no result.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var wire = new Option<bool>("--wire") { Description = "Put every message through its wire encoding; changes no result." };
        var output = new Option<string?>("--out") { Description = "Directory for tables (CSV and Parquet), what `fleet report` needs, and the manifest." };
        var events = new Option<bool>("--events") { Description = "Also write a row for each inference into --out." };
        var replications = new Option<int>("--replications") { Description = "Run so many seeds, from --seed on, and give means with 95 % confidence intervals.", DefaultValueFactory = _ => 1 };
        var shard = new Option<string?>("--shard") { Description = "Run part i of n of the sites, i/n: on several machines, to be joined by `fleet merge`. Needs --out." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object as the last line." };
        var command = new Command("run", "Run a scenario in virtual time.") { file, seed, policy, objective, inference, placement, threads, wire, output, events, replications, shard, json };
        command.SetAction(parsed => ProcessEdge.Guard(() => Run(new RunRequest(parsed.GetRequiredValue(file))
        {
            Seed = parsed.GetValue(seed),
            Policy = parsed.GetValue(policy),
            Objective = parsed.GetValue(objective) is { } point ? Objectives.Read("--objective", point) : null,
            Inference = parsed.GetValue(inference),
            Placement = parsed.GetValue(placement),
            Threads = parsed.GetValue(threads),
            Wire = parsed.GetValue(wire),
            Output = parsed.GetValue(output),
            Events = parsed.GetValue(events),
            Replications = parsed.GetValue(replications),
            Shard = parsed.GetValue(shard) is { } part ? Shard.Parse(part) : null,
            Json = parsed.GetValue(json),
        })));
        return command;
    }

    private static int Run(RunRequest request)
    {
        if (request.Threads is < 1 or > 1024) throw new FaultsException("--threads", $"is {request.Threads}; allowed: 1 to 1024");
        if (request.Replications is < 1 or > 10_000) throw new FaultsException("--replications", $"is {request.Replications}; allowed: 1 to 10000");
        if (request.Events && request.Output is null) throw new FaultsException("--events", "needs --out, where they are written");
        if (request.Shard is not null && request.Output is null) throw new FaultsException("--shard", "needs --out, where `fleet merge` finds it");
        if (request.Shard is not null && request.Replications > 1) throw new FaultsException("--shard", "and --replications are both given; allowed: one of them");
        var stock = new Stock();
        var scenario = Changed(ScenarioFile.Read(request.File, stock), request, stock);
        var told = request.Json ? Console.Error : Console.Out;
        told.WriteLine($"scenario {scenario.Name} ({scenario.Sites.Sum(site => site.Devices.Sum(group => group.Count) + SiteWorld.Members(site, stock.Groups).Count())} devices, {scenario.Duration.Value:G6} s, policy {scenario.Control.Policy}, {scenario.Inference.ToString().ToLowerInvariant()} inference)");
        if (request.Shard is { } part && part.Count > scenario.Sites.Count) throw new FaultsException("--shard", $"is {part}; {scenario.Name} has {scenario.Sites.Count} sites, and each shard needs one");
        if (request.Shard is not null) told.WriteLine($"shard {request.Shard}");
        told.WriteLine(request.Replications == 1 ? $"seed {request.Seed}" : $"seeds {request.Seed} to {request.Seed + request.Replications - 1}");
        using var output = request.Output is { } directory ? new RunOutput(directory, scenario, request, stock) : null;
        if (request.Replications > 1) return Replicate(scenario, request, stock, output);
        var missed = new List<string>();
        var result = ProgressBar.Show($"{scenario.Duration.Value:G6} s of virtual time", scenario.Duration, progress => RunSites(scenario, request, stock, output, missed, progress));
        Tell(missed);
        if (request.Json)
        {
            Figures.PrintJson(result);
            return 0;
        }
        Figures.Print(result);
        Console.Out.WriteLine(result.TraceHash);
        return 0;
    }

    /// <summary>Site by site, so that memory does not grow with their number.</summary>
    /// <param name="missed">Given a sentence of each site whose last plan does not keep the limits.</param>
    private static RunResult RunSites(Scenario scenario, RunRequest request, Stock stock, RunOutput? output, List<string> missed, Action<double> progress)
    {
        var runs = new SiteRuns(scenario, request.Seed, stock) { Threads = request.Threads, ThroughWire = request.Wire, Shard = request.Shard ?? Shard.Whole, Progress = progress, Begins = output is null ? null : output.Begin };
        if (output is null)
        {
            var sum = new RunSum(scenario, request.Seed);
            Each(SiteResult.Of, sum.Add);
            return sum.Result();
        }
        Each(output.Left, output.Add);
        return output.Finish();

        void Each<T>(Func<SiteWorld, T> sum, Action<T> add) => runs.Run(world => (Left: Checked(world, sum), Missed: Missed(world)), site =>
        {
            add(site.Left);
            if (site.Missed is { } sentence) missed.Add(sentence);
        });
    }

    private static string? Missed(SiteWorld world) => world.LastController.Plan.Proof is { Missed.Count: > 0 } proof ? $"{world.Name}: {string.Join(", ", proof.Missed)}" : null;

    private static void Tell(List<string> missed)
    {
        const int Shown = 5;
        if (missed.Count == 0) return;
        Console.Error.WriteLine("limits that the last plan does not keep:");
        foreach (var sentence in missed.Take(Shown)) Console.Error.WriteLine($"  {sentence}");
        if (missed.Count > Shown) Console.Error.WriteLine($"  and {missed.Count - Shown} more sites");
    }

    private static T Checked<T>(SiteWorld world, Func<SiteWorld, T> sum)
    {
        ScenarioRun.CheckBooks(world);
        return sum(world);
    }

    private static int Replicate(Scenario scenario, RunRequest request, Stock stock, RunOutput? output)
    {
        var replications = ProgressBar.Show($"{request.Replications} x {scenario.Duration.Value:G6} s of virtual time", scenario.Duration * request.Replications, progress =>
            Replications.Run(scenario, request.Seed, request.Replications, stock, request.Threads, request.Wire, progress, output is null ? null : output.Begin, output is null ? null : output.Add));
        output?.Write(replications);
        if (request.Json)
        {
            Figures.PrintJson(replications.Summary());
            return 0;
        }
        foreach (var result in replications.Results) Console.Out.WriteLine($"  seed {result.Seed,-17}{result.TraceHash}");
        Figures.Print(replications);
        return 0;
    }

    private static Scenario Changed(Scenario scenario, RunRequest request, Stock stock)
    {
        if (request.Objective is not null && request.Policy is not null) throw new FaultsException("--objective", "and --policy are both given; allowed: one of them");
        if (request.Objective is { } point) scenario = scenario with { Control = scenario.Control.Pursuing(point) };
        if (request.Policy is { } policy) scenario = scenario with { Control = scenario.Control with { Policy = policy } };
        if (request.Placement is { } placement) scenario = scenario with { Control = scenario.Control with { Placement = PlacementOptions.KindNamed("--placement", placement) } };
        scenario = request.Inference switch
        {
            null => scenario,
            "trace" => scenario with { Inference = InferenceKind.Trace },
            "onnx" => scenario with { Inference = InferenceKind.Onnx },
            _ => throw new FaultsException("--inference", $"is \"{request.Inference}\"; allowed: trace, onnx"),
        };
        FaultsException.ThrowIfAny(request.File, scenario.Faults(stock));
        return scenario;
    }
}
