using System.Globalization;
using Fleet.Emulator.Plots;
using Fleet.Emulator.Tables;
using Fleet.Models;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Exits;

/// <summary>A site whose images differ: what is lost at every exit, and what each way of adapting wins back.</summary>
public sealed class TransferExperiment : IExperiment
{
    private const string AsTrained = "as trained";
    private const string NoDrift = "no drift";
    private static readonly string[] Models = ["fmnist", "scenes", "b-lenet"];
    private static readonly string[] Refitted = ["fmnist", "scenes"];
    private static readonly (string Name, string Command)[] Trainings =
        [("fmnist-transfer", "fleet-training train fmnist-transfer"), ("scenes-transfer", "fleet-training train scenes-transfer"), ("scenes-transfer-blur", "fleet-training train scenes-transfer-blur")];

    public string Name => "transfer";

    public string Subject => "a site whose images drifted: what every exit loses, and what thresholds, a linear exit and refitted parts of stage 1 win back";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var (stock, trained, report) = (new Stock(), Trained.Read(), new Report());
        report.Paragraph("# A site whose images differ").Paragraph(
            "Made by `fleet experiment transfer`: do not edit. Images turned, noisy, blurred or pale, at two levels each, as the card's drifted traces hold them; and sites where one class makes up most of the images. Drift and noise follow from each image's number: the seed changes nothing.");
        var losses = Models.SelectMany((name, i) =>
        {
            progress(0.4 * (i + 1) / Models.Length);
            return DriftLoss.Of(new StudiedModel(stock.Models[name])).ToList();
        }).ToList();
        Lost(report, losses);
        Thresholds(report, losses);
        var heads = Refitted.SelectMany((name, i) => RefittedHead.Of(stock, stock.Models[name], done => progress(0.4 + 0.6 * (i + done) / Refitted.Length)).ToList()).ToList();
        Heads(report, heads);
        var refits = Refits(trained);
        Training(report, trained, refits, heads);
        report.Findings(Findings(losses, heads, refits));
        progress(1);
        return report.Files();
    }

    private static void Lost(Report report, List<DriftLoss> losses)
    {
        report.Paragraph("## What is lost").Paragraph("Accuracy of every exit on the first 2,000 test images, as they are and drifted. A deeper exit is not safer: what the first layers make of such images is what all exits see.");
        report.Sheet("lost.csv", losses,
            Column<DriftLoss>.Word("model", "model", row => row.Model),
            Column<DriftLoss>.Word("drift", "drift", row => row.Drift),
            Column<DriftLoss>.Ratio("exit 1", "exit_1_ratio", row => row.Clean[0]),
            Column<DriftLoss>.Ratio("drifted", "exit_1_drifted_ratio", row => row.Drifted[0]),
            Column<DriftLoss>.Ratio("last exit", "last_exit_ratio", row => row.Clean[^1]),
            Column<DriftLoss>.Ratio("drifted", "last_exit_drifted_ratio", row => row.Drifted[^1]),
            Column<DriftLoss>.Number("exit 1 lost, points", "exit_1_lost_ratio", row => row.Clean[0] - row.Drifted[0], "0.00", 100),
            Column<DriftLoss>.Number("last exit lost, points", "last_exit_lost_ratio", row => row.Clean[^1] - row.Drifted[^1], "0.00", 100));
        var deeper = losses.Count(row => row.Clean[^1] - row.Drifted[^1] > row.Clean[0] - row.Drifted[0]);
        report.Paragraph($"The last exit loses more than exit 1 in {deeper} of {losses.Count} rows.");
    }

    private static void Thresholds(Report report, List<DriftLoss> losses)
    {
        report.Paragraph("## What thresholds win back").Paragraph($"The exits by thresholds that lose at most {Number(DriftLoss.Allowed * 100)} points on calibration images: chosen on images as they were, and chosen anew on 1,000 calibration images that drifted alike. No file changes.");
        report.Sheet("thresholds.csv", losses,
            Column<DriftLoss>.Word("model", "model", row => row.Model),
            Column<DriftLoss>.Word("drift", "drift", row => row.Drift),
            Column<DriftLoss>.Ratio("as chosen before", "kept_accuracy_ratio", row => row.Kept.Accuracy),
            Column<DriftLoss>.Number("mean MACs", "kept_macs", row => row.Kept.MeanMacs.Value, "#,0"),
            Column<DriftLoss>.Ratio("chosen anew", "chosen_accuracy_ratio", row => row.Chosen.Accuracy),
            Column<DriftLoss>.Number("mean MACs", "chosen_macs", row => row.Chosen.MeanMacs.Value, "#,0"),
            Column<DriftLoss>.Number("won back, points", "won_back_ratio", row => row.Chosen.Accuracy - row.Kept.Accuracy, "+0.00;-0.00;0.00", 100));
        var most = losses.MaxBy(row => row.Chosen.Accuracy - row.Kept.Accuracy)!;
        report.Paragraph($"In the mean {Points(losses.Average(row => row.Chosen.Accuracy - row.Kept.Accuracy))} points, most ({Points(most.Chosen.Accuracy - most.Kept.Accuracy)}) of {most.Model} under {most.Drift}: thresholds choose among exits, and help where one of them still sees something.");
    }

    private static void Heads(Report report, List<RefittedHead> heads)
    {
        report.Paragraph("## What a device could learn by itself").Paragraph(
            $"Measured here, without any training framework: stage 1 on ONNX Runtime over drifted images, its channels averaged over the picture, and a linear exit fitted to {RefittedHead.Samples} of the site's samples by our own gradient descent (the same that federates over LoRaWAN), standardised by the site's own mean and deviation. Judged on 2,000 other images. Averaging loses what the shipped exit knows of places, so that without drift it is the worse exit; a site that has drifted is another matter.");
        report.Sheet("heads.csv", heads,
            Column<RefittedHead>.Word("model", "model", row => row.Model),
            Column<RefittedHead>.Word("drift", "drift", row => row.Drift),
            Column<RefittedHead>.Ratio("shipped exit 1", "as_trained_ratio", row => row.AsTrained),
            Column<RefittedHead>.Ratio("linear, fitted without drift", "unmoved_ratio", row => row.Unmoved),
            Column<RefittedHead>.Ratio("linear, labelled", "labelled_ratio", row => row.Labelled),
            Column<RefittedHead>.Ratio("linear, labels from the tail", "from_tail_ratio", row => Known(row.FromTail)),
            Column<RefittedHead>.Ratio("the tail's labels right", "tail_right_ratio", row => Known(row.TailRight)),
            Column<RefittedHead>.Number("bytes to ship", "update_bytes", row => row.Bytes));
    }

    private static double? Known(double value) => double.IsNaN(value) ? null : value;

    private static List<Refit> Refits(Trained trained) =>
    [
        .. Trainings.Select(training => trained.Find(training.Name)).OfType<Comparison>().SelectMany(comparison =>
        {
            var whole = comparison.Points.FirstOrDefault(point => point.Method == NoDrift)?.Accuracy;
            return comparison.Points.Where(point => point.Method != NoDrift && point.Variant != AsTrained).Select(point => (point, Before: comparison.Points.FirstOrDefault(other => other.Method == point.Method && other.Variant == AsTrained)?.Accuracy))
                .Where(pair => whole is not null && pair.Before is not null).Select(pair => new Refit(comparison.Task, pair.point.Method, pair.point.Variant, whole!.Value, pair.Before!.Value, pair.point.Accuracy, pair.point.DeviceFile?.Value));
        }),
    ];

    private static void Training(Report report, Trained trained, List<Refit> refits, List<RefittedHead> heads)
    {
        report.Paragraph("## What refitted parts of stage 1 win back");
        foreach (var (name, command) in Trainings.Where(training => trained.Find(training.Name) is null)) report.Paragraph($"**{name}**").Measured(null, command);
        if (refits.Count == 0) return;
        report.Paragraph($"Only training can measure this: {RefittedHead.Samples} of the site's samples refit norms, exit 1 or all of stage 1, by {string.Join(", ", Trainings.Select(training => trained.Find(training.Name)).OfType<Comparison>().Select(comparison => $"`{comparison.Command}`"))} (see [models/training](../../../models/training/README.md)). Accuracy is exit 1's on the site's test images; *won back* is the share of what the drift cost it, above 100 % where the site is easier than the world. One file ships.");
        report.Sheet("refits.csv", refits,
            Column<Refit>.Word("model", "model", row => row.Task),
            Column<Refit>.Word("site", "site", row => row.Site),
            Column<Refit>.Word("refitted", "refitted", row => row.Way),
            Column<Refit>.Ratio("before", "before_ratio", row => row.Before),
            Column<Refit>.Ratio("after", "after_ratio", row => row.After),
            Column<Refit>.Number("lost, points", "lost_ratio", row => row.Whole - row.Before, "0.00", 100),
            Column<Refit>.Number("won back", "won_back_ratio", row => row.WonBack, "0 %"),
            Column<Refit>.Number("file bytes", "file_bytes", row => row.FileBytes));
        foreach (var task in Refitted.Where(task => refits.Any(refit => refit.Task == task))) report.Plot($"refits-{task}.svg", Draw(task, refits, heads), $"{task}: accuracy of exit 1 on drifted sites, as trained and adapted");
    }

    private static string Draw(string task, List<Refit> refits, List<RefittedHead> heads)
    {
        var rows = refits.Where(refit => refit.Task == task).ToList();
        var sites = rows.Select(row => row.Site).Distinct().ToList();
        var axis = new Scale("site", -0.4, sites.Count - 0.6, IsLogarithmic: false, at => sites[(int)Math.Round(at)]) { At = [.. Enumerable.Range(0, sites.Count).Select(i => (double)i)] };
        List<Series> series = [new(AsTrained, [.. sites.Select((site, i) => new PlotPoint(i, rows.First(row => row.Site == site).Before))], Joint.None)];
        series.AddRange(rows.GroupBy(row => row.Way).Select(way => new Series(way.Key, [.. way.Select(row => new PlotPoint(sites.IndexOf(row.Site), row.After))], Joint.None)));
        series.Add(new Series("linear exit on averaged features, labelled", [.. heads.Where(head => head.Model == task && sites.Contains(head.Drift)).Select(head => new PlotPoint(sites.IndexOf(head.Drift), head.Labelled))], Joint.None));
        return SvgPlot.Draw($"{task}: accuracy of exit 1 on drifted sites", [new Panel($"{task}: accuracy of exit 1 on drifted sites", axis, new Scale("accuracy", 0, 1, IsLogarithmic: false, Scale.Percent), series) { Levels = [new Level("no drift", rows[0].Whole)] }], width: 620, height: 340);
    }

    private static IEnumerable<Finding> Findings(List<DriftLoss> losses, List<RefittedHead> heads, List<Refit> refits)
    {
        yield return new Finding(Standing.OurOwn, "what drift costs exit 1, mean of all drifts", "", string.Join("; ", losses.GroupBy(row => row.Model).Select(group => $"{group.Key} {(100 * group.Average(row => row.Clean[0] - row.Drifted[0])).ToString("F1", CultureInfo.InvariantCulture)} points")), "first section");
        yield return new Finding(Standing.OurOwn, "won back by thresholds alone", "", $"{Points(losses.Average(row => row.Chosen.Accuracy - row.Kept.Accuracy))} points in the mean", "second section");
        var moved = heads.Where(head => head.Drift != RefittedHead.None).ToList();
        yield return new Finding(Standing.SameConstruction, "a linear exit relearnt on the device", "qualitative: linear probes on frozen features adapt cheaply", $"{Percent(moved.Average(head => head.AsTrained))} as trained, {Percent(moved.Average(head => head.Labelled))} relearnt, mean of {moved.Count} sites", "third section; the same features and code as in `fleet experiment hedonic-lorawan`");
        foreach (var way in refits.Where(refit => !refit.Site.StartsWith("label", StringComparison.Ordinal)).GroupBy(refit => refit.Way))
            yield return new Finding(way.Key.StartsWith("norm", StringComparison.Ordinal) ? Standing.SameConstruction : Standing.OurOwn, $"won back by {way.Key}", way.Key.StartsWith("norm", StringComparison.Ordinal) ? "qualitative: norms of the site's own data adapt without labels" : "", $"{way.Average(refit => refit.WonBack).ToString("0 %", CultureInfo.InvariantCulture)} of exit 1's loss, mean of {way.Count()} drifted sites ({way.Min(refit => refit.WonBack).ToString("0 %", CultureInfo.InvariantCulture)} to {way.Max(refit => refit.WonBack).ToString("0 %", CultureInfo.InvariantCulture)})",
                way.Key.StartsWith("norm", StringComparison.Ordinal) ? "after Li et al., adaptive batch normalisation, arXiv 1603.04779; figures are ours, of training" : "of training, last section");
        if (refits.Where(refit => refit.Site.StartsWith("label", StringComparison.Ordinal) && refit.Way.StartsWith("norm", StringComparison.Ordinal)).ToList() is { Count: > 0 } classes)
            yield return new Finding(Standing.OurOwn, "norms refitted where one class prevails", "", $"{classes.Average(refit => refit.WonBack).ToString("0 %", CultureInfo.InvariantCulture)}: they make it worse, since the images have not changed, only their classes", "of training, last section");
    }

    /// <summary>A part of stage 1 refitted to a site.</summary>
    /// <param name="Whole">Accuracy of exit 1 without drift.</param>
    private sealed record Refit(string Task, string Site, string Way, double Whole, double Before, double After, double? FileBytes)
    {
        public double WonBack => (After - Before) / (Whole - Before);
    }
}
