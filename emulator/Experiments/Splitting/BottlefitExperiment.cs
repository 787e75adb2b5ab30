using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Plots;
using Fleet.Models;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Splitting;

/// <summary>BottleFit: bottlenecks learned in two stages; how small, how accurate, and what they save a device.</summary>
public sealed class BottlefitExperiment : IExperiment
{
    /// <summary>Images that go through encoder, range coder and tail here.</summary>
    private const int Coded = 1000;

    /// <summary>What BottleFit says it keeps to on ImageNet.</summary>
    private const double PublishedLoss = 0.006;

    private static readonly string[] Models = ["fmnist", "scenes"];
    private static readonly (string Name, string Command)[] Trainings =
    [
        ("fmnist-bottlenecks", "fleet-training train fmnist-bottlenecks"), ("scenes-bottlenecks", "fleet-training train scenes-bottlenecks"), ("scenes-reference", "fleet-training train scenes-reference"),
    ];

    private static readonly LinkCase[] Cases = [new("fmnist", "pi-zero-2w"), new("scenes", "pi-zero-2w")];

    public string Name => "bottlefit";

    public string Subject => "bottlenecks by size and way of learning: bytes as coded, accuracy lost, the device's energy and latency against staying and against sending the input";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var (stock, trained, report) = (new Stock(), Trained.Read(), new Report());
        report.Paragraph("# BottleFit: a bottleneck learned in two stages").Paragraph(
            $"Made by `fleet experiment bottlefit --seed {seed}`: do not edit. Behind a cut an encoder makes a small latent, which is range-coded and sent; a decoder and the rest of the network finish. Learned in two stages: the bottleneck imitates the features of the uncut network, then it is tuned to the answers.");
        var sizes = Models.SelectMany((model, i) => Sizes(stock, stock.Models[model], done => progress(0.5 * (i + done) / Models.Length))).ToList();
        Shown(report, sizes);
        Learning(report, trained);
        var outcomes = Cases.SelectMany((at, i) => LinkStudy.Of(stock, at, [.. SplitWay.Of(stock, stock.Models[at.Model]).Where(way => IsShown(way.Name))], seed, done => progress(0.5 + 0.5 * (i + done) / Cases.Length))).ToList();
        var savings = Savings(outcomes, sizes);
        Saved(report, savings);
        report.Findings(Findings(sizes, trained, savings));
        progress(1);
        return report.Files();
    }

    private static bool IsShown(string way) => way is "whole network on the device" or "input as raw" or "input as webp" || way.StartsWith("bottleneck", StringComparison.Ordinal);

    private static IEnumerable<Size> Sizes(Stock stock, ModelFiles model, Action<double> progress)
    {
        var (card, trace) = (model.Card, stock.TestTrace(model));
        var full = SplitWay.RouteAccuracy(trace, new Route(0, FeatureCodec.Raw));
        foreach (var (bottleneck, number) in card.Bottlenecks.Select((bottleneck, i) => (bottleneck, i + 1)))
        {
            var route = new Route(bottleneck.Cut, FeatureCodec.Coded, number);
            var run = RouteRun.Of(stock, model, route, Coded);
            progress((double)number / card.Bottlenecks.Count);
            yield return new Size(
                card, bottleneck, Enumerable.Range(0, trace.Samples).Average(i => (double)trace.PayloadBytes(route, i)!.Value), SplitWay.RouteAccuracy(trace, route), full, run.MeanBytes, run.Accuracy,
                SplitWay.RouteAccuracy(trace, route, Coded), run.Bytes.Where((bytes, i) => bytes == trace.PayloadBytes(route, i)).Count());
        }
    }

    private static void Shown(Report report, List<Size> sizes)
    {
        report.Paragraph("## By size").Paragraph($"Of the shipped bottlenecks, on all 10,000 test images as recorded; and the first {Number(Coded)} of them computed here anew: encoder on ONNX Runtime, range coder, decoded, decoder and tail. {Number(sizes.Sum(size => size.SameBytes))} of {Number(Coded * sizes.Count)} payloads have the recorded length. *Head* is what the device holds (stages to the cut, encoder, tables) against the files of the whole network.");
        report.Sheet("sizes.csv", sizes,
            Column<Size>.Word("model", "model", row => row.Model.Name),
            Column<Size>.Word("bottleneck", "bottleneck", row => row.Card.Name),
            Column<Size>.Word("latent", "latent", row => string.Join(" x ", row.Card.Shape)),
            Column<Size>.Number("bytes, as coded", "payload_bytes", row => row.Bytes),
            Column<Size>.Number("less than raw", "saved_of_raw_ratio", row => row.Saved, "0.0 %"),
            Column<Size>.Ratio("accuracy", "accuracy_ratio", row => row.Accuracy), Column<Size>.Number("lost, points", "accuracy_lost_ratio", row => row.Lost, "0.00", 100), Column<Size>.Number("bytes, coded here", "coded_bytes", row => row.CodedBytes), Column<Size>.Ratio("accuracy, computed here", "coded_accuracy_ratio", row => row.CodedAccuracy), Column<Size>.Ratio("the same images, recorded", "recorded_accuracy_ratio", row => row.RecordedAccuracy),
            Column<Size>.Number("device MACs", "device_macs", row => row.Macs, "#,0"),
            Column<Size>.Number("head times smaller", "head_ratio", row => row.Smaller, "0.0"));
        report.Plot("sizes.svg", SvgPlot.Draw("points lost against bytes of the latent", [.. Models.Select(model =>
        {
            var rows = sizes.Where(size => size.Model.Name == model).ToList();
            return new Panel($"{model}: raw input {Number(rows[0].Raw)} bytes", Scale.Linear("bytes as coded", rows.Select(row => row.Bytes).Append(0), Scale.Number), Scale.Linear("points lost against the uncut network", rows.Select(row => 100 * row.Lost).Append(0).Append(1), Scale.Number),
                [new Series("shipped bottlenecks", [.. rows.Select(row => new PlotPoint(row.Bytes, 100 * row.Lost, row.Card.Name))])]) { Levels = [new Level("0.6", 100 * PublishedLoss)] };
        })], width: 380, height: 280), "points lost against bytes");
    }

    private static void Learning(Report report, Trained trained)
    {
        report.Paragraph("## By way of learning").Paragraph("Two stages against cross-entropy, distillation, and head distillation alone (the first stage without the second). *Encoder frozen*: the second stage leaves the encoder as it is, so that a server's tail can be retrained while devices keep their files.");
        foreach (var (name, command) in Trainings) report.Paragraph($"### {name}").Measured(trained.Find(name), command);
    }

    /// <summary>Of every model and link: the smallest and the most accurate bottleneck against the rivals.</summary>
    private static List<Saving> Savings(List<LinkOutcome> outcomes, List<Size> sizes) =>
    [
        .. outcomes.GroupBy(outcome => (outcome.Case, outcome.BytesPerSecond)).SelectMany(group =>
        {
            LinkOutcome Of(string name) => group.Single(outcome => outcome.Way.Name == name);
            var best = sizes.Where(size => size.Model.Name == group.Key.Case.Model).MaxBy(size => size.Accuracy)!.Card.Name;
            var smallest = sizes.Where(size => size.Model.Name == group.Key.Case.Model).MinBy(size => size.Bytes)!.Card.Name;
            return new[] { smallest, best }.Distinct().Select(name => new Saving(group.Key.Case, group.Key.BytesPerSecond, name, Of($"bottleneck {name}"), Of("whole network on the device"), Of("input as raw"), Of("input as webp")));
        }),
    ];

    private static void Saved(Report report, List<Saving> savings)
    {
        report.Paragraph("## What it saves a device").Paragraph(
            $"A Raspberry Pi Zero 2 W and an edge server ({LinkStudy.Edge}) in virtual time, over links of several widths: mean latency, and the device's energy of computing and radio, of a bottleneck against the whole network on the device, against sending the input raw, and as WebP. Negative is saved. Boards and radios are their profiles' claims: the signs are to be believed, the digits not. A byte costs these radios the same whatever the link's rate, so that sending is cheap and the encoder dear; a radio that draws its power as long as it sends would turn the energy against sending raw on slow links.");
        report.Sheet("savings.csv", savings,
            Column<Saving>.Word("model", "model", row => row.Case.Model),
            Column<Saving>.Word("bottleneck", "bottleneck", row => row.Bottleneck),
            Column<Saving>.Number("link kB/s", "link_bytes_per_s", row => row.BytesPerSecond, "#,0.#", 1e-3),
            Column<Saving>.Number("latency ms", "latency_s", row => row.Own.Latency, "#,0.0", 1e3),
            Column<Saving>.Number("energy mJ", "energy_j", row => row.Own.Energy, "#,0.0", 1e3),
            Change("latency to local", "latency_to_local_ratio", row => Relative(row.Own.Latency, row.Local.Latency)), Change("energy to local", "energy_to_local_ratio", row => Relative(row.Own.Energy, row.Local.Energy)),
            Change("latency to raw", "latency_to_raw_ratio", row => Relative(row.Own.Latency, row.Raw.Latency)), Change("energy to raw", "energy_to_raw_ratio", row => Relative(row.Own.Energy, row.Raw.Energy)),
            Change("latency to WebP", "latency_to_webp_ratio", row => Relative(row.Own.Latency, row.Webp.Latency)), Change("energy to WebP", "energy_to_webp_ratio", row => Relative(row.Own.Energy, row.Webp.Energy)));
        foreach (var at in Cases)
        {
            var rows = savings.Where(row => row.Case == at).GroupBy(row => row.Bottleneck).Last().ToList();
            report.Plot($"savings-{at.Model}.svg", SvgPlot.Draw($"{at.Model}: a bottleneck against its rivals",
            [
                Panel("latency over that of the rival", row => (row.Own.Latency / row.Local.Latency, row.Own.Latency / row.Raw.Latency, row.Own.Latency / row.Webp.Latency)),
                Panel("device energy over that of the rival", row => (row.Own.Energy / row.Local.Energy, row.Own.Energy / row.Raw.Energy, row.Own.Energy / row.Webp.Energy)),
            ], width: 400, height: 300), $"{at.Model}: a bottleneck against its rivals");

            Panel Panel(string title, Func<Saving, (double? Local, double? Raw, double? Webp)> of)
            {
                Series[] series =
                [
                    new("whole network on the device", [.. rows.Select(row => new PlotPoint(row.BytesPerSecond / 1e3, of(row).Local ?? 1))]), new("input sent raw", [.. rows.Select(row => new PlotPoint(row.BytesPerSecond / 1e3, of(row).Raw ?? 1))]), new("input sent as WebP", [.. rows.Select(row => new PlotPoint(row.BytesPerSecond / 1e3, of(row).Webp ?? 1))]),
                ];
                return new Panel($"{at.Model}, {rows[0].Bottleneck}: {title}", LinkStudy.Axis, Scale.Logarithmic("below 1 the bottleneck wins", series.SelectMany(one => one.Points).Select(point => point.Y).Append(1), Scale.Number), series) { Levels = [new Level("equal", 1)] };
            }
        }
    }

    private static Column<Saving> Change(string title, string key, Func<Saving, double?> of) => Column<Saving>.Number(title, key, of, "+0 %;-0 %;0 %");

    private static double? Relative(double? own, double? rival) => own / rival - 1;

    private static IEnumerable<Finding> Findings(List<Size> sizes, Trained trained, List<Saving> savings)
    {
        const string Abstract = "Matsubara et al., WoWMoM 2022 (arXiv 2201.02693), abstract, read there; ResNet-152 on ImageNet, Jetson and Raspberry Pi, none of which can be had here";
        foreach (var model in Models)
        {
            var close = sizes.Where(size => size.Model.Name == model && size.Lost <= PublishedLoss).MinBy(size => size.Bytes);
            yield return new Finding(Standing.SameConstruction, $"bytes saved at a loss of at most 0.6 points ({model})", "77.1 % less", close is null ? "no shipped size loses so little" : $"{close.Saved.ToString("0.0 %", CultureInfo.InvariantCulture)} less than raw ({Number(close.Bytes)} of {Number(close.Raw)} bytes, {close.Card.Name}), {(100 * close.Lost).ToString("F2", CultureInfo.InvariantCulture)} points lost", Abstract);
        }
        foreach (var row in savings.Where(row => row.BytesPerSecond == 1e5).GroupBy(row => row.Case.Model).Select(group => group.Last()))
        {
            yield return new Finding(Standing.SameConstruction, $"against the device alone ({row.Case.Model}, 100 kB/s)", "power -49 %, latency -89 %", $"energy {Signed(Relative(row.Own.Energy, row.Local.Energy))}, latency {Signed(Relative(row.Own.Latency, row.Local.Latency))}", Abstract + "; our whole networks are a thousandth of ResNet-152, so that staying is cheap");
            yield return new Finding(Standing.SameConstruction, $"against sending the input ({row.Case.Model}, 100 kB/s)", "power -37 %, latency -55 %", $"energy {Signed(Relative(row.Own.Energy, row.Raw.Energy))}, latency {Signed(Relative(row.Own.Latency, row.Raw.Latency))} (raw); {Signed(Relative(row.Own.Latency, row.Webp.Latency))} latency to WebP", Abstract);
        }
        foreach (var model in Models)
            yield return new Finding(Standing.SameConstruction, $"head against the whole network ({model})", "83 times smaller", $"{sizes.Where(size => size.Model.Name == model).Max(size => size.Smaller).ToString("F1", CultureInfo.InvariantCulture)} times smaller files", Abstract);
        if (trained.Find(Trainings[0].Name) is { } fmnist)
            yield return new Finding(Standing.SameConstruction, "two stages against cross-entropy alone (fmnist, small)", "qualitative: better", $"{At(fmnist, "bottleneck, two stages")} against {At(fmnist, "bottleneck, cross-entropy")}; encoder frozen {At(fmnist, "bottleneck, two stages, encoder frozen")}", "stages, losses and the frozen variant as in the authors' code (commit 46512655, MIT), read there");

        static string At(Comparison comparison, string method) => comparison.Points.FirstOrDefault(point => point.Method == method && point.Variant == "small") is { } point ? $"{Percent(point.Accuracy)} at {Number(point.Wire?.Value)} bytes" : "not trained";

        static string Signed(double? ratio) => ratio?.ToString("+0 %;-0 %;0 %", CultureInfo.InvariantCulture) ?? "does not fit";
    }

    /// <summary>One bottleneck, as recorded and as computed here.</summary>
    private sealed record Size(ModelCard Model, BottleneckCard Card, double Bytes, double Accuracy, double Full, double CodedBytes, double CodedAccuracy, double RecordedAccuracy, int SameBytes)
    {
        public double Raw => Model.Cuts[0].Elements;

        public double Saved => 1 - Bytes / Raw;

        public double Lost => Full - Accuracy;

        public double Macs => Model.HeadWork(Card.Cut).Total.Value + Card.Encoder.Work.Total.Value;

        public double Smaller => (double)Model.Stages.Sum(stage => stage.FileBytes) / (Model.Stages.Take(Card.Cut).Sum(stage => stage.FileBytes) + Card.DeviceFiles.Sum(file => file.FileBytes));
    }

    private sealed record Saving(LinkCase Case, double BytesPerSecond, string Bottleneck, LinkOutcome Own, LinkOutcome Local, LinkOutcome Raw, LinkOutcome Webp);
}
