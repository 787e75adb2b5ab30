using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>
/// A bottleneck: an encoder behind a cut, run on the device, whose small latent crosses in the features' stead, and a tail (decoder and
/// the rest of the network in one file) that finishes from it. Coded, a latent y crosses as the integers q = round(y / scale), and the
/// tail gets q * scale; as int8 likewise with the zero point, saturated; as fp16 or fp32 as it is.
/// </summary>
public sealed record BottleneckCard
{
    /// <summary>Names it in assignments.</summary>
    [JsonPropertyName("name")] public required string Name { get; init; }

    /// <summary>At least 1: behind the stage whose features the encoder reads.</summary>
    [JsonPropertyName("cut")] public required int Cut { get; init; }

    /// <summary>Of the latent: channels, height, width.</summary>
    [JsonPropertyName("shape")] public required IReadOnlyList<int> Shape { get; init; }

    /// <summary>Quantisation step.</summary>
    [JsonPropertyName("scale")] public float Scale { get; init; } = 1;

    /// <summary>Of int8 only.</summary>
    [JsonPropertyName("zero_point")] public int ZeroPoint { get; init; }

    /// <summary>The temperature that calibrates its tail's logits, over the final exit's.</summary>
    [JsonPropertyName("temperature_ratio")] public double TemperatureRatio { get; init; } = 1;
    [JsonPropertyName("encoder")] public required ModelPiece Encoder { get; init; }
    [JsonPropertyName("tail")] public required ModelPiece Tail { get; init; }

    /// <summary>Its entropy model; null when nothing is coded.</summary>
    [JsonPropertyName("tables")] public StoredFile? Tables { get; init; }

    /// <summary>Whether the encoder stayed as it was while the tail was trained, so that tails change without touching devices.</summary>
    [JsonPropertyName("frozen_encoder")] public bool FrozenEncoder { get; init; }

    /// <summary>The method: ce, kd, ghnd, bottlefit, entropic, rebel, ...</summary>
    [JsonPropertyName("trained_by")] public required string TrainedBy { get; init; }

    /// <summary>The latent as a tensor that crosses.</summary>
    [JsonIgnore] public CutPoint Latent => new() { Cut = Cut, Shape = Shape, Scale = Scale, ZeroPoint = ZeroPoint };

    /// <summary>What a device needs to send its latent.</summary>
    [JsonIgnore] public IEnumerable<StoredFile> DeviceFiles => Tables is null ? [Encoder.Stored] : [Encoder.Stored, Tables];

    /// <summary>What an edge server needs to finish from it.</summary>
    [JsonIgnore] public IEnumerable<StoredFile> EdgeFiles => Tables is null ? [Tail.Stored] : [Tail.Stored, Tables];

    /// <summary>What is inconsistent, one sentence a fault.</summary>
    /// <param name="at">How to call it.</param>
    /// <param name="number">Its place in the card's list, from 1.</param>
    /// <param name="stages">Of the model.</param>
    internal IEnumerable<string> Faults(string at, int number, int stages)
    {
        if (!Contracts.Name.IsValid(Name)) yield return Contracts.Name.Fault($"{at}.name", Name);
        if (Cut < 1 || Cut >= stages) yield return $"{at}.cut is {Cut}; allowed: 1 to {stages - 1}";
        if (Latent.ShapeFault is { } fault) yield return $"{at}.{fault}";
        if (!(Scale > 0 && float.IsFinite(Scale))) yield return $"{at}.scale is {Scale}; it must be above 0";
        if (ZeroPoint is < sbyte.MinValue or > sbyte.MaxValue) yield return $"{at}.zero_point is {ZeroPoint}; allowed: -128 to 127";
        if (!(TemperatureRatio is > 0 and <= 100)) yield return $"{at}.temperature_ratio is {TemperatureRatio}; allowed: above 0 to 100";
        if (Encoder.Index != number) yield return $"{at}.encoder.index is {Encoder.Index}; it must be {number}";
        if (Tail.Index != number) yield return $"{at}.tail.index is {Tail.Index}; it must be {number}";
        if (!Contracts.Name.IsValid(TrainedBy)) yield return Contracts.Name.Fault($"{at}.trained_by", TrainedBy);
    }
}
