using System.Globalization;
using Fleet.Emulator.Plots;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Deciding;

/// <summary>The report: every sentence about who wins is computed.</summary>
public sealed class HierarchicalReport(PhaseStudy phases, IReadOnlyList<RegretCurve> regrets, IReadOnlyList<ShiftOutcome> shifts, IReadOnlyList<AlarmOutcome> alarms, IReadOnlyList<TierOutcome> tiers, IReadOnlyList<AloneOutcome> alone)
{
    /// <summary>How close to the best threshold in hindsight of each phase the decider must come.</summary>
    private const double Close = 0.05;

    private readonly Report report = new();

    private static string Judged => PhaseStudy.Deciders[0];

    public IReadOnlyDictionary<string, string> Write()
    {
        report.Paragraph("# Where each input stops").Paragraph(
            "Made by `fleet experiment hierarchical`: do not edit. Devices, and servers between them and a cloud, decide after each exit and for each input whether the exit answers or the work goes on. "
            + "*Hierarchical* works out what both are worth from moving averages of link and queue; *HI-LCB*, *HI-LCB-lite* and *H2T2* learn it from the answers to what was sent, and from nothing else. "
            + "The emulated runs are of production agents, edge servers and controllers in virtual time.");
        Verdicts();
        Steps();
        Regrets();
        Shifts();
        Alarms();
        Tiers();
        Alone();
        Provenance();
        return report.Files();
    }

    private void Verdicts()
    {
        var all = Enumerable.Range(1, phases.Phases).ToList();
        var ratios = all.Select(phase => Ratio(phase, Judged)).ToList();
        var within = ratios.Count(ratio => ratio <= 1 + Close);
        var staying = phases.BestStatic;
        var losses = all.Select(phase => Ratio(phase, staying)).ToList();
        var learnt = regrets.Where(curve => curve.IsHiLcb).ToList();
        double R2(Func<double, double> law, bool isPublished, Func<IEnumerable<double>, double> of) => of(learnt.Where(curve => curve.Policy.EndsWith("published", StringComparison.Ordinal) == isPublished).Select(curve => curve.Fit(law)));
        var ours = regrets.Where(curve => curve.Policy == "hi-lcb").ToList();
        double InSum(int threshold) => ours.Sum(curve => curve.Fixed[threshold]);
        var stays = Enumerable.Range(0, RegretStudy.Thresholds.Count).MinBy(InSum);
        var published = regrets.Where(curve => curve.Policy == "hi-lcb as published").Sum(curve => curve.Regret[^1]);
        var survives = shifts.Where(one => one.Policy == ShiftStudy.Judged).Count(one => Statics(one).All(other => one.After < other.After));
        report.Paragraph("## What came out").Paragraph(
            $"* Under steps of link and load, hierarchical offloading costs at most 5 % more than the best threshold in hindsight of the phase in **{within} of {phases.Phases}** phases; at worst {Signed(ratios.Max() - 1)}, in the mean {Signed(ratios.Average() - 1)}. "
            + $"The best threshold that stays ({ThresholdOf(staying)}) costs up to {Signed(losses.Max() - 1)} more in a phase; over all phases hierarchical costs {Ms(phases.Whole(Judged))} ms an inference, that threshold {Ms(phases.Whole(staying))} ms.\n"
            + $"* Regret of HI-LCB and HI-LCB-lite against the best fixed threshold in hindsight follows a + b ln t with R² of {Fit(R2(Math.Log, false, Enumerable.Min))} or more as devices run them and {Fit(R2(Math.Log, true, Enumerable.Min))} or more as published, from {Number(RegretCurve.FitFrom)} to {Number(RegretStudy.Horizon)} inputs, {RegretStudy.Seeds} seeds "
            + $"(a + b √t: {Fit(R2(Math.Sqrt, false, Enumerable.Max))} and {Fit(R2(Math.Sqrt, true, Enumerable.Max))} at most; a + b t: {Fit(R2(t => t, false, Enumerable.Max))} and {Fit(R2(t => t, true, Enumerable.Max))}).\n"
            + $"* After {Number(RegretStudy.Horizon)} inputs HI-LCB has less regret than always sending in {Beats(ours, "always")}, than never sending in {Beats(ours, "never")} and than the threshold 0.8 in {Beats(ours, "static 0.8")} of {RegretStudy.Cases.Count} cases (where 0.8 happens to be the best threshold there is nothing to win). Over the {RegretStudy.Cases.Count} cases its regret is **{Number(ours.Sum(curve => curve.Regret[^1]))}** (as published {Number(published)}), that of the best single threshold for all of them ({Plain(RegretStudy.Thresholds[stays])}) **{Number(InSum(stays))}**.\n"
            + $"* After a shift of the images HI-LCB as devices run it, auditing {Percent(ShiftStudy.Audits)}, loses less than both static thresholds in **{survives} of {RegretStudy.Cases.Count * ShiftStudy.Drifts.Count}** cases, audits paid.\n"
            + $"* With three tiers that each decide, an inference costs {Ms(tiers[0].Cost.Cost)} ms, with the edge server alone behind the devices {Ms(tiers[1].Cost.Cost)} ms, with the cloud alone {Ms(tiers[2].Cost.Cost)} ms.\n"
            + $"* Devices whose controller has died and whose images then change are right {Points(alone[1].Cost.Accuracy - alone[0].Cost.Accuracy)} points more often when they may decide alone than by the thresholds they were left with.");
    }

    private int Beats(IEnumerable<RegretCurve> ours, string rival) => ours.Count(curve => curve.Regret[^1] < regrets.Single(other => other.Case == curve.Case && other.Policy == rival).Regret[^1]);

    private static string Fit(double squared) => squared.ToString("F3", CultureInfo.InvariantCulture);

    private IEnumerable<ShiftOutcome> Statics(ShiftOutcome one) => shifts.Where(other => (other.Case, other.Drift) == (one.Case, one.Drift) && other.Policy is (ShiftStudy.Calibrated or ShiftStudy.Hindsight));

    private double Ratio(int phase, string policy) => phases.At(phase, policy).Cost / phases.BestIn(phase).Cost;

    private static string ThresholdOf(string policy) => policy.Split('=')[^1];

    private void Steps()
    {
        var stays = phases.BestStatic;
        report.Paragraph("## Steps of link and load").Paragraph(
            $"`emulator/scenarios/{HierarchicalExperiment.PhaseScenario}.json`: {phases.Scenario.Description}. Cost of an inference in ms: latency + {Plain(phases.Scenario.Control.JouleWeight)} s a joule of computing and radio + {Plain(phases.Scenario.Control.ErrorWeight)} s a wrong answer, as `fleet compare` counts it; {PhaseStudy.Seeds} seeds, the same inputs for all. "
            + $"The best threshold in hindsight is the best of {PhaseStudy.Thresholds.Count} for that phase alone; what a decider takes to notice a step counts against it. ([every policy](phases.csv))");
        report.Table([">phase", "what changes", ">best threshold", ">its cost", ">hierarchical", ">to the best", ">hi-lcb", ">hi-lcb-lite", $">{ThresholdOf(stays)} always", ">sent by hierarchical", ">by the best"], Enumerable.Range(1, phases.Phases).Select(phase =>
        {
            var best = phases.BestIn(phase);
            return (IReadOnlyList<string>)[Number(phase), Change(phase), ThresholdOf(best.Policy), Ms(best.Cost), Ms(phases.At(phase, Judged).Cost), Signed(Ratio(phase, Judged) - 1), Ms(phases.At(phase, PhaseStudy.Deciders[1]).Cost), Ms(phases.At(phase, PhaseStudy.Deciders[2]).Cost), Ms(phases.At(phase, stays).Cost), Percent(phases.At(phase, Judged).Offloaded), Percent(best.Offloaded)];
        }));
        report.Csv("phases.csv", ["phase", "policy", "cost_ms", "latency_ms", "accuracy_ratio", "energy_mj", "offload_ratio", "answered"], phases.Costs.Select(cost => (IReadOnlyList<string>)
            [Plain(cost.Phase), cost.Policy, Plain(cost.Cost * 1e3), Plain(cost.Latency * 1e3), Plain(cost.Accuracy), Plain(cost.Energy * 1e3), Plain(cost.Offloaded), Plain(cost.Answered)]));
        var panels = Enumerable.Range(1, phases.Phases).Select(PhasePanel).ToList();
        report.Plot("phases.svg", SvgPlot.Draw("cost against the threshold in each phase", [.. panels.Take(3)], width: 280, height: 260), "cost of each threshold in the first three phases, and of hierarchical");
        report.Plot("phases-2.svg", SvgPlot.Draw("cost against the threshold in each phase", [.. panels.Skip(3)], width: 280, height: 260), "cost of each threshold in the other phases, and of hierarchical");
    }

    /// <summary>Thresholds above 1 never let an exit answer: they stand at 1.</summary>
    private Panel PhasePanel(int phase)
    {
        var points = PhaseStudy.Thresholds.Select(threshold => new PlotPoint(Math.Min(1, threshold), phases.At(phase, PhaseStudy.Static(threshold)).Cost * 1e3)).ToList();
        var own = phases.At(phase, Judged).Cost * 1e3;
        return new Panel($"phase {phase}: {Change(phase)}", Scale.Linear("threshold that stays", [0, 1], Scale.Number), Scale.Linear("ms an inference", points.Select(point => point.Y).Append(own), Scale.Number), [new Series("thresholds", points)]) { Levels = [new Level("hier.", own)] };
    }

    private string Change(int phase)
    {
        var stage = phase == 1 ? null : phases.Scenario.Stages.OrderBy(one => one.At.Value).ElementAt(phase - 2);
        if (stage is null) return "full link";
        var link = stage.Link is { } at ? at.Rate >= 1 ? "full link" : $"link at {Plain(at.Rate * 100)} %" : "";
        return stage.Rate is { } rate ? $"{link}, {Plain(rate.Value)} a second" : link;
    }

    private void Regrets()
    {
        report.Paragraph("## Regret on recorded confidences").Paragraph(
            $"Inputs are drawn from the test traces of the zoo; the answer of the network behind cut 1 (int8 features) stands for the truth, as in the papers. A kept answer that differs costs 1, going on costs the price. Regret is counted on a ledger against the best of {RegretStudy.Thresholds.Count} fixed thresholds in hindsight, "
            + $"at the edges of the learners' bins; mean of {RegretStudy.Seeds} seeds. R² is of least squares from {Number(RegretCurve.FitFrom)} inputs on. H2T2's promise is t^(2/3), HI-LCB's is ln t. *As published* is the bound of the paper's form; what devices run has Bernoulli's own (`models/Offloading/HiLcb.cs`). ([all points](regret.csv))");
        report.Table(["case", "policy", ">regret at 1,000", ">at 10,000", ">at 100,000", ">loss an input", ">R² of ln t", ">of √t", ">of t^(2/3)", ">of t"], regrets.Select(curve =>
        {
            string R(Func<double, double> law) => Fit(curve.Fit(law));
            return (IReadOnlyList<string>)[CaseName(curve.Case), curve.Policy, At(curve, 1_000), At(curve, 10_000), At(curve, 100_000), curve.LossAnInput.ToString("F4", CultureInfo.InvariantCulture), R(Math.Log), R(Math.Sqrt), R(t => Math.Pow(t, 2.0 / 3)), R(t => t)];
        }));
        report.Csv("regret.csv", ["model", "price_errors", "policy", "inputs", "regret_errors"], regrets.SelectMany(curve => curve.Inputs.Zip(curve.Regret).Select(point => (IReadOnlyList<string>)[curve.Case.Model, Plain(curve.Case.Price), curve.Policy, Plain(point.First), Plain(point.Second)])));
        report.Plot("regret.svg", SvgPlot.Draw("regret against inputs", [.. RegretStudy.Cases.Take(2).Select(RegretPanel)], width: 400, height: 320), "regret against inputs, fmnist");
        report.Plot("regret-2.svg", SvgPlot.Draw("regret against inputs", [.. RegretStudy.Cases.Skip(2).Select(RegretPanel)], width: 400, height: 320), "regret against inputs, scenes");
    }

    private static string At(RegretCurve curve, int inputs) => Number(curve.Regret[curve.Inputs.ToList().IndexOf(inputs)]);

    private static string CaseName(RegretCase one) => $"{one.Model}, price {Plain(one.Price)}";

    private Panel RegretPanel(RegretCase one)
    {
        var curves = regrets.Where(curve => curve.Case == one && curve.Learns).ToList();
        return new Panel(CaseName(one), Scale.Logarithmic("inputs", curves[0].Inputs.Select(t => (double)t), Scale.Number), Scale.Linear("regret in wrong answers", curves.SelectMany(curve => curve.Regret).Append(0), Scale.Number),
            [.. curves.Select(curve => new Series(curve.Policy, [.. curve.Inputs.Zip(curve.Regret).Select(point => new PlotPoint(point.First, point.Second))]))]);
    }

    private void Shifts()
    {
        report.Paragraph("## A shift of the images").Paragraph(
            $"{Number(ShiftStudy.Half)} inputs as the network was trained for, then as many with noise or rotation of level 2; loss an input, a price for each audit ({Percent(ShiftStudy.Audits)} of the kept ones) included; mean of {ShiftStudy.Seeds} seeds. *Late* is the last quarter. "
            + "HI-LCB as published neither audits nor forgets: where it keeps inputs it does not hear that they have become wrong. What devices run does both (`models/Offloading/ChangeWatch.cs`). ([CSV](shift.csv))");
        report.Table(["case", "drift", "policy", ">before", ">after", ">late", ">sent after"], shifts.Select(one => (IReadOnlyList<string>)
            [CaseName(one.Case), one.Drift, one.Policy, one.Policy == ShiftStudy.Best ? "" : Loss(one.Before), Loss(one.After), one.Policy == ShiftStudy.Best ? "" : Loss(one.Late), one.Policy == ShiftStudy.Best ? "" : Percent(one.WentOnAfter)]));
        report.Csv("shift.csv", ["model", "price_errors", "drift", "policy", "before", "after", "late", "sent_after_ratio"], shifts.Select(one => (IReadOnlyList<string>)[one.Case.Model, Plain(one.Case.Price), one.Drift, one.Policy, Plain(one.Before), Plain(one.After), Plain(one.Late), Plain(one.WentOnAfter)]));
    }

    private static string Loss(double loss) => loss.ToString("F4", CultureInfo.InvariantCulture);

    private void Alarms()
    {
        report.Paragraph("## Two thresholds for unequal errors").Paragraph(
            $"Is it a shirt? A missed one costs {Plain(AlarmStudy.Costs.Missed)} errors, a needless alarm {Plain(AlarmStudy.Costs.False)}, going on {Plain(AlarmStudy.Price)}. H2T2 learns a pair on the probability that the exit gives the class, over {Number(AlarmStudy.Horizon)} inputs of {AlarmStudy.Seeds} seeds; its rivals know all inputs beforehand.");
        report.Table(["policy", ">loss an input", ">sent"], alarms.Select(one => (IReadOnlyList<string>)[one.Policy, Loss(one.Loss), Percent(one.WentOn)]));
    }

    private void Tiers()
    {
        report.Paragraph("## Three tiers").Paragraph($"`emulator/scenarios/{HierarchicalExperiment.TierScenario}.json`: the edge server runs the second stage, and where its exit is not worth stopping at finishes by itself or passes on the features of cut 2, whichever costs less now. Traced inference takes its exit to say what it says of features that lost nothing on the way.");
        report.Table(["who decides", ">ms an inference", ">latency ms", ">accuracy", ">answered by devices", ">by the edge server", ">by the cloud"], tiers.Select(one => (IReadOnlyList<string>)
            [one.Way, Ms(one.Cost.Cost), Ms(one.Cost.Latency), Percent(one.Cost.Accuracy), Percent(one.Device), Percent(one.Edge), Percent(one.Cloud)]));
    }

    private void Alone()
    {
        report.Paragraph("## Devices alone").Paragraph($"`emulator/scenarios/{HierarchicalExperiment.AloneScenario}.json`: {alone.Count} ways through the same minutes; figures are of the time from the drift to the controller's return.");
        report.Table(["way", ">accuracy", ">sent", ">ms an inference"], alone.Select(one => (IReadOnlyList<string>)[one.Way, Percent(one.Cost.Accuracy), Percent(one.Cost.Offloaded), Ms(one.Cost.Cost)]));
        var time = Enumerable.Range(0, alone[0].Accuracy.Count).Select(i => i * 10.0).ToList();
        report.Plot("alone.svg", SvgPlot.Draw("accuracy over time", [new Panel("accuracy", Scale.Linear("seconds", time, Scale.Number), Scale.Linear("share answered rightly", alone.SelectMany(one => one.Accuracy), Scale.Percent), [.. alone.Select(one => new Series(one.Way, [.. time.Zip(one.Accuracy, (x, y) => new PlotPoint(x, y))], HasMarks: false))])], width: 640, height: 300), "accuracy over time with and without learning alone");
    }

    private void Provenance() => report.Paragraph("## Published, same construction, our own").Paragraph(
        "* **Published**: HI-LCB and HI-LCB-lite with regret of order log T (Chattopadhyay, Sutar, Champati, Moharir, arXiv 2508.08985); H2T2 with sublinear regret (Moothedath, Agarwal, Umeshraja, Gross, Champati, Moharir, arXiv 2509.15674). Of both the abstracts were read; none of their figures is quoted.\n"
        + "* **Same construction**: bins of confidence, lower confidence bounds on agreement with whoever is behind, feedback from what was sent alone; exponential weights over pairs of thresholds.\n"
        + "* **Our own**: hierarchical offloading. Seifeddine, Adjih and Achir (PEMWN 2021) gave the subject its name; their text was not to be had, and no formula or figure here is theirs. Bernoulli's bound in HI-LCB, forgetting and audits, alarms among many classes, what one frame makes others wait, the scenarios, all figures on this page.");

    private static string Ms(double seconds) => (seconds * 1e3).ToString("F2", CultureInfo.InvariantCulture);

    private static string Signed(double ratio) => (ratio * 100).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture) + " %";
}
