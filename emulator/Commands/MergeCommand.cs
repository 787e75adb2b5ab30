using System.CommandLine;
using Fleet.Contracts;
using Fleet.Emulator.Reporting;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet merge DIR...`: the shards of a run, joined.</summary>
public static class MergeCommand
{
    public static Command Create()
    {
        var shards = new Argument<string[]>("DIR") { Description = "Directories that `fleet run --shard i/n --out DIR` wrote, all n of them in any order.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--out") { Description = "Directory for what the whole run would have written.", Required = true };
        var command = new Command("merge", "Join the shards of a run to exactly what the whole run would have written.") { shards, output };
        command.SetAction(parsed => ProcessEdge.Guard(() => Merge(parsed.GetRequiredValue(shards), parsed.GetRequiredValue(output))));
        return command;
    }

    private static int Merge(IReadOnlyList<string> shards, string output)
    {
        var stock = new Stock();
        var opened = shards.Select(RunDirectory.Open).ToList();
        var model = opened[0].Scenario.Model;
        if (!stock.Models.TryGetValue(model, out var files)) throw new FaultsException(shards[0], $"its model is {model}; here are {string.Join(", ", stock.Models.Keys)}");
        var result = ShardMerge.Merge(opened, output, files.Card.StageCount);
        Figures.Print(result);
        Console.Out.WriteLine(result.TraceHash);
        return 0;
    }
}
