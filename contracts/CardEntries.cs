using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>A cut: its tensor, and how int8 crosses it (a range of training features, chosen by accuracy on the calibration set).</summary>
public sealed record CutPoint
{
    [JsonPropertyName("cut")] public required int Cut { get; init; }

    /// <summary>Channels, height, width.</summary>
    [JsonPropertyName("shape")] public required IReadOnlyList<int> Shape { get; init; }
    [JsonPropertyName("scale")] public float Scale { get; init; } = 1;
    [JsonPropertyName("zero_point")] public int ZeroPoint { get; init; }

    [JsonIgnore] public int Elements => Shape.Aggregate(1, (product, extent) => product * extent);

    /// <summary>What is wrong with the shape; null when it may cross. A frame has two bytes for an extent.</summary>
    [JsonIgnore] public string? ShapeFault => Shape.Count == 3 && Shape.All(extent => extent is >= 1 and <= ushort.MaxValue) ? null : $"shape is [{string.Join(",", Shape)}]; it must be three positive extents";
}

/// <summary>An exit and how far its confidence may be trusted. Accuracy and ECE are those of the ONNX files on the test set.</summary>
public sealed record ExitCard
{
    [JsonPropertyName("exit")] public required int Exit { get; init; }

    /// <summary>Logits are divided by it before the softmax; fitted on the calibration set.</summary>
    [JsonPropertyName("temperature")] public required double Temperature { get; init; }
    [JsonPropertyName("accuracy_ratio")] public required double Accuracy { get; init; }
    [JsonPropertyName("calibration_accuracy_ratio")] public required double CalibrationAccuracy { get; init; }

    /// <summary>Expected calibration error with 15 equal-width bins, before and after the temperature.</summary>
    [JsonPropertyName("ece_before_ratio")] public required double EceBefore { get; init; }
    [JsonPropertyName("ece_after_ratio")] public required double EceAfter { get; init; }
}

/// <summary>What the final exit reaches when the work crosses the network by a route, and what crosses, on the test set.</summary>
public sealed record RouteCard
{
    [JsonPropertyName("cut")] public required int Cut { get; init; }
    [JsonPropertyName("codec")] public required FeatureCodec Codec { get; init; }
    [JsonPropertyName("accuracy_ratio")] public required double Accuracy { get; init; }

    /// <summary>Mean payload, without the frame's header.</summary>
    [JsonPropertyName("payload_bytes")] public required Bytes Payload { get; init; }

    /// <summary>Name of the bottleneck whose latent crosses; "" when the cut itself does. <see cref="ModelCard.RouteOf"/> knows its number.</summary>
    [JsonPropertyName("bottleneck")] public string Bottleneck { get; init; } = "";
}

/// <summary>A file that belongs to a card, held by its hash.</summary>
public sealed record CardFile
{
    [JsonPropertyName("file")] public required string File { get; init; }
    [JsonPropertyName("sha256")] public required string Sha256 { get; init; }
    [JsonPropertyName("samples")] public required int Samples { get; init; }
}

/// <summary>Which images a trace holds: planners and calibration see the calibration set only, emulated devices replay the test set only.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TraceSet>))]
public enum TraceSet
{
    [JsonStringEnumMemberName("calibration")] Calibration,
    [JsonStringEnumMemberName("test")] Test,
}

/// <summary>A trace of a set whose images have drifted away from those trained on.</summary>
public sealed record DriftTrace
{
    /// <summary>Kind and strength of the drift, such as noise-2.</summary>
    [JsonPropertyName("drift")] public required string Drift { get; init; }
    [JsonPropertyName("set")] public required TraceSet Set { get; init; }
    [JsonPropertyName("file")] public required string File { get; init; }
    [JsonPropertyName("sha256")] public required string Sha256 { get; init; }
    [JsonPropertyName("samples")] public required int Samples { get; init; }
}

/// <summary>What made the model.</summary>
public sealed record Provenance
{
    [JsonPropertyName("command")] public required string Command { get; init; }
    [JsonPropertyName("data")] public required string Data { get; init; }
    [JsonPropertyName("seed")] public required int Seed { get; init; }
    [JsonPropertyName("epochs")] public required int Epochs { get; init; }

    /// <summary>Accuracy of each exit in the framework that trained it, before export.</summary>
    [JsonPropertyName("trained_accuracy_ratio")] public required IReadOnlyList<double> TrainedAccuracy { get; init; }
}
