using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Plots;
using Fleet.Models;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Exits;

/// <summary>Early labelling (ReBEL): a bottleneck whose latents label images before they are sent; with and without the KL term that trains it for that.</summary>
public sealed class EarlyLabellingExperiment : IExperiment
{
    private const string TrainedName = "rebel";
    private const string TrainingCommand = "fleet-training train rebel --epochs 6 --limit 11000";
    private const string Model = "fmnist";
    private const string Bottleneck = "small";
    private static readonly string[] Labellers = ["linear", "Gaussians", "mixture"];
    private static readonly string[] Surest = ["surest 100 %", "surest 75 %", "surest 50 %", "surest 25 %"];

    public string Name => "early-labelling";

    public string Subject => "a bottleneck's latent as an early classifier: exit rate against accuracy, with and without the KL term, and on a shipped bottleneck";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var (stock, trained, report) = (new Stock(), Trained.Read(), new Report());
        report.Paragraph("# Early labelling: the latent answers before it is sent").Paragraph(
            "Made by `fleet experiment early-labelling`: do not edit. A device makes a bottleneck's latent; a small classifier on the latent answers when it is sure, and the latent is sent when it is not. In ReBEL a KL term draws the latents of a class towards a Gaussian of its own. Nothing is drawn at random here: the seed changes nothing.");
        var labels = new LatentLabels(stock, stock.Models[Model], Bottleneck);
        progress(0.9);
        Shipped(report, labels);
        var weights = Weights(trained);
        Regularised(report, trained, weights);
        report.Findings(Findings(labels, weights));
        progress(1);
        return report.Files();
    }

    private static void Shipped(Report report, LatentLabels labels)
    {
        report.Paragraph("## On a bottleneck that was not trained for it").Paragraph(
            $"Measured here: the shipped bottleneck `{Bottleneck}` of `{Model}` ({labels.Bottleneck.Latent.Elements} values). Its encoder runs on ONNX Runtime over all 10,000 test images, latents go through the range coder and back; a linear layer is fitted by gradient descent on those of the first 5,000 and judged on the other 5,000, beside the exit that the network has before the bottleneck. Thresholds stand at quantiles of the first half's confidences. "
            + $"What is not answered early crosses, as coded, and the tail answers: all sent, {Percent(labels.SentAccuracy)} at {Number(labels.SentBytes)} bytes.");
        report.Sheet("shipped.csv", labels.Answers,
            Column<EarlyAnswers>.Word("early classifier", "classifier", row => row.Classifier),
            Column<EarlyAnswers>.Number("threshold at quantile", "quantile", row => row.Quantile, "0.##"),
            Column<EarlyAnswers>.Ratio("answered early", "early_ratio", row => row.Early),
            Column<EarlyAnswers>.Ratio("of them right", "early_accuracy_ratio", row => row.EarlyAccuracy),
            Column<EarlyAnswers>.Ratio("accuracy of all", "accuracy_ratio", row => row.Accuracy),
            Column<EarlyAnswers>.Number("bytes an image", "wire_bytes", row => row.Bytes, "0.0"));
        var rate = new Scale("share answered early", 0, 1.02, IsLogarithmic: false, Scale.Percent);
        report.Plot("shipped.svg", SvgPlot.Draw("accuracy against the share answered early, shipped bottleneck",
        [
            new Panel("accuracy of all answers", rate, Scale.Linear("accuracy", labels.Answers.Select(row => row.Accuracy), Scale.Percent), [.. Lines(row => row.Accuracy)]) { Levels = [new Level("all sent", labels.SentAccuracy)] },
            new Panel("accuracy of the early answers", rate, Scale.Linear("accuracy", labels.Answers.Select(row => row.EarlyAccuracy).OfType<double>(), Scale.Percent), [.. Lines(row => row.EarlyAccuracy ?? 1)]),
        ], width: 380, height: 300), "accuracy against the share answered early");

        IEnumerable<Series> Lines(Func<EarlyAnswers, double> of) => labels.Answers.GroupBy(row => row.Classifier).Select(group => new Series(group.Key, [.. group.Select(row => new PlotPoint(row.Early, of(row)))]));
    }

    private static void Regularised(Report report, Trained trained, IReadOnlyList<KlWeight> weights)
    {
        report.Paragraph("## With and without the KL term");
        if (trained.Find(TrainedName) is not { } comparison)
        {
            report.Measured(null, TrainingCommand);
            return;
        }
        report.Paragraph($"{comparison.Text} Only training can measure this: written by `{comparison.Command}` (see [models/training](../../../models/training/README.md)), in few epochs on a fifth of the images: compare weights with each other, not with the shipped bottleneck above.");
        var rows = weights.SelectMany(weight => Labellers.Select(labeller => (Weight: weight, Labeller: labeller))).ToList();
        report.Sheet("kl.csv", rows,
            [Column<(KlWeight Weight, string Labeller)>.Word("weights", "weights", row => row.Weight.Name),
            Column<(KlWeight Weight, string Labeller)>.Word("early classifier", "classifier", row => row.Labeller),
            Column<(KlWeight Weight, string Labeller)>.Ratio("all sent", "sent_accuracy_ratio", row => row.Weight.Sent),
            .. Surest.Select(surest => Column<(KlWeight Weight, string Labeller)>.Ratio(surest, $"early_{surest.Split(' ')[1]}_percent_accuracy_ratio", row => row.Weight.Alone(row.Labeller).FirstOrDefault(point => point.Variant == surest)?.Accuracy))]);
        var rate = new Scale("share answered early", 0, 1.02, IsLogarithmic: false, Scale.Percent);
        string[] shown = ["linear", "mixture"];
        var lines = shown.SelectMany(labeller => weights.Select(weight => (Name: $"{weight.Name}, {labeller}", Joint: labeller == "linear" ? Joint.Dashed : Joint.Solid, Weight: weight, Labeller: labeller))).ToList();
        report.Plot("kl.svg", SvgPlot.Draw("accuracy against the share answered early, with and without the KL term",
        [
            Panel("accuracy of all answers", weight => weight.Together, point => 1 - (point.Wire?.Value ?? 0) / Full(weights)),
            Panel("accuracy of the early answers", weight => weight.Alone, point => double.Parse(point.Variant.Split(' ')[1], CultureInfo.InvariantCulture) / 100),
        ], width: 400, height: 320), "accuracy with and without the KL term");

        Panel Panel(string title, Func<KlWeight, Func<string, IReadOnlyList<ComparisonPoint>>> of, Func<ComparisonPoint, double> early)
        {
            Series[] series = [.. lines.Select(line => new Series(line.Name, [.. of(line.Weight)(line.Labeller).Select(point => new PlotPoint(early(point), point.Accuracy)).OrderBy(point => point.X)], line.Joint))];
            return new Panel(title, rate, Scale.Linear("accuracy", series.SelectMany(one => one.Points).Select(point => point.Y), Scale.Percent), series);
        }
    }

    private static double Full(IReadOnlyList<KlWeight> weights) => weights[0].Bytes;

    private static IReadOnlyList<KlWeight> Weights(Trained trained) => trained.Find(TrainedName) is not { } comparison ? [] :
        [.. comparison.Points.Where(point => point.Variant.StartsWith("all offloaded", StringComparison.Ordinal)).Select(point => new KlWeight(point.Method, point.Accuracy, point.Wire?.Value ?? 1, comparison))];

    private static IEnumerable<Finding> Findings(LatentLabels labels, IReadOnlyList<KlWeight> weights)
    {
        const string Source = "ReBEL (ITC 2022): its text could not be had; loss, mixture and thresholds as in the authors' code (gabrielecastellano/early-exit-distillation, 17f18728; pytorch-gaussian-mixture-layer), which holds no result tables";
        yield return new Finding(Standing.SameConstruction, "size of the latent against a raw picture", "867 B (int8) against 3,072 B: -71.8 %", weights.Count > 0 ? $"{Number(weights[0].Bytes)} B (int8) against 784 B: {Points(weights[0].Bytes / 784 - 1)} %" : "not trained yet", "counted from the layers in the authors' code; ours has a smaller network and smaller pictures");
        if (weights.Count > 1)
        {
            var (without, with) = (weights[0], weights.Skip(1).MinBy(weight => Cost(weights, weight))!);
            yield return new Finding(Standing.SameConstruction, "the KL term makes the latents label better (mixture, all images answered early)", "not known: no table", $"{At(without, "mixture")} without, {At(with, "mixture")} with {with.Name}", Source);
            yield return new Finding(Standing.SameConstruction, "the same for a linear layer", "not known: no table", $"{At(without, "linear")} without, {At(with, "linear")} with {with.Name}", Source);
            yield return new Finding(Standing.SameConstruction, "what the KL term costs when all is sent", "not known: no table", $"{Points(with.Sent - without.Sent)} points", Source);
        }
        var linear = labels.Answers.Where(row => row.Classifier == LatentLabels.Linear).ToList();
        var own = labels.Answers.Where(row => row.Classifier == LatentLabels.OwnExit).ToList();
        yield return new Finding(Standing.OurOwn, "a latent that was not trained to label, all images answered early", "", $"{Percent(linear[0].Accuracy)} by a linear layer, {Percent(own[0].Accuracy)} by the exit before it, {Percent(labels.SentAccuracy)} sent", "above");
        yield return new Finding(Standing.OurOwn, "share that can be answered early within half a point of sending all", "", $"{Percent(Most(linear, labels))} by a linear layer, {Percent(Most(own, labels))} by the exit before it", "above");

        static double Cost(IReadOnlyList<KlWeight> weights, KlWeight weight) => Math.Abs(weight.Sent - weights[0].Sent);

        static double Most(List<EarlyAnswers> answers, LatentLabels labels) => answers.Where(row => row.Accuracy >= labels.SentAccuracy - 0.005).Select(row => row.Early).DefaultIfEmpty().Max();

        static string At(KlWeight weight, string labeller) => weight.Alone(labeller) is { Count: > 0 } points ? Percent(points[0].Accuracy) : "not trained";
    }

    /// <summary>Networks trained with one weight of the KL term.</summary>
    /// <param name="Sent">Accuracy when every latent is sent, in <paramref name="Bytes"/>.</param>
    private sealed record KlWeight(string Name, double Sent, double Bytes, Comparison Comparison)
    {
        /// <summary>Of the early answers alone: "surest 75 %".</summary>
        public IReadOnlyList<ComparisonPoint> Alone(string labeller) => Of(labeller, "surest");

        /// <summary>Of all answers, early and sent: "threshold at quantile 0.5".</summary>
        public IReadOnlyList<ComparisonPoint> Together(string labeller) => Of(labeller, "threshold");

        private List<ComparisonPoint> Of(string labeller, string kind) => [.. Comparison.Points.Where(point => point.Method == $"{Name}, {labeller}" && point.Variant.StartsWith(kind, StringComparison.Ordinal))];
    }
}
