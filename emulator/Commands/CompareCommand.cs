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
    private const string Mark = "fleet compare";

    public static Command Create()
    {
        var files = new Argument<string[]>("SCENARIO") { Description = "Scenario files.", Arity = ArgumentArity.OneOrMore };
        var policies = new Option<string>("--policies") { Description = $"Separated by commas, the first is what the others are compared with: {string.Join(", ", Policies.Names)}; settings behind colons, such as edgent:deadline_s=0.02.", DefaultValueFactory = _ => "dual,greedy,neurosurgeon" };
        var seeds = new Option<int>("--seeds") { Description = "How many seeds, the same for all policies.", DefaultValueFactory = _ => 10 };
        var first = new Option<long>("--seed") { Description = "The first seed.", DefaultValueFactory = _ => 1 };
        var threads = new Option<int>("--threads") { Description = "Runs at once; changes no result.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var tune = new Option<int>("--tune") { Description = "Before that, choose the settings of policies that are named without any, on so many of the seeds; 0: take their defaults." };
        var output = new Option<string?>("--out") { Description = "Directory for a page, and a CSV and a plot of each scenario." };
        var command = new Command("compare", "Compare policies on the same seeds of scenarios.") { files, policies, seeds, first, tune, threads, output };
        command.SetAction(parsed => ProcessEdge.Guard(() => Run(
            parsed.GetRequiredValue(files), parsed.GetValue(policies)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            Flags.InRange("--seeds", parsed.GetValue(seeds), 1, SeedsMax), parsed.GetValue(first), Flags.InRange("--tune", parsed.GetValue(tune), 0, SeedsMax), Flags.InRange("--threads", parsed.GetValue(threads), 1, 1024), parsed.GetValue(output))));
        return command;
    }

    private static int Run(IReadOnlyList<string> files, IReadOnlyList<string> policies, int seeds, long first, int tune, int threads, string? directory)
    {
        FaultsException.ThrowIfAny("--policies", [.. policies.SelectMany(Policies.Faults), .. policies.Count == 0 ? ["is empty; at least one is needed"] : Array.Empty<string>(), .. policies.GroupBy(policy => policy).Where(same => same.Count() > 1).Select(twice => $"\"{twice.Key}\" stands {twice.Count()} times")]);
        var stock = new Stock();
        var scenarios = files.Select(file => ScenarioFile.Read(file, stock)).ToList();
        FaultsException.ThrowIfAny("SCENARIO", [.. scenarios.GroupBy(scenario => scenario.Name).Where(same => same.Count() > 1).Select(twice => $"{twice.Count()} files are of a scenario called {twice.Key}; allowed: one of each name")]);
        if (directory is not null) OutputDirectory.Prepare(directory, Mark);
        var comparisons = new List<PolicyComparison>();
        foreach (var scenario in scenarios)
        {
            var runs = new Comparison(scenario, first, stock, threads);
            var tuned = tune == 0 ? policies : ProgressBar.Show($"{scenario.Name}: tuning", progress => runs.Tune(policies, tune, progress));
            var done = ProgressBar.Show(scenario.Name, progress => runs.Run(tuned, seeds, progress));
            FaultsException.ThrowIfAny(scenario.Name, [.. done.GroupBy(run => run.Seed).Where(seed => seed.All(run => run.Answered == 0)).Select(seed => $"under seed {seed.Key} no policy answered any input, so that there is nothing to compare; allowed: more inputs, or more time")]);
            var comparison = new PolicyComparison(scenario, done);
            comparisons.Add(comparison);
            Print(comparison, seeds, first);
            if (directory is null) continue;
            OutputDirectory.Write(directory, [KeyValuePair.Create(scenario.Name + ".csv", comparison.Csv()), KeyValuePair.Create(scenario.Name + ".svg", comparison.Plot())]);
        }
        if (directory is not null)
            OutputDirectory.Write(directory, [KeyValuePair.Create(OutputDirectory.Page, ComparisonPage.Of(comparisons, $"{Mark} {string.Join(' ', files.Select(OutputDirectory.Quoted))} --policies {string.Join(',', policies)} --seeds {seeds} --seed {first}{(tune > 0 ? $" --tune {tune}" : "")} --out {OutputDirectory.Quoted(directory)}", seeds, tune))]);
        return 0;
    }

    private static void Print(PolicyComparison comparison, int seeds, long first)
    {
        var control = comparison.Scenario.Control;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"scenario {comparison.Scenario.Name}, seeds {first} to {first + seeds - 1}; cost = latency + {control.JouleWeight} s/J energy + {control.ErrorWeight} s errors, an input left unanswered that another policy answered costs an error and the deadline; +- is half a 95 % interval"));
        Figures.Columns(comparison.Table());
        if (comparison.Policies.Count > 1) Console.Out.WriteLine("  " + comparison.Verdict);
    }
}
