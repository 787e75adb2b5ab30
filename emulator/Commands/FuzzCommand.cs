using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator.Fuzz;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet fuzz`: small random scenarios with random faults; the books must close in every one.</summary>
public static class FuzzCommand
{
    private const int FailureExit = 1;

    public static Command Create()
    {
        var seeds = new Option<int>("--seeds") { Description = "How many scenarios, a seed each.", DefaultValueFactory = _ => 100 };
        var from = new Option<long>("--from") { Description = "The first seed.", DefaultValueFactory = _ => 1 };
        var threads = new Option<int>("--threads") { Description = "Scenarios that run at once; changes no result.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var keep = new Option<string>("--keep") { Description = "Directory for the smallest failing scenario of each failing seed.", DefaultValueFactory = _ => "fuzz" };
        var command = new Command("fuzz", "Run small random scenarios with random faults twice each: books close, nothing is lost, hashes are equal. Exit code 1 when not.") { seeds, from, threads, keep };
        command.SetAction(parsed => ProcessEdge.Guard(() => Run(parsed.GetValue(seeds), parsed.GetValue(from), parsed.GetValue(threads), parsed.GetValue(keep)!)));
        return command;
    }

    private static int Run(int count, long from, int threads, string directory)
    {
        if (count is < 1 or > 1_000_000) throw new FaultsException("--seeds", $"is {count}; allowed: 1 to 1000000");
        if (threads is < 1 or > 1024) throw new FaultsException("--threads", $"is {threads}; allowed: 1 to 1024");
        var stock = new Stock();
        var sweep = new Sweep(stock);
        ProgressBar.Show($"{count} random scenarios", progress =>
        {
            sweep.Run(from, count, threads, progress);
            return 0;
        });
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seeds {from} to {from + count - 1}: {sweep.Inferences:N0} inferences, {sweep.Messages:N0} messages, {sweep.Faults:N0} faults, {sweep.Failures.Count} failures"));
        foreach (var failure in sweep.Failures.OrderBy(one => one.Seed)) Tell(directory, failure, stock);
        return sweep.Failures.Count == 0 ? 0 : FailureExit;
    }

    private static void Tell(string directory, FailedTrial failure, Stock stock)
    {
        var (seed, scenario, problem) = failure;
        Console.Error.WriteLine($"seed {seed}: {problem}");
        var smallest = Shrink.Smallest(scenario, smaller => !smaller.Faults(stock).Any(), smaller => Trial.Run(smaller, seed, stock).Problem is not null);
        var name = $"fuzz-{seed}.json";
        OutputDirectory.Write(directory, [KeyValuePair.Create(name, JsonSerializer.Serialize(smallest, Json.File.Info<Scenario>()) + "\n")]);
        Console.Error.WriteLine($"  smallest scenario that fails: fleet run {OutputDirectory.Quoted(Path.Combine(directory, name))} --seed {seed}");
    }
}
