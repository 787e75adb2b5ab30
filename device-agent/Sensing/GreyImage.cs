using Fleet.Contracts;
using SkiaSharp;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>Reads image files of one size as grey bytes, row by row, 0 black to 255 white. Faults name the file, what was found and what is needed.</summary>
public static class GreyImage
{
    private const int PgmGreysMax = 65535;

    /// <summary>A PNG file; colour becomes luma (ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B), transparency is ignored.</summary>
    public static byte[] FromPng(string path, ReadOnlySpan<byte> bytes, int rows, int columns)
    {
        using var data = SKData.CreateCopy(bytes);
        using var codec = SKCodec.Create(data);
        if (codec is null || codec.EncodedFormat is not SKEncodedImageFormat.Png) throw new FaultsException(path, "is not a PNG image");
        CheckSize(path, codec.Info.Height, codec.Info.Width, rows, columns);
        // Without a colour space nothing is converted: the numbers are the file's own.
        using var bitmap = new SKBitmap(new SKImageInfo(columns, rows, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        var result = codec.GetPixels(bitmap.Info, bitmap.GetPixels());
        if (result is not SKCodecResult.Success) throw new FaultsException(path, $"cannot be decoded ({result}): truncated or damaged");
        var rgba = bitmap.GetPixelSpan();
        var grey = new byte[rows * columns];
        for (var i = 0; i < grey.Length; i++) grey[i] = (byte)((299 * rgba[4 * i] + 587 * rgba[4 * i + 1] + 114 * rgba[4 * i + 2] + 500) / 1000);
        return grey;
    }

    /// <summary>
    /// A PGM file, P2 (text) or P5 (binary): magic, width, height, greatest grey, pixels; # begins a comment that lasts to the end of
    /// its line; samples above 255 take two bytes, the first the higher. Source: https://netpbm.sourceforge.net/doc/pgm.html.
    /// </summary>
    public static byte[] FromPgm(string path, ReadOnlySpan<byte> bytes, int rows, int columns)
    {
        var isText = bytes.StartsWith("P2"u8);
        if (!isText && !bytes.StartsWith("P5"u8)) throw new FaultsException(path, "is not a PGM image; it must begin with P2 or P5");
        var rest = bytes[2..];
        var width = NextNumber(path, ref rest, "width");
        var height = NextNumber(path, ref rest, "height");
        var greyMax = NextNumber(path, ref rest, "greatest grey");
        CheckSize(path, height, width, rows, columns);
        if (greyMax is < 1 or > PgmGreysMax) throw new FaultsException(path, $"greatest grey is {greyMax}; allowed: 1 to {PgmGreysMax}");
        var bytesPerPixel = greyMax > 255 ? 2 : 1;
        if (!isText)
        {
            // Exactly one white space ends the header: the next byte is a pixel even when it looks like another one.
            rest = rest.IsEmpty ? rest : rest[1..];
            if (rest.Length < rows * columns * bytesPerPixel) throw new FaultsException(path, $"has {rest.Length} bytes of pixels; {rows * columns * bytesPerPixel} are needed: truncated");
        }
        var grey = new byte[rows * columns];
        for (var i = 0; i < grey.Length; i++)
        {
            var value = isText ? NextNumber(path, ref rest, $"pixel {i}") : bytesPerPixel == 1 ? rest[i] : rest[2 * i] << 8 | rest[2 * i + 1];
            if (value > greyMax) throw new FaultsException(path, $"pixel {i} is {value}; allowed: 0 to {greyMax}");
            grey[i] = (byte)((value * 255 + greyMax / 2) / greyMax);
        }
        return grey;
    }

    private static void CheckSize(string path, int foundRows, int foundColumns, int rows, int columns)
    {
        if (foundRows != rows || foundColumns != columns) throw new FaultsException(path, $"is {foundColumns}x{foundRows} pixels (width x height); the model needs {columns}x{rows}");
    }

    /// <summary>The next decimal number, after white space and comments.</summary>
    private static int NextNumber(string path, ref ReadOnlySpan<byte> rest, string what)
    {
        while (!rest.IsEmpty && (rest[0] == '#' || IsSpace(rest[0])))
        {
            var skip = 1;
            if (rest[0] == '#' && (skip = rest.IndexOfAny((byte)'\n', (byte)'\r')) < 0) skip = rest.Length;
            rest = rest[skip..];
        }
        var digits = 0;
        var number = 0;
        // Seven digits hold every lawful number and cannot overflow.
        while (digits < rest.Length && rest[digits] is >= (byte)'0' and <= (byte)'9' && digits < 7) number = 10 * number + (rest[digits++] - '0');
        if (digits == 0) throw new FaultsException(path, $"has no number where its {what} should stand: truncated or damaged");
        rest = rest[digits..];
        return number;
    }

    private static bool IsSpace(byte c) => c is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' or 0x0B or 0x0C;
}
