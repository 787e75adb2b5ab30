using System.Globalization;
using Fleet.Contracts;
using Fleet.Controller.Judge;
using Fleet.Controller.Pareto;
using Fleet.Controller.Planning;
using Fleet.Emulator.Scenarios;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Front;

/// <summary>The front of a site's plans: how near it comes to the exact one, what it looks like, and how a controller keeps to a point of it.</summary>
public sealed class ParetoExperiment : IExperiment
{
    private const int Sites = 20;

    /// <summary>Of a small site, at most.</summary>
    private const int Plans = 4000;
    private const string Scenario = "bench";
    private static readonly Seconds At = new(60);
    private static readonly Seconds Kept = new(120);

    /// <summary>Named points under which the bench runs: the extremes, the knee, and the first that lie between.</summary>
    private const int KeptPoints = 8;
    private static readonly string[] Policies = ["greedy", "dual", "neurosurgeon", "local-only", "offload-all"];

    public string Name => "pareto";

    public string Subject => "accuracy, latency, device energy and bytes of a site's plans as a front: against the exact one on small sites, and kept to by the controller";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var (stock, report) = (new Stock(), new Report());
        report.Paragraph("# What a site can have").Paragraph(
            $"Made by `fleet experiment pareto --seed {seed}`: do not edit. Four figures of a plan, means over a site's requests: accuracy, latency, energy of devices, bytes on the network. None can be had for nothing; the *front* are the plans of which none is at least as good as another in all four. It is searched by the planner's own solver: mixtures of the four, then the least latency within a grid of limits on errors, energy and bytes (epsilon constraints), for which the dual finds prices; on small sites single devices are then changed in every plan found.");
        var judged = Judge(stock, seed, done => progress(0.3 * done));
        Judged(report, judged);
        var scenario = ScenarioFile.Read(Path.Combine(ProjectFiles.Find("emulator/scenarios"), Scenario + ".json"), stock);
        var front = SiteFront.Of(scenario, null, At, seed, stock, SiteFront.DefaultWays, done => progress(0.3 + 0.3 * done));
        Shown(report, front);
        var kept = front.Named.Take(KeptPoints).Select((named, i) =>
        {
            var one = KeptPoint.Of(stock, scenario, front, named, seed);
            progress(0.6 + 0.4 * (i + 1) / KeptPoints);
            return one;
        }).ToList();
        Steered(report, kept);
        report.Findings(Findings(judged, front, kept));
        return report.Files();
    }

    private static List<JudgedSite> Judge(Stock stock, long seed, Action<double> progress) => [.. SmallSites.Of(stock, seed, Sites, Plans).Select((ways, i) =>
    {
        var exact = ExactFront.Of(ways);
        var (ideal, nadir) = (exact.Ideal, exact.Nadir);
        double Share(ParetoFront front) => Hypervolume.Of(front.Points.Select(point => point.Figures), ideal, nadir) / Hypervolume.Of(exact.Points.Select(point => point.Figures), ideal, nadir);
        var (mixtures, limits, whole) = (new FrontSearch(ways) { Limits = false, Changes = false }.Run(), new FrontSearch(ways) { Changes = false }.Run(), new FrontSearch(ways).Run());
        progress((i + 1.0) / Sites);
        return new JudgedSite(i + 1, ways.Devices.Count, ways.Edges.Count, ways.Ways.Aggregate(1.0, (product, device) => product * device.Count), exact.Points.Count, mixtures.Points.Count, limits.Points.Count, whole.Points.Count, Share(mixtures), Share(limits), Share(whole));
    })];

    private static void Judged(Report report, List<JudgedSite> judged)
    {
        report.Paragraph("## Against the exact front").Paragraph($"{Sites} random sites, so small that every plan can be looked at: three or four boards of any type, one or two edge servers with too little time for all. *Hypervolume* is the space that a front commands, figures scaled to the exact front's, up to a tenth beyond its worst; as a share of the exact front's.");
        report.Sheet("judged.csv", judged,
            Column<JudgedSite>.Number("site", "site", row => row.Site),
            Column<JudgedSite>.Number("devices", "devices", row => row.Devices),
            Column<JudgedSite>.Number("edge servers", "edges", row => row.Edges),
            Column<JudgedSite>.Number("plans", "plans", row => row.Plans),
            Column<JudgedSite>.Number("on the exact front", "exact_points", row => row.Exact),
            Column<JudgedSite>.Number("found by mixtures", "mixed_points", row => row.Mixed),
            Column<JudgedSite>.Ratio("hypervolume", "mixed_hypervolume_ratio", row => row.MixedShare),
            Column<JudgedSite>.Number("with limits", "solved_points", row => row.Solved),
            Column<JudgedSite>.Ratio("hypervolume", "solved_hypervolume_ratio", row => row.SolvedShare),
            Column<JudgedSite>.Number("with changes too", "found_points", row => row.Found),
            Column<JudgedSite>.Ratio("hypervolume", "found_hypervolume_ratio", row => row.FoundShare));
        report.Paragraph($"At least **{Percent(judged.Min(row => row.FoundShare))}** of the exact front's hypervolume on every site, {Percent(judged.Average(row => row.FoundShare))} in the mean; without changes {Percent(judged.Min(row => row.SolvedShare))} and {Percent(judged.Average(row => row.SolvedShare))}, by mixtures alone {Percent(judged.Min(row => row.MixedShare))} and {Percent(judged.Average(row => row.MixedShare))}. On sites this small, changes of single devices look at most plans there are; limits and mixtures alone say what to expect of larger sites, where nothing is changed.");
    }

    private static void Shown(Report report, SiteFront front)
    {
        var policies = Policies.Select(policy => (policy, Figures: front.Of(policy))).Where(pair => pair.Figures is not null).Select(pair => (Name: pair.policy, Figures: pair.Figures!.Value)).ToList();
        report.Paragraph("## The front of the bench").Paragraph($"A hundred boards of four types and one edge server, as its controller sees them after a minute ({front.Text}): {front.Front.Points.Count} plans. *Knee*: nearest to the best of everything, figures scaled to the front. Where the policies' own plans lie stands beside it. ([every plan](front.csv); `fleet pareto emulator/scenarios/{Scenario}.json` writes the same, with objectives to keep to)");
        report.Plot("front-accuracy.svg", FrontPlots.Accuracy(front, policies), "accuracy against latency, energy and bytes").Plot("front-costs.svg", FrontPlots.Costs(front, policies), "latency, energy and bytes against each other");
        var rows = front.Named.Select(named => (named.Name, named.Point.Figures)).Concat(policies.Select(policy => (Name: $"policy {policy.Name}", policy.Figures))).ToList();
        report.Sheet("named.csv", rows,
            Column<(string Name, PlanFigures Figures)>.Word("plan", "plan", row => row.Name),
            Column<(string Name, PlanFigures Figures)>.Ratio("accuracy", "accuracy_ratio", row => 1 - row.Figures.Error),
            Column<(string Name, PlanFigures Figures)>.Number("latency ms", "latency_s", row => row.Figures.Latency.Value, "0.000", 1e3),
            Column<(string Name, PlanFigures Figures)>.Number("device energy mJ", "energy_j", row => row.Figures.Energy.Value, "0.0000", 1e3),
            Column<(string Name, PlanFigures Figures)>.Number("bytes", "sent_bytes", row => row.Figures.Sent.Value, "#,0.0"),
            Column<(string Name, PlanFigures Figures)>.Word("on the front", "beaten", row => front.Front.Points.Any(point => point.Figures.Beats(row.Figures)) ? "beaten" : "yes"));
        report.Csv("front.csv", FrontFiles.Columns, front.Front.Sorted.Select(point => FrontFiles.Row(front, point)));
    }

    private static void Steered(Report report, List<KeptPoint> kept)
    {
        report.Paragraph("## Kept to").Paragraph(
            $"Each point's objective (no more errors, energy and bytes than the point's, and the least latency within) is what `fleet run --objective`, the controller's `--objective` or a retained message on `_objective` tells the planner. Here the bench runs {Number(Kept.Value)} s under each. *Planned* is what the controller's last plan was expected to give; *measured* what happened. Measured bytes and energy contain reports and the fetching of model files, which no plan's figures do: points that send no input show how much that is. Measured latency contains waiting for the edge server's batches, which the planner knows from reports only.");
        report.Sheet("kept.csv", kept,
            Column<KeptPoint>.Word("point", "point", row => row.Name),
            Column<KeptPoint>.Ratio("accuracy of the point", "point_accuracy_ratio", row => 1 - row.Point.Error),
            Column<KeptPoint>.Ratio("planned", "planned_accuracy_ratio", row => 1 - row.Planned.Error),
            Column<KeptPoint>.Ratio("measured", "measured_accuracy_ratio", row => row.MeasuredAccuracy),
            Column<KeptPoint>.Number("latency ms", "point_latency_s", row => row.Point.Latency.Value, "0.00", 1e3),
            Column<KeptPoint>.Number("planned", "planned_latency_s", row => row.Planned.Latency.Value, "0.00", 1e3),
            Column<KeptPoint>.Number("measured", "measured_latency_s", row => row.MeasuredLatency, "0.00", 1e3),
            Column<KeptPoint>.Number("energy mJ", "point_energy_j", row => row.Point.Energy.Value, "0.000", 1e3),
            Column<KeptPoint>.Number("planned", "planned_energy_j", row => row.Planned.Energy.Value, "0.000", 1e3),
            Column<KeptPoint>.Number("measured", "measured_energy_j", row => row.MeasuredEnergy, "0.000", 1e3),
            Column<KeptPoint>.Number("bytes", "point_sent_bytes", row => row.Point.Sent.Value, "#,0"),
            Column<KeptPoint>.Number("planned", "planned_sent_bytes", row => row.Planned.Sent.Value, "#,0"),
            Column<KeptPoint>.Number("measured", "measured_sent_bytes", row => row.MeasuredBytes, "#,0"));
        report.Paragraph($"The controller's last plan keeps the point's limits, within the slack of a twentieth of a point of accuracy and 1 % of energy and bytes, in {kept.Count(row => row.IsWithin)} of {kept.Count}"
            + (kept.All(row => row.IsWithin) ? "." : $"; not at {string.Join(", ", kept.Where(row => !row.IsWithin).Select(row => $"{row.Name} ({row.Missed})"))}: extremes leave no room, and rates, stage times and the edge server's time are not what they were when the front was found."));
    }

    private static IEnumerable<Finding> Findings(List<JudgedSite> judged, SiteFront front, List<KeptPoint> kept)
    {
        yield return new Finding(Standing.SameConstruction, "epsilon constraints find points that no mixture of weights does", "qualitative (Haimes, Lasdon and Wismer, 1971)", $"{judged.Sum(row => row.Mixed)} plans by mixtures alone, {judged.Sum(row => row.Solved)} with limits, {judged.Sum(row => row.Exact)} on the exact fronts", "textbook; figures ours");
        yield return new Finding(Standing.OurOwn, "hypervolume of the exact front on 20 small sites", "", $"{Percent(judged.Min(row => row.FoundShare))} at least", "judged by looking at every plan (`controller/judge`)");
        yield return new Finding(Standing.OurOwn, "what policies leave on the table", "", string.Join("; ", Policies.Select(policy => (policy, Figures: front.Of(policy))).Where(pair => pair.Figures is not null).Select(pair => $"{pair.policy} {(front.Front.Points.Any(point => point.Figures.Beats(pair.Figures!.Value)) ? "beaten" : "not beaten")}")), "estimates of the same cost model, the same snapshot");
        yield return new Finding(Standing.OurOwn, "limits kept by the controller's plan in virtual time", "", $"{kept.Count(row => row.IsWithin)} of {kept.Count} points; accuracy measured at most {(100 * kept.Max(row => 1 - row.Point.Error - row.MeasuredAccuracy)).ToString("F2", CultureInfo.InvariantCulture)} points below the point's", "above; predicted on calibration images, measured on test images, which are half a point harder");
    }

    /// <param name="Mixed">Plans found by mixtures alone; <paramref name="Solved"/>: with limits; <paramref name="Found"/>: with changes of single devices too.</param>
    private sealed record JudgedSite(int Site, int Devices, int Edges, double Plans, int Exact, int Mixed, int Solved, int Found, double MixedShare, double SolvedShare, double FoundShare);

    /// <summary>A point, what the controller that keeps to it planned in the end, and what was measured.</summary>
    private sealed record KeptPoint(string Name, Objective Objective, PlanFigures Point, PlanFigures Planned, double MeasuredAccuracy, double MeasuredLatency, double MeasuredEnergy, double MeasuredBytes, string Missed)
    {
        public bool IsWithin => 1 - Planned.Error >= Objective.AccuracyMin!.Value - 1e-6 && Planned.Energy.Value <= Objective.EnergyMax!.Value.Value * (1 + 1e-4) && Planned.Sent.Value <= Objective.SentMax!.Value.Value * (1 + 1e-4);

        public static KeptPoint Of(Stock stock, Scenario scenario, SiteFront front, NamedPoint named, long seed)
        {
            var objective = named.Objective(front.Front);
            var run = ScenarioRun.Execute(scenario with { Duration = Kept, Control = scenario.Control.Pursuing(objective) }, seed, stock);
            run.CheckBooks();
            var (figures, controller) = (run.Result().Figures, run.Worlds[0].LastController);
            var devices = controller.Fleet.Devices.ToDictionary(device => device.Id);
            var requests = controller.Plan.Choices.Sum(choice => SiteProblem.WeightOf(devices[choice.Key]));
            var planned = controller.Plan.Choices.Aggregate(default(PlanFigures), (sum, pair) => sum + PlanFigures.Of(pair.Value.Option, pair.Value.Estimate, devices[pair.Key]) * (SiteProblem.WeightOf(devices[pair.Key]) / requests));
            var total = SiteBin.Sum(run.Sum().Bins);
            return new KeptPoint(named.Name, objective, named.Point.Figures, planned, figures.Accuracy ?? 0, total.LatencySum.Value / total.Answered, figures.EnergyPerInference?.Value ?? 0, figures.BytesPerInference?.Value ?? 0,
                string.Join(", ", controller.Plan.Proof?.Missed ?? []));
        }
    }
}
