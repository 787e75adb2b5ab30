using System.Globalization;
using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Emulator.Live;

/// <summary>The outcome of a live bulk run. The steady part is from when all devices had a head to when they were told to stop.</summary>
public sealed record BulkFigures
{
    [JsonPropertyName("devices")] public required int Devices { get; init; }
    [JsonPropertyName("ready")] public required long Ready { get; init; }

    /// <summary>Devices that received a desired of their own; and desired assignments that came to the wrong device: always 0.</summary>
    [JsonPropertyName("assigned")] public required long Assigned { get; init; }
    [JsonPropertyName("misdirected")] public required long Misdirected { get; init; }

    [JsonPropertyName("connections")] public required long Connections { get; init; }
    [JsonPropertyName("reconnects")] public required long Reconnects { get; init; }

    [JsonPropertyName("published")] public required long Published { get; init; }
    [JsonPropertyName("reports")] public required long Reports { get; init; }
    [JsonPropertyName("received")] public required long Received { get; init; }

    /// <summary>Not sent because the queue to the broker was full.</summary>
    [JsonPropertyName("dropped")] public required long Dropped { get; init; }

    /// <summary>Published at least once and never acknowledged: 0 unless the run was cut short.</summary>
    [JsonPropertyName("unacknowledged")] public required long Unacknowledged { get; init; }

    [JsonPropertyName("inferences")] public required long Inferences { get; init; }

    /// <summary>What the books cannot explain: always 0.</summary>
    [JsonPropertyName("lost")] public required long Lost { get; init; }
    [JsonPropertyName("accuracy_ratio")] public double? Accuracy { get; init; }
    [JsonPropertyName("offload_ratio")] public double? Offload { get; init; }
    [JsonPropertyName("fallback_ratio")] public double? Fallback { get; init; }

    /// <summary>Answers that windows told and the controllers' summaries do not count; absent when no controller was heard, or when others answered in the same sites.</summary>
    [JsonPropertyName("unheard_by_controller")] public long? Unheard { get; init; }
    [JsonPropertyName("controller_malformed")] public long ControllerMalformed { get; init; }
    [JsonPropertyName("broker_dropped")] public long BrokerDropped { get; init; }

    [JsonPropertyName("steady_s")] public required Seconds Steady { get; init; }
    [JsonPropertyName("steady_messages_hz")] public required Hertz SteadyMessages { get; init; }

    /// <summary>Of this process, user and system, for each message published in the steady part, agents and inference included.</summary>
    [JsonPropertyName("cpu_s_per_message")] public required Seconds CpuPerMessage { get; init; }
    [JsonPropertyName("cpu_ratio")] public required double CpuRatio { get; init; }

    /// <summary>Resident memory of this process beyond what it had before the first device, by device.</summary>
    [JsonPropertyName("memory_bytes_per_device")] public required Bytes MemoryPerDevice { get; init; }
    [JsonPropertyName("memory_bytes")] public required Bytes Memory { get; init; }

    [JsonPropertyName("acknowledged_p50_s")] public Seconds? AcknowledgedP50 { get; init; }
    [JsonPropertyName("acknowledged_p99_s")] public Seconds? AcknowledgedP99 { get; init; }
    [JsonPropertyName("speed")] public required double Speed { get; init; }
    [JsonPropertyName("drift_max_s")] public required Seconds DriftMax { get; init; }
    [JsonPropertyName("drift")] public required Drift Drift { get; init; }

    /// <summary>Why it ended before its time; empty when it did not.</summary>
    [JsonPropertyName("stopped")] public string Stopped { get; init; } = "";

    /// <summary>Real boards that devices followed.</summary>
    [JsonPropertyName("predictions")] public IReadOnlyDictionary<string, Prediction> Predictions { get; init; } = new Dictionary<string, Prediction>();

    /// <summary>Whether nothing was lost on the way: books closed, every report acknowledged, none dropped, and heard by the controller if one was there.</summary>
    [JsonIgnore] public bool IsWhole => !Missing.Any();

    /// <summary>What keeps the run from being whole, in words.</summary>
    [JsonIgnore]
    public IEnumerable<string> Missing
    {
        get
        {
            if (Lost != 0) yield return $"{Count(Lost)} inferences that the books cannot explain";
            if (Dropped != 0) yield return $"{Count(Dropped)} messages dropped here, the queue to the broker being full";
            if (Unacknowledged != 0) yield return $"{Count(Unacknowledged)} messages never acknowledged";
            if (Misdirected != 0) yield return $"{Count(Misdirected)} assignments that came to the wrong device";
            if (BrokerDropped != 0) yield return $"{Count(BrokerDropped)} messages lost by the controller's broker, to whomever they went";
            if (Unheard > 0) yield return $"{Count(Unheard.Value)} answers of which the controller has not heard";
        }
    }

    public IEnumerable<(string Name, string Value)> Rows()
    {
        yield return ("devices", $"{Count(Devices)} on {Count(Connections)} connections; {Count(Assigned)} received their desired, {Count(Ready)} ready, {Count(Misdirected)} misdirected");
        yield return ("messages", $"{Count(Published)} published ({Count(Reports)} reports), {Count(Received)} received; {Count(Dropped)} dropped, {Count(Unacknowledged)} never acknowledged, {Count(Reconnects)} reconnects");
        yield return ("controller", Unheard is { } unheard ? $"{Count(unheard)} answers not heard, {Count(ControllerMalformed)} messages malformed, {Count(BrokerDropped)} lost by its broker" : "no summary of these devices alone was heard");
        yield return ("inferences", $"{Count(Inferences)} (lost {Count(Lost)}), accuracy {Percent(Accuracy)}, offloaded {Percent(Offload)}, fallback {Percent(Fallback)}");
        yield return ("steady part", string.Create(CultureInfo.InvariantCulture, $"{Steady.Value:F1} s at {SteadyMessages.Value:N0} messages a second, {CpuRatio * 100:F0} % of a processor: {CpuPerMessage.Value * 1e6:F1} us a message"));
        yield return ("memory", string.Create(CultureInfo.InvariantCulture, $"{Memory.Value / (1 << 20):N0} MiB, {MemoryPerDevice.Value:N0} bytes a device"));
        yield return ("acknowledged after", $"p50 {Time(AcknowledgedP50)}, p99 {Time(AcknowledgedP99)}");
        yield return ("drift", string.Create(CultureInfo.InvariantCulture, $"at most {Live.Drift.Text(DriftMax)}; at the end {Drift}; speed {Speed:G4}"));
        foreach (var (board, prediction) in Predictions)
            yield return ($"clones of {board}", $"profile {prediction.Profile} predicts its stages with {Percent(prediction.Error)} error ({string.Join(", ", prediction.Predicted.Zip(prediction.Measured, (claim, real) => string.Create(CultureInfo.InvariantCulture, $"{claim * 1e3:F3} for {real * 1e3:F3} ms")))}); clones follow the measurements");
        if (Stopped.Length > 0) yield return ("stopped", Stopped);
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Percent(double? ratio) => ratio is { } value ? (value * 100).ToString("F2", CultureInfo.InvariantCulture) + " %" : "-";

    private static string Time(Seconds? time) => time is { } value ? Live.Drift.Text(value) : "-";
}
