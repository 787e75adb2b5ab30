using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace Fleet.Training;

/// <summary>A way of sending the input itself: a codec at a quality, of the image shrunk by a factor first.</summary>
/// <param name="Format">JPEG, WebP or PNG.</param>
/// <param name="Quality">0..100; PNG ignores it.</param>
/// <param name="Shrink">1, 2 or 4: the sides are divided by it, and the server enlarges again.</param>
public sealed record ImageCompression(SKEncodedImageFormat Format, int Quality, int Shrink = 1)
{
    public string Method => Format switch
    {
        SKEncodedImageFormat.Jpeg => "jpeg",
        SKEncodedImageFormat.Webp => "webp",
        SKEncodedImageFormat.Png => "png",
        _ => throw new NotSupportedException($"{Format} is not compared"),
    };

    public string Variant => Format is SKEncodedImageFormat.Png ? "" : string.Create(CultureInfo.InvariantCulture, $"quality {Quality}{(Shrink == 1 ? "" : $", 1/{Shrink} size")}");

    /// <summary>Replaces an image by what the server sees of it.</summary>
    /// <param name="pixels">[side, side] grey levels.</param>
    /// <param name="side">Height and width.</param>
    /// <returns>Bytes that crossed, file headers left out.</returns>
    public int Pass(Span<byte> pixels, int side)
    {
        using var original = Grey(pixels, side);
        var small = side / Shrink;
        using var sent = Shrink == 1 ? original : original.Resize(new SKImageInfo(small, small, SKColorType.Gray8, SKAlphaType.Opaque), SKFilterQuality.Medium);
        using var file = sent.Encode(Format, Quality);
        var bytes = PayloadBytes(file.AsSpan());
        using var decoder = SKCodec.Create(file);
        using var decoded = new SKBitmap(new SKImageInfo(small, small, SKColorType.Rgba8888, SKAlphaType.Opaque));
        if (decoder.GetPixels(decoded.Info, decoded.GetPixels()) is not SKCodecResult.Success) throw new InvalidOperationException($"{Method} {Variant}: its own file cannot be decoded");
        using var seen = Shrink == 1 ? decoded : decoded.Resize(new SKImageInfo(side, side, SKColorType.Rgba8888, SKAlphaType.Opaque), SKFilterQuality.High);
        // Green carries most of the luma; the three channels of a grey image differ by rounding at most.
        var colours = MemoryMarshal.Cast<byte, uint>(seen.GetPixelSpan());
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(colours[i] >> 8);
        return bytes;
    }

    /// <summary>
    /// What a file costs without what every file of its kind repeats. JPEG: the entropy-coded scan, between the scan's header and the
    /// end marker. WebP: without the RIFF, chunk and frame headers (12 + 8 + 10 bytes). PNG: the bytes of its IDAT chunks.
    /// </summary>
    private int PayloadBytes(ReadOnlySpan<byte> file)
    {
        switch (Format)
        {
            case SKEncodedImageFormat.Webp:
                return file.Length - 30;
            case SKEncodedImageFormat.Jpeg:
                var at = 2;
                while (file[at + 1] != 0xDA) at += 2 + BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
                return file.Length - 2 - (at + 2 + BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]));
            default:
                var (chunk, total) = (8, 0);
                while (chunk < file.Length)
                {
                    var length = BinaryPrimitives.ReadInt32BigEndian(file[chunk..]);
                    if (file.Slice(chunk + 4, 4).SequenceEqual("IDAT"u8)) total += length;
                    chunk += 12 + length;
                }
                return total;
        }
    }

    private static SKBitmap Grey(ReadOnlySpan<byte> pixels, int side)
    {
        var bitmap = new SKBitmap(new SKImageInfo(side, side, SKColorType.Gray8, SKAlphaType.Opaque));
        for (var row = 0; row < side; row++) Marshal.Copy(pixels.Slice(row * side, side).ToArray(), 0, bitmap.GetPixels() + row * bitmap.RowBytes, side);
        return bitmap;
    }
}

/// <summary>Training images as a server sees them that gets them compressed, each by one of several ways, drawn at random.</summary>
public sealed class CompressedImages(ITrainingImages images, IReadOnlyList<ImageCompression> ways, int seed) : ITrainingImages
{
    public int Count => images.Count;

    public int Side => images.Side;

    public Normalisation Normalisation => images.Normalisation;

    public long Draw(int epoch, int index, Span<byte> pixels)
    {
        var label = images.Draw(epoch, index, pixels);
        var way = new Random(Models.Seeds.Mix(Models.Seeds.Mix(seed, epoch), index)).Next(ways.Count);
        ways[way].Pass(pixels, Side);
        return label;
    }
}
