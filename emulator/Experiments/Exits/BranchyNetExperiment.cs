using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Plots;
using Fleet.Models;
using Fleet.Models.Deciding;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Exits;

/// <summary>BranchyNet: what an early exit saves, counted in work that includes the exit itself.</summary>
public sealed class BranchyNetExperiment : IExperiment
{
    private const string Model = "b-lenet";
    private const string TrainingCommand = "fleet-training train b-lenet";

    /// <summary>Share of MNIST's images that leave B-LeNet at its branch, table I of the paper.</summary>
    private const double PublishedShare = 0.943;

    private static readonly double[] Shares = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
    private static readonly double[] Losses = [0, 0.002, 0.005, 0.01, 0.02];
    private static readonly (string Model, string Published)[] Deeper = [("fmnist", "B-AlexNet on CIFAR-10"), ("scenes", "B-ResNet-110 on CIFAR-10")];

    public string Name => "branchynet";

    public string Subject => "what an early exit saves: B-LeNet's thresholds swept by the entropy rule, joint against separate training, two branches";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var (stock, trained, report) = (new Stock(), Trained.Read(), new Report());
        var study = new BranchStudy(stock.Models[Model]);
        progress(0.3);
        report.Paragraph("# BranchyNet: what an early exit saves").Paragraph(
            "Made by `fleet experiment branchynet`: do not edit. B-LeNet, the smallest network of the paper, on Fashion-MNIST (the paper's is MNIST): an image leaves at the branch when the entropy of its softmax is below T nats. "
            + "Every share and accuracy is counted on the recorded answers of the shipped ONNX files to all 10,000 test images; thresholds that are *chosen* are chosen on the 5,000 calibration images. Work is the card's, in multiply-accumulates, the branch included. Nothing is drawn at random: the seed changes nothing.");
        Work(report, study);
        Sweep(report, study, trained);
        Rules(report, study);
        Boards(report, study, stock);
        progress(0.5);
        var deeper = Deeper.Select((pair, i) =>
        {
            var branched = new BranchStudy(stock.Models[pair.Model]);
            progress(0.7 + 0.15 * i);
            return (pair.Published, Study: branched);
        }).ToList();
        Branches(report, deeper.ConvertAll(pair => pair.Study));
        report.Paragraph("## Joint against separate training").Measured(trained.Find(Model), TrainingCommand);
        report.Findings(Findings(study, trained, deeper));
        progress(1);
        return report.Files();
    }

    private static void Work(Report report, BranchStudy study)
    {
        var rows = new (string What, double Macs)[]
        {
            ("the trunk alone (LeNet)", study.Alone), ("its part up to the branch", study.Trunk), ("the branch", study.Branch), ("all that an image costs which leaves there", study.Early),
            ("all that an image costs which stays", study.Late), ("the mean at the published 94.3 % that leave", study.MeanAt(PublishedShare)), ("the same if the branch were free", study.MeanIfFreeAt(PublishedShare)),
        };
        report.Paragraph("## The work").Sheet("work.csv", rows,
            Column<(string What, double Macs)>.Word("what", "what", row => row.What),
            Column<(string What, double Macs)>.Number("MACs", "macs", row => row.Macs),
            Column<(string What, double Macs)>.Number("the trunk alone over it", "gain", row => study.Alone / row.Macs, "0.00"));
        report.Paragraph($"At the paper's own share of images the work is {Times(study.Alone / study.MeanAt(PublishedShare))} less. The published 5.4 (CPU) and 4.7 (GPU) are times, and the released code's timer leaves the branch's own layers, softmax and entropy out: were the branch free, the work would be {Times(study.Alone / study.MeanIfFreeAt(PublishedShare))} less.");
    }

    private static void Sweep(Report report, BranchStudy study, Trained trained)
    {
        var sweep = study.Sweep(Screening.LeNetEntropies);
        report.Paragraph("## Threshold against accuracy and work").Paragraph("The paper's grid of T. *Gain* is the work of the trunk alone over the mean work.").Sheet("sweep.csv", sweep,
            Column<SweptThreshold>.Number("T, nats", "entropy_below_nats", row => row.Threshold, "0.####"),
            Column<SweptThreshold>.Ratio("leave at the branch", "exit_1_ratio", row => row.Share),
            Column<SweptThreshold>.Ratio("accuracy", "accuracy_ratio", row => row.Accuracy),
            Column<SweptThreshold>.Ratio("of those that leave", "exit_1_accuracy_ratio", row => row.EarlyAccuracy),
            Column<SweptThreshold>.Number("mean MACs", "device_macs", row => row.Macs, "#,0"),
            Column<SweptThreshold>.Number("gain", "gain", row => study.Alone / row.Macs, "0.00"));
        report.Plot("sweep.svg", SvgPlot.Draw("accuracy of B-LeNet against work, and the gain against the share that leaves early", [AccuracyPanel(study, trained), GainPanel(study)], width: 430, height: 340), "accuracy against work, and gain against the share that leaves early");
        report.Paragraph("The right panel is arithmetic and holds for any images; what a network decides is which share may leave. "
            + string.Join(" ", Losses.Select(study.Choose).OfType<ChosenExit>().DistinctBy(chosen => chosen.Threshold).Select(chosen => $"For a loss of at most {Number(chosen.Loss * 100)} points (on calibration images) T = {Fine(chosen.Threshold)}: {Percent(chosen.Share)} leave, accuracy {Percent(chosen.Accuracy)}, gain {Times(study.Alone / chosen.Macs)}.")));
    }

    private static Panel AccuracyPanel(BranchStudy study, Trained trained)
    {
        var separate = trained.Points(Model, "separate, entropy exit").Where(point => point.Device is not null).OrderBy(point => point.Device!.Value.Value).ToList();
        var alone = trained.Points(Model, "trunk alone");
        List<Series> series =
        [
            new("entropy below T", [.. study.Curve(ExitScore.Entropy).Select(Point)], HasMarks: false),
            new("largest probability at least t", [.. study.Curve(ExitScore.Probability).Select(Point)], Joint.Dashed, HasMarks: false),
            new("whole network, branch passed by all", [new PlotPoint(study.Late / 1e6, study.FullAccuracy)], Joint.None),
        ];
        if (separate.Count > 0) series.Add(new Series("trained separately, entropy below T", [.. separate.Select(point => new PlotPoint(point.Device!.Value.Value / 1e6, point.Accuracy))]));
        if (alone.Count > 0) series.Add(new Series("trunk alone, trained without a branch", [.. alone.Select(point => new PlotPoint(study.Alone / 1e6, point.Accuracy))], Joint.None));
        var points = series.SelectMany(one => one.Points).ToList();
        return new Panel("accuracy against mean work", Scale.Linear("mean MACs an image, millions", points.Select(point => point.X).Append(0), Scale.Number), Scale.Linear("accuracy on the test set", points.Select(point => point.Y), Scale.Percent), series);

        static PlotPoint Point(SweptThreshold swept) => new(swept.Macs / 1e6, swept.Accuracy);
    }

    private static Panel GainPanel(BranchStudy study)
    {
        double[] shares = [.. Enumerable.Range(0, 51).Select(i => i / 50.0)];
        Series[] series =
        [
            new("work, the branch counted", [.. shares.Select(share => new PlotPoint(share, study.Alone / study.MeanAt(share)))], HasMarks: false),
            new("work, the branch as if free", [.. shares.Select(share => new PlotPoint(share, study.Alone / study.MeanIfFreeAt(share)))], Joint.Dashed, HasMarks: false),
            new("published times (MNIST)", [new PlotPoint(PublishedShare, 5.4, "CPU 5.4"), new PlotPoint(PublishedShare, 4.7, "GPU 4.7")], Joint.None),
            new("ours, chosen for a loss", [.. Losses.Select(study.Choose).OfType<ChosenExit>().DistinctBy(chosen => chosen.Threshold).Select(chosen => new PlotPoint(chosen.Share, study.Alone / chosen.Macs, $"{Number(chosen.Loss * 100)} points"))], Joint.None),
        ];
        return new Panel("gain against the share that leaves", new Scale("share of images that leave at the branch", 0, 1.16, IsLogarithmic: false, Scale.Percent) { At = [0, 0.2, 0.4, 0.6, 0.8, 1] }, new Scale("trunk alone over mean", 0, 11, IsLogarithmic: false, Scale.Number), series);
    }

    private static void Rules(Report report, BranchStudy study)
    {
        ExitScore[] scores = [ExitScore.Entropy, ExitScore.Probability, ExitScore.Margin];
        var rows = Shares.Select(share => (Share: share, Of: scores.Select(score => study.AtShare(score, share)).ToList())).ToList();
        report.Paragraph("## The entropy rule against others").Paragraph("Thresholds that let the same share of calibration images leave; accuracy of all answers to the test images. The rules rank nearly alike: the most that the entropy rule differs from the better of the others is " + Points(rows.Min(row => row.Of[0].Accuracy - Math.Max(row.Of[1].Accuracy, row.Of[2].Accuracy))) + " points, and it shows where nearly everybody leaves.").Sheet("rules.csv", rows,
            [Column<(double Share, List<SweptThreshold> Of)>.Ratio("asked to leave", "asked_ratio", row => row.Share),
            .. scores.SelectMany((score, i) => new[]
            {
                Column<(double Share, List<SweptThreshold> Of)>.Ratio($"{Word(score)}: leave", $"{Key(score)}_exit_1_ratio", row => row.Of[i].Share),
                Column<(double Share, List<SweptThreshold> Of)>.Ratio("accuracy", $"{Key(score)}_accuracy_ratio", row => row.Of[i].Accuracy),
            })]);
    }

    private static void Boards(Report report, BranchStudy study, Stock stock)
    {
        var card = study.Card;
        var rows = stock.Profiles.Values.Where(profile => profile.Role == "device").OrderBy(profile => profile.Id, StringComparer.Ordinal).Select(profile =>
        {
            var (alone, early, rest) = (profile.NominalTime(card.Tail(0)), profile.NominalTime(card.Stage(1)), profile.NominalTime(card.Stage(2)));
            return (profile.Id, Alone: alone.Value, Early: early.Value, Mean: early.Value + (1 - PublishedShare) * rest.Value);
        }).ToList();
        report.Paragraph("## The same in time, board by board").Paragraph("What the hardware profiles claim for B-LeNet's pieces (estimates: no board was measured running it), at the published share. A board's gain differs from that of the work, since convolutions over one channel and starting a layer cost more than their MACs say, and both are the branch's too.").Sheet("boards.csv", rows,
            Column<(string Id, double Alone, double Early, double Mean)>.Word("board", "board", row => row.Id),
            Column<(string Id, double Alone, double Early, double Mean)>.Number("trunk alone ms", "alone_s", row => row.Alone, "0.###", 1e3),
            Column<(string Id, double Alone, double Early, double Mean)>.Number("exit at the branch ms", "early_s", row => row.Early, "0.###", 1e3),
            Column<(string Id, double Alone, double Early, double Mean)>.Number("mean at 94.3 % ms", "mean_s", row => row.Mean, "0.###", 1e3),
            Column<(string Id, double Alone, double Early, double Mean)>.Number("gain", "gain", row => row.Alone / row.Mean, "0.00"));
    }

    private static void Branches(Report report, List<BranchStudy> studies)
    {
        var rows = studies.SelectMany(study => Losses.Select(study.Choose).OfType<ChosenExit>().DistinctBy(chosen => string.Join(' ', chosen.Thresholds)).Select(chosen => (Study: study, Chosen: chosen))).ToList();
        report.Paragraph("## Two branches").Paragraph("The zoo's larger networks have two branches, as the paper's B-AlexNet and B-ResNet do. All pairs of T of the paper's grid are screened on the calibration images; of those that lose at most so much there, the one with the least work stands here, as the test images find it. *Gain* is over the whole network without branches.").Sheet("branches.csv", rows,
            Column<(BranchStudy Study, ChosenExit Chosen)>.Word("network", "network", row => row.Study.Card.Name),
            Column<(BranchStudy Study, ChosenExit Chosen)>.Number("loss allowed, points", "loss_allowed_ratio", row => row.Chosen.Loss, "0.#", 100),
            Column<(BranchStudy Study, ChosenExit Chosen)>.Word("T, nats", "entropy_below_nats", row => string.Join(" / ", row.Chosen.Thresholds.Select(Fine))),
            Column<(BranchStudy Study, ChosenExit Chosen)>.Word("leave by exit 1 / 2 / 3", "exit_shares_percent", row => string.Join(" / ", row.Chosen.Shares.Select(share => (share * 100).ToString("F1", CultureInfo.InvariantCulture)))),
            Column<(BranchStudy Study, ChosenExit Chosen)>.Ratio("accuracy", "accuracy_ratio", row => row.Chosen.Accuracy),
            Column<(BranchStudy Study, ChosenExit Chosen)>.Number("to the whole network, points", "accuracy_difference_ratio", row => row.Chosen.Accuracy - row.Study.FullAccuracy, "+0.00;-0.00;0.00", 100),
            Column<(BranchStudy Study, ChosenExit Chosen)>.Number("mean MACs", "device_macs", row => row.Chosen.Macs, "#,0"),
            Column<(BranchStudy Study, ChosenExit Chosen)>.Number("gain", "gain", row => row.Study.Alone / row.Chosen.Macs, "0.00"));
    }

    private static IEnumerable<Finding> Findings(BranchStudy study, Trained trained, List<(string Published, BranchStudy Study)> deeper)
    {
        const string Table = "Teerapittayanon et al., ICPR 2016, table I, read in the paper; times, taken by a timer that leaves the branch out (released code)";
        const string Counted = "counted from the layers in networks/lenet_mnist.py of the released code; exact";
        yield return new Finding(Standing.Published, "LeNet, work", "1,140,070 MACs (from the released layers)", Number(study.Alone) + " MACs", Counted);
        yield return new Finding(Standing.Published, "B-LeNet, work of an image that leaves / that stays", "220,150 / 1,247,720 MACs (likewise)", $"{Number(study.Early)} / {Number(study.Late)} MACs", Counted);
        yield return new Finding(Standing.Published, "gain at 94.3 % that leave", "5.4 (CPU), 4.7 (GPU)", $"{Times(study.Alone / study.MeanAt(PublishedShare))} of the work, {Times(study.Alone / study.MeanIfFreeAt(PublishedShare))} with the branch uncounted", Table);
        yield return new Finding(Standing.Published, "accuracy, LeNet and B-LeNet", "99.20 % and 99.25 % (MNIST)", $"{Of(trained.Points(Model, "trunk alone"))} and {Percent(study.FullAccuracy)} (Fashion-MNIST)", "the same table; the authors publish nothing on Fashion-MNIST");
        if (study.Choose(0.002) is { } chosen)
            yield return new Finding(Standing.SameConstruction, "share that leaves at no visible loss, gain", "94.3 %, T = 0.025 (MNIST)", $"{Percent(chosen.Share)}, T = {Fine(chosen.Threshold)}, gain {Times(study.Alone / chosen.Macs)} (Fashion-MNIST, loss of at most 0.2 points on calibration images)", "harder images leave later: the published share is MNIST's, not the method's");
        foreach (var (published, branched) in deeper)
            if (branched.Choose(0.01) is { } pair)
                yield return new Finding(Standing.SameConstruction, $"two branches, at most a point lost: {published}, and our {branched.Card.Name}", published.StartsWith("B-Alex", StringComparison.Ordinal) ? "1.5 (CPU), 2.4 (GPU); exits 65.6 / 25.2 / 9.2 %" : "1.9 (CPU and GPU); exits 41.5 / 13.8 / 44.7 %",
                    $"{Times(branched.Alone / pair.Macs)} of the work; exits {string.Join(" / ", pair.Shares.Select(share => (share * 100).ToString("F1", CultureInfo.InvariantCulture)))} %", "the same table; CIFAR-10 cannot be had here, so other networks on other images: the numbers are not comparable, the procedure is");
        yield return new Finding(Standing.SameConstruction, "joint training against a branch on a frozen trunk, exit 1", "not published", trained.Points(Model, "joint").FirstOrDefault(point => point.Variant == "exit 1") is { } joint && trained.Points(Model, "separate").FirstOrDefault(point => point.Variant == "exit 1") is { } separate ? $"{Percent(joint.Accuracy)} against {Percent(separate.Accuracy)}" : "not trained yet",
            "weights 1 and 0.3 as in the paper; the released code ignores its weight argument and trains with equal ones");
        yield return new Finding(Standing.OurOwn, "entropy, largest probability and margin at equal shares", "", $"entropy at most {Points(Shares.Max(share => Math.Max(study.AtShare(ExitScore.Probability, share).Accuracy, study.AtShare(ExitScore.Margin, share).Accuracy) - study.AtShare(ExitScore.Entropy, share).Accuracy))[1..]} points behind the better of the others", "counted above");

        static string Of(IReadOnlyList<ComparisonPoint> points) => points.Count > 0 ? Percent(points[0].Accuracy) : "not trained yet";
    }

    private static string Word(ExitScore score) => score switch
    {
        ExitScore.Entropy => "entropy",
        ExitScore.Margin => "margin",
        _ => "largest probability",
    };

    private static string Key(ExitScore score) => score.ToString().ToLowerInvariant();

    private static string Fine(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private static string Times(double value) => value.ToString("0.00", CultureInfo.InvariantCulture) + " times";
}
