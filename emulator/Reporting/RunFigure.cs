using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Emulator.Reporting;

/// <summary>A figure of a run that replications are compared by.</summary>
/// <param name="Key">With its unit, as in tables.</param>
/// <param name="Of">Null where the run has no such figure.</param>
/// <param name="Text">As people read it, with its unit.</param>
public sealed record RunFigure(string Key, string Name, Func<RunResult, double?> Of, Func<double, string> Text)
{
    /// <summary>Told beside intervals: where all runs fall into one bin, the interval is 0 and the figure is not known any better.</summary>
    public static string ResolutionNote { get; } = $"Percentiles of latency are known to within {Percent(Histogram.Resolution)}, the middles of bins that grow by 5 %: an interval of 0 only says that all runs fell into one bin.";

    /// <summary>See <see cref="Estimate.Resolution"/>.</summary>
    public double? Resolution { get; init; }

    public static IReadOnlyList<RunFigure> All { get; } =
    [
        new("inferences", "inferences answered", result => result.Figures.Inferences, Count),
        new("lost", "inferences lost", result => result.Figures.Lost, Count),
        new("accuracy_ratio", "accuracy", result => result.Figures.Accuracy, Percent),
        new("accuracy_expected_ratio", "accuracy expected", result => result.Figures.AccuracyExpected, Percent),
        new("accuracy_before_fault_ratio", "accuracy before the first fault", result => result.AccuracyBeforeFault, Percent),
        new("accuracy_since_fault_ratio", "accuracy since the first fault", result => result.AccuracySinceFault, Percent),
        new("offload_ratio", "answered by edge servers", result => result.Figures.OffloadRatio, Percent),
        new("fallback_ratio", "answered by fallback", result => result.Figures.FallbackRatio, Percent),
        new("deadline_missed_ratio", "deadline missed", result => result.Figures.DeadlineMissedRatio, Percent),
        new("latency_p50_s", "latency, median", result => result.Figures.LatencyP50?.Value, Time) { Resolution = Histogram.Resolution },
        new("latency_p95_s", "latency, 95th percentile", result => result.Figures.LatencyP95?.Value, Time) { Resolution = Histogram.Resolution },
        new("latency_p99_s", "latency, 99th percentile", result => result.LatencyP99?.Value, Time) { Resolution = Histogram.Resolution },
        new("energy_per_inference_j", "device energy an inference", result => result.Figures.EnergyPerInference?.Value, Energy),
        new("power_w", "power of all devices", result => result.Figures.Power?.Value, value => Significant(value) + " W"),
        new("bytes_per_inference", "bytes sent an inference", result => result.Figures.BytesPerInference?.Value, value => Significant(value) + " B"),
        new("messages_dropped", "messages dropped", result => result.Messages["dropped"], Count),
        new("edge_batch_mean", "frames in an edge server's batch", result => result.EdgeBatchMean, Significant),
        new("edge_wait_mean_s", "wait for an edge server's worker", result => result.EdgeWaitMean?.Value, Time),
        new("tail_loads", "tails loaded by edge servers", result => result.Tails?.Loads, Count),
        new("tail_loaded_bytes", "bytes of tails loaded", result => result.Tails?.Loaded.Value, Bytes),
        new("tail_loading_s", "time of loading tails", result => result.Tails?.Loading.Value, Duration),
        new("back_median_s", "back in service after faults, median", result => result.BackMedian?.Value, Duration),
        new("back_max_s", "back in service after faults, the last", result => result.BackMax?.Value, Duration),
        new("skipped", "inputs skipped", result => result.Figures.Skipped, Count),
        new("power_losses", "power losses", result => result.PowerLosses, Count),
        new("devices_died", "devices that died", result => result.DevicesDied, Count),
        new("lifetime_first_s", "until the first device died", result => result.LifetimeFirst?.Value, Duration),
        new("lifetime_median_s", "until half the devices had died", result => result.LifetimeMedian?.Value, Duration),
        new("lifetime_asked_s", "until the share asked for had died", result => result.LifetimeAsked?.Value, Duration),
    ];

    public static string Count(double value) => value.ToString("#,0.##", CultureInfo.InvariantCulture);

    public static string Percent(double ratio) => (ratio * 100).ToString("0.00", CultureInfo.InvariantCulture) + " %";

    /// <summary>Three significant digits, without exponents.</summary>
    public static string Significant(double value)
    {
        if (value == 0) return "0";
        var digits = Math.Clamp(2 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 9);
        return value.ToString("#,0." + new string('#', digits), CultureInfo.InvariantCulture);
    }

    /// <summary>A short span: microseconds to seconds.</summary>
    public static string Time(double seconds) => Scaled(seconds, [(1, "s"), (1e-3, "ms"), (1e-6, "us")]);

    public static string Energy(double joules) => Scaled(joules, [(1e6, "MJ"), (1e3, "kJ"), (1, "J"), (1e-3, "mJ"), (1e-6, "uJ")]);

    public static string Bytes(double bytes) => Scaled(bytes, [(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")]);

    /// <summary>A long span: seconds to days.</summary>
    public static string Duration(double seconds) => Scaled(seconds, [(2 * 86_400, "d"), (2 * 3600, "h"), (300, "min"), (0, "s")], ("d", 86_400), ("h", 3600), ("min", 60));

    private static string Scaled(double value, ReadOnlySpan<(double From, string Unit)> units, params ReadOnlySpan<(string Unit, double Size)> sizes)
    {
        foreach (var (from, unit) in units)
        {
            if (Math.Abs(value) < from * 0.9995 && unit != units[^1].Unit) continue;
            var size = from;
            foreach (var known in sizes)
                if (known.Unit == unit) size = known.Size;
            return Significant(value / (size == 0 ? 1 : size)) + " " + unit;
        }
        return Significant(value);
    }
}
