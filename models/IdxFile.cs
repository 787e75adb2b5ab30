using System.Buffers.Binary;
using System.IO.Compression;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>Grey images of one size, with labels where they are known.</summary>
public sealed class LabelledImages
{
    private readonly byte[] pixels;
    private readonly byte[]? labels;

    public LabelledImages(int count, int rows, int columns, byte[] pixels, byte[]? labels)
    {
        (Count, Rows, Columns) = (count, rows, columns);
        (this.pixels, this.labels) = (pixels, labels);
    }

    public int Count { get; }

    public int Rows { get; }

    public int Columns { get; }

    public ReadOnlyMemory<byte> Image(int i) => pixels.AsMemory(i * Rows * Columns, Rows * Columns);

    /// <summary>-1 when unknown.</summary>
    public int Label(int i) => labels is null ? -1 : labels[i];

    public Sample Sample(int i) => new(i, Label(i), Image(i));
}

/// <summary>
/// The IDX format of the MNIST family, plain or gzipped: two zero bytes, element type (8 = unsigned byte), number of dimensions,
/// big-endian extents, data. Source: Y. LeCun, "The MNIST database", section "File formats".
/// </summary>
public static class IdxFile
{
    /// <summary>Reads images and, where given, their labels. Throws <see cref="FaultsException"/> that names the file and what is wrong.</summary>
    public static LabelledImages Read(string imagesPath, string? labelsPath = null)
    {
        var (extents, pixels) = ReadBytes(imagesPath, dimensions: 3);
        byte[]? labels = null;
        if (labelsPath is not null)
        {
            (var labelExtents, labels) = ReadBytes(labelsPath, dimensions: 1);
            if (labelExtents[0] != extents[0]) throw new FaultsException(labelsPath, $"has {labelExtents[0]} labels for the {extents[0]} images of {imagesPath}");
        }
        return new LabelledImages(extents[0], extents[1], extents[2], pixels, labels);
    }

    private static (int[] Extents, byte[] Data) ReadBytes(string path, int dimensions)
    {
        var bytes = Load(path);
        var header = 4 + 4 * dimensions;
        if (bytes.Length < header || bytes[0] != 0 || bytes[1] != 0) throw new FaultsException(path, "is not an IDX file");
        if (bytes[2] != 8) throw new FaultsException(path, $"holds elements of type {bytes[2]}; this reads 8 (unsigned bytes)");
        if (bytes[3] != dimensions) throw new FaultsException(path, $"has {bytes[3]} dimensions; {dimensions} are needed");
        var extents = new int[dimensions];
        long elements = 1;
        for (var i = 0; i < dimensions; i++)
        {
            extents[i] = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(4 + 4 * i));
            // A length beyond the file's is a lie already; stopping there keeps the product from running over.
            elements = extents[i] < 1 || elements < 0 || elements > bytes.Length ? -1 : elements * extents[i];
        }
        if (elements != bytes.Length - header)
            throw new FaultsException(path, $"says {string.Join("x", extents)} bytes and has {bytes.Length - header}: truncated or damaged");
        return (extents, bytes[header..]);
    }

    private static byte[] Load(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var whole = new MemoryStream();
            if (path.EndsWith(".gz", StringComparison.Ordinal))
            {
                using var gunzip = new GZipStream(file, CompressionMode.Decompress);
                gunzip.CopyTo(whole);
            }
            else
            {
                file.CopyTo(whole);
            }
            return whole.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new FaultsException(path, e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : e.Message);
        }
    }
}
