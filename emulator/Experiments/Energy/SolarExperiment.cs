using Fleet.Contracts;
using Fleet.Emulator.Plots;
using Fleet.Emulator.Scenarios;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Energy;

/// <summary>Energy over time: a fortnight on sun and cells with and without virtual queues, and the clairvoyant's plan.</summary>
public sealed class SolarExperiment : IExperiment
{
    private const string ScenarioName = "solar-fortnight";
    private const int Seeds = 3;

    /// <summary>Share of the clairvoyant's inputs that is to be reached.</summary>
    private const double Enough = 0.9;
    private readonly Report report = new();

    public string Name => "energy";

    public string Subject => "energy over time: virtual queues against an energy-blind plan and the clairvoyant's, two weeks on sun and cells";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var stock = new Stock();
        var scenario = ScenarioFile.Read(Path.Combine(ProjectFiles.Find("emulator/scenarios"), ScenarioName + ".json"), stock);
        var blind = scenario with { Control = scenario.Control with { EnergyHorizon = null } };
        var (aware, without) = (new List<SolarRun>(), new List<SolarRun>());
        for (var i = 0; i < Seeds; i++)
        {
            aware.Add(SolarRun.Execute(scenario, seed + i, stock));
            progress((2 * i + 1.0) / (2 * Seeds));
            without.Add(SolarRun.Execute(blind, seed + i, stock));
            progress((2 * i + 2.0) / (2 * Seeds));
        }
        Head(scenario);
        Verdicts(aware, without);
        Groups(aware, without);
        Plot(aware[0], without[0], scenario.Duration);
        Limits();
        report.Findings(
        [
            new Finding(Standing.SameConstruction, "battery kept above empty by a perturbed queue", "theorem: never asked for more than it holds", $"{Losses(aware)} brown-outs", "Huang and Neely, IEEE/ACM Trans. Netw. 21(4), 2013; there no draw for waiting, so that a reserve of our own is added to the perturbation"),
            new Finding(Standing.OurOwn, "served, of what a clairvoyant serves", "", Percent(Reached(aware)), "the paper bounds the gap by O(1/V) for harvests that repeat their statistics; ours is measured against the linear program of the very sky"),
        ]);
        return report.Files();
    }

    private void Head(Scenario scenario) => report.Paragraph("# Energy over time").Paragraph(
        $"Made by `fleet experiment {Name}`: do not edit. Scenario [`{ScenarioName}`](../../../emulator/scenarios/{ScenarioName}.json): {scenario.Sites[0].Devices.Sum(group => group.Count)} cameras that sleep between their inputs, for {Number(scenario.Duration.Value / 86_400)} days on a small panel and a cell; {Seeds} seeds, each another sky. "
        + "*Aware*: `control.energy_horizon_s` is set. *Blind*: the same without it. Both plan by `dual`.")
        .Paragraph("## How it works").Paragraph(
        "1. **Virtual queue.** For each device on a battery the controller keeps Q = [R + V - B]+, how far its charge B lies below where it would serve everything: it grows by what is drawn and falls by what is harvested. R, the reserve, lasts through "
        + $"{Number(new Controller.Energy.EnergyOptions { Horizon = new Seconds(3600) }.Dark.Value / 3600)} dark hours of waiting; V, the band, is a few report periods of serving everything.\n"
        + "2. **Planner's bound.** Inferences may draw the mean harvest of about a day, less what is drawn anyway, plus what lies above the reserve over the horizon. Planners have known such a bound all along (`energy_budget_w`): heads and routes that draw more are chosen only when all do, and then those that draw least.\n"
        + "3. **Duty.** What cannot be served even so is not: drift plus penalty with a concave utility gives the share s = 1 - Q / V, and the *device* keeps to it by its own charge (`charge_reserve_j`, `charge_band_j` in `desired`; evenly, without luck), also while no controller is there. Inputs not taken are told as `spared`, and do not wake the board.\n"
        + "4. `_summary` says `spared_ratio` and `energy_backlog_j`, the sum of all Q.");

    private static int Losses(List<SolarRun> runs) => runs.Sum(run => run.Devices.Sum(device => device.BrownOuts));

    /// <summary>Of what the clairvoyant serves, over all devices.</summary>
    private static double Reached(List<SolarRun> runs) => runs.SelectMany(run => run.Devices).Sum(device => (double)device.Served) / runs.SelectMany(run => run.Devices).Sum(device => device.Best ?? 0);

    private static string Bar(bool isMet) => isMet ? "met" : "missed";

    private void Verdicts(List<SolarRun> aware, List<SolarRun> blind)
    {
        var devices = aware.SelectMany(run => run.Devices).ToList();
        var (least, enough) = (devices.Min(device => device.Reached ?? 0), devices.Count(device => device.Reached >= Enough));
        var down = blind.SelectMany(run => run.Devices).Count(device => device.BrownOuts > 0);
        report.Paragraph("## What came out").Table(["asked for", ">measured", "bar"],
        [
            ["no device browns out under the energy-aware plan", $"{Losses(aware)} brown-outs of {devices.Count} devices (blind: {Losses(blind)}, of {down} devices)", Bar(Losses(aware) == 0)],
            [$"inferences served: at least {Percent(Enough)} of the clairvoyant linear program's", $"{Percent(Reached(aware))} over all; {Percent(least)} of the device that reaches least; {enough} of {devices.Count} devices", Bar(least >= Enough)],
        ]).Paragraph(
            $"* The blind were dark for {Number(blind.SelectMany(run => run.Devices).Where(device => device.BrownOuts > 0).Average(device => device.Dark.Value / 3600))} hours in the mean of those that browned out, and see nothing in that time; the aware leave inputs out evenly.\n* The aware served {Number(devices.Sum(device => (double)device.Served))} inputs, the blind {Number(blind.SelectMany(run => run.Devices).Sum(device => (double)device.Served))}.\n"
            + $"* The lowest charge that any battery had at the end of a sixtieth of the time is {Percent(aware.Min(run => run.LowestRatio))} of its capacity, against {Percent(blind.Min(run => run.LowestRatio))}.\n"
            + $"* Answers were right in {Percent(Accuracy(aware))} of cases, the blind's in {Percent(Accuracy(blind))}.");
    }

    private static double Accuracy(List<SolarRun> runs) => runs.SelectMany(run => run.Devices).Sum(device => device.Accuracy * device.Served) / runs.SelectMany(run => run.Devices).Sum(device => (double)device.Served);

    private void Groups(List<SolarRun> aware, List<SolarRun> blind)
    {
        var rows = aware[0].Devices.Select(device => device.Group).Distinct().SelectMany(group => new[] { ("aware", aware), ("blind", blind) }.Select(of =>
            (Group: group, Plan: of.Item1, Devices: of.Item2.SelectMany(run => run.Devices).Where(device => device.Group == group).ToList()))).ToList();
        Column<(string Group, string Plan, List<SolarDevice> Devices)> Mean(string title, string key, Func<SolarDevice, double?> of, string format = "#,0", double scale = 1) =>
            Column<(string Group, string Plan, List<SolarDevice> Devices)>.Number(title, key, row => row.Devices.Average(of), format, scale);
        report.Paragraph($"Means of the devices of a group over {Seeds} seeds; brown-outs are those of all of them together.").Sheet("groups.csv", rows,
            Column<(string Group, string Plan, List<SolarDevice> Devices)>.Word("devices", "devices", row => row.Group),
            Column<(string Group, string Plan, List<SolarDevice> Devices)>.Word("plan", "plan", row => row.Plan),
            Column<(string Group, string Plan, List<SolarDevice> Devices)>.Number("brown-outs", "brown_outs", row => row.Devices.Sum(device => device.BrownOuts)),
            Mean("dark h", "dark_s", device => device.Dark.Value, "#,0.#", 1 / 3600.0), Mean("asked", "asked", device => device.Asked), Mean("served", "served", device => device.Served), Mean("clairvoyant", "clairvoyant", device => device.Best),
            Column<(string Group, string Plan, List<SolarDevice> Devices)>.Ratio("served of it", "served_ratio", row => row.Devices.Average(device => device.Reached)),
            Column<(string Group, string Plan, List<SolarDevice> Devices)>.Ratio("accuracy", "accuracy_ratio", row => row.Devices.Average(device => device.Accuracy)),
            Mean("mJ an input", "energy_per_inference_j", device => device.Each, "0.00", 1e3), Mean("harvested J", "harvested_j", device => device.Harvested), Mean("spilled J", "spilled_j", device => device.Spilled), Mean("left J", "left_j", device => device.Left))
            .Paragraph("The clairvoyant knows the sun of all days and serves at the energy an input that the device itself had, beyond sleeping; it may end with an empty cell. It has to live through every night: whoever goes dark draws nothing meanwhile, and may serve as much as the aware with the energy that waiting would have taken, but while it is dark it sees nothing.");
    }

    private void Plot(SolarRun aware, SolarRun blind, Seconds duration)
    {
        Series Of(string name, SolarRun run, Func<SiteBin, double?> value) => new(name, [.. run.Bins.Select((bin, i) => (Day: duration.Value * (i + 1) / run.Bins.Count / 86_400, Value: value(bin))).Where(point => point.Value is not null).Select(point => new PlotPoint(point.Day, point.Value!.Value))], HasMarks: false);
        Panel Draw(string title, string axis, Func<SiteBin, double?> value, Func<double, string> text) => new(
            title, Scale.Linear("days", [0, duration.Value / 86_400], Scale.Number), Scale.Linear(axis, new[] { aware, blind }.SelectMany(run => run.Bins).Select(value).OfType<double>().Append(0), text), [Of("aware", aware, value), Of("blind", blind, value)]);
        report.Plot("fortnight.svg", SvgPlot.Draw("charge and answers over two weeks",
        [
            Draw("emptiest battery", "share of capacity", bin => bin.Batteries?.Min, Scale.Percent),
            Draw("answers in each sixtieth of the time", "answers", bin => bin.Answered, Scale.Number),
        ], width: 420, height: 280), "charge of the emptiest battery and answers over two weeks");
    }

    private void Limits() => report.Paragraph("## Limits").Paragraph(
        "* The lever is the duty of devices that sleep. A board that idles at full power whether it serves or not cannot be saved by serving less.\n"
        + "* Sunlight is foretold by the mean of about a day, nothing more; no weather forecast is used.\n"
        + "* What a device draws while it waits is taken from its profile.\n"
        + "* Which inputs are not taken is decided by nothing but their order: none is worth more than another.\n"
        + "* Skipping an input costs nothing here: a trigger that cannot be masked would wake the board first.\n"
        + "* Panels and cells are those of hardware-profiles/parts, with their sources; clouds are a two-state process without seasons.");
}
