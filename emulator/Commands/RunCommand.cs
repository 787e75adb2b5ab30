using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Models;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet run SCENARIO`: a scenario in virtual time, from seed to hash.</summary>
public static class RunCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("SCENARIO") { Description = "Scenario file (see emulator/scenarios)." };
        var seed = new Option<long>("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 };
        var policy = new Option<string?>("--policy") { Description = "Planner to use instead of the scenario's: " + string.Join(", ", Controller.Planning.Planners.Names) + "." };
        var inference = new Option<string?>("--inference") { Description = "trace (recorded answers) or onnx (computed), instead of the scenario's." };
        var threads = new Option<int>("--threads") { Description = "Sites that run at once; changes no result.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var wire = new Option<bool>("--wire") { Description = "Put every message through its wire encoding; changes no result." };
        var output = new Option<string?>("--out") { Description = "Directory for CSV files and the manifest." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object as the last line." };
        var command = new Command("run", "Run a scenario in virtual time.") { file, seed, policy, inference, threads, wire, output, json };
        command.SetAction(parsed => ProcessEdge.Guard(() => Run(new Request(
            parsed.GetRequiredValue(file), parsed.GetValue(seed), parsed.GetValue(policy), parsed.GetValue(inference), parsed.GetValue(threads), parsed.GetValue(wire), parsed.GetValue(output), parsed.GetValue(json)))));
        return command;
    }

    private sealed record Request(string File, long Seed, string? Policy, string? Inference, int Threads, bool Wire, string? Output, bool Json);

    private static int Run(Request request)
    {
        if (request.Threads is < 1 or > 1024) throw new FaultsException("--threads", $"is {request.Threads}; allowed: 1 to 1024");
        var stock = new Stock();
        var scenario = Changed(ScenarioFile.Read(request.File, stock), request, stock);
        if (request.Output is { } place) Prepare(place);
        var told = request.Json ? Console.Error : Console.Out;
        told.WriteLine($"scenario {scenario.Name} ({scenario.Sites.Sum(site => SiteWorld.Names(site).Count() + SiteWorld.Members(site, stock.Groups).Count())} devices, {scenario.Duration.Value:G6} s, policy {scenario.Control.Policy}, {scenario.Inference.ToString().ToLowerInvariant()} inference)");
        told.WriteLine($"seed {request.Seed}");
        var run = Execute(scenario, request, stock);
        run.CheckBooks();
        var result = run.Result();
        if (request.Output is { } directory) Write(directory, run, result, scenario, request, stock);
        if (request.Json)
        {
            Figures.PrintJson(result);
            return 0;
        }
        Figures.Print(result);
        Console.Out.WriteLine(result.TraceHash);
        return 0;
    }

    private static Scenario Changed(Scenario scenario, Request request, Stock stock)
    {
        if (request.Policy is { } policy) scenario = scenario with { Control = scenario.Control with { Policy = policy } };
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

    private static ScenarioRun Execute(Scenario scenario, Request request, Stock stock)
    {
        ScenarioRun Run(Action<double>? progress) => ScenarioRun.Execute(scenario, request.Seed, stock, request.Threads, request.Wire, progress);
        return scenario.Sites.Count == 0 ? Run(null) : ProgressBar.Show($"{scenario.Duration.Value:G6} s of virtual time", Run);
    }

    /// <summary>Before the run, not after it: a directory that cannot be written should not cost one.</summary>
    private static void Prepare(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException($"--out {directory}", e.Message);
        }
    }

    private static void Write(string directory, ScenarioRun run, RunResult result, Scenario scenario, Request request, Stock stock)
    {
        File.WriteAllText(Path.Combine(directory, "timeline.csv"), Timeline(run, scenario, stock.Models[scenario.Model].Card.StageCount));
        File.WriteAllText(Path.Combine(directory, "result.json"), JsonSerializer.Serialize(result, Json.File.Info<RunResult>()) + "\n");
        var manifest = new Manifest
        {
            Command = $"fleet run {request.File} --seed {request.Seed} --policy {scenario.Control.Policy} --inference {scenario.Inference.ToString().ToLowerInvariant()}",
            Version = ProcessEdge.Version,
            Seed = request.Seed,
            Policy = scenario.Control.Policy,
            ScenarioSha256 = ModelFiles.Sha256(File.ReadAllBytes(request.File)),
            CardSha256 = stock.Models[scenario.Model].CardSha256,
            TraceHash = result.TraceHash,
            Runtime = RuntimeInformation.FrameworkDescription,
            Machine = $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors",
            Scenario = scenario,
        };
        File.WriteAllText(Path.Combine(directory, "manifest.json"), JsonSerializer.Serialize(manifest, Json.File.Info<Manifest>()) + "\n");
    }

    private static string Timeline(ScenarioRun run, Scenario scenario, int exits)
    {
        var csv = new StringBuilder($"site,from_s,started,answered,{string.Join(",", Enumerable.Range(1, exits).Select(exit => $"exit_{exit}"))},offloaded,fallback,deadline_missed,labelled,correct,latency_mean_s\n");
        foreach (var (world, site) in run.Worlds.Zip(scenario.Sites))
            foreach (var (bin, i) in world.Ledger.Bins.Select((bin, i) => (bin, i)))
            {
                var mean = bin.Answered == 0 ? "" : Quantity.Rounded(bin.LatencySum.Value / bin.Answered).ToString(CultureInfo.InvariantCulture);
                csv.AppendLine(CultureInfo.InvariantCulture, $"{site.Name},{i * world.Ledger.BinLength.Value:G6},{bin.Started},{bin.Answered},{string.Join(",", bin.Exits.Take(exits))},{bin.Edge},{bin.Fallback},{bin.DeadlineMissed},{bin.Labelled},{bin.Correct},{mean}");
            }
        return csv.ToString();
    }
}
