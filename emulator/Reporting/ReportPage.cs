using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Fleet.Contracts;
using Fleet.Emulator.Plots;
using Fleet.Emulator.Scenarios;
using static Fleet.Emulator.Reporting.RunFigure;

namespace Fleet.Emulator.Reporting;

/// <summary>A run's report: one page that needs nothing but itself. The same directory gives the same bytes.</summary>
public sealed class ReportPage
{
    /// <summary>In the run's directory, unless another place is given.</summary>
    public const string FileName = "report.html";

    private readonly ReportData data;
    private readonly RunResult result;
    private readonly FleetFigures figures;
    private readonly Html html = new();

    private ReportPage(ReportData data) => (this.data, result, figures) = (data, data.Run.Result, data.Run.Result.Figures);

    public static string Write(ReportData data)
    {
        var page = new ReportPage(data);
        page.Head();
        page.Header();
        page.Tiles();
        page.Replicated();
        page.Plots();
        page.Faults();
        page.Returns();
        page.Stages();
        page.Sites();
        page.Boards();
        page.Kinds();
        page.Books();
        page.Manifest();
        page.html.Raw("</main></body></html>");
        return page.html.ToString();
    }

    private void Head() => html.Raw("<!DOCTYPE html>").Raw("<html lang=\"en\"><head><meta charset=\"utf-8\"/>")
        .Raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><meta name=\"color-scheme\" content=\"light dark\"/>")
        .Raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>")
        .Element("title", $"{result.Scenario}, seed {result.Seed}: Fleet").Open("style").Raw(ReportStyle.Text()).Close("style").Raw("</head><body><main>");

    private void Header()
    {
        string[] facts =
        [
            $"{Count(result.Devices)} devices", result.Sites == 1 ? "1 site" : $"{Count(result.Sites)} sites", $"{Count(data.Edges.Count)} edge server{(data.Edges.Count == 1 ? "" : "s")}", $"{Duration(result.Ended.Value)} of virtual time", $"policy {result.Policy}", $"seed {result.Seed}", $"hash {result.TraceHash}",
        ];
        html.Open("header").Element("p", "Fleet run", "over").Element("h1", result.Scenario);
        if (data.Run.Scenario.Description.Length > 0) html.Element("p", Sentence(data.Run.Scenario.Description), "lead");
        html.Raw("<p class=\"facts\">" + string.Concat(facts.Select(fact => $"<span>{SvgText.Escape(fact)}</span> ")) + "</p>").Close("header");
    }

    private void Tiles()
    {
        html.Open("dl", "tiles");
        Tile("Accuracy", figures.Accuracy, Percent, figures.AccuracyExpected is { } expected ? $"expected {Percent(expected)}" : "nothing was expected", BeforeAndSince());
        Tile("Latency, median", figures.LatencyP50?.Value, Time, figures.LatencyP95 is { } p95 ? $"95 % within {Time(p95.Value)}" : "", result.LatencyP99 is { } p99 ? $"99 % within {Time(p99.Value)}" : "");
        Tile("Device energy an inference", figures.EnergyPerInference?.Value, Energy, "computing and radio, without idling", figures.Power is { } power ? $"the fleet draws {Significant(power.Value)} W" : "");
        Tile("Sent an inference", figures.BytesPerInference?.Value, value => Significant(value) + " B", "all that devices put on the air,", "headers and repetitions included");
        Tile("Inferences", figures.Inferences, Count, $"{Count(figures.Skipped)} skipped, {Count(result.CutOff)} cut off by power loss", $"{Count(result.InFlight)} in flight at the end");
        Tile("Lost", figures.Lost, Count, "what the books cannot explain", figures.Lost == 0 ? "every input is accounted for" : "this is a bug", isAlarm: figures.Lost != 0);
        Tile("Answered by an edge server", figures.OffloadRatio, Percent, $"by fallback {Percent(figures.FallbackRatio ?? 0)}", $"deadlines missed {Percent(figures.DeadlineMissedRatio ?? 0)}");
        if (result.LifetimeFirst is { } first) Tile("First device dead after", first.Value, Duration, result.LifetimeMedian is { } median ? $"half of them after {Duration(median.Value)}" : $"{Count(result.DevicesDied)} of {Count(result.Devices)} died", $"{Count(result.PowerLosses)} power losses, {Count(result.Reboots)} reboots");
        else Tile("Devices online at the end", figures.DevicesOnline, Count, $"of {Count(result.Devices)}; none has lost its power", figures.DesiredEqualsReported ? "all run what they are desired to run" : "not all run what they are desired to");
        html.Close("dl");
    }

    private void Tile(string name, double? value, Func<double, string> text, string first, string second, bool isAlarm = false)
    {
        html.Open("div", isAlarm ? "tile alarm" : "tile").Element("dt", name).Element("dd", value is { } known ? text(known) : "–", "big");
        foreach (var line in (string[])[first, second])
            if (line.Length > 0) html.Element("dd", line, "small");
        html.Close("div");
    }

    private string BeforeAndSince() => result is { AccuracyBeforeFault: { } before, AccuracySinceFault: { } since } ? $"{Percent(before)} before the first fault, {Percent(since)} since" : "";

    private void Replicated()
    {
        var rows = data.Run.Rows("statistics").Skip(1).ToList();
        if (rows.Count == 0) return;
        html.Element("h2", $"{data.Run.Manifest.Replications} replications").Element("p", $"Mean of seeds {result.Seed} to {result.Seed + data.Run.Manifest.Replications - 1} with its 95 % confidence interval (Student's t) and the standard deviation of one run. All else on this page is of seed {result.Seed}. {ResolutionNote}", "note");
        html.Table(["figure", ">mean", ">± 95 %", ">standard deviation", ">least", ">most", ">n"], rows.Select(row =>
        {
            var figure = All.Single(known => known.Key == row[0]);
            string? Cell(int column) => Number(row[column]) is { } value ? figure.Text(value) : null;
            return (IReadOnlyList<string?>)[figure.Name, Cell(2), Number(row[5]) is { } high ? figure.Text(high - Number(row[2])!.Value) : null, Cell(3), Cell(6), Cell(7), row[1]];
        }));
        html.Element("p", "Hashes: " + string.Join(", ", data.Run.Rows("replications").Skip(1).Select(row => $"seed {row[0]} {row[1]}")), "note");
    }

    private void Plots()
    {
        html.Element("h2", "Over time").Element("p", $"Each point is a stretch of {Duration(data.Sum.BinLength.Value)}.{(data.Run.Scenario.FaultList.Count > 0 ? " Shaded, under a letter: faults." : "")}{(data.Run.Scenario.Stages.Count > 0 ? " Dotted, under a number: where a stage of the scenario begins." : "")} Point at a plot to read its figures.", "note").Open("div", "figures");
        foreach (var figure in new ReportFigures(data).All())
        {
            html.Open("figure").Element("h3", figure.Title);
            Legend(figure);
            html.Raw(InlinePlot.Draw(figure.Id, figure.Panel).TrimEnd()).Element("figcaption", figure.Caption).Close("figure");
        }
        html.Close("div");
    }

    /// <summary>What stands alone and is the title needs no name.</summary>
    private void Legend(ReportFigure figure)
    {
        var panel = figure.Panel;
        html.Open("ul", "legend");
        foreach (var (i, name) in panel.Names.Index().Where(entry => panel.Names.Count > 1 || !figure.Title.Equals(entry.Item, StringComparison.OrdinalIgnoreCase)))
        {
            var series = panel.Series.Where(series => series.Name == name).ToList();
            var kind = series.Count == 0 ? "box" : series[0].Joint is Joint.Dashed ? "dashed" : "whole";
            html.Raw($"<li class=\"c{(i % Marks.Colours).ToString(CultureInfo.InvariantCulture)}\"><i class=\"{kind}\"></i><span>{SvgText.Escape(name)}</span></li>");
        }
        html.Close("ul");
    }

    private void Faults()
    {
        if (data.Run.Scenario.FaultList.Count == 0) return;
        html.Element("h2", "Faults").Element("p", "What the scenario did to the fleet; the letters stand above the plots.", "note");
        html.Table(["", "fault", "site", "target", ">from", ">to", "of its own"], data.Run.Scenario.FaultList.Select((fault, i) => (IReadOnlyList<string?>)
            [TimeAxis.Letter(i), JsonNames.Of(fault.Kind), fault.Site, fault.Target ?? "all", $"{Count(fault.At.Value)} s", $"{Count(fault.End.Value)} s", Said(fault.InForce(), "kind", "site", "target", "at_s", "for_s")]));
    }

    /// <summary>What a file says of something, but for some keys; of objects and lists that they are there.</summary>
    private static string Said<T>(T value, params IReadOnlyList<string> but) => string.Join(", ",
        JsonSerializer.SerializeToNode(value, Json.Wire.Info<T>())!.AsObject().Where(member => !but.Contains(member.Key)).Select(member => member.Value is JsonValue plain ? $"{member.Key} {plain}" : member.Key));

    private void Returns()
    {
        if (data.Returns.Count == 0) return;
        html.Element("h3", "Back in service", "apart").Element("p", "How long after a fault's end the devices it had struck were connected and reported that they run what is desired. What other faults held them back meanwhile is in that time; returns.csv has a row for each device and fault.", "note");
        html.Table(["after", ">devices", ">back", ">median", ">95 %", ">the last"], data.Returns.Select(kind =>
        {
            var back = kind.Value.OfType<double>().Order().ToList();
            string? At(double share) => back.Count == 0 ? null : Duration(back[(int)Math.Ceiling(share * back.Count) - 1]);
            return (IReadOnlyList<string?>)[kind.Key, Count(kind.Value.Count), Count(back.Count), At(0.5), At(0.95), At(1)];
        }));
    }

    private void Stages()
    {
        if (data.Run.Scenario.Stages.Count == 0) return;
        html.Element("h2", "Stages").Element("p", "What the scenario changed on its way; the numbers stand above the plots.", "note");
        html.Table(["", ">from", "site", "target", "what is new"], data.Run.Scenario.Stages.Select((stage, i) =>
            (IReadOnlyList<string?>)[Count(i + 1), $"{Count(stage.At.Value)} s", stage.Site ?? "all", stage.Target ?? "all", Said(stage, "at_s", "site", "target")]));
    }

    private void Sites()
    {
        if (data.Sites.Count < 2) return;
        html.Element("h2", "Sites");
        if (data.Sites.Count > ReportData.SitesMax)
        {
            html.Element("p", $"Quantiles over {Count(data.Sites.Count)} sites; sites.csv has a row for each.", "note");
            html.Table(["figure", ">least", ">10 %", ">median", ">90 %", ">most"], [Quantiles("inferences", site => site.Answered, Count), Quantiles("accuracy", site => site.Accuracy, Percent), Quantiles("latency, median", site => site.LatencyP50, Time),
                Quantiles("latency, 95th percentile", site => site.LatencyP95, Time), Quantiles("device energy an inference", site => site.Energy, Energy), Quantiles("answered by edge servers", site => site.Offload, Percent), Quantiles("answered by fallback", site => site.Fallback, Percent)]);
            return;
        }
        html.Table(["site", ">devices", ">inferences", ">accuracy", ">expected", ">median", ">95 %", ">energy each", ">at the edge", ">fallback", ">lost", ">died"], data.Sites.Select(site => (IReadOnlyList<string?>)
            [site.Site, Count(site.Devices), Count(site.Answered), Text(site.Accuracy, Percent), Text(site.Expected, Percent), Text(site.LatencyP50, Time), Text(site.LatencyP95, Time), Text(site.Energy, Energy), Text(site.Offload, Percent), Text(site.Fallback, Percent), Count(site.Lost), Count(site.Died)]));
    }

    private IReadOnlyList<string?> Quantiles(string name, Func<SiteSum, double?> of, Func<double, string> text)
    {
        var values = data.Sites.Select(of).OfType<double>().Order().ToList();
        return [name, .. ((double[])[0, 0.1, 0.5, 0.9, 1]).Select(share => values.Count == 0 ? null : text(values[(int)Math.Round(share * (values.Count - 1))]))];
    }

    private void Boards()
    {
        html.Element("h2", "Boards").Element("p", "Devices of one type together; devices.csv has a row for each.", "note");
        html.Table(["board", ">devices", ">inferences", ">accuracy", ">mean latency", ">energy each", ">at the edge", ">died"], data.Boards.Select(board => (IReadOnlyList<string?>)
            [board.Board, Count(board.Devices), Count(board.Answered), Ratio(board.Correct, board.Labelled, Percent), Ratio(board.LatencySum, board.Answered, Time), Ratio(board.Spent, board.Answered, Energy), Ratio(board.Offloaded, board.Answered, Percent), Count(board.Died)]));
    }

    private void Kinds()
    {
        html.Element("h2", "Messages by kind").Element("p", "Deliveries: over a radio, and from the broker to each subscriber.", "note");
        html.Table(["kind", ">due", ">duplicated", ">delivered", ">dropped", ">superseded", ">share dropped"], result.MessagesByKind.Keys.Select(kind => result.MessagesByKind.Counts(kind) is var counts
            ? (IReadOnlyList<string?>)[kind, Count(counts.Due), Count(counts.Duplicated), Count(counts.Delivered), Count(counts.Dropped), Count(counts.Superseded), Ratio(counts.Dropped, counts.Due + counts.Duplicated, Percent)] : []));
    }

    private void Books()
    {
        var total = SiteBin.Sum(data.Sum.Bins);
        var (energy, messages) = (result.Energy, result.Messages);
        html.Element("h2", "The books").Element("p", "What came must be what went: a run whose books do not close ends with an error instead of a report.", "note").Open("div", "books");
        Book("Inferences", Count, [("started", total.Started)], [.. total.Exits.Select((count, exit) => ($"answered by exit {exit + 1}", (double)count)), ("answered by an edge server", total.Offloaded), ("answered by fallback", total.Fallback), ("cut off by power loss", result.CutOff), ("in flight", result.InFlight)]);
        Book("Deliveries", Count, [("due", messages["due"]), ("duplicated", messages["duplicated"])], [("delivered", messages["delivered"]), ("dropped", messages["dropped"]), ("superseded by newer ones", messages["superseded"]), ("in flight", messages["in_flight"])]);
        Book("Energy of the devices", Energy, [("stored at the begin", energy["initial"]), ("harvested, or from the mains", energy["harvested"])],
            [.. ((string, string)[])[("idling", "idle"), ("computing", "compute"), ("transmitting", "transmit"), ("receiving", "receive"), ("booting", "boot"), ("sleeping", "sleep"), ("waking", "wake"), ("leaked", "leaked"), ("spilled when full", "spilled"), ("stored at the end", "stored")] is var entries ? entries.Select(entry => (entry.Item1, energy[entry.Item2])) : []]);
        html.Close("div");
        if (result.Radio.Count > 0) html.Element("h3", "On the air").Table(["what cells and gateways saw", ">count"], result.Radio.Select(pair => (IReadOnlyList<string?>)[pair.Key.Replace('_', ' '), Count(pair.Value)]));
    }

    private void Book(string name, Func<double, string> text, (string Name, double Amount)[] came, (string Name, double Amount)[] went)
    {
        html.Open("div").Element("h3", name).Raw("<div class=\"table\"><table><tbody>");
        foreach (var (row, amount) in came) Row(row, text(amount), null);
        Row("came", text(came.Sum(entry => entry.Amount)), "sum");
        foreach (var (row, amount) in went.Where(entry => entry.Amount != 0)) Row(row, text(amount), null);
        Row("went", text(went.Sum(entry => entry.Amount)), "sum");
        html.Raw("</tbody></table></div>").Close("div");

        void Row(string label, string amount, string? kind) => html.Raw($"<tr{(kind is null ? "" : $" class=\"{kind}\"")}><td>{SvgText.Escape(label)}</td><td class=\"n\">{SvgText.Escape(amount)}</td></tr>");
    }

    private void Manifest()
    {
        var manifest = data.Run.Manifest;
        html.Element("h2", "To repeat it").Element("p", "In this run's directory, where the scenario lies too. The hash must come out the same, on any machine and any number of threads.", "note").Element("pre", manifest.Command);
        (string, string)[] rows =
        [
            ("scenario", $"{manifest.Scenario}, SHA-256 {manifest.ScenarioSha256}"), ("seed", $"{manifest.Seed}"), ("policy", manifest.Policy), ("model", $"{data.Run.Scenario.Model}, card SHA-256 {manifest.CardSha256}"), ("hash", manifest.TraceHash), ("version", manifest.Version),
            ("machine", $"{manifest.Machine.Processor}, {manifest.Machine.Cores} cores, {manifest.Machine.Architecture}"), ("system", $"{manifest.Machine.Os}, {manifest.Machine.Runtime}"),
            ("took", $"{Duration(manifest.Wall.Value)} on {manifest.Threads} thread{(manifest.Threads == 1 ? "" : "s")}, {Duration(manifest.Cpu.Value)} of processor time, {Count(manifest.Events)} events"),
        ];
        html.Raw("<div class=\"table\"><table class=\"wrap\"><tbody>");
        foreach (var (name, value) in rows) html.Raw($"<tr><td>{name}</td><td>{SvgText.Escape(value)}</td></tr>");
        html.Raw("</tbody></table></div>");
        html.Element("footer", $"Written by fleet report from {string.Join(", ", manifest.Files.Keys)}; their SHA-256 stand in {Reporting.Manifest.FileName}.");
    }

    private static string Sentence(string text) => $"{char.ToUpperInvariant(text[0])}{text[1..]}{(text.EndsWith('.') ? "" : ".")}";

    private static string? Text(double? value, Func<double, string> text) => value is { } known ? text(known) : null;

    private static string? Ratio(double part, double whole, Func<double, string> text) => whole > 0 ? text(part / whole) : null;

    private static double? Number(string cell) => cell.Length == 0 ? null : double.Parse(cell, CultureInfo.InvariantCulture);
}
