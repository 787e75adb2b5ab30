using System.CommandLine;
using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Comparing;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet compare SCENARIO`: policies on the same seeds, with confidence intervals of their differences.</summary>
public static class CompareCommand
{
    private const int SeedsMax = 1000;

    public static Command Create()
    {
        var files = new Argument<string[]>("SCENARIO") { Description = "Scenario files.", Arity = ArgumentArity.OneOrMore };
        var policies = new Option<string>("--policies") { Description = $"Separated by commas, the first is what the others are compared with: {string.Join(", ", Policies.Names)}; settings behind colons, such as edgent:deadline_s=0.02.", DefaultValueFactory = _ => "dual,greedy,neurosurgeon" };
        var seeds = new Option<int>("--seeds") { Description = "How many seeds, the same for all policies.", DefaultValueFactory = _ => 10 };
        var first = new Option<long>("--seed") { Description = "The first seed.", DefaultValueFactory = _ => 1 };
        var threads = new Option<int>("--threads") { Description = "Runs at once; changes no result.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var output = new Option<string?>("--out") { Description = "Directory for a CSV and a plot of each scenario." };
        var command = new Command("compare", "Compare policies on the same seeds of scenarios.") { files, policies, seeds, first, threads, output };
        command.SetAction(parsed => ProcessEdge.Guard(() => Run(
            parsed.GetRequiredValue(files), parsed.GetValue(policies)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            Flags.InRange("--seeds", parsed.GetValue(seeds), 1, SeedsMax), parsed.GetValue(first), Flags.InRange("--threads", parsed.GetValue(threads), 1, 1024), parsed.GetValue(output))));
        return command;
    }

    private static int Run(IReadOnlyList<string> files, IReadOnlyList<string> policies, int seeds, long first, int threads, string? directory)
    {
        FaultsException.ThrowIfAny("--policies", [.. policies.SelectMany(Policies.Faults), .. policies.Count == 0 ? ["is empty; at least one is needed"] : Array.Empty<string>(), .. policies.GroupBy(policy => policy).Where(same => same.Count() > 1).Select(twice => $"\"{twice.Key}\" stands {twice.Count()} times")]);
        var stock = new Stock();
        var scenarios = files.Select(file => ScenarioFile.Read(file, stock)).ToList();
        if (directory is not null) Prepare(directory);
        foreach (var scenario in scenarios)
        {
            var runs = ProgressBar.Show(scenario.Name, progress => Execute(scenario, policies, seeds, first, stock, threads, progress));
            var comparison = new PolicyComparison(scenario, runs);
            Print(comparison, seeds, first);
            if (directory is null) continue;
            File.WriteAllText(Path.Combine(directory, scenario.Name + ".csv"), comparison.Csv());
            File.WriteAllText(Path.Combine(directory, scenario.Name + ".svg"), comparison.Plot());
        }
        return 0;
    }

    /// <summary>Before the runs, not after them: a directory that cannot be written should not cost them.</summary>
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

    private static PolicyRun[] Execute(Scenario scenario, IReadOnlyList<string> policies, int seeds, long first, Stock stock, int threads, Action<double> progress)
    {
        var planned = policies.Select(policy => scenario with { Control = scenario.Control with { Policy = policy } }).ToList();
        var runs = new PolicyRun[policies.Count * seeds];
        var done = 0;
        Parallel.For(0, runs.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
        {
            var variant = planned[i % policies.Count];
            var run = ScenarioRun.Execute(variant, first + i / policies.Count, stock);
            run.CheckBooks();
            runs[i] = PolicyRun.Of(variant, run);
            progress((double)Interlocked.Increment(ref done) / runs.Length);
        });
        return [.. policies.SelectMany(policy => runs.Where(run => run.Policy == policy))];
    }

    private static void Print(PolicyComparison comparison, int seeds, long first)
    {
        var control = comparison.Scenario.Control;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"scenario {comparison.Scenario.Name}, seeds {first} to {first + seeds - 1}; cost = latency + {control.JouleWeight} s/J energy + {control.ErrorWeight} s errors, an input left unanswered that another policy answered costs an error and the deadline; +- is half a 95 % interval"));
        Figures.Columns(comparison.Table());
        Console.Out.WriteLine(comparison.Policies.Count == 1 ? "" : comparison.IsFirstBestOrTied ? $"  no policy is better than {comparison.Policies[0].Policy} by more than 1 %" : $"  better than {comparison.Policies[0].Policy}: {string.Join(", ", comparison.Policies.Where(policy => policy.Standing == "better").Select(policy => policy.Policy))}");
    }
}
