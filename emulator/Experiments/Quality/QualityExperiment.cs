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

    /// <summary>Other shares of audits that are labelled than the scenario's.</summary>
    private static readonly double[] OtherShares = [0.1, 1];
    private readonly Report report = new();

    public string Name => "quality";

    public string Subject => "the quality watch: drift found by audits, accuracy and agreement estimated, thresholds learnt anew, under eight drifts";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var stock = new Stock();
        var scenario = ScenarioFile.Read(Path.Combine(ProjectFiles.Find("emulator/scenarios"), ScenarioName + ".json"), stock);
        var done = 0;
        IReadOnlyList<QualityRun> Under(string kind, double? labelled) => [.. Enumerable.Range(0, Seeds).Select(i =>
        {
            var run = QualityRun.Execute(Drifting(scenario, kind, labelled), seed + i, stock);
            progress(++done / (double)(Seeds * (Kinds.Length + OtherShares.Length * Models.Drift.Levels.Count)));
            return run;
        })];
        var runs = Kinds.ToDictionary(kind => kind, kind => Under(kind, labelled: null), StringComparer.Ordinal);
        var drifted = runs.Where(pair => pair.Key != Never).SelectMany(pair => pair.Value).ToList();
        var byShare = OtherShares.Select(share => (Share: share, Runs: (IReadOnlyList<QualityRun>)[.. Kinds.Where(kind => kind != Never).SelectMany(kind => Under(kind, share))]))
            .Append((Share: scenario.Sites[0].Devices[0].Labelled, Runs: drifted)).OrderBy(of => of.Share).ToList();
        Head(scenario);
        Verdicts(scenario, runs, drifted, byShare);
        Follows(runs);
        Labels(byShare);
        Recovers(runs);
        Plot(runs["noise-2"][0]);
        Limits();
        report.Findings(Findings(scenario, runs, drifted));
        return report.Files();
    }

    /// <summary>The scenario with another drift at half time, and perhaps with another share of labels. Without any drift, the images stay as they are.</summary>
    private static Scenario Drifting(Scenario scenario, string kind, double? labelled) => scenario with
    {
        Sites = [.. scenario.Sites.Select(site => site with
        {
            Devices = [.. site.Devices.Select(group => group with
            {
                Labelled = labelled ?? group.Labelled,
                Drift = [.. group.Drift.Select(drift => kind == Never ? drift with { For = new Seconds(1e-6) } : drift with { Kind = kind })],
            })],
        })],
    };

    private void Head(Scenario scenario)
    {
        var (control, site) = (scenario.Control, scenario.Sites[0]);
        var quality = control.Quality!;
        report.Paragraph("# The quality watch").Paragraph(
            $"Made by `fleet experiment {Name}`: do not edit. Scenario [`{ScenarioName}`](../../../emulator/scenarios/{ScenarioName}.json): {site.Devices.Sum(group => group.Count)} cameras of two boards, {Number(scenario.Duration.Value)} s; at half time what they see changes, "
            + $"all at once, under each drift in turn, with {Seeds} seeds each. {Percent(quality.AuditRatio)} of inputs are drawn before anybody has looked at them ({Percent(quality.AlarmedRatio)} for {Number(QualityOptions.AlarmedAudits)} audits after an alarm); of these, what an exit answers is sent to the tail all the same, and {Percent(site.Devices[0].Labelled)} are labelled. "
            + $"Thresholds are learnt so that at most {Percent(control.RiskMax)} of answers differ from the tail's.")
            .Paragraph("*True* values are no samples: they are means over all images that may come, under what each device runs at that moment, from the test traces that no controller sees. *Asked* counts inputs that the tail was asked about since the shift, audited or offloaded.")
            .Paragraph("## How it works").Paragraph(
            "1. **Audits.** An agent draws inputs with probability `audit_ratio` (in `desired`). The answer is given first; then the stages behind the exit run, too, the tail is asked, and what all exits held said goes to the controller with the tail's answer (topic `audit`, under the data root). A device that stays local asks `audit_to`.\n"
            + $"2. **Estimates.** The controller keeps the last {Number(QualityWatch.Memory)} audits since the last change and judges each anew under what its device runs now: right after new thresholds are out, their quality is known. Shares come with Wilson's interval, weighed by one over the probability of being drawn; "
            + "accuracy is corrected by how sure all audited answers were, since only some have a label (regression estimator of two-phase sampling). They stand in `_summary`: `agreement_ratio`, `accuracy_audited_ratio`, `exit_1_agreement_ratio` and so on, each with `_low_ratio` and `_high_ratio` forms.\n"
            + $"3. **Alarm.** Two e-detectors look at each audit. One compares how often an exit differs from the tail with how often it should at that confidence; the other, how sure exit 1 is with how sure it was: easier or harder inputs move agreement and accuracy, too, although each answer deserves the trust that it gets. For each there are at least {Number(quality.AuditsToFalseAlarm)} audits between two false alarms in the mean as long as what it holds for normal is. "
            + $"An alarm forgets the audits from before the change, and those that raised it (they are known because they were unlike others, which is a bias) as soon as as many others have come; it draws {Plain(1 / QualityOptions.AuditRatioMax)} times as many inputs for {Number(QualityOptions.AlarmedAudits)} audits.\n"
            + "4. **Learning.** When 1.5 / risk audits have come since the change, and at each doubling, temperatures are fitted on a quarter of them, to what is best known of their classes, and one least confidence is chosen on the others by conformal risk control; both go out by the usual rollout. `threshold_min` and `exit_1_temperature` in `_summary` say what is in force.");
    }

    private static string Off(double? error) => error is { } known ? Points(known).TrimStart('+') : "";

    private static string Bar(bool isMet) => isMet ? "met" : "missed";

    private void Verdicts(Scenario scenario, Dictionary<string, IReadOnlyList<QualityRun>> runs, List<QualityRun> drifted, List<(double Share, IReadOnlyList<QualityRun> Runs)> byShare)
    {
        static int Close(IEnumerable<QualityRun> runs, Func<QualityLook, double?> error) => runs.Count(run => run.At(QualityRun.Allowed) is { } look && error(look) <= QualityRun.Close);
        static int Stays(IEnumerable<QualityRun> runs, Func<QualityLook, double?> error) => runs.Count(run => run.At(QualityRun.Allowed) is not null && run.After(QualityRun.Allowed).All(look => error(look) <= QualityRun.Close));
        var losing = drifted.Where(run => run.Stale.TailAccuracy - run.Stale.Accuracy >= LossMin).ToList();
        var (agrees, right) = (Close(drifted, look => look.AgreementError), Close(drifted, look => look.AccuracyError));
        var (won, wonAgreement) = (losing.Count(run => run.RecoveredAccuracy >= Enough), losing.Count(run => run.RecoveredAgreement >= Enough));
        var later = drifted.SelectMany(run => run.After(QualityRun.Allowed)).ToList();
        var half = drifted.Average(run => run.At(QualityRun.Allowed)?.AccuracyHalf) ?? 0;
        report.Paragraph("## What came out").Table(["asked for", ">measured", "bar"],
        [
            [$"agreement within {Off(QualityRun.Close)} points of the truth when {Number(QualityRun.Allowed)} inputs were audited or offloaded after the shift", $"{agrees} of {drifted.Count} runs; {Stays(drifted, look => look.AgreementError)} stay so to the end", Bar(agrees == drifted.Count)],
            [$"accuracy likewise, {Percent(scenario.Sites[0].Devices[0].Labelled)} of audits labelled", $"{right} of {drifted.Count} runs", Bar(right == drifted.Count)],
            .. byShare.Where(of => of.Runs != drifted).Select(of => (IReadOnlyList<string>)[$"... {Percent(of.Share)} labelled", $"{Close(of.Runs, look => look.AccuracyError)} of {of.Runs.Count} runs", Bar(Close(of.Runs, look => look.AccuracyError) == of.Runs.Count)]),
            [$"learnt thresholds win back {Percent(Enough)} of the right answers that stale ones lose against always asking the tail", $"{Percent(Mended(losing, quality => quality.Accuracy, quality => quality.TailAccuracy))} over all; {won} of {losing.Count} runs", Bar(won == losing.Count)],
            ["... of the answers that are the tail's", $"{Percent(Mended(losing, quality => quality.Agreement, _ => 1))} over all; {wonAgreement} of {losing.Count} runs", Bar(wonAgreement == losing.Count)],
        ]).Paragraph(
            $"A bar is met when every run meets it. What is won back is counted in the {losing.Count} runs in which stale thresholds lose a point of accuracy or more.")
            .Paragraph($"* The accuracy's 95 % interval held the truth in {Percent(later.Count(look => look.AccuracyIsCovered) / (double)later.Count)} of all summaries from then on, the agreement's in {Percent(later.Count(look => look.AgreementIsCovered) / (double)later.Count)}. "
            + $"Half of the accuracy's was {Off(half)} points in the mean when {Number(QualityRun.Allowed)} had been asked about: what misses two points there misses them by chance. Where every second answer is wrong, it takes some 2,400 labels to be within two points in 95 % of runs (0.25 (1.96 / 0.02)^2).\n"
            + $"* Before the shift, and where nothing ever happened, there were {FalseAlarms(runs)} false alarms in {Number(QuietAudits(runs))} audits.");
    }

    /// <summary>What learning won back of what was lost, both summed over runs.</summary>
    private static double Mended(List<QualityRun> runs, Func<TrueQuality, double> of, Func<TrueQuality, double> tail) => runs.Sum(run => of(run.Learnt) - of(run.Stale)) / runs.Sum(run => tail(run.Stale) - of(run.Stale));

    private static int FalseAlarms(Dictionary<string, IReadOnlyList<QualityRun>> runs) =>
        runs.Where(pair => pair.Key != Never).SelectMany(pair => pair.Value).Sum(run => run.FalseAlarms) + runs[Never].Sum(run => run.Looks[^1].Told.DriftTotal ?? 0);

    private static long QuietAudits(Dictionary<string, IReadOnlyList<QualityRun>> runs) =>
        runs.Where(pair => pair.Key != Never).SelectMany(pair => pair.Value).Sum(run => run.Looks.Last(look => look.At < run.Shift).Told.WatchedTotal ?? 0) + runs[Never].Sum(run => run.Looks[^1].Told.WatchedTotal ?? 0);

    private void Follows(Dictionary<string, IReadOnlyList<QualityRun>> runs)
    {
        static double? At(IReadOnlyList<QualityRun> of, Func<QualityLook, double?> error) => of.Average(run => run.At(QualityRun.Allowed) is { } look ? error(look) : null);
        static IEnumerable<double?> Later(IReadOnlyList<QualityRun> of, Func<QualityLook, double?> error) => of.Select(run => run.After(QualityRun.Allowed).Max(error));
        var rows = runs.Select(pair => (IReadOnlyList<string>)
        [
            pair.Key, Number(pair.Value.Count(run => run.Alarm is not null)), Number(pair.Value.Select(run => (double?)run.Alarm?.Asked).Average()), Number(pair.Value.Select(run => (double?)run.Alarm?.Audited).Average()),
            Off(At(pair.Value, look => look.AgreementError)), Off(Later(pair.Value, look => look.AgreementError).Average()), Off(Later(pair.Value, look => look.AgreementError).Max()),
            Off(At(pair.Value, look => look.AccuracyError)), Off(Later(pair.Value, look => look.AccuracyError).Average()), Off(Later(pair.Value, look => look.AccuracyError).Max()),
        ]).ToList();
        string[] columns = ["drift", ">runs with an alarm", ">asked until it", ">audited", ">agreement off by", ">later", ">at worst", ">accuracy off by", ">accuracy later", ">accuracy at worst"];
        report.Paragraph("## Does it know how good answers are?").Paragraph($"Off by: difference between published and true, in points, at the first summary with {Number(QualityRun.Allowed)} asked inputs; *later*: the largest at any summary from then to the end. Means of {Seeds} seeds, and the worst of them.")
            .Table(columns, rows).Csv("estimates.csv", [.. columns.Select(column => column.TrimStart('>'))], rows);
    }

    private void Labels(List<(double Share, IReadOnlyList<QualityRun> Runs)> byShare)
    {
        var rows = byShare.Select(of =>
        {
            var looks = of.Runs.Select(run => run.At(QualityRun.Allowed)).OfType<QualityLook>().ToList();
            return (IReadOnlyList<string>)
            [
                Percent(of.Share), Number(Math.Round(looks.Average(look => look.Labels))), Off(looks.Average(look => look.AccuracyError)), Off(looks.Average(look => look.AccuracyHalf)), Percent(looks.Count(look => look.AccuracyError <= QualityRun.Close) / (double)looks.Count),
                Off(of.Runs.Average(run => run.Looks[^1].AccuracyError)), Percent(of.Runs.Count(run => run.Looks[^1].AccuracyError <= QualityRun.Close) / (double)of.Runs.Count),
            ];
        }).ToList();
        string[] columns = [">audits labelled", ">labels since the shift", ">accuracy off by", ">half its interval", ">runs within two points", ">off at the end", ">within two at the end"];
        report.Paragraph($"By the share of audits that somebody labels, over the eight drifts, when {Number(QualityRun.Allowed)} inputs had been asked about, and at the end of the runs:").Table(columns, rows).Csv("labels.csv", [.. columns.Select(column => column.TrimStart('>'))], rows);
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
        report.Paragraph("## Does it repair them?").Paragraph("After the shift: with the thresholds from before, and with those in force at the end. Means of seeds; *won back* is empty where the exits lose less than a point. What is won back is paid for in inputs that are sent.")
            .Table(columns, rows).Csv("thresholds.csv", [.. columns.Select(column => column.TrimStart('>'))], rows);
    }

    private static string Won(IReadOnlyList<QualityRun> runs, Func<QualityRun, double?> recovered) =>
        runs.Average(run => run.Stale.TailAccuracy - run.Stale.Accuracy) < LossMin ? "" : Percent(runs.Average(recovered) ?? 0);

    private static IEnumerable<Finding> Findings(Scenario scenario, Dictionary<string, IReadOnlyList<QualityRun>> runs, List<QualityRun> drifted)
    {
        yield return new Finding(Standing.SameConstruction, "audits between two false alarms", $"theorem: at least {Number(new QualityOptions().AuditsToFalseAlarm)} in the mean, as set", $"{FalseAlarms(runs)} alarms in {Number(QuietAudits(runs))} audits of two detectors", "Shin, Ramdas and Rinaldo, New England J. Stat. Data Sci. 2(2), 2024 (e-detectors); runs begin anew with each seed");
        yield return new Finding(Standing.SameConstruction, "conformal risk control: mean risk at most epsilon", $"theorem 1: at most {Percent(scenario.Control.RiskMax)}, as set", $"{Percent(1 - drifted.Average(run => run.Learnt.Agreement))} in the mean of drifts and seeds, {Percent(1 - runs.Where(pair => pair.Key != Never).Min(pair => pair.Value.Average(run => run.Learnt.Agreement)))} under the worst drift", "Angelopoulos et al., ICLR 2024; for early exits Jazbec et al., NeurIPS 2024");
        yield return new Finding(Standing.OurOwn, "audits, estimates, alarm and learning together", "", "all above", "parts: Guo et al., ICML 2017 (temperatures); Wilson 1927 (intervals); Cochran, Sampling Techniques, 1977, 12.6 (regression estimator)");
    }

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
        + "* Drawing more after an alarm costs offloads just when images are hard; a fleet whose links or edge servers are full should draw fewer to begin with.");
}
