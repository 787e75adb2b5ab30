using System.Security.Cryptography;
using Fleet.Contracts;

namespace Fleet.Models.Store;

/// <summary>Files that stand under their name only whole and as promised, whenever the power goes.</summary>
public static class CheckedFile
{
    private const int ChunkBytes = 1 << 16;

    /// <summary>
    /// Writes a stream to <paramref name="target"/>: to a temporary file of the same file system, its length and hash checked on the
    /// way, flushed to the disk, then renamed. Throws <see cref="FaultsException"/> naming <paramref name="source"/> when length or
    /// hash are others than promised; the target is then as it was.
    /// </summary>
    public static async Task Land(Stream stream, string source, string target, string temporary, long bytes, string sha256, CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(temporary)!);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        try
        {
            await using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true))
            {
                var (length, found) = await Hash(stream, file, bytes, cancel);
                if (length > bytes) throw new FaultsException(source, $"is longer than the {bytes} bytes the card says");
                if (length < bytes) throw new FaultsException(source, $"ends after {length} bytes; the card says {bytes}: truncated");
                if (found != sha256) throw new FaultsException(source, $"SHA-256 is {found}; the card says {sha256}: damaged or tampered with");
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Replaces a small file at once: a reader finds the old text or the new, never half of one.</summary>
    public static void Replace(string target, ReadOnlySpan<byte> text)
    {
        var temporary = target + ".part";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(text);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, target, overwrite: true);
    }

    /// <summary>Whether a file is there with this length and hash.</summary>
    public static async Task<bool> Holds(string path, long bytes, string sha256, CancellationToken cancel)
    {
        if (new FileInfo(path) is not { Exists: true } info || info.Length != bytes) return false;
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
        return (await Hash(file, Stream.Null, bytes, cancel)).Sha256 == sha256;
    }

    /// <summary>Copies at most one byte more than <paramref name="bytesMax"/>, so that a stream without end does not fill the disk.</summary>
    private static async Task<(long Length, string Sha256)> Hash(Stream from, Stream to, long bytesMax, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var chunk = new byte[ChunkBytes];
        long length = 0;
        while (length <= bytesMax)
        {
            var read = await from.ReadAsync(chunk.AsMemory(0, (int)Math.Min(ChunkBytes, bytesMax + 1 - length)), cancel);
            if (read == 0) break;
            hash.AppendData(chunk, 0, read);
            await to.WriteAsync(chunk.AsMemory(0, read), cancel);
            length += read;
        }
        return (length, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
