using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>How features or inputs are laid out on the wire.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FeatureCodec>))]
public enum FeatureCodec
{
    /// <summary>Nothing crosses.</summary>
    [JsonStringEnumMemberName("none")] None = 0,

    /// <summary>One signed byte an element: value = scale * (q - zero_point).</summary>
    [JsonStringEnumMemberName("int8")] Int8 = 1,

    /// <summary>IEEE 754 half precision, little-endian.</summary>
    [JsonStringEnumMemberName("fp16")] Float16 = 2,

    /// <summary>IEEE 754 single precision, little-endian.</summary>
    [JsonStringEnumMemberName("fp32")] Float32 = 3,

    /// <summary>Cut 0 only: the input's pixels as they are, one byte each.</summary>
    [JsonStringEnumMemberName("raw")] Raw = 4,

    /// <summary>Cut 0 only: the input as a PNG file (lossless).</summary>
    [JsonStringEnumMemberName("png")] Png = 5,

    /// <summary>Cut 0 only: the input as a lossy WebP file of quality 75.</summary>
    [JsonStringEnumMemberName("webp")] Webp = 6,

    /// <summary>Bottlenecks only: the latent's integers q, range-coded with the bottleneck's tables; value = scale * q.</summary>
    [JsonStringEnumMemberName("coded")] Coded = 7,

    /// <summary>Groups only: one bit an element, 1 for +1 and 0 for -1, the first in the lowest bit of the first byte.</summary>
    [JsonStringEnumMemberName("bits")] Bits = 8,
}

/// <summary>What a tail continues from: a cut, or the latent of a bottleneck at it.</summary>
/// <param name="Bottleneck">Its place in the card's list, from 1; 0 when the cut itself crosses.</param>
public readonly record struct TailStart(int Cut, int Bottleneck = 0)
{
    /// <summary>A cut is where its own tail starts.</summary>
    public static implicit operator TailStart(int cut) => new(cut);

    public override string ToString() => Bottleneck == 0 ? $"cut {Cut}" : $"cut {Cut} bottleneck {Bottleneck}";
}

/// <summary>A way of finishing on an edge server: what crosses the network after stage <paramref name="Cut"/>, and how it is coded.</summary>
/// <param name="Bottleneck">Place in the card's list, from 1, of the bottleneck whose latent crosses; 0 when the cut itself does.</param>
public readonly record struct Route(int Cut, FeatureCodec Codec, int Bottleneck = 0)
{
    /// <summary>Every codec by name, separated by commas: what our own agents write and our own edge servers read.</summary>
    public const string AllCodecs = "raw,png,webp,int8,fp16,fp32,coded,bits";

    /// <summary>Whether it exists: images cross at cut 0, tensors at every other cut, and only a latent is range-coded.</summary>
    public bool IsLawful => Codec switch
    {
        FeatureCodec.Raw or FeatureCodec.Png or FeatureCodec.Webp => Cut == 0 && Bottleneck == 0,
        FeatureCodec.Int8 or FeatureCodec.Float16 or FeatureCodec.Float32 => Cut > 0 && Bottleneck >= 0,
        FeatureCodec.Coded => Cut > 0 && Bottleneck > 0,
        FeatureCodec.Bits => Cut > 0 && Bottleneck == 0,
        _ => false,
    };

    /// <summary>Whether the whole network answers as if nothing had crossed: but for rounding, a bottleneck never lets it.</summary>
    public bool IsLossless => Bottleneck == 0 && Codec is (FeatureCodec.Raw or FeatureCodec.Png or FeatureCodec.Float32);

    /// <summary>The tail that finishes it.</summary>
    public TailStart Tail => new(Cut, Bottleneck);

    public override string ToString() => $"{Tail} {CodecName(Codec)}";

    public static string CodecName(FeatureCodec codec) => codec switch
    {
        FeatureCodec.None => "none",
        FeatureCodec.Int8 => "int8",
        FeatureCodec.Float16 => "fp16",
        FeatureCodec.Float32 => "fp32",
        FeatureCodec.Raw => "raw",
        FeatureCodec.Png => "png",
        FeatureCodec.Webp => "webp",
        FeatureCodec.Coded => "coded",
        FeatureCodec.Bits => "bits",
        _ => $"codec {(int)codec}",
    };
}
