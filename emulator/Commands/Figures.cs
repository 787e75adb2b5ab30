using System.Globalization;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator.Reporting;

namespace Fleet.Emulator.Commands;

/// <summary>Figures as people read them, and as one line of JSON.</summary>
internal static class Figures
{
    /// <summary>One object on one line, for programs.</summary>
    public static void PrintJson<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, Json.Wire.Info<T>()));

    /// <summary>The first column to the left, the last as it is, figures to the right.</summary>
    public static void Columns(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
            Console.Out.WriteLine(("  " + string.Join("  ", row.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])))).TrimEnd());
    }

    public static void Print(RunResult result)
    {
        Print(result.Figures);
        if ((result.AccuracyBeforeFault ?? result.AccuracySinceFault) is not null)
            Row("around the fault", $"accuracy {Percent(result.AccuracyBeforeFault)} before the first one, {Percent(result.AccuracySinceFault)} since");
        Row("in flight at the end", Count(result.InFlight));
        Row("cut off by power loss", $"{Count(result.CutOff)} ({result.DevicesDied} devices died{(result.Reboots > 0 ? $", {Count(result.PowerLosses)} power losses, {Count(result.Reboots)} reboots" : "")})");
        if (result.DevicesStruck > 0)
            Row("back after faults", $"{Count(result.DevicesBack)} of {Count(result.DevicesStruck)} times{(result is { BackMedian: { } median, BackMax: { } max } ? $", half within {median}, the last after {max}" : "")}");
        if (result.LifetimeFirst is { } first)
            Row("lifetime", string.Join(", ", new[] { ("first", first), ("median", result.LifetimeMedian), ("asked", result.LifetimeAsked) }.Where(part => part.Item2 is not null).Select(part => $"{part.Item1} {Days(part.Item2!.Value)}")));
        Row("device energy", string.Join(", ", new[] { "harvested", "idle", "compute", "transmit", "receive", "boot", "sleep", "wake", "leaked", "spilled" }.Where(use => result.Energy[use] > 0).Select(use => $"{use} {result.Energy[use]:G4} J")));
        if (result.Tails is { } tails)
            Row("tails", $"loaded {Count(tails.Loads)} ({RunFigure.Bytes(tails.Loaded.Value)}, {RunFigure.Duration(tails.Loading.Value)}), unloaded {Count(tails.Unloads)}, at most {RunFigure.Bytes(tails.HeldMax.Value)} on one server");
        Row("messages", string.Join(", ", result.Messages.Select(pair => $"{pair.Key.Replace('_', ' ')} {Count(pair.Value)}")));
        if (result.Radio.Count > 0) Row("on the air", string.Join(", ", result.Radio.Select(pair => $"{pair.Key.Replace('_', ' ')} {Count(pair.Value)}")));
        Row("events", Count(result.Events));
    }

    /// <summary>A line a figure: mean, 95 % confidence interval, standard deviation of one run, extremes.</summary>
    public static void Print(Replications replications)
    {
        var rows = replications.Estimates().Select(pair => pair.Estimate is var of
            ? new[] { pair.Figure.Name, pair.Figure.Text(of.Mean), of.HalfWidth is { } half ? "± " + pair.Figure.Text(half) : "", pair.Figure.Text(of.Deviation), pair.Figure.Text(of.Min), pair.Figure.Text(of.Max), Count(of.Count) } : []);
        Columns([["figure", "mean", "95 %", "deviation", "least", "most", "n"], .. rows]);
        if (replications.Estimates().Any(pair => pair.Figure.Resolution is not null)) Console.Out.WriteLine("  " + RunFigure.ResolutionNote);
    }

    public static void Print(FleetFigures figures)
    {
        foreach (var (name, value) in Rows(figures)) Row(name, value);
    }

    public static IEnumerable<(string Name, string Value)> Rows(FleetFigures figures)
    {
        yield return ("devices online", $"{figures.DevicesOnline} (edge servers {figures.EdgesOnline}; desired equals reported: {(figures.DesiredEqualsReported ? "yes" : "no")})");
        yield return ("inferences", $"{Count(figures.Inferences)} (lost {figures.Lost}, skipped {figures.Skipped})");
        yield return ("accuracy", $"{Percent(figures.Accuracy)} (expected {Percent(figures.AccuracyExpected)})");
        yield return ("answered by", string.Join(", ", figures.ExitRatios.Select((share, i) => $"exit {i + 1} {Percent(share)}").Append($"edge {Percent(figures.OffloadRatio)}").Append($"fallback {Percent(figures.FallbackRatio)}")));
        yield return ("deadline missed", Percent(figures.DeadlineMissedRatio));
        yield return ("latency", $"p50 {Milliseconds(figures.LatencyP50)}, p95 {Milliseconds(figures.LatencyP95)}");
        yield return ("energy", $"{Millijoules(figures.EnergyPerInference)} an inference; the fleet draws {figures.Power?.ToString() ?? "-"}");
        yield return ("bytes sent", $"{figures.BytesPerInference?.Value.ToString("F1", CultureInfo.InvariantCulture) ?? "-"} an inference");
    }

    private static void Row(string name, string value) => Console.Out.WriteLine($"  {name,-22}{value}");

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Percent(double? ratio) => ratio is { } value ? (value * 100).ToString("F2", CultureInfo.InvariantCulture) + " %" : "-";

    private static string Milliseconds(Seconds? time) => time is { } value ? (value.Value * 1e3).ToString("F2", CultureInfo.InvariantCulture) + " ms" : "-";

    private static string Days(Seconds time) => time.Value < 2 * 86_400 ? $"{time.Value:G6} s" : string.Create(CultureInfo.InvariantCulture, $"{time.Value / 86_400:F2} days");

    private static string Millijoules(Joules? energy) => energy is { } value ? (value.Value * 1e3).ToString("F3", CultureInfo.InvariantCulture) + " mJ" : "-";
}
