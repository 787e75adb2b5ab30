using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Emulator;

/// <summary>A fleet in numbers: what `fleet up`, `fleet watch` and `fleet run` print. Ratios are of all inferences answered.</summary>
public sealed record FleetFigures
{
    [JsonPropertyName("devices_online")] public required int DevicesOnline { get; init; }
    [JsonPropertyName("edges_online")] public required int EdgesOnline { get; init; }
    [JsonPropertyName("desired_equals_reported")] public required bool DesiredEqualsReported { get; init; }
    [JsonPropertyName("inferences")] public required long Inferences { get; init; }

    /// <summary>What the books cannot explain: always 0.</summary>
    [JsonPropertyName("lost")] public required long Lost { get; init; }
    [JsonPropertyName("accuracy_ratio")] public double? Accuracy { get; init; }

    /// <summary>From the calibration trace, conditional on the routes and thresholds in force.</summary>
    [JsonPropertyName("accuracy_expected_ratio")] public double? AccuracyExpected { get; init; }
    [JsonPropertyName("exit_{n}_ratio")] public PerExit ExitRatios { get; init; } = PerExit.None;
    [JsonPropertyName("offload_ratio")] public double? OffloadRatio { get; init; }
    [JsonPropertyName("fallback_ratio")] public double? FallbackRatio { get; init; }
    [JsonPropertyName("deadline_missed_ratio")] public double? DeadlineMissedRatio { get; init; }
    [JsonPropertyName("latency_p50_s")] public Seconds? LatencyP50 { get; init; }
    [JsonPropertyName("latency_p95_s")] public Seconds? LatencyP95 { get; init; }

    /// <summary>Device energy of waking, computing and radio, without idling and sleeping.</summary>
    [JsonPropertyName("energy_per_inference_j")] public Joules? EnergyPerInference { get; init; }
    [JsonPropertyName("power_w")] public Watts? Power { get; init; }
    [JsonPropertyName("bytes_per_inference")] public Bytes? BytesPerInference { get; init; }
    [JsonPropertyName("skipped")] public long Skipped { get; init; }
    [JsonPropertyName("malformed")] public long Malformed { get; init; }
    [JsonPropertyName("broker_dropped")] public long BrokerDropped { get; init; }
}

/// <summary>The outcome of a virtual-time run; the last thing it prints.</summary>
public sealed record RunResult
{
    [JsonPropertyName("scenario")] public required string Scenario { get; init; }
    [JsonPropertyName("seed")] public required long Seed { get; init; }
    [JsonPropertyName("policy")] public required string Policy { get; init; }
    [JsonPropertyName("duration_s")] public required Seconds Duration { get; init; }
    [JsonPropertyName("sites")] public required int Sites { get; init; }
    [JsonPropertyName("devices")] public required long Devices { get; init; }
    [JsonPropertyName("figures")] public required FleetFigures Figures { get; init; }
    [JsonPropertyName("cut_off")] public required long CutOff { get; init; }
    [JsonPropertyName("in_flight")] public required long InFlight { get; init; }

    /// <summary>Virtual time reached: duration_s, or less when until_dead_ratio ended every site before.</summary>
    [JsonPropertyName("ended_s")] public required Seconds Ended { get; init; }

    /// <summary>Devices that have lost their power at least once.</summary>
    [JsonPropertyName("devices_died")] public required int DevicesDied { get; init; }
    [JsonPropertyName("power_losses")] public required int PowerLosses { get; init; }
    [JsonPropertyName("reboots")] public required int Reboots { get; init; }

    /// <summary>Until the first device lost its power for the first time; until half of them had; until until_dead_ratio of them had. Absent when they did not.</summary>
    [JsonPropertyName("lifetime_first_s")] public Seconds? LifetimeFirst { get; init; }
    [JsonPropertyName("lifetime_median_s")] public Seconds? LifetimeMedian { get; init; }
    [JsonPropertyName("lifetime_asked_s")] public Seconds? LifetimeAsked { get; init; }

    /// <summary>Before the first fault struck, and since; absent where there was none, or no answer.</summary>
    [JsonPropertyName("accuracy_before_fault_ratio")] public double? AccuracyBeforeFault { get; init; }
    [JsonPropertyName("accuracy_since_fault_ratio")] public double? AccuracySinceFault { get; init; }

    /// <summary>Devices that faults struck, each counted for each fault; how many of these were back in service, and how long after the fault's end.</summary>
    [JsonPropertyName("devices_struck")] public required int DevicesStruck { get; init; }
    [JsonPropertyName("devices_back")] public required int DevicesBack { get; init; }
    [JsonPropertyName("back_median_s")] public Seconds? BackMedian { get; init; }
    [JsonPropertyName("back_max_s")] public Seconds? BackMax { get; init; }
    [JsonPropertyName("latency_p99_s")] public Seconds? LatencyP99 { get; init; }

    [JsonPropertyName("energy_j")] public required IReadOnlyDictionary<string, double> Energy { get; init; }
    [JsonPropertyName("messages")] public required IReadOnlyDictionary<string, long> Messages { get; init; }

    /// <summary>Due, duplicated, delivered, dropped.</summary>
    [JsonPropertyName("messages_by_kind")] public required MessageTable MessagesByKind { get; init; }

    /// <summary>Frames that edge servers answered, in how large batches, and how long these had waited for a worker.</summary>
    [JsonPropertyName("edge_served")] public required long EdgeServed { get; init; }
    [JsonPropertyName("edge_batch_mean")] public double? EdgeBatchMean { get; init; }
    [JsonPropertyName("edge_wait_mean_s")] public Seconds? EdgeWaitMean { get; init; }

    /// <summary>Tails that edge servers loaded and unloaded; absent where none is short of memory.</summary>
    [JsonPropertyName("tails")] public TailTraffic? Tails { get; init; }

    /// <summary>What shared cells and gateways saw; empty when all links are simple.</summary>
    [JsonPropertyName("radio")] public required IReadOnlyDictionary<string, long> Radio { get; init; }
    [JsonPropertyName("events")] public required long Events { get; init; }
    [JsonPropertyName("trace_hash")] public required string TraceHash { get; init; }
}
