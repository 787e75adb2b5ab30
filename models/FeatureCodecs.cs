using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>Features to bytes and back, without allocation. Values are little-endian, channels x height x width.</summary>
public static class FeatureCodecs
{
    /// <summary>Bytes that <see cref="Encode"/> writes for so many elements.</summary>
    public static int EncodedBytes(FeatureCodec codec, int elements) =>
        checked((int)(TensorFrame.PayloadBytes(codec, elements) ?? throw new ArgumentOutOfRangeException(nameof(codec), codec, "its payloads have no fixed size")));

    /// <summary>int8: q = round(x / scale) + zero_point, saturated to -128..127. bits: 1 for 0 and above, 0 below, the last byte filled up with 0.</summary>
    public static void Encode(FeatureCodec codec, ReadOnlySpan<float> features, float scale, int zeroPoint, Span<byte> payload)
    {
        switch (codec)
        {
            case FeatureCodec.Int8:
                var inverse = 1 / scale;
                var quantised = MemoryMarshal.Cast<byte, sbyte>(payload);
                for (var i = 0; i < features.Length; i++)
                    quantised[i] = (sbyte)Math.Clamp(MathF.Round(features[i] * inverse) + zeroPoint, sbyte.MinValue, sbyte.MaxValue);
                break;
            case FeatureCodec.Float16:
                TensorPrimitives.ConvertToHalf(features, MemoryMarshal.Cast<byte, Half>(payload));
                break;
            case FeatureCodec.Float32:
                for (var i = 0; i < features.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(payload[(4 * i)..], features[i]);
                break;
            case FeatureCodec.Bits:
                payload.Clear();
                for (var i = 0; i < features.Length; i++)
                    if (features[i] >= 0) payload[i / 8] |= (byte)(1 << (i % 8));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(codec), codec, "not a tensor codec");
        }
    }

    /// <summary>The integers of a latent: q = round(y / scale), saturated to 32 bits, 0 for what is no number.</summary>
    public static void Quantise(ReadOnlySpan<float> latent, float scale, Span<int> symbols)
    {
        var inverse = 1 / scale;
        for (var i = 0; i < latent.Length; i++) symbols[i] = (int)MathF.Round(latent[i] * inverse);
    }

    /// <summary>y = scale * q.</summary>
    public static void Dequantise(ReadOnlySpan<int> symbols, float scale, Span<float> latent)
    {
        for (var i = 0; i < symbols.Length; i++) latent[i] = scale * symbols[i];
    }

    public static void Decode(FeatureCodec codec, ReadOnlySpan<byte> payload, float scale, int zeroPoint, Span<float> features)
    {
        switch (codec)
        {
            case FeatureCodec.Int8:
                var quantised = MemoryMarshal.Cast<byte, sbyte>(payload);
                for (var i = 0; i < features.Length; i++) features[i] = scale * (quantised[i] - zeroPoint);
                break;
            case FeatureCodec.Float16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(payload), features);
                break;
            case FeatureCodec.Float32:
                for (var i = 0; i < features.Length; i++) features[i] = BinaryPrimitives.ReadSingleLittleEndian(payload[(4 * i)..]);
                break;
            case FeatureCodec.Bits:
                for (var i = 0; i < features.Length; i++) features[i] = ((payload[i / 8] >> (i % 8)) & 1) == 0 ? -1 : 1;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(codec), codec, "not a tensor codec");
        }
    }
}
