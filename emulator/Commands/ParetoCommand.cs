using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Controller.Pareto;
using Fleet.Emulator.Experiments.Front;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet pareto SCENARIO`: what a site can have, as a front in accuracy, latency, energy and bytes, and the objectives by which a controller keeps to a point of it.</summary>
public static class ParetoCommand
{
    private const string ObjectivesName = "objectives.json";
    private static readonly string[] Beside = ["greedy", "dual", "local-only", "offload-all"];

    public static Command Create()
    {
        var file = new Argument<string>("SCENARIO") { Description = "Scenario file." };
        var site = new Option<string?>("--site") { Description = "Of several sites; the first without it." };
        var at = new Option<string>("--at") { Description = "When in the scenario's time the controller is asked what it sees.", DefaultValueFactory = _ => "60s" };
        var seed = new Option<long>("--seed") { Description = "Of the scenario.", DefaultValueFactory = _ => 1 };
        var ways = new Option<int>("--ways") { Description = "Ways a device may choose from; of more, those that lie farthest apart.", DefaultValueFactory = _ => SiteFront.DefaultWays };
        var output = new Option<string>("--out") { Description = "Directory for the front as CSV, plots and objectives.", DefaultValueFactory = _ => "pareto" };
        var command = new Command("pareto", "Find what a site can have: accuracy, latency, device energy and bytes against each other; `fleet run` and the controller keep to a point by --objective.") { file, site, at, seed, ways, output };
        command.SetAction(parsed => ProcessEdge.Guard(() => Run(
            parsed.GetRequiredValue(file), parsed.GetValue(site), Flags.Duration("--at", parsed.GetValue(at))!.Value, parsed.GetValue(seed), Flags.InRange("--ways", parsed.GetValue(ways), 5, 1000), parsed.GetValue(output)!)));
        return command;
    }

    private static int Run(string file, string? site, Seconds at, long seed, int ways, string directory)
    {
        var stock = new Stock();
        var scenario = ScenarioFile.Read(file, stock);
        if (at > scenario.Duration || at <= Seconds.Zero) throw new FaultsException("--at", $"is {at}; allowed: above 0 to the scenario's {scenario.Duration}");
        OutputDirectory.Prepare(directory, mark: null);
        var front = ProgressBar.Show("pareto", progress => SiteFront.Of(scenario, site, at, seed, stock, ways, progress));
        Console.Out.WriteLine(front.Text);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{front.Front.Points.Count} plans of which none is at least as good as another in everything; by name:"));
        Figures.Columns(
        [
            ["point", "accuracy", "latency ms", "energy mJ", "bytes"],
            .. front.Named.Select(named => (string[])[named.Name, .. Cells(named.Point.Figures)]),
        ]);
        Write(directory, front);
        Console.Out.WriteLine($"{directory}: front.csv, front-accuracy.svg, front-costs.svg, {ObjectivesName}");
        Console.Out.WriteLine($"keep to one: fleet run {OutputDirectory.Quoted(file)} --objective {OutputDirectory.Quoted(Path.Combine(directory, ObjectivesName) + ":knee")}, or the controller's --objective, or its message retained on {new Topic(TopicKind.Objective, front.Site)}");
        return 0;
    }

    private static string[] Cells(PlanFigures figures) =>
    [
        ((1 - figures.Error) * 100).ToString("F2", CultureInfo.InvariantCulture) + " %", (figures.Latency.Value * 1e3).ToString("F3", CultureInfo.InvariantCulture), (figures.Energy.Value * 1e3).ToString("F4", CultureInfo.InvariantCulture), figures.Sent.Value.ToString("F1", CultureInfo.InvariantCulture),
    ];

    private static void Write(string directory, SiteFront front)
    {
        var policies = Beside.Select(policy => (policy, Figures: front.Of(policy))).Where(pair => pair.Figures is not null).Select(pair => (pair.policy, pair.Figures!.Value)).ToList();
        OutputDirectory.Write(directory,
        [
            KeyValuePair.Create("front.csv", FrontFiles.Csv(front)), KeyValuePair.Create("front-accuracy.svg", FrontPlots.Accuracy(front, policies)), KeyValuePair.Create("front-costs.svg", FrontPlots.Costs(front, policies)),
            KeyValuePair.Create(ObjectivesName, JsonSerializer.Serialize(front.Objectives, Json.File.Info<Objectives>()) + "\n"),
        ]);
    }
}
