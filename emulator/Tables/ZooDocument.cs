using System.Globalization;
using System.Text;
using Fleet.Models.Calibrating;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Tables;

/// <summary>The comparison as Markdown, and every file it shows or links to.</summary>
public sealed class ZooDocument
{
    public const string Name = "README.md";

    /// <summary>Risks to ask for.</summary>
    private static readonly double[] Epsilons = [0.005, 0.01, 0.02];

    /// <summary>How often an upper bound may fail.</summary>
    private const double Delta = 0.1;

    private const string Head = """
        # The zoo, measured

        Every way of answering that the zoo offers, side by side, and what was measured on the way there. Made by `fleet models table` out of the cards and traces
        in [models/zoo](../../models/zoo/README.md) and of the measurements that training left beside them: do not edit.

        * Accuracies are of the whole test set, through the ONNX files. Thresholds, temperatures and maps were chosen on calibration images, which are others.
        * Bytes are the mean payload of an inference, without the frame's header; work is the device's, in multiply-accumulates, the heads of all exits passed included.
        * One training a network: differences below about 0.3 points are noise. What encoding an image as PNG, JPEG or WebP costs the device is not counted.
        """;

    private readonly StringBuilder text = new();
    private readonly Dictionary<string, string> files = new(StringComparer.Ordinal);

    private ZooDocument()
    {
    }

    /// <summary>Every file by its name, this document among them.</summary>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    public static IReadOnlyDictionary<string, string> Files(IReadOnlyList<ZooTask> tasks, Action<double> progress)
    {
        var document = new ZooDocument();
        document.Paragraph(Head);
        foreach (var (task, i) in tasks.Select((task, i) => (task, i)))
        {
            document.Add(task);
            progress((i + 1.0) / tasks.Count);
        }
        document.files.Add(Name, document.text.ToString());
        return document.files;
    }

    private void Add(ZooTask task)
    {
        Paragraph($"## {task.Name}");
        foreach (var model in task.Models) Introduce(model);
        Plot($"{task.Name}-bytes.svg", ZooPlots.Bytes(task), "accuracy against bytes on the wire");
        Winners(task);
        Plot($"{task.Name}-work.svg", ZooPlots.Work(task), "accuracy against work of the device");
        if (task.Ways.Count > 0) Ways(task);
        foreach (var model in task.Models) Confidence(model);
        foreach (var model in task.Models) Risk(model);
        foreach (var comparison in task.Comparisons) Compare(comparison);
    }

    private void Introduce(StudiedModel model)
    {
        var card = model.Card;
        var heads = string.Join(", ", Enumerable.Range(1, card.StageCount).Select(head => $"head {head} take {Number(card.Stages.Take(head).Sum(stage => (double)stage.FileBytes))}"));
        Paragraph($"**{card.Name}**: {card.Provenance.Data}; {card.StageCount} exits, {Number(card.Parameters)} parameters; its files for {heads} bytes; card `{model.Files.CardSha256[..16]}`, made by `{card.Provenance.Command}`.");
    }

    private void Winners(ZooTask task)
    {
        var (from, to) = ByteRange(task);
        if (from == 0 || !task.Ways.Any(way => way.Family is Family.Codec or Family.Bottleneck)) return;
        var stretches = ByteWinners.Over(task.Ways, from, to);
        var won = stretches.GroupBy(stretch => stretch.Winner).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => $"{group.Key} {Number(group.Sum(stretch => stretch.To - stretch.From + 1))}");
        var competing = ByteWinners.OffersBottlenecks(task.Ways) ? "Bottlenecks are those that the model ships, by the bytes they were coded in." : "No bottleneck is shipped: those measured by training compete.";
        Paragraph($"### Who wins at how many bytes ({task.Name})");
        Paragraph($"The most accurate bottleneck and the most accurate codec of the input that take at most so many bytes in the mean, for every whole number from {Number(from)} to {Number(to)}. {competing} Byte counts won: {string.Join(", ", won)}. ([CSV]({task.Name}-winners.csv))");
        text.Append(Markdown([">bytes", "best bottleneck", ">accuracy", "best codec", ">accuracy", "more accurate", ">by points"], stretches.Select(stretch => new[]
        {
            stretch.From == stretch.To ? Number(stretch.From) : $"{Number(stretch.From)} to {Number(stretch.To)}", Named(stretch.Bottleneck), Percent(stretch.Bottleneck), Named(stretch.Codec), Percent(stretch.Codec), stretch.Winner,
            stretch.Margin is { } margin ? Points(Math.Abs(margin))[1..] : Nothing,
        }))).Append('\n');
        files.Add($"{task.Name}-winners.csv", ZooFiles.Winners(stretches));
    }

    private void Ways(ZooTask task)
    {
        Paragraph($"### All ways ({task.Name})");
        Paragraph($"([CSV]({task.Name}-ways.csv))");
        text.Append(Markdown(["method", "variant", ">accuracy", ">wire bytes", ">device MACs", ">device file bytes", "note"], task.Ways.Select(way => new[]
        {
            way.Method, way.Variant, Percent(way.Accuracy), Number(way.Wire?.Value), Whole(way.Device?.Value), Whole(way.DeviceFile?.Value), way.Note,
        }))).Append('\n');
        files.Add($"{task.Name}-ways.csv", ZooFiles.Ways(task));
    }

    private void Confidence(StudiedModel model)
    {
        if (model.Front.Count > 0) files.Add($"{model.Card.Name}-cascade.csv", ZooFiles.Cascade(model));
        var thresholds = model.Chosen.Count > 0 ? model.Chosen[0] : null;
        var exits = ExitCalibration.Of(model, thresholds).ToList();
        Paragraph($"### How far confidence can be trusted ({model.Card.Name})");
        Plot($"{model.Card.Name}-reliability.svg", ZooPlots.Reliability(model.Card.Name, exits), "reliability of each exit before and after calibration");
        var reached = thresholds is null ? "" : $" Those that reach an exit do so by the thresholds {string.Join(", ", thresholds.Test.Thresholds.Select(threshold => threshold.ToString("F4", CultureInfo.InvariantCulture)))}.";
        var more = model.Front.Count > 0 ? $", all thresholds of the Pareto front [there]({model.Card.Name}-cascade.csv)" : "";
        Paragraph($"ECE over {ReliabilityDiagram.DefaultBins} bins of equal width. The map is what ten-fold cross-validation chose on calibration images by the Brier score; a perfectly calibrated exit stays below the last column's ECE " +
            $"in 95 of 100 test sets of this size.{reached} ([CSV]({model.Card.Name}-reliability.csv){more})");
        text.Append(Markdown(
            [">exit", "samples that", ">samples", ">accuracy", ">ECE as it is", ">by temperature", ">by map", "map", ">Brier", ">its calibration part", ">its refinement part", ">ECE by chance"],
            exits.Select(exit => new[]
            {
                Number(exit.Exit), exit.Population == ExitCalibration.All ? "are all" : exit.Population, Number(exit.Samples), Percent(exit.Accuracy), Percent(exit.Before.Ece), Percent(exit.Temperature.Ece), Percent(exit.Mapped.Ece), MapName(exit.Family),
                Fine(exit.Brier), Fine(exit.Mapped.Calibration), Fine(exit.Mapped.Refinement), Percent(exit.EceUpper),
            }))).Append('\n');
        files.Add($"{model.Card.Name}-reliability.csv", ZooFiles.Reliability(exits));
    }

    private void Risk(StudiedModel model)
    {
        var outcomes = Epsilons.SelectMany(epsilon => model.Controlled(epsilon, Delta)).ToList();
        if (outcomes.Count == 0) return;
        Paragraph($"### Thresholds by the risk that is asked for ({model.Card.Name})");
        Paragraph($"The risk: the share of inputs that an early exit answers wrongly and the last would have answered rightly. One level for all exits, chosen on {Number(model.Calibration.Samples)} calibration images: " +
            $"in the mean over such sets (conformal risk control), or in at least {Number((1 - Delta) * 100)} of 100 of them (upper bound), the risk of further images stays at what was asked.");
        text.Append(Markdown(["method", ">risk asked", ">level", ">risk on test images", ">accuracy", ">device MACs", ">of the full network's"], outcomes.Select(outcome => new[]
        {
            outcome.Method, Percent(outcome.Epsilon), outcome.Chosen.Thresholds[0] > 1 ? "never" : Number(outcome.Chosen.Thresholds[0] * 100) + " %", Percent(outcome.Risk), Percent(outcome.Test.Accuracy), Whole(outcome.Test.MeanMacs.Value),
            Percent(outcome.Test.MeanMacs.Value / model.Card.HeadWork(model.Card.StageCount).Total.Value),
        }))).Append('\n');
    }

    private void Compare(Models.Comparison comparison)
    {
        Paragraph($"### {comparison.Name}");
        Paragraph(comparison.Text);
        Paragraph($"Measured by `{comparison.Command}`. ([CSV]({comparison.Name}.csv))");
        files.Add($"{comparison.Name}.csv", ZooFiles.Points(comparison));
        var points = comparison.Points;
        if (points.All(point => Way.Of(comparison, point)?.Family is Family.Codec))
        {
            Paragraph($"Its {Number(points.Count)} lines stand among [all ways](#all-ways-{comparison.Task}).");
            return;
        }
        var (columns, rows) = ComparisonTable.Of(points);
        text.Append(Markdown(columns, rows)).Append('\n');
    }

    /// <summary>The byte counts that matter for a task; none where its input is unknown.</summary>
    private static (int From, int To) ByteRange(ZooTask task) => task.Name switch
    {
        "fmnist" => (30, 600),
        "scenes" => (150, 1500),
        _ => task.Models.Count == 0 ? (0, 0) : (Math.Max(1, task.Models[0].Card.Cuts[0].Elements / 30), Math.Max(1, task.Models[0].Card.Cuts[0].Elements / 4 * 3)),
    };

    private void Plot(string file, string? svg, string shows)
    {
        if (svg is null) return;
        files.Add(file, svg);
        Paragraph($"![{shows}]({file})");
    }

    private void Paragraph(string paragraph) => text.Append(paragraph).Append("\n\n");

    private static string Named(Way? way) => way?.Name ?? "none so small";

    private static string Percent(Way? way) => way is null ? Nothing : Text.Percent(way.Accuracy);

    private static string Percent(double ratio) => Text.Percent(ratio);

    private static string Fine(double value) => value.ToString("F4", CultureInfo.InvariantCulture);

    private static string MapName(MapFamily family) => family switch
    {
        MapFamily.Temperature => "temperature",
        MapFamily.Histogram => "histogram",
        MapFamily.Isotonic => "isotonic",
        _ => "temperature, then isotonic",
    };
}
