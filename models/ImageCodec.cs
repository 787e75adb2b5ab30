using System.Runtime.InteropServices;
using Fleet.Contracts;
using SkiaSharp;

namespace Fleet.Models;

/// <summary>Grey images as they cross cut 0.</summary>
public static class ImageCodec
{
    public const int WebpQuality = 75;

    /// <summary>The image's payload: the pixels themselves, a PNG file or a WebP file of quality 75.</summary>
    public static byte[] Encode(FeatureCodec codec, ReadOnlySpan<byte> pixels, int rows, int columns)
    {
        if (codec is FeatureCodec.Raw) return pixels.ToArray();
        var format = codec switch
        {
            FeatureCodec.Png => SKEncodedImageFormat.Png,
            FeatureCodec.Webp => SKEncodedImageFormat.Webp,
            _ => throw new ArgumentOutOfRangeException(nameof(codec), codec, "not an image codec"),
        };
        using var bitmap = new SKBitmap(new SKImageInfo(columns, rows, SKColorType.Gray8, SKAlphaType.Opaque));
        for (var row = 0; row < rows; row++) pixels.Slice(row * columns, columns).CopyTo(Bytes(bitmap)[(row * bitmap.RowBytes)..]);
        using var encoded = bitmap.Encode(format, WebpQuality);
        return encoded.ToArray();
    }

    /// <summary>False when the payload is not an image of this size and codec.</summary>
    public static bool TryDecode(FeatureCodec codec, ReadOnlySpan<byte> payload, int rows, int columns, Span<byte> pixels)
    {
        if (codec is FeatureCodec.Raw)
        {
            if (payload.Length != rows * columns) return false;
            payload.CopyTo(pixels);
            return true;
        }
        using var data = SKData.CreateCopy(payload);
        using var decoder = SKCodec.Create(data);
        if (decoder is null || decoder.Info.Width != columns || decoder.Info.Height != rows) return false;
        if (decoder.EncodedFormat != (codec is FeatureCodec.Png ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Webp)) return false;
        using var bitmap = new SKBitmap(new SKImageInfo(columns, rows, SKColorType.Rgba8888, SKAlphaType.Opaque));
        if (decoder.GetPixels(bitmap.Info, bitmap.GetPixels()) is not SKCodecResult.Success) return false;
        // A grey image has three equal channels; lossy ones may differ by rounding, and green carries most of the luma.
        var rgba = MemoryMarshal.Cast<byte, uint>(Bytes(bitmap));
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(rgba[i] >> 8);
        return true;
    }

    /// <summary>The bitmap's own memory: it lives as long as the bitmap.</summary>
    private static unsafe Span<byte> Bytes(SKBitmap bitmap) => new((void*)bitmap.GetPixels(), bitmap.ByteCount);
}
