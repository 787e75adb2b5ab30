using System.CommandLine;
using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Experiments;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet experiment`: runs a system of the research from seed to figure.</summary>
public static class ExperimentCommand
{
    private const string ListName = "list";
    private const string AllName = "all";

    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = $"Which one; \"{AllName}\" runs one after the other, \"{ListName}\" names them." };
        var seed = new Option<long>("--seed") { Description = "Everything is a function of it.", DefaultValueFactory = _ => 1 };
        var output = new Option<string?>("--out") { Description = "Directory to write to, instead of docs/experiments/NAME; with all, a directory for each in it." };
        var command = new Command("experiment", "Run an experiment of the research: tables, plots and a report with published figures beside ours.") { name, seed, output };
        command.SetAction(parsed => ProcessEdge.Guard(() => Run(parsed.GetValue(name)!, parsed.GetValue(seed), parsed.GetValue(output))));
        return command;
    }

    private static int Run(string name, long seed, string? output)
    {
        if (name == ListName)
        {
            foreach (var one in ExperimentList.All) Console.Out.WriteLine($"{one.Name,-18} {one.Subject}");
            return 0;
        }
        var committed = Path.Combine("docs", "experiments");
        if (name == AllName)
        {
            foreach (var one in ExperimentList.All) Run(one, seed, Path.Combine(output ?? committed, one.Name));
            return 0;
        }
        var experiment = ExperimentList.All.FirstOrDefault(one => one.Name == name)
            ?? throw new FaultsException("experiment", $"\"{name}\" is unknown; allowed: {string.Join(", ", ExperimentList.All.Select(one => one.Name).Append(AllName).Append(ListName))}");
        Run(experiment, seed, output ?? Path.Combine(committed, name));
        return 0;
    }

    private static void Run(IExperiment experiment, long seed, string directory)
    {
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"experiment {experiment.Name}, seed {seed}"));
        OutputDirectory.Prepare(directory, $"fleet experiment {experiment.Name}");
        var files = ProgressBar.Show(experiment.Name, progress => experiment.Run(seed, progress));
        OutputDirectory.Write(directory, files);
        Console.Out.WriteLine($"{Path.Combine(directory, Report.Name)} and {files.Count - 1} files beside it: {string.Join(", ", files.Keys.Where(file => file != Report.Name).Order(StringComparer.Ordinal))}");
    }
}
