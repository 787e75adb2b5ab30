using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator.Scenarios;
using static Fleet.Emulator.Reporting.Column;

namespace Fleet.Emulator.Reporting;

/// <summary>The rows of a run's tables. Figures are rounded to six digits, so that text and number are the same.</summary>
public static class ResultTables
{
    private static readonly Column[] Energy = [Number("harvested_j"), Number("idle_j"), Number("compute_j"), Number("transmit_j"), Number("receive_j"), Number("boot_j"), Number("sleep_j"), Number("wake_j"), Number("leaked_j"), Number("spilled_j"), Number("stored_j")];
    private static readonly Column[] MessageColumns = [Whole("due"), Whole("duplicated"), Whole("delivered"), Whole("dropped"), Whole("superseded")];

    public static IReadOnlyList<Column> Sites { get; } =
    [
        Text("site"), Text("hash"), Number("reached_s"), Whole("devices"), Whole("devices_online"), Whole("edges_online"), Whole("started"), Whole("answered"), Whole("offloaded"), Whole("fallback"), Whole("deadline_missed"), Whole("labelled"),
        Whole("correct"), Number("accuracy_ratio"), Number("accuracy_expected_ratio"), Number("latency_p50_s"), Number("latency_p95_s"), Number("latency_p99_s"), Whole("cut_off"), Whole("in_flight"), Whole("lost"), Whole("skipped"), Whole("malformed"),
        Number("sent_bytes"), .. Energy, .. MessageColumns, Whole("messages_in_flight"), Whole("devices_died"), Whole("power_losses"), Whole("reboots"), Whole("events"),
    ];

    public static IReadOnlyList<Column> Messages { get; } = [Text("site"), Number("from_s"), Text("kind"), .. MessageColumns];

    public static IReadOnlyList<Column> Edges { get; } =
    [
        Text("site"), Text("edge"), Text("profile"), Whole("workers"), Number("from_s"), Whole("served"), Whole("refused"), Whole("expired"), Number("batch_mean"), Number("wait_mean_s"), Number("waiting_mean"), Number("busy_ratio"), Number("energy_j"),
    ];

    public static IReadOnlyList<Column> Devices { get; } =
    [
        Text("site"), Text("device"), Text("board"), Whole("started"), Whole("exits"), Whole("offloaded"), Whole("fallback"), Whole("deadline_missed"), Whole("labelled"), Whole("correct"), Whole("cut_off"), Whole("skipped"),
        Number("latency_mean_s"), Number("latency_max_s"), Number("sent_bytes"), .. Energy, Number("lifetime_s"), Whole("power_losses"), Whole("reboots"),
    ];

    /// <summary>A scenario's faults in its order, with what each kind has of its own: what is in force, whether the scenario says it or not.</summary>
    public static IReadOnlyList<Column> Faults { get; } =
    [
        Text("kind"), Text("site"), Text("target"), Number("from_s"), Number("to_s"),
        Text("from"), Number("ratio"), Number("delay_s"), Text("retained"), Number("drift_ppm"), Number("offset_s"), Number("rate_hz"), Whole("queue_max"), Number("boot_s"),
    ];

    public static IReadOnlyList<Column> Returns { get; } = [Text("site"), Text("device"), Text("fault"), Number("ended_s"), Number("back_after_s")];

    /// <summary>One row an inference.</summary>
    public static IReadOnlyList<Column> Events { get; } =
    [
        Number("time_s"), Text("site"), Text("device"), Whole("sample"), Text("answered_by"), Whole("exit"), Whole("correct"), Whole("deadline_missed"), Number("latency_s"), Number("energy_j"), Number("sent_bytes"),
    ];

    public static IReadOnlyList<Column> Latency { get; } = [Number("from_s"), Number("to_s"), Whole("count")];

    /// <param name="exits">How many a model of this run has at most.</param>
    public static IReadOnlyList<Column> Timeline(int exits) =>
    [
        Text("site"), Number("from_s"), Whole("started"), Whole("answered"), .. Enumerable.Range(1, exits).Select(exit => Whole($"exit_{exit}")), Whole("offloaded"), Whole("fallback"), Whole("deadline_missed"), Whole("labelled"), Whole("correct"),
        Number("latency_mean_s"), Number("latency_p50_s"), Number("latency_p95_s"), Number("latency_p99_s"), Whole("skipped"), Number("sent_bytes"), .. Energy,
        Number("battery_mean_ratio"), Number("battery_min_ratio"), Number("battery_p10_ratio"), Number("battery_p50_ratio"), Number("battery_p90_ratio"), Whole("batteries_empty"), .. MessageColumns,
    ];

    public static void Add(TableWriter table, SiteResult site)
    {
        var total = SiteBin.Sum(site.Bins);
        var messages = site.Messages.Total;
        table.Add(site.Site).Add(site.Hash).Add(Rounded(site.Reached)).Add(site.Devices).Add(site.DevicesOnline).Add(site.EdgesOnline).Add(total.Started).Add(total.Answered)
            .Add(total.Offloaded).Add(total.Fallback).Add(total.DeadlineMissed).Add(total.Labelled).Add(total.Correct)
            .Add(Ratio(total.Correct, total.Labelled)).Add(Rounded(site.AccuracyExpected));
        Percentiles(table, total.Latency);
        table.Add(site.CutOff).Add(site.InFlight).Add(site.Lost).Add(site.Skipped).Add(site.Malformed).Add(site.Sent.Value);
        Flows(table, site.Energy, site.Stored);
        Counts(table, messages.Due, messages.Duplicated, messages.Delivered, messages.Dropped, messages.Superseded);
        table.Add(site.MessagesInFlight).Add(site.Lifetimes.Count).Add(site.PowerLosses).Add(site.Reboots).Add(site.Events).EndRow();
    }

    public static void AddTimeline(TableWriter table, SiteResult site, int exits)
    {
        for (var i = 0; i < site.Bins.Count; i++)
        {
            var bin = site.Bins[i];
            table.Add(site.Site).Add(Rounded(site.BinLength * i)).Add(bin.Started).Add(bin.Answered);
            for (var exit = 0; exit < exits; exit++) table.Add(bin.Exits.ElementAtOrDefault(exit));
            table.Add(bin.Offloaded).Add(bin.Fallback).Add(bin.DeadlineMissed).Add(bin.Labelled).Add(bin.Correct).Add(Ratio(bin.LatencySum.Value, bin.Answered));
            Percentiles(table, bin.Latency);
            table.Add(bin.Skipped).Add(bin.Sent.Value);
            Flows(table, bin.Energy, bin.Stored);
            var full = bin.Batteries;
            table.Add(Rounded(full?.Mean)).Add(full?.Min).Add(full?.Quantile(0.1)).Add(full?.Quantile(0.5)).Add(full?.Quantile(0.9)).Add(full?.Empty);
            var messages = bin.Messages.Total;
            Counts(table, messages.Due, messages.Duplicated, messages.Delivered, messages.Dropped, messages.Superseded);
            table.EndRow();
        }
    }

    public static void AddMessages(TableWriter table, SiteResult site)
    {
        for (var i = 0; i < site.Bins.Count; i++)
            foreach (var (kind, counts) in site.Bins[i].Messages)
            {
                table.Add(site.Site).Add(Rounded(site.BinLength * i)).Add(kind);
                Counts(table, counts[0], counts[1], counts[2], counts[3], counts[4]);
                table.EndRow();
            }
    }

    public static void AddEdges(TableWriter table, SiteResult site)
    {
        foreach (var edge in site.Edges)
            for (var i = 0; i < edge.Bins.Count; i++)
            {
                var (bin, length) = (edge.Bins[i], Seconds.Min(site.BinLength, site.Reached - site.BinLength * i));
                table.Add(site.Site).Add(edge.Id).Add(edge.Profile).Add(edge.Workers).Add(Rounded(site.BinLength * i)).Add(bin.Served).Add(bin.Refused).Add(bin.Expired)
                    .Add(Ratio(bin.Served, bin.Batches)).Add(Ratio(bin.Waited.Value, bin.Served)).Add(Ratio(bin.Waited.Value, length.Value)).Add(Ratio(bin.Busy.Value, length.Value * edge.Workers)).Add(Quantity.Rounded(bin.Energy.Value)).EndRow();
            }
    }

    public static void Add(TableWriter table, string site, DeviceResult device)
    {
        var did = device.Account;
        table.Add(site).Add(did.Id).Add(did.Board).Add(did.Started).Add(did.Exits).Add(did.Edge).Add(did.Fallback).Add(did.DeadlineMissed).Add(did.Labelled).Add(did.Correct).Add(did.CutOff).Add(device.Skipped)
            .Add(Ratio(did.LatencySum.Value, did.Answered)).Add(Rounded(did.LatencyMax)).Add(device.Sent.Value);
        Flows(table, EnergyFlows.Of(did.Energy), device.Stored);
        table.Add(did.Lifetime is { } lifetime ? Rounded(lifetime) : null).Add(did.PowerLosses).Add(did.Reboots).EndRow();
    }

    public static void AddReturns(TableWriter table, SiteResult site)
    {
        foreach (var device in site.Returns) table.Add(site.Site).Add(device.Device).Add(device.Fault).Add(Rounded(device.Ended)).Add(device.BackAfter is { } after ? Rounded(after) : null).EndRow();
    }

    public static void AddEvents(TableWriter table, string site, IReadOnlyList<DeviceResult> devices, IEnumerable<AnsweredEvent> events)
    {
        foreach (var happened in events)
        {
            table.Add(Quantity.Rounded(happened.At.Value)).Add(site).Add(devices[happened.Device].Account.Id).Add(happened.Sample).Add(NameOf(happened.By)).Add(happened.Exit == 0 ? null : happened.Exit)
                .Add(happened.IsCorrect is { } correct ? correct ? 1 : 0 : null).Add(happened.DeadlineMissed ? 1 : 0).Add(Rounded(happened.Latency)).Add(Quantity.Rounded(happened.Energy.Value)).Add(happened.Sent.Value).EndRow();
        }
    }

    public static void Add(TableWriter table, FaultSpec fault)
    {
        var own = fault.InForce();
        table.Add(JsonNames.Of(fault.Kind)).Add(fault.Site).Add(fault.Target).Add(fault.At.Value).Add(fault.End.Value)
            .Add(own.From).Add(own.Ratio).Add(own.Delay?.Value).Add(own.Retained is { } memory ? JsonNames.Of(memory) : null).Add(own.DriftPpm).Add(own.Offset?.Value).Add(own.Rate?.Value).Add((long?)own.QueueMax).Add(own.Boot?.Value).EndRow();
    }

    public static void Add(TableWriter table, Histogram latency)
    {
        var pairs = latency.Pairs();
        for (var i = 0; i < pairs.Length; i += 2) table.Add(Rounded(Histogram.From(pairs[i]))).Add(Rounded(Histogram.From(pairs[i] + 1))).Add(pairs[i + 1]).EndRow();
    }

    private static string NameOf(AnsweredBy by) => by switch
    {
        AnsweredBy.Exit => "exit",
        AnsweredBy.Edge => "edge",
        _ => "fallback",
    };

    private static void Percentiles(TableWriter table, Histogram latency)
    {
        foreach (var share in (double[])[0.5, 0.95, 0.99]) table.Add(latency.Percentile(share) is { } time ? Rounded(time) : null);
    }

    private static void Flows(TableWriter table, EnergyFlows flows, Joules stored)
    {
        foreach (var energy in (Joules[])[flows.Harvested, flows.Idle, flows.Compute, flows.Transmit, flows.Receive, flows.Boot, flows.Sleep, flows.Wake, flows.Leaked, flows.Spilled, stored]) table.Add(Quantity.Rounded(energy.Value));
    }

    private static void Counts(TableWriter table, params ReadOnlySpan<long> counts)
    {
        foreach (var count in counts) table.Add(count);
    }

    private static double? Ratio(double part, double whole) => whole > 0 ? Quantity.Rounded(part / whole) : null;

    private static double? Rounded(double? value) => value is { } known ? Quantity.Rounded(known) : null;

    private static double? Rounded(Seconds time) => Quantity.Rounded(time.Value);
}
