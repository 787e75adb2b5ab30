using Fleet.Contracts;
using Fleet.Emulator.Plots;
using static Fleet.Emulator.Reporting.RunFigure;
using EnergyEntry = (string Name, System.Func<Fleet.Emulator.EnergyFlows, Fleet.Contracts.Joules> Of);

namespace Fleet.Emulator.Reporting;

/// <summary>A plot of the report.</summary>
/// <param name="Id">Of its element in the page.</param>
/// <param name="Caption">Says units, and what to look at.</param>
public sealed record ReportFigure(string Id, string Title, string Caption, Panel Panel);

/// <summary>The plots of a report; those that would show nothing are left out.</summary>
public sealed class ReportFigures
{
    private const int KindsMax = 6;

    private static readonly EnergyEntry[] Whole =
    [
        ("idle", flows => flows.Idle), ("sleep", flows => flows.Sleep), ("compute", flows => flows.Compute), ("radio", flows => flows.Transmit + flows.Receive), ("boot and waking", flows => flows.Boot + flows.Wake),
    ];
    private static readonly EnergyEntry[] Working = [("compute", flows => flows.Compute), ("transmit", flows => flows.Transmit), ("receive", flows => flows.Receive), ("boot", flows => flows.Boot), ("wake", flows => flows.Wake)];

    private readonly ReportData data;
    private readonly IReadOnlyList<SiteBin> bins;
    private readonly TimeAxis axis;
    private readonly SiteBin total;

    public ReportFigures(ReportData data)
    {
        this.data = data;
        bins = data.Sum.Bins;
        axis = new TimeAxis(data.Sum.BinLength, data.Run.Result.Ended, data.Run.Scenario.FaultList, data.Run.Scenario.Stages);
        total = SiteBin.Sum(bins);
    }

    public IReadOnlyList<ReportFigure> All() =>
        [.. ((ReportFigure?[])[Accuracy(), Answers(), Latency(), Distribution(), Throughput(), Power(), WholePower(), Batteries(), EdgeBusy(), EdgeQueue(), EdgeBatch(), Messages(), Dropped()]).OfType<ReportFigure>()];

    private ReportFigure? Accuracy()
    {
        if (total.Labelled == 0) return null;
        var expected = data.Run.Result.Figures.AccuracyExpected;
        var bands = axis.Band("accuracy", bins.Count, at => bins[at].Labelled > 0 ? Wilson(bins[at].Correct, bins[at].Labelled) : null).ToList();
        var line = axis.Line("accuracy", bins.Count, at => Ratio(bins[at].Correct, bins[at].Labelled)).ToList();
        var values = line.SelectMany(series => series.Points).Select(point => point.Y).Concat(expected is { } level ? [level] : []).ToList();
        var (low, high) = (Math.Max(0, values.Min() - 0.02), Math.Min(1, values.Max() + 0.02));
        var panel = Panel("Accuracy over time", new Scale("share answered rightly", low, high, IsLogarithmic: false, Scale.Percent) { TicksWanted = 4 }, line) with
        {
            Areas = bands,
            Levels = expected is { } at ? [new Level("expected", at)] : [],
            Hints = axis.Hints(bins.Count, at => bins[at].Labelled > 0 ? $"{Percent((double)bins[at].Correct / bins[at].Labelled)} of {Count(bins[at].Labelled)} answers right" : null),
        };
        return new ReportFigure("accuracy", "Accuracy", $"Share of labelled inputs answered rightly, with the 95 % interval of each stretch's own count (Wilson).{(expected is null ? "" : " Dotted: what the planner expected of the routes and thresholds in force at the end.")} The axis does not begin at 0, and may cut off what is wide of the intervals.", panel);
    }

    private ReportFigure? Answers()
    {
        if (total.Answered == 0) return null;
        var layers = Enumerable.Range(0, total.Exits.Count).Select(exit => ($"exit {exit + 1}", (Func<int, double>)(at => Share(at, bins[at].Exits.ElementAtOrDefault(exit)))))
            .Append(("edge server", at => Share(at, bins[at].Offloaded))).Append(("fallback", at => Share(at, bins[at].Fallback)));
        var panel = Panel("Who answered, over time", Shares("share of answers"), []) with
        {
            Areas = axis.Stack(bins.Count, layers),
            Hints = axis.Hints(bins.Count, at => bins[at].Answered == 0 ? null
                : string.Join(", ", bins[at].Exits.Select((count, exit) => $"exit {exit + 1} {Percent(Share(at, count))}").Append($"edge server {Percent(Share(at, bins[at].Offloaded))}").Append($"fallback {Percent(Share(at, bins[at].Fallback))}"))),
        };
        return new ReportFigure("answers", "Who answered", "Share of answers given by each exit on the device, by an edge server, and by fallback: the deepest exit held, because no edge server answered in time. Where nobody answered anything the plot is empty.", panel);
    }

    private ReportFigure? Latency()
    {
        if (total.Answered == 0) return null;
        (string Name, double Share, Joint Joint)[] lines = [("median", 0.5, Joint.Solid), ("95th percentile", 0.95, Joint.Solid), ("99th", 0.99, Joint.Dashed)];
        var latencies = bins.Select(bin => bin.Latency).ToList();
        var series = lines.SelectMany(line => axis.Line(line.Name, bins.Count, at => latencies[at].Percentile(line.Share)?.Value * 1e3, line.Joint)).ToList();
        var panel = Panel("Latency over time", Milliseconds(series.SelectMany(one => one.Points).Select(point => point.Y)), series) with
        {
            Hints = axis.Hints(bins.Count, at => latencies[at].Count == 0 ? null : string.Join(", ", lines.Select(line => $"{line.Name} {Time(latencies[at].Percentile(line.Share)!.Value.Value)}"))),
        };
        return new ReportFigure("latency", "Latency over time", "From an input's arrival to its answer, in milliseconds on a logarithmic axis; percentiles to within 2.5 %.", panel);
    }

    private ReportFigure? Distribution()
    {
        if (total.Answered == 0) return null;
        const int Joined = 2;
        var counts = new SortedDictionary<long, long>();
        for (var i = 0; i < total.LatencyCounts.Count; i += 2) counts[total.LatencyCounts[i] / Joined] = counts.GetValueOrDefault(total.LatencyCounts[i] / Joined) + total.LatencyCounts[i + 1];
        var points = new List<Reach>();
        for (var group = counts.Keys.First(); group <= counts.Keys.Last(); group++)
        {
            var share = counts.GetValueOrDefault(group) / (double)total.Answered;
            points.Add(new Reach(Histogram.From(group * Joined).Value * 1e3, 0, share));
            points.Add(new Reach(Histogram.From((group + 1) * Joined).Value * 1e3, 0, share));
        }
        var latency = total.Latency;
        var panel = new Panel("Distribution of latency", Milliseconds(points.Select(point => point.X), "latency in ms"), new Scale("share of answers", 0, points.Max(point => point.High) * 1.06, IsLogarithmic: false, Scale.Percent) { TicksWanted = 4 }, [])
        {
            Areas = [new Area("answers", points)],
            Notches = [.. ((string, double)[])[("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] is var marks ? marks.Select(mark => new Notch(mark.Item1, latency.Percentile(mark.Item2)!.Value.Value * 1e3)) : []],
            Hints = [.. counts.Select(group => new Hint(Histogram.From(group.Key * Joined).Value * 1e3, Histogram.From((group.Key + 1) * Joined).Value * 1e3, $"{Time(Histogram.From(group.Key * Joined).Value)} to {Time(Histogram.From((group.Key + 1) * Joined).Value)}: {Count(group.Value)} answers, {Percent(group.Value / (double)total.Answered)}"))],
        };
        return new ReportFigure("distribution", "Distribution of latency", $"Of all {Count(total.Answered)} answers, in steps of 10 % on a logarithmic axis. Several hills are several kinds of answer: early exits, deep exits, edge servers.", panel);
    }

    private ReportFigure? Throughput()
    {
        var lines = Line("answered", bin => bin.Answered).Concat(Line("skipped", bin => bin.Skipped)).Concat(Line("deadline missed", bin => bin.DeadlineMissed)).ToList();
        if (lines.Count == 0) return null;
        var panel = Panel("Inferences a second", FromZero("inferences a second", Tops(lines)), lines) with
        {
            Hints = axis.Hints(bins.Count, at => axis.LengthOf(at) > 0 ? $"{Significant(Rate(at, bins[at].Answered))} answered a second, {Count(bins[at].Skipped)} skipped, {Count(bins[at].DeadlineMissed)} deadlines missed" : null),
        };
        return new ReportFigure("throughput", "Inferences a second", "Answered by the whole fleet; skipped because a device was still busy with as many as it may hold; and answered by fallback after the deadline.", panel);
    }

    private ReportFigure? Power() => PowerOf("Power above idling", Working, []) is { } panel
        ? new ReportFigure("power", "Power above idling", $"What all devices together draw for computing, radio, booting and waking. Idling and sleeping are apart, or nothing else could be seen: {Significant((total.Energy.Idle + total.Energy.Sleep).Value / data.Run.Result.Ended.Value)} W in the mean.", panel)
        : null;

    /// <summary>With what panels give, where there are any.</summary>
    private ReportFigure? WholePower()
    {
        var hasPanels = data.Run.Scenario.Sites.Any(site => site.Devices.Any(group => group.Power?.Panel is not null));
        if (PowerOf("Power of all devices", Whole, hasPanels ? [("harvested", flows => flows.Harvested)] : []) is not { } panel) return null;
        return new ReportFigure("power-whole", "Energy by component", $"All that devices draw, idling and sleeping included.{(hasPanels ? " Dashed: what panels gave, and what devices on the mains took." : "")}", panel);
    }

    /// <summary>Uses upon each other, and other flows as lines; null when nothing was used.</summary>
    private Panel? PowerOf(string title, IReadOnlyList<EnergyEntry> uses, IReadOnlyList<EnergyEntry> beside)
    {
        if (uses.All(use => use.Of(total.Energy) == Joules.Zero)) return null;
        double Watts(int at, EnergyEntry entry) => Rate(at, entry.Of(bins[at].Energy).Value);
        var most = Enumerable.Range(0, bins.Count).Max(at => Math.Max(uses.Sum(use => Watts(at, use)), beside.Sum(entry => Watts(at, entry))));
        var (unit, size) = most >= 1 ? ("W", 1.0) : most >= 1e-3 ? ("mW", 1e-3) : ("uW", 1e-6);
        var lines = beside.SelectMany(entry => axis.Line(entry.Name, bins.Count, at => Watts(at, entry) / size, Joint.Dashed)).ToList();
        return Panel(title, FromZero($"{unit}, all devices", most / size), lines) with
        {
            Areas = axis.Stack(bins.Count, uses.Select(use => (use.Name, (Func<int, double>)(at => Watts(at, use) / size)))),
            Hints = axis.Hints(bins.Count, at => axis.LengthOf(at) > 0 ? string.Join(", ", uses.Concat(beside).Where(entry => Watts(at, entry) > 0).Select(entry => $"{entry.Name} {Significant(Watts(at, entry) / size)} {unit}")) : null),
        };
    }

    private ReportFigure? Batteries()
    {
        if (bins.All(bin => bin.Batteries is null)) return null;
        Batteries? At(int at) => bins[at].Batteries;
        var series = axis.Line("median", bins.Count, at => At(at)?.Quantile(0.5)).Concat(axis.Line("mean", bins.Count, at => At(at)?.Mean, Joint.Dashed)).Concat(axis.Line("lowest", bins.Count, at => At(at)?.Min)).ToList();
        if (bins.Any(bin => bin.Batteries?.Empty > 0)) series.AddRange(axis.Line("share of devices without power", bins.Count, at => At(at) is { } known ? (double)known.Empty / known.Devices : null, Joint.Dashed));
        var panel = Panel("Charge of the batteries", Shares("charge, share of capacity"), series) with
        {
            Areas = [.. axis.Band("median", bins.Count, at => At(at) is { } known ? (known.Quantile(0.1)!.Value, known.Quantile(0.9)!.Value) : null)],
            Hints = axis.Hints(bins.Count, at => At(at) is { } known ? $"mean {Percent(known.Mean!.Value)}, median {Percent(known.Quantile(0.5)!.Value)}, lowest {Percent(known.Min)}, {Count(known.Empty)} of {Count(known.Devices)} without power" : null),
        };
        return new ReportFigure("batteries", "Batteries", $"Charge of the {Count(bins.Max(bin => bin.Batteries?.Devices ?? 0))} devices with a battery at the end of each stretch. The band holds all but the fullest and the emptiest tenth; median and band to a percent.", panel);
    }

    private ReportFigure? EdgeBusy()
    {
        if (data.Edges.Count == 0 || data.Edges.All.Sum(bin => bin.Sum.Busy.Value) == 0) return null;
        var series = EdgeLines((bin, workers, at) => bin.Busy.Value / (axis.LengthOf(at) * workers)).ToList();
        var panel = Panel("Busy share of the edge servers' workers", FromZero("share of time busy", Math.Max(0.01, Tops(series.Concat(axis.Line("most", bins.Count, at => Edge(at) is { } bin && data.Edges.Each.Count == 0 ? bin.BusyMax / axis.LengthOf(at) : null)))), Scale.Percent), series) with
        {
            Areas = data.Edges.Each.Count > 0 ? [] : [.. axis.Band("mean", bins.Count, at => Edge(at) is { } bin ? (bin.BusyMin / axis.LengthOf(at), bin.BusyMax / axis.LengthOf(at)) : null)],
            Hints = axis.Hints(bins.Count, at => Edge(at) is { } bin ? $"busy {Percent(bin.Sum.Busy.Value / (axis.LengthOf(at) * bin.Workers))}, {Count(bin.Sum.Served)} frames served, {Count(bin.Sum.Expired)} expired, {Count(bin.Sum.Refused)} refused" : null),
        };
        return new ReportFigure("edge-busy", "Edge servers: busy", $"Share of the workers' time spent computing{Many("the band reaches from the least to the most busy")}. Near 100 % queues grow without end.", panel);
    }

    private ReportFigure? EdgeQueue()
    {
        if (data.Edges.Count == 0 || data.Edges.All.Sum(bin => bin.Sum.Waited.Value) == 0) return null;
        var series = EdgeLines((bin, _, at) => bin.Waited.Value / axis.LengthOf(at), isMean: true).ToList();
        if (data.Edges.Each.Count == 0) series.AddRange(axis.Line("most", bins.Count, at => Edge(at) is { } bin ? bin.WaitedMax / axis.LengthOf(at) : null, Joint.Dashed));
        var panel = Panel("Frames waiting at the edge servers", FromZero("frames waiting, mean", Math.Max(0.01, Tops(series)), Significant), series) with
        {
            Hints = axis.Hints(bins.Count, at => Edge(at) is { Sum.Served: > 0 } bin ? $"waited {Time(bin.Sum.Waited.Value / bin.Sum.Served)} in the mean" : null),
        };
        return new ReportFigure("edge-queue", "Edge servers: queue", $"Frames that wait for a worker, in the mean over the stretch: the sum of their waits over its length (Little's law){Many("dashed the one where most wait")}.", panel);
    }

    private ReportFigure? EdgeBatch()
    {
        if (data.Edges.Count == 0 || data.Edges.All.Sum(bin => bin.Sum.Batches) == 0) return null;
        var series = EdgeLines((bin, _, _) => bin.Batches > 0 ? bin.Served / bin.Batches : null).ToList();
        var panel = Panel("Frames in a batch", FromZero("frames in a batch, mean", Tops(series), Significant), series);
        return new ReportFigure("edge-batch", "Edge servers: batches", $"Frames that are computed together, in the mean{Many("over all of them")}. It grows when frames wait, which is what keeps a busy server in time.", panel);
    }

    private ReportFigure? Messages()
    {
        var kinds = total.Messages.OrderByDescending(kind => kind.Value[0]).Select(kind => kind.Key).ToList();
        if (kinds.Count == 0) return null;
        var shown = kinds.Count <= KindsMax ? kinds : kinds[..(KindsMax - 1)];
        var layers = shown.Select(kind => (kind, (Func<int, double>)(at => Rate(at, bins[at].Messages.Counts(kind).Due))));
        if (shown.Count < kinds.Count) layers = layers.Append(("others", at => Rate(at, kinds.Skip(shown.Count).Sum(kind => bins[at].Messages.Counts(kind).Due))));
        var panel = Panel("Deliveries a second, by kind of message", FromZero("deliveries due a second", Enumerable.Range(0, bins.Count).Max(at => Rate(at, kinds.Sum(kind => bins[at].Messages.Counts(kind).Due)))), []) with
        {
            Areas = axis.Stack(bins.Count, layers),
            Hints = axis.Hints(bins.Count, at => axis.LengthOf(at) > 0 ? string.Join(", ", kinds.Where(kind => bins[at].Messages.Counts(kind).Due > 0).Select(kind => $"{kind} {Count(bins[at].Messages.Counts(kind).Due)}")) : null),
        };
        return new ReportFigure("messages", "Messages", "Deliveries due a second, by kind: over a radio and from the broker to each subscriber, so that a message of a device to one subscriber counts twice.", panel);
    }

    private ReportFigure? Dropped()
    {
        var lines = Line("dropped", bin => bin.Messages.Keys.Sum(kind => bin.Messages.Counts(kind).Dropped)).Concat(Line("duplicated", bin => bin.Messages.Keys.Sum(kind => bin.Messages.Counts(kind).Duplicated))).ToList();
        if (lines.Count == 0) return null;
        var panel = Panel("Messages dropped and duplicated", FromZero("deliveries a second", Tops(lines), Significant), lines) with
        {
            Hints = axis.Hints(bins.Count, at => Told(bins[at].Messages)),
        };
        return new ReportFigure("dropped", "Dropped and duplicated", "Deliveries that never arrived, since a line was down, a device dark or asleep, or a queue full; and those that arrived once more. What was dropped was counted, not lost from the books.", panel);
    }

    private static string? Told(MessageTable messages)
    {
        var dropped = messages.Keys.Where(kind => messages.Counts(kind).Dropped > 0).Select(kind => $"{kind} {Count(messages.Counts(kind).Dropped)}").ToList();
        return dropped.Count == 0 ? null : "dropped: " + string.Join(", ", dropped);
    }

    /// <summary>A line of each edge server while they are few, else one of their mean.</summary>
    /// <param name="value">Of a bin's sums and its workers.</param>
    /// <param name="isMean">Whether the sums are to be divided by the number of edge servers.</param>
    private IEnumerable<Series> EdgeLines(Func<EdgeBin, int, int, double?> value, bool isMean = false)
    {
        // An empty series first: a server keeps its colour in the plots where it has nothing to show.
        if (data.Edges.Each.Count > 0) return data.Edges.Each.Select(edge => new Series(edge.Name, [], HasMarks: false)).Concat(data.Edges.Each.SelectMany(edge => axis.Line(edge.Name, bins.Count, at => at < edge.Edge.Bins.Count ? value(edge.Edge.Bins[at], edge.Edge.Workers, at) : null)));
        return axis.Line("mean", bins.Count, at => Edge(at) is { } bin ? value(bin.Sum, bin.Workers, at) / (isMean ? data.Edges.Count : 1) : null);
    }

    private (EdgeBin Sum, int Workers, double BusyMin, double BusyMax, double WaitedMax)? Edge(int at) => at < data.Edges.All.Count && axis.LengthOf(at) > 0 ? data.Edges.All[at] : null;

    private string Many(string what) => data.Edges.Each.Count > 0 ? "" : $"; mean of {Count(data.Edges.Count)} edge servers, {what}";

    /// <summary>A rate over time; nothing where there is nothing all along.</summary>
    private IEnumerable<Series> Line(string name, Func<SiteBin, long> count) => bins.All(bin => count(bin) == 0) ? [] : axis.Line(name, bins.Count, at => Rate(at, count(bins[at])));

    private Panel Panel(string title, Scale y, IReadOnlyList<Series> series) => new(title, axis.Scale, y, series) { Spans = axis.Spans, Notches = axis.Notches };

    private double Rate(int at, double amount) => axis.LengthOf(at) is > 0 and var length ? amount / length : 0;

    private double Share(int at, long count) => bins[at].Answered > 0 ? (double)count / bins[at].Answered : 0;

    private static double Tops(IEnumerable<Series> series) => series.SelectMany(one => one.Points).Select(point => point.Y).DefaultIfEmpty(1).Max();

    private static Scale FromZero(string title, double top, Func<double, string>? text = null) => new(title, 0, top > 0 ? top * 1.06 : 1, IsLogarithmic: false, text ?? Scale.Number) { TicksWanted = 4 };

    private static Scale Shares(string title) => new(title, 0, 1, IsLogarithmic: false, Scale.Percent) { TicksWanted = 4 };

    private static Scale Milliseconds(IEnumerable<double> values, string title = "ms") => Logarithmic(title, values);

    /// <summary>Powers of ten, and 2 and 5 of each where there are few of them.</summary>
    private static Scale Logarithmic(string title, IEnumerable<double> values)
    {
        var all = values.ToList();
        var (from, to) = (all.Min() / 1.1, all.Max() * 1.1);
        double[] digits = Math.Log10(to / from) switch { < 1.6 => [1, 2, 5], < 3 => [1, 3], _ => [1] };
        var ticks = Enumerable.Range((int)Math.Floor(Math.Log10(from)), 2 + (int)Math.Ceiling(Math.Log10(to / from))).SelectMany(power => digits.Select(digit => digit * Math.Pow(10, power))).Where(tick => tick >= from && tick <= to);
        return new Scale(title, from, to, IsLogarithmic: true, Significant) { At = [.. ticks] };
    }

    private static double? Ratio(double part, double whole) => whole > 0 ? part / whole : null;

    /// <summary>E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927: 95 % interval of a share.</summary>
    private static (double, double) Wilson(long hits, long count)
    {
        const double Z = 1.959964;
        var (share, spread) = (hits / (double)count, Z * Z / count);
        var middle = (share + spread / 2) / (1 + spread);
        var half = Z / (1 + spread) * Math.Sqrt(share * (1 - share) / count + spread / (4 * count));
        return (middle - half, middle + half);
    }
}
