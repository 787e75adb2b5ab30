using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>
/// What a piece of network costs to run once, by kernel kind, since software runs the kinds at rates up to seven times apart.
/// Each *_macs key is a count of multiply-accumulates.
/// </summary>
public sealed record KernelWork
{
    /// <summary>Convolutions with fewer than four input channels: they need a rate of their own.</summary>
    [JsonPropertyName("first_conv_macs")] public Macs FirstConv { get; init; }
    [JsonPropertyName("conv_macs")] public Macs Conv { get; init; }
    [JsonPropertyName("pointwise_macs")] public Macs Pointwise { get; init; }
    [JsonPropertyName("depthwise_macs")] public Macs Depthwise { get; init; }
    [JsonPropertyName("dense_macs")] public Macs Dense { get; init; }

    /// <summary>Elements written by convolutions and dense layers.</summary>
    [JsonPropertyName("output_elements")] public long OutputElements { get; init; }

    /// <summary>Convolutions and dense layers.</summary>
    [JsonPropertyName("layers")] public int Layers { get; init; }

    [JsonIgnore] public Macs Total => FirstConv + Conv + Pointwise + Depthwise + Dense;

    public static KernelWork operator +(KernelWork a, KernelWork b) => new()
    {
        FirstConv = a.FirstConv + b.FirstConv,
        Conv = a.Conv + b.Conv,
        Pointwise = a.Pointwise + b.Pointwise,
        Depthwise = a.Depthwise + b.Depthwise,
        Dense = a.Dense + b.Dense,
        OutputElements = a.OutputElements + b.OutputElements,
        Layers = a.Layers + b.Layers,
    };
}

/// <summary>What the weights and sums of a file are; its inputs and outputs are fp32 either way.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Precision>))]
public enum Precision
{
    [JsonStringEnumMemberName("fp32")] Float32 = 0,

    /// <summary>Quantised after training, written as QuantizeLinear and DequantizeLinear nodes.</summary>
    [JsonStringEnumMemberName("int8")] Int8 = 1,
}

/// <summary>A file that is installed where it is needed, held by its length and hash.</summary>
public sealed record StoredFile
{
    [JsonPropertyName("file")] public required string File { get; init; }
    [JsonPropertyName("sha256")] public required string Sha256 { get; init; }
    [JsonPropertyName("file_bytes")] public required long FileBytes { get; init; }
}

/// <summary>
/// One ONNX file of a model: a stage (x to features and logits; the last stage logits only), a tail (x to logits), or a bottleneck's
/// encoder (x to features).
/// </summary>
public sealed record ModelPiece
{
    /// <summary>Stage k (1..N), the cut a tail starts from (0..N-1), or the bottleneck an encoder or tail is of (1..).</summary>
    [JsonPropertyName("index")] public required int Index { get; init; }
    [JsonPropertyName("file")] public required string File { get; init; }
    [JsonPropertyName("sha256")] public required string Sha256 { get; init; }
    [JsonPropertyName("file_bytes")] public required long FileBytes { get; init; }
    [JsonPropertyName("parameters")] public required long Parameters { get; init; }

    /// <summary>Largest sum of input and output activations of one layer, in bytes of fp32, batch 1.</summary>
    [JsonPropertyName("peak_activation_bytes")] public required long PeakActivationBytes { get; init; }
    [JsonPropertyName("work")] public required KernelWork Work { get; init; }
    [JsonPropertyName("precision")] public Precision Precision { get; init; } = Precision.Float32;

    [JsonIgnore] public StoredFile Stored => new() { File = File, Sha256 = Sha256, FileBytes = FileBytes };
}
