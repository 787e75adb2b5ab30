using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Plots;
using Fleet.Models;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Distributed;

/// <summary>DDNN: six devices see a part each and answer together; by number of devices, bytes and aggregation, and while devices fail.</summary>
public sealed class DdnnExperiment : IExperiment
{
    private const string Model = "ddnn";
    private const string TrainingCommand = "fleet-training train ddnn";
    private static readonly string[] Exits = ["local exit", "edge exit", "cloud exit", "all exits"];

    public string Name => "ddnn";

    public string Subject => "six devices with a view each: accuracy by devices, aggregation and bytes, and the fleet in virtual time while devices fail";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var (stock, trained, report) = (new Stock(), Trained.Read(), new Report());
        var study = new GroupStudy(stock, Model, done => progress(0.6 * done));
        report.Paragraph("# DDNN: devices that see a part each").Paragraph(
            $"Made by `fleet experiment ddnn --seed {seed}`: do not edit. A Fashion-MNIST picture is cut into {study.Card.Rows} x {study.Card.Columns} views, one a device. Each device runs a binary network of {Number(study.Card.DeviceBinary.Value)} bytes and sends its class vector; a local exit judges all of them together, "
            + $"and asks for the devices' sign maps when its normalised entropy is not below {Plain(study.Card.Local.EntropyBelow)}. Counted by running the shipped ONNX files over all 10,000 test pictures, for each of the {(1 << study.Views) - 1} choices of devices that are there; what an absent device would have sent is zeros.");
        Devices(report, study);
        Lost(report, study, trained);
        Bytes(report, study);
        Formula(report);
        Aggregations(report, trained);
        var runs = GateRun.All(stock, seed, done => progress(0.6 + 0.4 * done));
        InTime(report, runs);
        report.Findings(Findings(study, trained, runs));
        progress(1);
        return report.Files();
    }

    private static void Devices(Report report, GroupStudy study)
    {
        report.Paragraph("## More devices").Paragraph($"Mean over all choices of so many devices; the worst and the best choice for all exits together. Alone, by its own exit, a device is right {string.Join(", ", study.Own.Select(Percent))} of the time (views 1 to {study.Views}).");
        report.Sheet("devices.csv", study.There,
            Column<DevicesThere>.Number("devices there", "devices", row => row.Devices),
            Column<DevicesThere>.Number("choices", "choices", row => row.Choices),
            Column<DevicesThere>.Ratio(Exits[0], "local_accuracy_ratio", row => row.Mean.Local),
            Column<DevicesThere>.Ratio(Exits[1], "edge_accuracy_ratio", row => row.Mean.Edge),
            Column<DevicesThere>.Ratio(Exits[2], "cloud_accuracy_ratio", row => row.Mean.Cloud),
            Column<DevicesThere>.Ratio(Exits[3], "accuracy_ratio", row => row.Mean.Together),
            Column<DevicesThere>.Ratio("worst", "accuracy_least_ratio", row => row.TogetherLeast),
            Column<DevicesThere>.Ratio("best", "accuracy_most_ratio", row => row.TogetherMost));
        var devices = new Scale("devices there", 0.8, 6.2, IsLogarithmic: false, Scale.Number) { At = [1, 2, 3, 4, 5, 6] };
        var accuracy = new Scale("accuracy", 0.3, 1.02, IsLogarithmic: false, Scale.Percent);
        report.Plot("devices.svg", SvgPlot.Draw("accuracy against the number of devices, ours and the authors'",
        [
            new Panel("ours: Fashion-MNIST, 10 classes, mean of all choices", devices, accuracy, [.. Exits.Select((exit, i) => new Series(exit, [.. study.There.Select(row => new PlotPoint(row.Devices, row.Mean.All[i]))]))]),
            new Panel("published: six cameras, 3 classes, worst device first", devices, accuracy,
            [
                new Series(Exits[0], Published.Points(Published.LocalByDevices)), new Series(Exits[2], Published.Points(Published.CloudByDevices)), new Series(Exits[3], Published.Points(Published.TogetherByDevices)),
            ]),
        ], width: 440, height: 320), "accuracy against the number of devices");
    }

    private static void Lost(Report report, GroupStudy study, Trained trained)
    {
        var dropout = new[] { "0", "0.2" }.Select(share => (Share: share, Points: trained.Points(Model, $"one device lost, trained with view dropout {share}, cloud exit"))).Where(pair => pair.Points.Count == study.Views + 1).ToList();
        var rows = Enumerable.Range(0, study.Views + 1).Select(view => (View: view, Of: view == 0 ? study.All : study.Without(view))).ToList();
        report.Paragraph("## One device lost").Paragraph("The shipped network was trained with views left out. "
            + (dropout.Count == 2 ? $"How much that matters only training can say (`{TrainingCommand}`, networks of two epochs): without leaving any out the loss of a device costs the cloud exit up to {Worst(dropout[0].Points)} points, with a fifth left out up to {Worst(dropout[1].Points)}." : $"How much that matters `{TrainingCommand}` measures."));
        report.Sheet("lost.csv", rows,
            Column<(int View, GroupAccuracy Of)>.Word("device lost", "view_lost", row => row.View == 0 ? "none" : $"view {row.View}"),
            Column<(int View, GroupAccuracy Of)>.Ratio(Exits[0], "local_accuracy_ratio", row => row.Of.Local),
            Column<(int View, GroupAccuracy Of)>.Ratio(Exits[1], "edge_accuracy_ratio", row => row.Of.Edge),
            Column<(int View, GroupAccuracy Of)>.Ratio(Exits[2], "cloud_accuracy_ratio", row => row.Of.Cloud),
            Column<(int View, GroupAccuracy Of)>.Ratio(Exits[3], "accuracy_ratio", row => row.Of.Together),
            Column<(int View, GroupAccuracy Of)>.Number("all exits, points lost", "accuracy_lost_ratio", row => study.All.Together - row.Of.Together, "0.00", 100));
        List<Series> series = [new("shipped (10 epochs)", [.. Enumerable.Range(1, study.Views).Select(view => new PlotPoint(view, 100 * (study.All.Cloud - study.Without(view).Cloud)))], Joint.None)];
        series.AddRange(dropout.Select(pair => new Series($"view dropout {pair.Share} (2 epochs)", [.. Enumerable.Range(1, study.Views).Select(view => new PlotPoint(view, 100 * (pair.Points[0].Accuracy - pair.Points[view].Accuracy)))], Joint.None)));
        series.Add(new Series("published, MNIST cut likewise", [.. Published.MnistWithout.Select((accuracy, i) => new PlotPoint(i + 1, 100 * (Published.MnistAll - accuracy)))], Joint.None));
        report.Plot("lost.svg", SvgPlot.Draw("points that the cloud exit loses with one device", [new Panel("points that the cloud exit loses with one device", new Scale("device lost (view)", 0.8, 6.2, IsLogarithmic: false, Scale.Number) { At = [1, 2, 3, 4, 5, 6] }, Scale.Linear("points", series.SelectMany(one => one.Points).Select(point => point.Y).Append(0), Scale.Number), series)], width: 560, height: 320), "points lost with one device");

        static string Worst(IReadOnlyList<ComparisonPoint> points) => (100 * (points[0].Accuracy - points.Skip(1).Min(point => point.Accuracy))).ToString("F1", CultureInfo.InvariantCulture);
    }

    private static void Bytes(Report report, GroupStudy study)
    {
        var rows = Enumerable.Range(0, 21).Select(i => study.At(i == 20 ? 1.01 : i * 0.05)).ToList();
        report.Paragraph("## Accuracy against bytes").Paragraph($"Bytes of one device for one sample by the published formula, 4|C| + (1 - l) f o / 8, with |C| = 10, f = {study.Card.MapShape[0]} and o = {study.Card.MapElements / study.Card.MapShape[0]}. On the wire they are {4 * study.Card.Classes.Count} and {FeatureCodecs.EncodedBytes(FeatureCodec.Bits, study.Card.MapElements)} as coded (the last byte is filled up), and a frame's header each; a raw view has {study.Card.ViewShape.Aggregate(1, (product, extent) => product * extent)}.");
        report.Sheet("bytes.csv", rows,
            Column<GroupThreshold>.Number("local exit below", "entropy_below_ratio", row => row.Below, "0.00"),
            Column<GroupThreshold>.Ratio("local exit answers", "local_ratio", row => row.Local),
            Column<GroupThreshold>.Ratio("edge exit answers", "edge_ratio", row => row.Edge),
            Column<GroupThreshold>.Ratio("accuracy", "accuracy_ratio", row => row.Accuracy),
            Column<GroupThreshold>.Number("bytes", "sent_bytes", row => row.Sent.Value, "0.0"));
        report.Plot("bytes.svg", SvgPlot.Draw("accuracy against bytes of a device for a sample, ours and the authors'",
        [
            new Panel("ours: f = 4, o = 35, 10 classes", Scale.Linear("bytes of a device for a sample", rows.Select(row => row.Sent.Value), Scale.Number), new Scale("accuracy, all exits", 0.7, 1, IsLogarithmic: false, Scale.Percent), [new Series("local threshold swept", [.. rows.Select(row => new PlotPoint(row.Sent.Value, row.Accuracy))])]),
            new Panel("published: f = 4, o = 256, 3 classes", Scale.Linear("bytes of a device for a sample", [0, .. Published.ByThreshold.Select(row => row.Bytes)], Scale.Number), new Scale("accuracy, all exits", 0.7, 1, IsLogarithmic: false, Scale.Percent), [new Series("local threshold swept", [.. Published.ByThreshold.Select(row => new PlotPoint(row.Bytes, row.Together, $"T = {Plain(row.Below)}"))])]),
        ], width: 400, height: 300), "accuracy against bytes");
    }

    private static void Formula(Report report)
    {
        report.Paragraph("## The formula against the authors' own file").Paragraph("`comm.csv` of the released code lists whole bytes; their cameras tell 3 classes apart.").Sheet("formula.csv", Published.Communication,
            Column<Published.Cost>.Number("filters f", "filters", row => row.Filters),
            Column<Published.Cost>.Number("bits a filter o", "bits", row => row.Bits),
            Column<Published.Cost>.Ratio("local exit answers l", "local_ratio", row => row.Local),
            Column<Published.Cost>.Number("by the formula, bytes", "formula_bytes", row => row.Formula, "0.0"),
            Column<Published.Cost>.Number("published, bytes", "published_bytes", row => row.Bytes));
    }

    private static void Aggregations(Report report, Trained trained)
    {
        report.Paragraph("## Aggregation");
        if (trained.Find(Model) is null)
        {
            report.Measured(null, TrainingCommand);
            return;
        }
        string[] exits = ["local", "edge", "cloud"];
        List<(string Name, IReadOnlyList<double> Of)> Rows(string method) => [.. trained.Points(Model, $"{method}, local exit").Select(point => (point.Variant,
            (IReadOnlyList<double>)[.. exits.Select(exit => trained.Points(Model, $"{method}, {exit} exit").Single(other => other.Variant == point.Variant).Accuracy)]))];
        report.Paragraph($"Class vectors, then sign maps, by maximum (MP), mean (AP) or side by side (CC). Only training can measure this: networks of two epochs, written by `{TrainingCommand}`. MP-CC is the default of the authors' code: their cameras look at one object from all sides, so that the surest one may speak for all; our views show different things, and the maximum throws five of six away. The paper's own table could not be read and is not quoted.")
            .Sheet("aggregation.csv", Rows("aggregation"),
            [Column<(string Name, IReadOnlyList<double> Of)>.Word("aggregation", "aggregation", row => row.Name), .. exits.Select((exit, i) => Column<(string Name, IReadOnlyList<double> Of)>.Ratio($"{exit} exit", $"{exit}_accuracy_ratio", row => row.Of[i]))]);
        report.Paragraph("Filters of a device, MP-CC, likewise:").Sheet("filters.csv", Rows("filters"),
            [Column<(string Name, IReadOnlyList<double> Of)>.Word("filters", "filters", row => row.Name), .. exits.Select((exit, i) => Column<(string Name, IReadOnlyList<double> Of)>.Ratio($"{exit} exit", $"{exit}_accuracy_ratio", row => row.Of[i]))]);
    }

    private static void InTime(Report report, IReadOnlyList<GateRun> runs)
    {
        report.Paragraph("## The fleet, while devices fail").Paragraph(
            $"The production agents, edge server and controller in virtual time, {Number(GateRun.Length.Value)} s: six Raspberry Pi Zero 2 W on Wi-Fi, {Number(GateRun.Rate.Value)} pictures a second, an N5105 edge server that gathers for at most {Number(GateRun.Gather.Value * 1e3)} ms, a deadline of {Number(GateRun.Deadline.Value * 1e3)} ms. Devices crash at half time and stay away. "
            + "Accuracy is of what devices answered (the answer of all is each member's), before and since: halves of 600 pictures, whose sampling error is about 1.4 points, but all rows see the same pictures; bytes are all that a device sends, frames' headers, packets and reports included.");
        report.Sheet("in-time.csv", runs,
            Column<GateRun>.Word("crashed at half time", "crashed", row => row.Name),
            Column<GateRun>.Ratio("accuracy before", "accuracy_before_ratio", row => row.Before),
            Column<GateRun>.Ratio("since", "accuracy_since_ratio", row => row.Since),
            Column<GateRun>.Ratio("answered together", "together_ratio", row => row.Together),
            Column<GateRun>.Ratio("by a device's own exit", "fallback_ratio", row => row.Fallback),
            Column<GateRun>.Number("p50 ms", "latency_p50_s", row => row.Median, "0.0", 1e3),
            Column<GateRun>.Number("p95 ms", "latency_p95_s", row => row.Late, "0.0", 1e3),
            Column<GateRun>.Ratio("deadlines missed", "deadline_missed_ratio", row => row.Missed),
            Column<GateRun>.Number("lost", "lost", row => row.Lost),
            Column<GateRun>.Number("bytes an inference", "sent_bytes_per_inference", row => row.Bytes, "#,0"),
            Column<GateRun>.Word("hash", "trace_hash", row => row.Hash[..16]));
    }

    private static IEnumerable<Finding> Findings(GroupStudy study, Trained trained, IReadOnlyList<GateRun> runs)
    {
        const string Data = "the authors' plot data (visualize/data of kunglab/ddnn), read there; 171 test samples, so that one is 0.58 points";
        var (one, six) = (study.There[0], study.There[^1]);
        yield return new Finding(Standing.Published, "bytes of a device, f = 1, 2, 4, 8", "14, 16, 21, 30", string.Join(", ", Published.Communication.Take(4).Select(row => row.Formula.ToString("F1", CultureInfo.InvariantCulture))), "comm.csv of the released code, read there; the formula is section IV-F's, exact");
        yield return new Finding(Standing.Published, "bytes at most, and against a raw 32 x 32 picture", "140 B, over 20 times less", $"{Number(CommunicationCost.Mean(3, 0, 4, 256).Value)} B, {(3072 / CommunicationCost.Mean(3, 0, 4, 256).Value).ToString("F1", CultureInfo.InvariantCulture)} times less", "abstract and section IV-F; f = 4, o = 256, exact");
        yield return new Finding(Standing.SameConstruction, "one device to six, all exits", "58 to 99 %", $"{Percent(one.Mean.Together)} to {Percent(six.Mean.Together)}", Data + "; their photographs cannot be had, ours are sixths of a garment");
        yield return new Finding(Standing.SameConstruction, "more than the best device alone", "73 % alone, 99 % together", $"{Percent(study.Own.Max())} alone, {Percent(six.Mean.Together)} together", Data);
        yield return new Finding(Standing.SameConstruction, "any one device lost, all exits", "96 to 99 % left of 99", $"{Percent(Enumerable.Range(1, study.Views).Min(view => study.Without(view).Together))} to {Percent(Enumerable.Range(1, study.Views).Max(view => study.Without(view).Together))} left of {Percent(study.All.Together)}", Data);
        yield return new Finding(Standing.SameConstruction, "MNIST cut into 3 x 2: corners matter less than the middle", "0.0 to 0.7 points lost without three of the outer views, 12.1 without the fourth; 20.5 and 12.3 without a middle one", $"the cloud exit loses {Range(study, 1, 2, 5, 6)} points without an outer view, {Range(study, 3, 4)} without a middle one", "README of the branch `pytorch` of the released code, which lists 98.52 99.15 78.70 86.90 87.06 98.61; trained without leaving views out");
        yield return new Finding(Standing.SameConstruction, "best aggregation", "MP-CC by default", trained.Points(Model, "aggregation, cloud exit") is { Count: > 0 } points ? $"cloud exit: {points.MaxBy(point => point.Accuracy)!.Variant} ({Percent(points.Max(point => point.Accuracy))}), MP-CC {Percent(points.Single(point => point.Variant == "MP-CC").Accuracy)}" : "not trained yet", "the released code (max_pool_concat); the paper's table could not be read");
        yield return new Finding(Standing.Published, "memory of a device, f = 4", "1,116 B (3 channels of 32 x 32)", $"{Number(study.Card.DeviceBinary.Value)} B (1 channel of 10 x 14)", "comm.csv of the released code");
        yield return new Finding(Standing.OurOwn, "inferences lost while one to five devices crash", "", $"{runs.Sum(run => run.Lost)} of all; accuracy since then {Percent(runs.Min(run => run.Since))} at worst", "virtual time, see above: the paper has no running system");

        static string Range(GroupStudy study, params int[] views)
        {
            var lost = views.Select(view => 100 * (study.All.Cloud - study.Without(view).Cloud)).ToList();
            return $"{lost.Min().ToString("F1", CultureInfo.InvariantCulture)} to {lost.Max().ToString("F1", CultureInfo.InvariantCulture)}";
        }
    }
}
