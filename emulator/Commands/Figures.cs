using System.Globalization;
using System.Text.Json;
using Fleet.Contracts;

namespace Fleet.Emulator.Commands;

/// <summary>Figures as people read them, and as one line of JSON.</summary>
internal static class Figures
{
    /// <summary>One object on one line, for programs.</summary>
    public static void PrintJson<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, Json.Wire.Info<T>()));

    public static void Print(RunResult result)
    {
        Print(result.Figures);
        Row("in flight at the end", Count(result.InFlight));
        Row("cut off by power loss", $"{Count(result.CutOff)} ({result.DevicesDied} devices died)");
        Row("device energy", string.Join(", ", new[] { "idle", "compute", "transmit", "receive" }.Select(use => $"{use} {result.Energy[use]:G4} J")));
        Row("messages", string.Join(", ", result.Messages.Select(pair => $"{pair.Key.Replace('_', ' ')} {Count(pair.Value)}")));
        Row("events", Count(result.Events));
    }

    public static void Print(FleetFigures figures)
    {
        Row("devices online", $"{figures.DevicesOnline} (edge servers {figures.EdgesOnline}; desired equals reported: {(figures.DesiredEqualsReported ? "yes" : "no")})");
        Row("inferences", $"{Count(figures.Inferences)} (lost {figures.Lost}, skipped {figures.Skipped})");
        Row("accuracy", $"{Percent(figures.Accuracy)} (expected {Percent(figures.AccuracyExpected)})");
        Row("answered by", string.Join(", ", figures.ExitRatios.Select((share, i) => $"exit {i + 1} {Percent(share)}").Append($"edge {Percent(figures.OffloadRatio)}").Append($"fallback {Percent(figures.FallbackRatio)}")));
        Row("deadline missed", Percent(figures.DeadlineMissedRatio));
        Row("latency", $"p50 {Milliseconds(figures.LatencyP50)}, p95 {Milliseconds(figures.LatencyP95)}");
        Row("energy", $"{Millijoules(figures.EnergyPerInference)} an inference; the fleet draws {figures.Power?.ToString() ?? "-"}");
        Row("bytes sent", $"{figures.BytesPerInference?.Value.ToString("F1", CultureInfo.InvariantCulture) ?? "-"} an inference");
    }

    private static void Row(string name, string value) => Console.Out.WriteLine($"  {name,-22}{value}");

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Percent(double? ratio) => ratio is { } value ? (value * 100).ToString("F2", CultureInfo.InvariantCulture) + " %" : "-";

    private static string Milliseconds(Seconds? time) => time is { } value ? (value.Value * 1e3).ToString("F2", CultureInfo.InvariantCulture) + " ms" : "-";

    private static string Millijoules(Joules? energy) => energy is { } value ? (value.Value * 1e3).ToString("F3", CultureInfo.InvariantCulture) + " mJ" : "-";
}
