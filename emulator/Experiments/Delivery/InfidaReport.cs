using System.Globalization;
using Fleet.Controller.Judge;
using Fleet.Controller.Placement;
using Fleet.Emulator.Plots;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>The report of the comparison: every sentence about who wins is computed from the cells.</summary>
public sealed class InfidaReport(IReadOnlyList<CellRun> cells, IReadOnlyList<RegretRow> regrets, IReadOnlyList<SplitOutcome> splits)
{
    /// <summary>How close to the better of static greedy and OLAG practical INFIDA must come.</summary>
    private const double Close = 0.98;

    /// <summary>Milliseconds a request that splits add without being worth their trouble.</summary>
    private const double Negligible = 0.5;

    private readonly Report report = new();

    public IReadOnlyDictionary<string, string> Write(IEnumerable<(string Name, IReadOnlyList<(DeliveryWorld World, PolicyRun Run)> Runs)> ablation, IEnumerable<(string Name, IReadOnlyList<(DeliveryWorld World, double Gain)> Gains)> learners)
    {
        Head();
        Verdicts();
        Policies();
        RegretSection.Write(report, regrets);
        Ablation([.. ablation]);
        Learners([.. learners]);
        Splits();
        Provenance();
        return report.Files();
    }

    private void Head() => report.Paragraph("# INFIDA: which variants lie where").Paragraph(
        "Made by `fleet experiment infida`: do not edit. Object detectors of the YOLO family, eight variants for each of twenty tasks, are put onto the nodes of a delivery network whose requests it does not know "
        + "beforehand. *Gain* is what a request saves, in milliseconds of latency plus alpha times inaccuracy, against sending all of them to the cloud; *fetched* is how many megabytes of models a slot loads. "
        + $"{InfidaExperiment.Seeds} seeds a cell, {InfidaExperiment.Slots} slots; popularity is Zipf's with exponent {DeliveryWorld.ZipfExponent.ToString(CultureInfo.InvariantCulture)}, fixed, or moving on by one task every {InfidaExperiment.Period} slots. "
        + "Capacities are shared by types in proportion to their requests; every policy is scored alike.");

    private void Verdicts()
    {
        var close = cells.Count(cell => cell.Gain(DeliveryCell.Practical) >= Close * cell.BestRival);
        var sliding = cells.Where(cell => cell.World.Popularity is Popularity.Sliding).ToList();
        var beats = sliding.Count(cell => cell.Gain(DeliveryCell.Practical) > cell.Gain(StaticGreedy.PolicyName));
        var swaps = cells.Select(cell => cell.Runs[DeliveryCell.Plain].Fetched / cell.Runs[DeliveryCell.Practical].Fetched).Order().ToList();
        report.Paragraph("## What came out").Paragraph(
            $"* Practical INFIDA is within 2 % of the better of static greedy in hindsight and OLAG, or above, in **{close} of {cells.Count}** cells ({Percent((double)close / cells.Count)}).\n"
            + $"* On sliding popularity it gains more than static greedy in **{beats} of {sliding.Count}** cells, in the mean {Signed(Mean(sliding, DeliveryCell.Practical) / Mean(sliding, StaticGreedy.PolicyName) - 1)}.\n"
            + $"* It fetches **{swaps[swaps.Count / 2].ToString("F1", CultureInfo.InvariantCulture)} times** less than plain INFIDA in the median cell, {swaps[0].ToString("F1", CultureInfo.InvariantCulture)} times in the least favourable one; at least 5 times less in {swaps.Count(ratio => ratio >= 5)} of {cells.Count}.\n"
            + $"* Plain INFIDA, for which the theorem holds, overflows a node by up to {Number(cells.Max(cell => cell.Runs[DeliveryCell.Plain].Over))} MB (less than one model); practical INFIDA never does ({Number(cells.Max(cell => cell.Runs[DeliveryCell.Practical].Over))} MB).\n"
            + Losses());
    }

    /// <summary>Where practical INFIDA loses to a policy that could be run: said, not hidden.</summary>
    private string Losses()
    {
        var groups = Groups().Select(group => (group, Best: Runnable.MaxBy(policy => Mean(group.Cells, policy))!)).Where(pair => pair.Best != DeliveryCell.Practical).ToList();
        if (groups.Count == 0) return "* In the mean of seeds no policy gains more in any row of the table.";
        var worst = groups.MaxBy(pair => Mean(pair.group.Cells, pair.Best) / Mean(pair.group.Cells, DeliveryCell.Practical));
        return $"* It **loses** in {groups.Count} of {Groups().Count()} rows below (the winner is bold), most in {worst.group.Name}: {worst.Best} gains {Signed(Mean(worst.group.Cells, worst.Best) / Mean(worst.group.Cells, DeliveryCell.Practical) - 1)} there. "
            + "Static greedy and J3O-like know the whole trace beforehand.";
    }

    private static IReadOnlyList<string> Runnable => [StaticGreedy.PolicyName, J3o.PolicyName, Olag.PolicyName, DeliveryCell.Plain, DeliveryCell.Practical, DeviceOnly.PolicyName];

    private void Policies()
    {
        report.Paragraph("## Gain and traffic of every policy").Paragraph("Gain in ms a request, and MB fetched a slot behind it; mean of the seeds. `lp-fractional` is the best fixed fractional allocation, which no fixed placement exceeds (a changing one may). cloud-only gains 0. ([every cell](cells.csv))");
        report.Table(["network", "popularity", ">alpha", .. Runnable.Select(policy => ">" + policy), ">lp-fractional"], Groups().Select(group =>
        {
            var best = Runnable.MaxBy(policy => Mean(group.Cells, policy));
            return (IReadOnlyList<string>)[group.Topology, Word(group.Popularity), Number(group.Alpha), .. Runnable.Select(policy => Both(group.Cells, policy, policy == best)), Fixed(Mean(group.Cells, DeliveryCell.Bound))];
        }));
        report.Csv("cells.csv", ["network", "popularity", "alpha_ms", "seed", "policy", "gain_ms_per_request", "fetched_mb_per_slot", "over_mb"], cells.SelectMany(cell => DeliveryCell.Policies.Select(policy => (IReadOnlyList<string>)
            [cell.World.Topology, Word(cell.World.Popularity), Plain(cell.World.Alpha), Plain(cell.World.Seed), policy, Plain(cell.Runs[policy].Gain), Plain(cell.Runs[policy].Fetched), Plain(cell.Runs[policy].Over)])));
        foreach (var topology in InfidaExperiment.Topologies)
            report.Plot($"gain-{topology}.svg", SvgPlot.Draw($"{topology}: gain of each policy against alpha", [.. InfidaExperiment.Popularities.Select(popularity => GainPanel(topology, popularity))], width: 400, height: 330), $"gain of each policy on {topology}");
        report.Plot("fetched.svg", SvgPlot.Draw("megabytes fetched a slot against alpha", [.. InfidaExperiment.Topologies.Select(FetchedPanel)], width: 280, height: 300), "megabytes fetched a slot");
    }

    private Panel GainPanel(string topology, Popularity popularity)
    {
        var groups = Groups().Where(group => group.Topology == topology && group.Popularity == popularity).ToList();
        Series[] series = [.. Runnable.Append(DeliveryCell.Bound).Select(policy => new Series(policy, [.. groups.Select(group => new PlotPoint(group.Alpha, Mean(group.Cells, policy)))], policy == DeliveryCell.Bound ? Joint.Dashed : Joint.Solid))];
        return new Panel($"{topology}, {Word(popularity)} popularity", AlphaScale(), Scale.Linear("gain in ms a request", series.SelectMany(one => one.Points).Select(point => point.Y).Append(0), Scale.Number), series);
    }

    private Panel FetchedPanel(string topology)
    {
        string[] shown = [Olag.PolicyName, DeliveryCell.Plain, DeliveryCell.Practical];
        Series[] series = [.. InfidaExperiment.Popularities.SelectMany(popularity => shown.Select(policy => new Series($"{policy}, {Word(popularity)}",
            [.. Groups().Where(group => group.Topology == topology && group.Popularity == popularity).Select(group => new PlotPoint(group.Alpha, group.Cells.Average(cell => cell.Runs[policy].Fetched)))], popularity is Popularity.Sliding ? Joint.Dashed : Joint.Solid)))];
        return new Panel(topology, AlphaScale(), Scale.Logarithmic("MB fetched a slot", series.SelectMany(one => one.Points).Select(point => point.Y), Scale.Number), series);
    }

    private static Scale AlphaScale() => Scale.Logarithmic("alpha in ms a unit of inaccuracy", InfidaExperiment.Alphas, Scale.Number);

    private void Ablation(List<(string Name, IReadOnlyList<(DeliveryWorld World, PolicyRun Run)> Runs)> ablation)
    {
        report.Paragraph("## What each ingredient of rounding is worth").Paragraph("On the tree, five seeds, the same learner; gain in ms a request / MB fetched a slot, and the most that a node held beyond its memory.");
        var columns = ablation[0].Runs.Select(run => (run.World.Popularity, run.World.Alpha)).Distinct().ToList();
        report.Table(["ingredients", .. columns.Select(column => $">{Word(column.Popularity)}, alpha {Number(column.Alpha)}"), ">over by MB"], ablation.Select(variant => (IReadOnlyList<string>)
            [variant.Name, .. columns.Select(column => Of(variant.Runs.Where(run => (run.World.Popularity, run.World.Alpha) == column).ToList())), Number(variant.Runs.Max(run => run.Run.Over))]));

        static string Of(List<(DeliveryWorld World, PolicyRun Run)> runs) => $"{Fixed(runs.Average(run => run.Run.Gain))} / {Number(Math.Round(runs.Average(run => run.Run.Fetched)))}";
    }

    private void Learners(List<(string Name, IReadOnlyList<(DeliveryWorld World, double Gain)> Gains)> learners)
    {
        report.Paragraph("## Learners, without rounding").Paragraph("Gain of the fractional allocations in ms a request, same cells. The rate must be found: hedging over rates finds it while it runs; expecting the last slot again (optimistic) helps where requests hardly change.");
        var columns = learners[0].Gains.Select(run => (run.World.Popularity, run.World.Alpha)).Distinct().ToList();
        report.Table(["learner", .. columns.Select(column => $">{Word(column.Popularity)}, alpha {Number(column.Alpha)}")], learners.Select(learner => (IReadOnlyList<string>)
            [learner.Name, .. columns.Select(column => Fixed(learner.Gains.Where(run => (run.World.Popularity, run.World.Alpha) == column).Average(run => run.Gain)))]));
    }

    private void Splits()
    {
        var all = splits.Where(outcome => outcome.Splitting is Splitting.Bottlenecks).ToList();
        var most = all.MaxBy(Added);
        report.Paragraph("## When splitting helps").Paragraph(
            "Our own zoo (b-lenet, fmnist, scenes) on twelve Raspberry Pi Zero 2 W, three N5105 edge servers and a cloud: an option may be a head on the device and a tail above it, with features (int8) or a bottleneck's coded latent between them. "
            + $"A device has {Number(SplitStudy.DeviceBudget.Value / 1e3)} kB: any one encoder and first exits, but no whole network. Gains in ms a request, one seed; *splits add* and *served by splits* are of the linear programme's bound, which does not depend on how well a policy searches.")
            .Paragraph($"* Splits add most at alpha {Number(most.Alpha)} and {Number(most.BytesPerSecond / 1e3)} kB/s: {Fixed(Added(most))} ms a request ({Signed(most.Bound / Other(most, Splitting.None).Bound - 1)}). They add less than {Number(Negligible)} ms in {all.Count(outcome => Added(outcome) < Negligible)} of {all.Count} rows.\n"
            + $"* Features alone add {Number(Negligible)} ms or more in {all.Count(outcome => Other(outcome, Splitting.Features).Bound - Other(outcome, Splitting.None).Bound >= Negligible)} of {all.Count} rows: most cuts send more of them than the input has bytes.\n"
            + $"* Having splits to choose from has a price in learning: practical INFIDA gains **less** with them than without in {all.Count(outcome => outcome.Practical < Other(outcome, Splitting.None).Practical)} of {all.Count} rows, static greedy in {all.Count(outcome => outcome.Greedy < Other(outcome, Splitting.None).Greedy)}.\n"
            + "* Where accuracy counts little an exit answers on the device, and where the uplink is wide the input goes whole. Between the two a split has to beat both, and the exits that a device holds leave little to be won (below). "
            + "In this model a request goes one way, decided beforehand: that a device asks the tail only where its exit is in doubt, which is where splits pay elsewhere, is not in it.");
        report.Table(["task", ">exit on the device", ">split", ">bytes", ">whole network", ">bytes"], SplitStudy.Reach().Select(reach => (IReadOnlyList<string>)
            [reach.Task, Percent(reach.Exit), reach.Split is { } split ? Percent(split) : "none smaller than the input", Number(reach.Bytes), Percent(reach.Whole), Number(reach.Input)]));
        report.Table([">alpha", ">uplink kB/s", ">bound, no splits", ">features", ">bottlenecks too", ">splits add", ">served by splits", ">INFIDA, no splits", ">with all", ">static greedy, no splits", ">with all"], all.Select(outcome => (IReadOnlyList<string>)
        [
            Number(outcome.Alpha), Number(outcome.BytesPerSecond / 1e3), Fixed(Other(outcome, Splitting.None).Bound), Fixed(Other(outcome, Splitting.Features).Bound), Fixed(outcome.Bound), Fixed(Added(outcome)), Percent(outcome.Split),
            Fixed(Other(outcome, Splitting.None).Practical), Fixed(outcome.Practical), Fixed(Other(outcome, Splitting.None).Greedy), Fixed(outcome.Greedy),
        ]));
        report.Csv("splits.csv", ["splitting", "alpha_ms", "uplink_bytes_per_s", "greedy_ms_per_request", "infida_practical_ms_per_request", "lp_ms_per_request", "lp_served_by_splits_ratio"],
            splits.Select(outcome => (IReadOnlyList<string>)[Word(outcome.Splitting), Plain(outcome.Alpha), Plain(outcome.BytesPerSecond), Plain(outcome.Greedy), Plain(outcome.Practical), Plain(outcome.Bound), Plain(outcome.Split)]));
        report.Paragraph("([CSV](splits.csv))").Plot("splits.svg", SvgPlot.Draw("what splits add to the bound, against the uplink",
        [
            SplitPanel("bound: with bottlenecks less no splits", outcome => outcome.Bound), SplitPanel("practical INFIDA: the same", outcome => outcome.Practical),
        ], width: 440, height: 300), "what splits add to the gain");

        double Added(SplitOutcome outcome) => outcome.Bound - Other(outcome, Splitting.None).Bound;
    }

    private Panel SplitPanel(string title, Func<SplitOutcome, double> gain)
    {
        Series[] series = [.. splits.Where(outcome => outcome.Splitting is Splitting.Bottlenecks).GroupBy(outcome => outcome.Alpha).Select(group => new Series($"alpha {Number(group.Key)}", [.. group.Select(outcome => new PlotPoint(outcome.BytesPerSecond / 1e3, gain(outcome) - gain(Other(outcome, Splitting.None))))]))];
        return new Panel(title, Scale.Logarithmic("uplink in kB/s", SplitStudy.Uplinks.Select(uplink => uplink / 1e3), Scale.Number), Scale.Linear("ms a request more", series.SelectMany(one => one.Points).Select(point => point.Y).Append(0), Scale.Number), series);
    }

    private void Provenance() => report.Paragraph("## Published, same construction, our own").Paragraph(
        "* **Published** (Si Salem et al., MedComNet 2021; IEEE/ACM ToN 32(1), 2024): the model, INFIDA, its regret bound of (1 - 1/e) and root T, static greedy and OLAG as rivals. Their text was not to be had; formulas are reconstructed and checked numerically, and none of their figures is quoted.\n"
        + "* **Same construction**: a provider's tree in five tiers, detectors of the YOLO family, Zipf's law, fixed and sliding popularity, alpha swept; OLAG and J3O (arXiv 2508.13380) as we read them.\n"
        + "* **Our own**: all figures on this page; Abilene and GEANT (SNDlib) as topologies; memories of nodes, requests a slot, and the cloud 40 ms behind one router (all K); practical rounding; hedged rates; splits.\n"
        + "* Accuracies, speeds and sizes of the detectors are the darknet README's (mAP at 0.5, RTX 2070 and 2080 Ti); those of variants that were not run on a 2080 Ti are scaled (K).\n"
        + "* The (1 - 1/e) of rounding is proved for options on one node. Of a split whose two halves both are free, halves are drawn apart, and min(head, tail) can lose more; with the head always on the device, as in Fleet, it is one node's again.");

    private SplitOutcome Other(SplitOutcome outcome, Splitting splitting) => splits.First(other => other.Splitting == splitting && other.Alpha == outcome.Alpha && other.BytesPerSecond == outcome.BytesPerSecond);

    private IEnumerable<(string Topology, Popularity Popularity, double Alpha, List<CellRun> Cells, string Name)> Groups() =>
        cells.GroupBy(cell => (cell.World.Topology, cell.World.Popularity, cell.World.Alpha)).Select(group => (group.Key.Topology, group.Key.Popularity, group.Key.Alpha, group.ToList(), $"{group.Key.Topology}, {Word(group.Key.Popularity)}, alpha {Number(group.Key.Alpha)}"));

    private static double Mean(IEnumerable<CellRun> group, string policy) => group.Average(cell => cell.Gain(policy));

    private static string Both(List<CellRun> group, string policy, bool isBest)
    {
        var text = $"{Fixed(Mean(group, policy))} / {Number(Math.Round(group.Average(cell => cell.Runs[policy].Fetched)))}";
        return isBest ? $"**{text}**" : text;
    }

    private static string Fixed(double value) => value.ToString("F2", CultureInfo.InvariantCulture);

    private static string Signed(double ratio) => (ratio * 100).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture) + " %";

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
