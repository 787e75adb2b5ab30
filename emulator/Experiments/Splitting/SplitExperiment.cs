using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Plots;
using Fleet.Emulator.Tables;
using Fleet.Models;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Splitting;

/// <summary>Where a network should be cut: local, the input sent, features sent, latents sent; accuracy, bytes and latency over links of all widths.</summary>
public sealed class SplitExperiment : IExperiment
{
    /// <summary>Images that are computed and coded anew on every route, to hold the recorded ones to.</summary>
    private const int Audited = 300;

    /// <summary>What a way may lose against the whole network to count as as good.</summary>
    private const double Close = 0.01;

    private static readonly LinkCase[] Cases = [new("fmnist", "pi-zero-2w"), new("scenes", "pi-zero-2w"), new("fmnist", "stm32h747i-disco"), new("scenes", "stm32h747i-disco")];

    public string Name => "split";

    public string Subject => "where to cut: on the device, the input, features or a bottleneck's latent sent; accuracy against bytes, latency over link rates in virtual time";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var (stock, report) = (new Stock(), new Report());
        string[] models = [.. Cases.Select(at => at.Model).Distinct()];
        report.Paragraph("# Where to cut a network").Paragraph(
            $"Made by `fleet experiment split --seed {seed}`: do not edit. The survey on split computing (CSUR 55(5)) names the ways: all on the device, all on the edge server, a split as the network is, a split with a bottleneck, and early exits. Here all of them run on the zoo's networks, with bytes as our codecs write them, and in virtual time over links from {Number(LinkStudy.Rates[0] / 1e3)} kB/s to Wi-Fi.");
        var ways = models.ToDictionary(model => model, model => SplitWay.Of(stock, stock.Models[model]));
        Ways(report, stock, models, ways);
        progress(0.2);
        Bytes(report, stock, models);
        progress(0.3);
        var outcomes = Cases.SelectMany((at, i) => LinkStudy.Of(stock, at, ways[at.Model], seed, done => progress(0.3 + 0.7 * (i + done) / Cases.Length))).ToList();
        var best = Winners(outcomes, ways);
        Latencies(report, outcomes, best, ways);
        report.Findings(Findings(stock, models, ways, best));
        progress(1);
        return report.Files();
    }

    private static void Ways(Report report, Stock stock, string[] models, Dictionary<string, IReadOnlyList<SplitWay>> ways)
    {
        var rows = models.SelectMany(model => ways[model].Select(way => (Model: model, Way: way))).ToList();
        report.Paragraph("## The ways").Paragraph("Accuracy and mean payload over the whole test set, as recorded when the model was exported; work is the device's mean. *Exit 1 or ...*: exit 1 answers from a calibrated confidence of " + Plain(SplitWay.Sure) + " on, else the latent is sent.");
        report.Sheet("ways.csv", rows,
            Column<(string Model, SplitWay Way)>.Word("model", "model", row => row.Model),
            Column<(string Model, SplitWay Way)>.Word("way", "way", row => row.Way.Name),
            Column<(string Model, SplitWay Way)>.Ratio("accuracy", "accuracy_ratio", row => row.Way.Accuracy),
            Column<(string Model, SplitWay Way)>.Number("payload bytes", "payload_bytes", row => row.Way.Bytes),
            Column<(string Model, SplitWay Way)>.Number("device MACs", "device_macs", row => row.Way.Macs, "#,0"),
            Column<(string Model, SplitWay Way)>.Word("policy", "policy", row => $"`{row.Way.Policy}`"));
        var audits = models.SelectMany(model => stock.Models[model].Card.Routes.Select(stock.Models[model].Card.RouteOf).Select(route => Audit.Of(stock, stock.Models[model], route))).ToList();
        report.Paragraph($"Recorded answers are worth what they are: the first {Audited} test images are computed anew here, head and encoder on ONNX Runtime, payload by the range coder, the PNG or WebP encoder or as int8, and the tail from the decoded frame. {audits.Count(audit => audit.SameBytes == Audited)} of {audits.Count} routes have the very payload lengths recorded; accuracies differ by at most {Points(audits.Max(audit => Math.Abs(audit.Accuracy - audit.Recorded)))} points.");
        report.Sheet("audit.csv", audits,
            Column<Audit>.Word("model", "model", row => row.Model), Column<Audit>.Word("route", "route", row => row.Route.ToString()), Column<Audit>.Number("bytes, coded here", "payload_bytes", row => row.Bytes), Column<Audit>.Number("of the recorded length", "same_length", row => row.SameBytes),
            Column<Audit>.Ratio("accuracy, computed here", "accuracy_ratio", row => row.Accuracy), Column<Audit>.Ratio("of the recorded answers", "recorded_accuracy_ratio", row => row.Recorded));
    }

    private static void Bytes(Report report, Stock stock, string[] models)
    {
        var tasks = ZooTask.Of(models.Select(model => new StudiedModel(stock.Models[model])), Comparison.ReadAll(Path.Combine(ProjectFiles.Find("models/zoo"), "comparison"))).Where(task => models.Contains(task.Name)).ToList();
        var trained = tasks.SelectMany(task => task.Comparisons).Where(comparison => comparison.Name.EndsWith("-codecs", StringComparison.Ordinal)).Select(comparison => $"`{comparison.Command}`").ToList();
        report.Paragraph("## Accuracy against bytes").Paragraph($"JPEG, and the input at other qualities and sizes, need a server network trained further on such images; only training can measure those ({string.Join(", ", trained)}). All ways by name: [docs/zoo](../../zoo/README.md).");
        foreach (var task in tasks)
            if (ZooPlots.Bytes(task) is { } svg) report.Plot($"bytes-{task.Name}.svg", svg, $"accuracy against bytes, {task.Name}");
    }

    /// <summary>Of every case and link: the fastest way at all, and the fastest that is as good as the whole network.</summary>
    private static List<LinkWinner> Winners(List<LinkOutcome> outcomes, Dictionary<string, IReadOnlyList<SplitWay>> ways) =>
    [
        .. outcomes.Where(outcome => outcome.Latency is not null).GroupBy(outcome => (outcome.Case, outcome.BytesPerSecond)).Select(group =>
        {
            var full = ways[group.Key.Case.Model].Max(way => way.Accuracy);
            return new LinkWinner(group.Key.Case, group.Key.BytesPerSecond, group.MinBy(outcome => outcome.Latency)!, group.Where(outcome => outcome.Way.Accuracy >= full - Close).MinBy(outcome => outcome.Latency)!,
                Fastest(group, "whole network"), Fastest(group, "input as"), Fastest(group, "features"), Fastest(group, "bottleneck"), Fastest(group, "exit 1 or"));
        }),
    ];

    private static double? Fastest(IEnumerable<LinkOutcome> group, string begins) => group.Where(outcome => outcome.Way.Name.StartsWith(begins, StringComparison.Ordinal)).Min(outcome => outcome.Latency);

    private static void Latencies(Report report, List<LinkOutcome> outcomes, List<LinkWinner> best, Dictionary<string, IReadOnlyList<SplitWay>> ways)
    {
        report.Paragraph("## Latency over the link").Paragraph(
            $"The production agents, edge server and controller in virtual time: three devices a site, an input every 20 s each, an edge server ({LinkStudy.Edge}) at the other end that has nothing else to do; no loss, 4 ms there and back. Mean latency from the input to the answer: computing, coding, frame and packet headers, the air, the server. Milliseconds of boards are their profiles' claims (see [hardware-profiles](../../../hardware-profiles/README.md)): believe the order of ways, not the digits. ([every figure](latency.csv))");
        report.Csv("latency.csv", outcomes,
            Column<LinkOutcome>.Word("", "model", row => row.Case.Model),
            Column<LinkOutcome>.Word("", "board", row => row.Case.Board),
            Column<LinkOutcome>.Word("", "way", row => row.Way.Name),
            Column<LinkOutcome>.Number("", "link_bytes_per_s", row => row.BytesPerSecond),
            Column<LinkOutcome>.Ratio("", "accuracy_ratio", row => row.Way.Accuracy),
            Column<LinkOutcome>.Number("", "latency_s", row => row.Latency),
            Column<LinkOutcome>.Number("", "energy_j", row => row.Energy),
            Column<LinkOutcome>.Number("", "sent_bytes", row => row.Sent));
        foreach (var at in Cases) report.Plot($"latency-{at.Model}-{at.Board}.svg", Draw(at, outcomes, ways), $"latency against the link rate, {at.Name}");
        report.Paragraph("### Where splitting pays").Paragraph($"The fastest way whose accuracy is within a point of the best of the model, link by link, and the fastest of each kind in milliseconds. Empty: does not fit the board.");
        report.Sheet("winners.csv", best,
            Column<LinkWinner>.Word("case", "case", row => row.Case.Name),
            Column<LinkWinner>.Number("link kB/s", "link_bytes_per_s", row => row.BytesPerSecond, "#,0.#", 1e-3),
            Column<LinkWinner>.Word("fastest of those as good", "fastest_close", row => row.Close.Way.Name),
            Column<LinkWinner>.Number("ms", "fastest_close_s", row => row.Close.Latency, "#,0.0", 1e3),
            Column<LinkWinner>.Number("whole on device", "whole_s", row => row.Whole, "#,0.0", 1e3),
            Column<LinkWinner>.Number("input", "input_s", row => row.Input, "#,0.0", 1e3),
            Column<LinkWinner>.Number("features", "features_s", row => row.Features, "#,0.0", 1e3),
            Column<LinkWinner>.Number("bottleneck", "bottleneck_s", row => row.Bottleneck, "#,0.0", 1e3),
            Column<LinkWinner>.Number("exit 1 or bottleneck", "exit_or_bottleneck_s", row => row.Exits, "#,0.0", 1e3));
        report.Paragraph(Verdict(best));
    }

    private static string Verdict(List<LinkWinner> best)
    {
        var kinds = best.GroupBy(row => Kind(row.Close.Way)).OrderByDescending(group => group.Count()).Select(group => $"{group.Key} in {group.Count()}");
        var plain = best.Where(row => row.Features < Math.Min(row.Input ?? double.MaxValue, row.Whole ?? double.MaxValue)).ToList();
        return $"Of {best.Count} rows the fastest as good is: {string.Join(", ", kinds)}. Plain features are faster than both the input and the whole network on the device in {plain.Count} of {best.Count}"
            + (plain.Count > 0 ? $" ({string.Join("; ", plain.Select(row => $"{row.Case.Name} at {Number(row.BytesPerSecond / 1e3)} kB/s").Take(4))})" : "")
            + $"; the fastest bottleneck is in {best.Count(row => row.Bottleneck < Math.Min(row.Input ?? double.MaxValue, row.Whole ?? double.MaxValue))}. Early exits with a bottleneck behind them need the link only for images that exit 1 doubts.";
    }

    private static string Kind(SplitWay way) => way.Name.StartsWith("exit 1 or", StringComparison.Ordinal) ? "exit 1 or a bottleneck" : way.Name.StartsWith("bottleneck", StringComparison.Ordinal) ? "a bottleneck for all" : way.Name.StartsWith("features", StringComparison.Ordinal) ? "plain features"
        : way.Name.StartsWith("input", StringComparison.Ordinal) ? "the input sent" : "the device alone";

    private static string Draw(LinkCase at, List<LinkOutcome> outcomes, Dictionary<string, IReadOnlyList<SplitWay>> ways)
    {
        var bottlenecks = ways[at.Model].Where(way => way.Name.StartsWith("bottleneck", StringComparison.Ordinal)).OrderBy(way => way.Bytes).ToList();
        string[] shown =
        [
            "exit 1 on the device", "whole network on the device", "input as raw", "input as webp", "features of cut 1, int8", "features of cut 2, int8", bottlenecks[0].Name, bottlenecks[^1].Name, $"exit 1 or {bottlenecks[^1].Name}",
        ];
        Series[] series = [.. shown.Distinct().Select(name => outcomes.Where(outcome => outcome.Case == at && outcome.Way.Name == name && outcome.Latency is not null).ToList()).Where(rows => rows.Count > 0)
            .Select(rows => new Series($"{rows[0].Way.Name} ({(rows[0].Way.Accuracy * 100).ToString("F1", CultureInfo.InvariantCulture)} %)", [.. rows.Select(row => new PlotPoint(row.BytesPerSecond / 1e3, row.Latency!.Value * 1e3))], rows[0].Way.Bytes == 0 ? Joint.Dashed : Joint.Solid))];
        return SvgPlot.Draw($"{at.Name}: latency against the link rate",
            [new Panel($"{at.Name}: mean latency, accuracy behind each name", LinkStudy.Axis, Scale.Logarithmic("latency, ms", series.SelectMany(one => one.Points).Select(point => point.Y), Scale.Number), series)], width: 720, height: 400);
    }

    private static IEnumerable<Finding> Findings(Stock stock, string[] models, Dictionary<string, IReadOnlyList<SplitWay>> ways, List<LinkWinner> best)
    {
        const string Survey = "Matsubara, Levorato, Restuccia, CSUR 55(5), 2022 (arXiv 2103.04505), abstract and taxonomy; no figure of it is quoted";
        foreach (var model in models)
        {
            var card = stock.Models[model].Card;
            yield return new Finding(Standing.SameConstruction, $"early features are larger than the input ({model})", "qualitative: why a plain split rarely pays", $"input {Number(card.Cuts[0].Elements)} B; {string.Join(", ", card.Cuts.Skip(1).Select(cut => $"cut {cut.Cut} {Number(cut.Elements)} B as int8"))}", Survey);
        }
        yield return new Finding(Standing.SameConstruction, "a plain split beats both ends", "qualitative: rarely, for CNNs", $"in {best.Count(row => row.Features < Math.Min(row.Input ?? double.MaxValue, row.Whole ?? double.MaxValue))} of {best.Count} links and boards, within any accuracy", Survey);
        foreach (var model in models)
        {
            var (raw, bottleneck) = (ways[model].Single(way => way.Name == "input as raw"), ways[model].Where(way => way.Name.StartsWith("bottleneck", StringComparison.Ordinal)).MaxBy(way => way.Accuracy)!);
            yield return new Finding(Standing.SameConstruction, $"the three-way trade-off: bytes, encoder, accuracy ({model}, {bottleneck.Name})", "to be reported together (SC2 benchmark, TMLR 2023)", $"{Number(bottleneck.Bytes)} B of {Number(raw.Bytes)}; {Number(bottleneck.Macs)} MACs on the device; {Percent(bottleneck.Accuracy)} of {Percent(raw.Accuracy)}", "README of sc2-benchmark; its networks and ImageNet cannot be had here");
        }
        yield return new Finding(Standing.OurOwn, "fastest way within a point of the best, 1 kB/s to 3 MB/s", "", string.Join("; ", best.GroupBy(row => Kind(row.Close.Way)).OrderByDescending(group => group.Count()).Select(group => $"{group.Key} in {group.Count()} of {best.Count}")), "virtual time, see above");
    }

    /// <summary>One route on the first images of the test set.</summary>
    private sealed record Audit(string Model, Route Route, double Bytes, int SameBytes, double Accuracy, double Recorded)
    {
        public static Audit Of(Stock stock, ModelFiles model, Route route)
        {
            var (run, trace) = (RouteRun.Of(stock, model, route, Audited), stock.TestTrace(model));
            var fixedSize = FeatureSize(model.Card, route);
            return new Audit(model.Card.Name, route, run.MeanBytes, run.Bytes.Where((bytes, i) => bytes == (trace.PayloadBytes(route, i) ?? fixedSize)).Count(), run.Accuracy, SplitWay.RouteAccuracy(trace, route, Audited));
        }

        private static int? FeatureSize(ModelCard card, Route route) => (int?)TensorFrame.PayloadBytes(route.Codec, card.Crossing(route.Tail).Elements);
    }

    private sealed record LinkWinner(LinkCase Case, double BytesPerSecond, LinkOutcome Any, LinkOutcome Close, double? Whole, double? Input, double? Features, double? Bottleneck, double? Exits);
}
