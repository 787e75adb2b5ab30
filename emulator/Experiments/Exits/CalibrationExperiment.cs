using System.Globalization;
using Fleet.Emulator.Plots;
using Fleet.Emulator.Tables;
using Fleet.Models.Calibrating;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Exits;

/// <summary>How far exits may be trusted: reliability before and after maps, under drift, and thresholds that keep a promised risk.</summary>
public sealed class CalibrationExperiment : IExperiment
{
    private static readonly string[] Models = ["fmnist", "scenes", "b-lenet"];

    public string Name => "calibration";

    public string Subject => "how far exits may be trusted: reliability before and after maps, on those that reach an exit, under drift; risk control over 200 random splits";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var (stock, report) = (new Stock(), new Report());
        report.Paragraph("# How far an exit may be trusted").Paragraph(
            $"Made by `fleet experiment calibration --seed {seed}`: do not edit. All on recorded logits of the shipped ONNX files. Maps are fitted on calibration images and judged on test images, which are others. No map changes an answer, so accuracy stays what it is to the last digit.");
        var (studied, exits, trust, risks) = (new List<StudiedModel>(), new List<(string Model, ExitCalibration Exit)>(), new List<DriftedTrust>(), new List<ControlledRisk>());
        foreach (var (name, i) in Models.Select((name, i) => (name, i)))
        {
            var model = new StudiedModel(stock.Models[name]);
            studied.Add(model);
            exits.AddRange(ExitCalibration.Of(model, model.Chosen.Count > 0 ? model.Chosen[0] : null).Select(exit => (name, exit)));
            progress((i + 0.3) / Models.Length);
            trust.AddRange(DriftedTrust.Of(model, seed));
            progress((i + 0.6) / Models.Length);
            risks.AddRange(RiskSplits.Of(model, seed));
            progress((i + 1.0) / Models.Length);
        }
        Reliability(report, exits);
        Drift(report, trust);
        Trusting(report, trust);
        Risk(report, risks);
        report.Findings(Findings(exits, trust, risks));
        return report.Files();
    }

    private static void Reliability(Report report, List<(string Model, ExitCalibration Exit)> exits)
    {
        report.Paragraph("## Reliability, exit by exit").Paragraph(
            "ECE over 15 bins of equal width: as the softmax says, by the card's temperature (one number, fitted on all calibration images), and by the map that ten-fold cross-validation chose by the Brier score, fitted on the calibration images of the same population. "
            + "*By chance*: a perfectly calibrated exit with as many samples stays below it in 95 of 100 test sets; where the map's ECE is below, nobody can tell the exit from a calibrated one. *Reach it*: only images that no earlier exit answers, by the thresholds that lose nothing on calibration images: the hard ones.");
        report.Sheet("reliability.csv", exits,
            Column<(string Model, ExitCalibration Exit)>.Word("model", "model", row => row.Model),
            Column<(string Model, ExitCalibration Exit)>.Number("exit", "exit", row => row.Exit.Exit),
            Column<(string Model, ExitCalibration Exit)>.Word("samples that", "population", row => row.Exit.Population is ExitCalibration.All ? "are all" : row.Exit.Population),
            Column<(string Model, ExitCalibration Exit)>.Number("samples", "samples", row => row.Exit.Samples),
            Column<(string Model, ExitCalibration Exit)>.Ratio("accuracy", "accuracy_ratio", row => row.Exit.Accuracy),
            Column<(string Model, ExitCalibration Exit)>.Ratio("ECE as it is", "ece_before_ratio", row => row.Exit.Before.Ece),
            Column<(string Model, ExitCalibration Exit)>.Ratio("by temperature", "ece_temperature_ratio", row => row.Exit.Temperature.Ece),
            Column<(string Model, ExitCalibration Exit)>.Ratio("by map", "ece_map_ratio", row => row.Exit.Mapped.Ece),
            Column<(string Model, ExitCalibration Exit)>.Word("map", "map", row => Word(row.Exit.Family)),
            Column<(string Model, ExitCalibration Exit)>.Ratio("by chance", "ece_chance_ratio", row => row.Exit.EceUpper),
            Column<(string Model, ExitCalibration Exit)>.Number("Brier", "brier", row => row.Exit.Brier, "0.0000"),
            Column<(string Model, ExitCalibration Exit)>.Number("calibration part", "brier_calibration", row => row.Exit.Mapped.Calibration, "0.0000"),
            Column<(string Model, ExitCalibration Exit)>.Number("refinement part", "brier_refinement", row => row.Exit.Mapped.Refinement, "0.0000"));
        var (all, reaching) = (exits.Where(row => row.Exit.Population == ExitCalibration.All).ToList(), exits.Where(row => row.Exit.Population == ExitCalibration.Reaching).ToList());
        report.Paragraph($"On all samples the temperature lowers the ECE of {all.Count(row => row.Exit.Temperature.Ece < row.Exit.Before.Ece)} of {all.Count} exits, in the mean from {Percent(all.Average(row => row.Exit.Before.Ece))} to {Percent(all.Average(row => row.Exit.Temperature.Ece))}; of those that it raises the softmax was near to calibrated as it was. "
            + $"On those that reach an exit the softmax as it is has {Percent(reaching.Average(row => row.Exit.Before.Ece))}, everybody's temperature {Percent(reaching.Average(row => row.Exit.Temperature.Ece))}, and a map of their own {Percent(reaching.Average(row => row.Exit.Mapped.Ece))}: {(reaching.Average(row => row.Exit.Mapped.Ece) < reaching.Average(row => row.Exit.Temperature.Ece) - 0.001 ? "a map of their own pays" : "on these models a map of their own gains nothing")}. By the map, {exits.Count(row => row.Exit.Mapped.Ece <= row.Exit.EceUpper)} of {exits.Count} rows cannot be told from calibrated ones.");
        foreach (var model in Models)
            report.Plot($"reliability-{model}.svg", ZooPlots.Reliability(model, [.. exits.Where(row => row.Model == model).Select(row => row.Exit)]), $"reliability of each exit of {model}");
    }

    private static void Drift(Report report, List<DriftedTrust> trust)
    {
        var hurt = trust.Where(row => row.Drift != "none").ToList();
        report.Paragraph("## Under drift").Paragraph($"ECE of the first exit on 2,000 drifted test images. The temperature fitted on good images goes wrong with them, in the worst case by {Percent(hurt.Max(row => row.Card.Ece))}; a map fitted on 1,000 calibration images that drifted alike brings it back to {Percent(hurt.Max(row => row.Fitted.Ece))} at most. Accuracy it cannot bring back.");
        report.Sheet("drift.csv", trust,
            Column<DriftedTrust>.Word("model", "model", row => row.Model),
            Column<DriftedTrust>.Word("drift", "drift", row => row.Drift),
            Column<DriftedTrust>.Ratio("accuracy", "accuracy_ratio", row => row.Accuracy),
            Column<DriftedTrust>.Ratio("ECE as it is", "ece_before_ratio", row => row.Raw.Ece),
            Column<DriftedTrust>.Ratio("card's temperature", "ece_temperature_ratio", row => row.Card.Ece),
            Column<DriftedTrust>.Ratio("fitted anew", "ece_fitted_ratio", row => row.Fitted.Ece),
            Column<DriftedTrust>.Word("map", "map", row => Word(row.Family)),
            Column<DriftedTrust>.Ratio("by chance", "ece_chance_ratio", row => row.Band));
        var order = trust.Select(row => row.Drift).Distinct().ToList();
        var axis = new Scale("drift", -0.5, order.Count - 0.5, IsLogarithmic: false, at => order[(int)Math.Round(at)].Replace("rotation", "turn", StringComparison.Ordinal)) { At = [.. Enumerable.Range(0, order.Count).Select(i => (double)i)] };
        report.Plot("drift.svg", SvgPlot.Draw("calibration error of the first exit under drift", [.. Models.Take(2).Select(model => Panel(model))], width: 620, height: 280), "calibration error under drift");

        Panel Panel(string model)
        {
            var rows = trust.Where(row => row.Model == model).ToList();
            return new Panel($"{model}: ECE of the first exit", axis, new Scale("ECE", 0, Math.Ceiling(10 * trust.Where(row => Models.Take(2).Contains(row.Model)).Max(row => Math.Max(row.Raw.Ece, row.Card.Ece)) + 0.2) / 10, IsLogarithmic: false, Scale.Percent),
            [
                Line("as the softmax says", row => row.Raw.Ece), Line("card's temperature", row => row.Card.Ece), Line("fitted anew on such images", row => row.Fitted.Ece),
            ]);

            Series Line(string name, Func<DriftedTrust, double> of) => new(name, [.. rows.Select(row => new PlotPoint(order.IndexOf(row.Drift), of(row)))], Joint.None);
        }
    }

    private static void Trusting(Report report, List<DriftedTrust> trust)
    {
        (string Name, Func<DriftedTrust, Reading> Of)[] ways = [("as it is", row => row.Raw), ("card's", row => row.Card), ("fitted", row => row.Fitted)];
        report.Paragraph("## What decisions lose by it").Paragraph(
            $"Whether to trust the first exit, when trusting a wrong answer costs {Plain(DriftedTrust.Costs.FalsePositive)} and not trusting a right one {Plain(DriftedTrust.Costs.FalseNegative)}: least if it is trusted from a probability of {Plain(DriftedTrust.Costs.Threshold)} on, and if that is a probability (Cohen and Goldszmidt). *Cost* is the mean. "
            + $"*Kept* are answers whose confidence is at least {Percent(DriftedTrust.Asked)}, so that {Percent(DriftedTrust.Asked)} of them should be right; *outage* is the share of 500 random groups of 100 images in which they are not (Pacheco et al. call that an inference outage). The three columns are the softmax as it is, the card's temperature, and the map fitted on such images.");
        var columns = new List<Column<DriftedTrust>> { Column<DriftedTrust>.Word("model", "model", row => row.Model), Column<DriftedTrust>.Word("drift", "drift", row => row.Drift) };
        foreach (var (name, of) in ways) columns.Add(Column<DriftedTrust>.Number($"cost, {name}", $"cost_{Key(name)}", row => of(row).Cost, "0.0000"));
        foreach (var (name, of) in ways) columns.Add(Column<DriftedTrust>.Ratio($"kept, {name}", $"kept_{Key(name)}_ratio", row => of(row).Kept));
        foreach (var (name, of) in ways) columns.Add(Column<DriftedTrust>.Ratio($"of them right, {name}", $"kept_{Key(name)}_accuracy_ratio", row => of(row).KeptAccuracy));
        foreach (var (name, of) in ways) columns.Add(Column<DriftedTrust>.Ratio($"outage, {name}", $"outage_{Key(name)}_ratio", row => of(row).Outage));
        report.Sheet("decisions.csv", trust, columns);
        var cheaper = trust.Count(row => row.Fitted.Cost <= row.Raw.Cost);
        report.Paragraph($"The map fitted on such images is no dearer than the softmax as it is in {cheaper} of {trust.Count} rows, in the mean {Plain(Math.Round(trust.Average(row => row.Fitted.Cost), 4))} against {Plain(Math.Round(trust.Average(row => row.Raw.Cost), 4))}; an outage happens in {Percent(trust.Average(row => row.Fitted.Outage))} of groups against {Percent(trust.Average(row => row.Raw.Outage))}. (An exit that is right exactly as often as asked is below it in half of the groups.)");

        static string Key(string name) => name switch
        {
            "as it is" => "before",
            "card's" => "temperature",
            _ => "fitted",
        };
    }

    private static void Risk(Report report, List<ControlledRisk> risks)
    {
        report.Paragraph("## Thresholds that keep a promise").Paragraph(
            $"Risk is the share of images that the exit taken gets wrong and the whole network right. Thresholds are chosen on {Number(RiskSplits.Choosing)} test images drawn at random and judged on the other 9,000, {RiskSplits.Splits} times. *Conformal* control promises that the risk is at most epsilon in the mean over such draws; the *upper bound* (Waudby-Smith and Ramdas) that it is above epsilon in at most {Percent(RiskSplits.Delta)} of them. "
            + $"*Gain* is the work of passing all exits over the mean work. {RiskSplits.Splits} splits are a sample: a true {Percent(RiskSplits.Delta)} shows as more than {Percent(RiskSplits.ViolatedByChance)} in one of twenty rows, and the mean risk has the standard error given.");
        report.Sheet("risk.csv", risks,
            Column<ControlledRisk>.Word("model", "model", row => row.Model),
            Column<ControlledRisk>.Word("control", "control", row => row.Way),
            Column<ControlledRisk>.Ratio("epsilon", "epsilon_ratio", row => row.Epsilon),
            Column<ControlledRisk>.Ratio("mean risk", "risk_ratio", row => row.Risk),
            Column<ControlledRisk>.Number("+- standard error, points", "risk_standard_error_ratio", row => row.Error, "0.000", 100),
            Column<ControlledRisk>.Ratio("10 % below", "risk_low_ratio", row => row.Low),
            Column<ControlledRisk>.Ratio("10 % above", "risk_high_ratio", row => row.High),
            Column<ControlledRisk>.Ratio("splits above epsilon", "violated_ratio", row => row.Violated),
            Column<ControlledRisk>.Number("gain", "gain", row => row.Gain, "0.00"));
        var epsilon = Scale.Logarithmic("epsilon", RiskSplits.Epsilons, Scale.Percent);
        report.Plot("risk.svg", SvgPlot.Draw("risk kept and broken, and what it saves, against epsilon",
        [
            new Panel("mean risk over epsilon", epsilon, new Scale("times epsilon", 0, 1.2, IsLogarithmic: false, Scale.Number), [.. Lines(row => row.Risk / row.Epsilon)]) { Levels = [new Level("promised", 1)] },
            new Panel("splits with a risk above epsilon", epsilon, new Scale("share of splits", 0, 0.6, IsLogarithmic: false, Scale.Percent), [.. Lines(row => row.Violated)]) { Levels = [new Level("delta", RiskSplits.Delta)] },
            new Panel("gain", epsilon, Scale.Linear("work of all exits over mean", risks.Select(row => row.Gain).Append(0), Scale.Number), [.. Lines(row => row.Gain)]),
        ], width: 270, height: 280), "risk kept and broken, and what it saves");

        IEnumerable<Series> Lines(Func<ControlledRisk, double> of) => risks.GroupBy(row => (row.Model, row.Way)).OrderBy(group => group.Key.Way, StringComparer.Ordinal)
            .Select(group => new Series($"{group.Key.Model}, {group.Key.Way}", [.. group.Select(row => new PlotPoint(row.Epsilon, of(row)))], group.Key.Way == RiskSplits.Conformal ? Joint.Solid : Joint.Dashed));
    }

    private static IEnumerable<Finding> Findings(List<(string Model, ExitCalibration Exit)> exits, List<DriftedTrust> trust, List<ControlledRisk> risks)
    {
        var (all, reaching) = (exits.Where(row => row.Exit.Population == ExitCalibration.All).ToList(), exits.Where(row => row.Exit.Population == ExitCalibration.Reaching).ToList());
        yield return new Finding(Standing.SameConstruction, "temperature scaling lowers ECE and changes no answer", "qualitative here: other networks, other images", $"{Percent(all.Average(row => row.Exit.Before.Ece))} before, {Percent(all.Average(row => row.Exit.Temperature.Ece))} after, mean of {all.Count} exits; accuracy identical", "Guo et al., ICML 2017; construction read in gpleiss/temperature_scaling, the paper's own figures are not quoted");
        yield return new Finding(Standing.OurOwn, "a map of its own for those that reach an exit", "", $"by everybody's temperature {Percent(reaching.Average(row => row.Exit.Temperature.Ece))}, by a map of their own {Percent(reaching.Average(row => row.Exit.Mapped.Ece))}, mean of {reaching.Count} exits", "first section");
        yield return new Finding(Standing.SameConstruction, "a calibrated classifier decides no worse", "theorem: calibrating never decreases accuracy", $"cost of trusting {Plain(Math.Round(trust.Average(row => row.Raw.Cost), 4))} before, {Plain(Math.Round(trust.Average(row => row.Fitted.Cost), 4))} after", "Cohen and Goldszmidt, HPL-2004-22R1, abstract; holds in expectation of the fitted population");
        yield return new Finding(Standing.SameConstruction, "over-confident exits break the accuracy that offloading relies on", "qualitative: calibration improves the probability of meeting it", $"outages in {Percent(trust.Average(row => row.Raw.Outage))} of groups before, {Percent(trust.Average(row => row.Fitted.Outage))} after", "Pacheco et al., JNCA 217 (2023) 103679, abstract; their figures are not quoted");
        yield return new Finding(Standing.SameConstruction, "conformal risk control: mean risk at most epsilon", "theorem 1", $"{Plain(Math.Round(risks.Where(row => row.Way == RiskSplits.Conformal).Average(row => row.Risk / row.Epsilon), 3))} of epsilon in the mean of rows, at most {Plain(Math.Round(risks.Where(row => row.Way == RiskSplits.Conformal).Max(row => row.Risk / row.Epsilon), 3))}; above epsilon by more than two standard errors in {risks.Count(row => row.Way == RiskSplits.Conformal && row.Risk > row.Epsilon + 2 * row.Error)} rows", "Angelopoulos et al., ICLR 2024; for early exits Jazbec et al., NeurIPS 2024 (arXiv 2405.20915)");
        yield return new Finding(Standing.SameConstruction, $"upper bound: at most {Percent(RiskSplits.Delta)} of splits above epsilon", "theorem", $"{Percent(risks.Where(row => row.Way == RiskSplits.UpperBound).Average(row => row.Violated))} in the mean of rows, at most {Percent(risks.Where(row => row.Way == RiskSplits.UpperBound).Max(row => row.Violated))}; more than chance gives in {risks.Count(row => row.Way == RiskSplits.UpperBound && row.Violated > RiskSplits.ViolatedByChance)} of {risks.Count / 2}", "Waudby-Smith and Ramdas, JRSS B 2024; Jazbec et al. (whose released code returns the first threshold that fails: ours the last that passes)");
        yield return new Finding(Standing.OurOwn, "recalibrated on images that drifted", "", $"ECE {Percent(trust.Where(row => row.Drift != "none").Average(row => row.Card.Ece))} by the card's temperature, {Percent(trust.Where(row => row.Drift != "none").Average(row => row.Fitted.Ece))} fitted anew", "above");
    }

    private static string Word(MapFamily family) => family switch
    {
        MapFamily.Temperature => "temperature",
        MapFamily.Histogram => "histogram",
        MapFamily.Isotonic => "isotonic",
        _ => "temperature, then isotonic",
    };
}
