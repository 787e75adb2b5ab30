using Fleet.Contracts;
using Fleet.Controller.Quality;
using Fleet.Emulator.Plots;
using Fleet.Emulator.Scenarios;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Quality;

/// <summary>The quality watch under every drift there is a trace of: does it notice, does it know how good answers are, does it repair them?</summary>
public sealed class QualityExperiment : IExperiment
{
    private const string ScenarioName = "quality-watch";
    private const int Seeds = 5;

    /// <summary>Share of the loss that is to be won back.</summary>
    private const double Enough = 0.9;

    /// <summary>Less is no loss to be won back: a tenth of it is within the noise of 2,000 images.</summary>
    private const double LossMin = 0.01;

    /// <summary>What a drift without any is called: nothing happens, to count false alarms.</summary>
    private const string Never = "none";
    private static readonly string[] Kinds = [Never, .. Models.Drift.Levels.Select(drift => drift.ToString())];
    private readonly Report report = new();

    public string Name => "quality";

    public string Subject => "the quality watch: drift found by audits, accuracy and agreement estimated, thresholds learnt anew, under eight drifts";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var stock = new Stock();
        var scenario = ScenarioFile.Read(Path.Combine(ProjectFiles.Find("emulator/scenarios"), ScenarioName + ".json"), stock);
        var runs = new Dictionary<string, IReadOnlyList<QualityRun>>(StringComparer.Ordinal);
        foreach (var kind in Kinds)
        {
            var drifting = Under(scenario, kind);
            var of = new List<QualityRun>();
            for (var i = 0; i < Seeds; i++)
            {
                of.Add(QualityRun.Execute(drifting, seed + i, stock));
                progress((runs.Count * Seeds + i + 1.0) / (Kinds.Length * Seeds));
            }
            runs.Add(kind, of);
        }
        Head(scenario);
        Verdicts(runs);
        Follows(runs);
        Recovers(runs);
        Plot(runs["noise-2"][0]);
        Limits();
        return report.Files();
    }

    /// <summary>The scenario with another drift at half time. Without any, the images stay as they are.</summary>
    private static Scenario Under(Scenario scenario, string kind) => scenario with
    {
        Sites = [.. scenario.Sites.Select(site => site with { Devices = [.. site.Devices.Select(group => group with { Drift = [.. group.Drift.Select(drift => kind == Never ? drift with { For = new Seconds(1e-6) } : drift with { Kind = kind })] })] })],
    };

    private void Head(Scenario scenario)
    {
        var (control, site) = (scenario.Control, scenario.Sites[0]);
        report.Paragraph("# The quality watch").Paragraph(
            $"Made by `fleet experiment quality --out docs/quality`: do not edit. Scenario [`{ScenarioName}`](../../emulator/scenarios/{ScenarioName}.json): {site.Devices.Sum(group => group.Count)} cameras of two boards, {Number(scenario.Duration.Value)} s; at half time what they see changes, "
            + $"all at once, under each drift in turn, with {Seeds} seeds each. {Percent(control.AuditRatio)} of inputs are drawn before anybody has looked at them; of these, what an exit answers is sent to the tail all the same, and half is labelled. Thresholds are learnt so that at most {Percent(control.RiskMax)} of answers differ from the tail's.")
            .Paragraph("*True* values are no samples: they are means over all images that may come, under what each device runs at that moment, from the test traces that no controller sees. *Asked* counts inputs that the tail was asked about since the shift, audited or offloaded.")
            .Paragraph("## How it works").Paragraph(
            "1. **Audits.** An agent draws inputs with probability `audit_ratio` (in `desired`). The answer is given first; then the stages behind the exit run, too, the tail is asked, and what all exits held said goes to the controller with the tail's answer (topic `audit`, under the data root). A device that stays local asks `audit_to`.\n"
            + "2. **Estimates.** The controller keeps the last " + Number(QualityWatch.Memory) + " audits since the last change and judges each anew under what its device runs now: right after new thresholds are out, their quality is known. Shares come with Wilson's interval, weighed by one over the probability of being drawn; "
            + "accuracy is corrected by how sure all audited answers were, since only some have a label (regression estimator of two-phase sampling). They stand in `_summary`: `agreement_ratio`, `accuracy_audited_ratio`, `exit_1_agreement_ratio` and so on, each with `_low_ratio` and `_high_ratio` forms.\n"
            + $"3. **Alarm.** An e-detector compares how often an exit differs from the tail with how often it should at that confidence. There are at least {Number(new QualityOptions().AuditsToFalseAlarm)} audits between two false alarms in the mean, whatever the images are like.\n"
            + "4. **Learning.** When 1.5 / risk audits have come since the change, and at each doubling, temperatures are fitted on a quarter of them, to what is best known of their classes, and one least confidence is chosen on the others by conformal risk control; both go out by the usual rollout. `threshold_min` and `exit_1_temperature` in `_summary` say what is in force.");
    }

    private void Verdicts(Dictionary<string, IReadOnlyList<QualityRun>> runs)
    {
        var drifted = runs.Where(pair => pair.Key != Never).SelectMany(pair => pair.Value).ToList();
        var losing = drifted.Where(run => run.Stale.TailAccuracy - run.Stale.Accuracy >= LossMin).ToList();
        var all = runs.Values.SelectMany(of => of).ToList();
        int Within(Func<QualityRun, double?> error) => drifted.Count(run => error(run) <= QualityRun.Close);
        report.Paragraph("## What came out").Paragraph(
            $"* When {Number(QualityRun.Allowed)} inputs had been audited or offloaded after the shift, the published **agreement** was within {Points(QualityRun.Close).TrimStart('+')} points of the truth in **{Within(run => run.AgreementErrorAt(QualityRun.Allowed))} of {drifted.Count}** runs, and stayed so to the end in {Within(run => run.AgreementErrorAfter(QualityRun.Allowed))}; "
            + $"the published **accuracy** was in **{Within(run => run.AccuracyErrorAt(QualityRun.Allowed))}**, and stayed so in {Within(run => run.AccuracyErrorAfter(QualityRun.Allowed))}. Its 95 % interval held the truth in {Percent(Covered(drifted))} of all later summaries: where every second answer is wrong, some hundred labels cannot tell two points apart.\n"
            + $"* Learnt thresholds won back at least {Percent(Enough)} of what stale ones lost in accuracy against always asking the tail in **{losing.Count(run => run.RecoveredAccuracy >= Enough)} of {losing.Count}** runs (those in which they lost a point or more), and as much of the agreement in {losing.Count(run => run.RecoveredAgreement >= Enough)}.\n"
            + $"* Before the shift, and where nothing ever happened, there were {all.Sum(run => run.FalseAlarms) + runs[Never].Sum(run => (run.Looks[^1].Told.DriftTotal ?? 0) - run.FalseAlarms)} false alarms in {Number(all.Sum(run => run.Looks.Last(look => look.At < run.Shift).Told.WatchedTotal ?? 0) + runs[Never].Sum(run => run.Looks[^1].Told.WatchedTotal ?? 0))} audits.");
    }

    private static double Covered(IReadOnlyList<QualityRun> runs)
    {
        var looks = runs.SelectMany(run => run.Looks).Where(look => look.Asked >= QualityRun.Allowed).ToList();
        return (double)looks.Count(look => look.Told.AccuracyAuditedLow <= look.True.Accuracy && look.True.Accuracy <= look.Told.AccuracyAuditedHigh) / looks.Count;
    }

    private void Follows(Dictionary<string, IReadOnlyList<QualityRun>> runs)
    {
        static string Worst(IEnumerable<double?> errors) => errors.Max() is { } most ? Points(most).TrimStart('+') : "";
        static string Mean(IEnumerable<double?> errors) => errors.Average() is { } mean ? Points(mean).TrimStart('+') : "";
        var rows = runs.Select(pair => (IReadOnlyList<string>)
        [
            pair.Key, Number(pair.Value.Count(run => run.Alarm is not null)), Number(pair.Value.Select(run => (double?)run.Alarm?.Asked).Average()), Number(pair.Value.Select(run => (double?)run.Alarm?.Audited).Average()),
            Mean(pair.Value.Select(run => run.AgreementErrorAt(QualityRun.Allowed))), Mean(pair.Value.Select(run => run.AgreementErrorAfter(QualityRun.Allowed))), Worst(pair.Value.Select(run => run.AgreementErrorAfter(QualityRun.Allowed))),
            Mean(pair.Value.Select(run => run.AccuracyErrorAt(QualityRun.Allowed))), Mean(pair.Value.Select(run => run.AccuracyErrorAfter(QualityRun.Allowed))), Worst(pair.Value.Select(run => run.AccuracyErrorAfter(QualityRun.Allowed))),
        ]).ToList();
        string[] columns = ["drift", ">runs with an alarm", ">asked until it", ">audited", ">agreement off by", ">later", ">at worst", ">accuracy off by", ">accuracy later", ">accuracy at worst"];
        report.Paragraph("## Does it know how good answers are?").Paragraph($"Off by: difference between published and true, in points, at the first summary with {Number(QualityRun.Allowed)} asked inputs; *later*: the largest at any summary from then to the end. Means of {Seeds} seeds, and the worst of them.")
            .Table(columns, rows).Csv("estimates.csv", [.. columns.Select(column => column.TrimStart('>'))], rows);
    }

    private void Recovers(Dictionary<string, IReadOnlyList<QualityRun>> runs)
    {
        var rows = runs.Where(pair => pair.Key != Never).Select(pair => (IReadOnlyList<string>)
        [
            pair.Key, Percent(pair.Value.Average(run => run.Stale.TailAccuracy)), Percent(pair.Value.Average(run => run.Stale.Accuracy)), Percent(pair.Value.Average(run => run.Learnt.Accuracy)), Won(pair.Value, run => run.RecoveredAccuracy),
            Percent(pair.Value.Average(run => run.Stale.Agreement)), Percent(pair.Value.Average(run => run.Learnt.Agreement)), Won(pair.Value, run => run.RecoveredAgreement),
            Percent(pair.Value.Average(run => run.Stale.Offloaded)), Percent(pair.Value.Average(run => run.Learnt.Offloaded)), Plain(pair.Value.Average(run => run.Looks[^1].Told.ThresholdMin)),
        ]).ToList();
        string[] columns = ["drift", ">accuracy of the tail", ">stale", ">learnt", ">won back", ">agreement stale", ">learnt agreement", ">won back of it", ">sent stale", ">sent learnt", ">least confidence"];
        report.Paragraph("## Does it repair them?").Paragraph("After the shift: with the thresholds from before, and with those in force at the end. Means of seeds; *won back* is empty where the exits lose less than a point.")
            .Table(columns, rows).Csv("thresholds.csv", [.. columns.Select(column => column.TrimStart('>'))], rows);
    }

    private static string Won(IReadOnlyList<QualityRun> runs, Func<QualityRun, double?> recovered) =>
        runs.Average(run => run.Stale.TailAccuracy - run.Stale.Accuracy) < LossMin ? "" : Percent(runs.Average(recovered) ?? 0);

    private void Plot(QualityRun run)
    {
        var looks = run.Looks;
        IReadOnlyList<PlotPoint> Of(Func<QualityLook, double?> value) => [.. looks.Where(look => value(look) is not null).Select(look => new PlotPoint(look.At.Value, value(look)!.Value))];
        Panel Draw(string title, Func<QualityLook, double?> told, Func<QualityLook, double?> low, Func<QualityLook, double?> high, Func<QualityLook, double?> truth) => new(
            title, Scale.Linear("seconds", [0, looks[^1].At.Value], Scale.Number), Scale.Linear("share of answers", looks.SelectMany(look => new[] { low(look), high(look), truth(look) }).OfType<double>(), Scale.Percent),
            [new Series("true", Of(truth), HasMarks: false), new Series("published", Of(told), HasMarks: false), new Series("its 95 % interval", Of(low), Joint.Dashed, HasMarks: false), new Series("its 95 % interval", Of(high), Joint.Dashed, HasMarks: false)]);
        report.Plot("noise-2.svg", SvgPlot.Draw("published and true quality over time",
        [
            Draw("agreement with the tail", look => look.Told.Agreement, look => look.Told.AgreementLow, look => look.Told.AgreementHigh, look => look.True.Agreement),
            Draw("accuracy", look => look.Told.AccuracyAudited, look => look.Told.AccuracyAuditedLow, look => look.Told.AccuracyAuditedHigh, look => look.True.Accuracy),
        ], width: 420, height: 300), "published and true quality over time under noise-2");
    }

    private void Limits() => report.Paragraph("## Limits").Paragraph(
        "* Devices that decide for themselves (policies hierarchical, hi-lcb, h2t2) are audited, and left out of the estimates: what they would do with an input again nobody knows.\n"
        + "* One watch a site: where some cameras drift and others do not, thresholds are learnt for the mixture.\n"
        + "* Learning never changes a plan: planners still count the shares of the calibration trace. A device that a plan keeps local is audited and counted, but no threshold can make it ask the tail.\n"
        + "* The estimate right after learning uses the audits that thresholds were learnt from, and is a little too kind: by less than the risk asked for.\n"
        + "* Inputs that were answered locally because no edge server did in time are in no estimate, and a device whose offloads are lost is heard less often.\n"
        + "* A shift that changes how often the *tail* is right, and nothing else, raises no alarm; the accuracy estimate follows it as old audits leave.\n"
        + "* Sources: Shin, Ramdas, Rinaldo 2024 (e-detectors); Angelopoulos et al., ICLR 2024 (conformal risk control), as in Jazbec et al., NeurIPS 2024; Guo et al., ICML 2017 (temperatures); Wilson 1927; Cochran 1977. The combination is ours.");
}
