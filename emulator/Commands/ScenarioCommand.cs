using System.CommandLine;
using Fleet.Contracts;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet scenario`: what ships, what is wrong with a file, and what may stand in one.</summary>
public static class ScenarioCommand
{
    private const string Shipped = "emulator/scenarios";

    public static Command Create() => new("scenario", "The scenarios that ship; check a file; the schema of all.") { List(), Check(), Schema() };

    private static Command List()
    {
        var command = new Command("list", "The scenarios that ship with Fleet.");
        command.SetAction(_ => ProcessEdge.Guard(() =>
        {
            var stock = new Stock();
            foreach (var scenario in Files().Select(path => ScenarioFile.Read(path, stock))) Console.Out.WriteLine($"{scenario.Name,-18}{scenario.Description}");
            return 0;
        }));
        return command;
    }

    private static Command Check()
    {
        var files = new Argument<string[]>("FILE") { Description = "Scenario files.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("check", "Read scenario files and tell all that is wrong with each. Exit code 2 when something is.") { files };
        command.SetAction(parsed => ProcessEdge.Guard(() => Check(parsed.GetRequiredValue(files))));
        return command;
    }

    private static int Check(IEnumerable<string> paths)
    {
        var stock = new Stock();
        var exit = 0;
        foreach (var path in paths)
        {
            try
            {
                var scenario = ScenarioFile.Read(path, stock);
                Console.Out.WriteLine($"{path}: {scenario.Sites.Sum(site => SiteWorld.Names(site).Count() + SiteWorld.Members(site, stock.Groups).Count())} devices, {scenario.FaultList.Count} faults, {scenario.Duration.Value:G6} s");
            }
            catch (FaultsException e)
            {
                Console.Error.WriteLine(e.Message);
                exit = ProcessEdge.FaultExit;
            }
        }
        return exit;
    }

    private static Command Schema()
    {
        var output = new Option<string?>("--out") { Description = "File to write; standard output without it." };
        var command = new Command("schema", "The JSON Schema of a scenario file; emulator/scenarios/scenario.schema.json is what it writes.") { output };
        command.SetAction(parsed => ProcessEdge.Guard(() =>
        {
            ProfileCommand.Write(parsed.GetValue(output), ScenarioSchema.Text());
            return 0;
        }));
        return command;
    }

    private static IEnumerable<string> Files() =>
        Directory.EnumerateFiles(ProjectFiles.Find(Shipped), "*.json").Where(path => Path.GetFileName(path) != ScenarioSchema.FileName).Order(StringComparer.Ordinal);
}
