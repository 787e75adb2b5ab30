using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text.Json;
using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Emulator.Recording;

/// <summary>One message as it came. <paramref name="Properties"/>: MQTT 5's, as they stood on the wire. Valid until the next one is read.</summary>
/// <param name="At">Since the recording began.</param>
public readonly record struct Recorded(Seconds At, ReadOnlyMemory<byte> Topic, ReadOnlyMemory<byte> Properties, ReadOnlyMemory<byte> Payload, int Quality, bool Retain);

/// <summary>What a recording says of itself.</summary>
public sealed record RecordingHeader
{
    [JsonPropertyName("recorded_unix_s")] public required Seconds RecordedAt { get; init; }
    [JsonPropertyName("broker")] public required string Broker { get; init; }
    [JsonPropertyName("filters")] public required IReadOnlyList<string> Filters { get; init; }
    [JsonPropertyName("fleet_version")] public required string Version { get; init; }
}

/// <summary>
/// A recording: fleet traffic with arrival times. Little-endian:
/// <code>
///  0 magic "FLTRECD" and version u8 = 2
///  8 blocks: stored length u32, plain length u32, CRC-32 (IEEE) of the eight bytes before and of what is stored u32, stored bytes
/// </code>
/// The first block is the header, JSON. Every other is DEFLATE of messages, each: microseconds since the begin i64, flags u8 (quality in
/// bits 0 and 1, retained in bit 2), topic length u16, properties length u16, payload length u32, then the three. A block holds about
/// 64 KB of messages or a second of them, so that a file that was cut off, or damaged, can be read up to there. The last block is empty
/// and says that the recording ends there; those of version 1 have none, and nobody can tell whether they are whole.
/// </summary>
public static class RecordingFile
{
    public const byte Version = 2;

    /// <summary>Still read; the last whose recordings do not say where they end.</summary>
    internal const byte VersionWithoutEnd = 1;

    internal const int BlockHeaderBytes = 12;
    internal const int MessageHeaderBytes = 17;

    /// <summary>No block is longer: one message of the largest size, and its topic.</summary>
    internal const int BlockBytesMax = TensorFrame.FrameBytesMax + 256 * 1024;

    internal static ReadOnlySpan<byte> Magic => "FLTRECD"u8;

    internal static uint Checksum(ReadOnlySpan<byte> lengths, ReadOnlySpan<byte> stored)
    {
        var crc = new Crc32();
        crc.Append(lengths);
        crc.Append(stored);
        return crc.GetCurrentHashAsUInt32();
    }
}

/// <summary>Writes a recording. Safe to use from several threads.</summary>
public sealed class RecordingWriter : IDisposable
{
    private const int BlockBytes = 64 * 1024;

    private static readonly Seconds BlockTime = new(1);

    private readonly string path;
    private readonly FileStream file;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly long began;
    private readonly MemoryStream stored = new();
    private byte[] block = new byte[BlockBytes * 2];
    private int filled;
    private long blockBegan;
    private bool hasFailed;

    /// <exception cref="FaultsException">The file cannot be written.</exception>
    public RecordingWriter(string path, RecordingHeader header, TimeProvider time)
    {
        (this.path, this.time) = (path, time);
        try
        {
            // Blocks are large enough: what is buffered twice would fail a second time, when the file is closed.
            file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(path, e.Message);
        }
        began = blockBegan = time.GetTimestamp();
        try
        {
            Write([.. RecordingFile.Magic, RecordingFile.Version]);
            var text = JsonSerializer.SerializeToUtf8Bytes(header, Json.File.Info<RecordingHeader>());
            WriteBlock(text, text.Length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public long Messages { get; private set; }

    /// <summary>Of the file so far.</summary>
    public Bytes Length => new(file.Length);

    /// <summary>Takes a message that came just now.</summary>
    /// <exception cref="FaultsException">The file cannot be written, as when the disk is full; what is in it stays readable.</exception>
    public void Add(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload, int quality, bool retain)
    {
        lock (gate)
        {
            var length = RecordingFile.MessageHeaderBytes + topic.Length + properties.Length + payload.Length;
            if (filled > 0 && (filled + length > BlockBytes || time.Since(blockBegan) > BlockTime)) WriteBlock();
            if (filled + length > block.Length) Array.Resize(ref block, filled + length);
            if (filled == 0) blockBegan = time.GetTimestamp();
            var to = block.AsSpan(filled, length);
            BinaryPrimitives.WriteInt64LittleEndian(to, (long)(time.Since(began).Value * 1e6));
            to[8] = (byte)(quality | (retain ? 4 : 0));
            BinaryPrimitives.WriteUInt16LittleEndian(to[9..], (ushort)topic.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(to[11..], (ushort)properties.Length);
            BinaryPrimitives.WriteInt32LittleEndian(to[13..], payload.Length);
            topic.CopyTo(to[RecordingFile.MessageHeaderBytes..]);
            properties.CopyTo(to[(RecordingFile.MessageHeaderBytes + topic.Length)..]);
            payload.CopyTo(to[(length - payload.Length)..]);
            filled += length;
            Messages++;
        }
    }

    /// <summary>Puts what waits into the file, and that it ends there.</summary>
    /// <exception cref="FaultsException">It cannot be written, and nobody has been told of it yet.</exception>
    public void Dispose()
    {
        try
        {
            lock (gate)
            {
                if (hasFailed) return;
                if (filled > 0) WriteBlock();
                WriteBlock([], 0);
            }
        }
        finally
        {
            file.Dispose();
            stored.Dispose();
        }
    }

    private void WriteBlock()
    {
        stored.SetLength(0);
        using (var deflate = new DeflateStream(stored, CompressionLevel.Fastest, leaveOpen: true)) deflate.Write(block, 0, filled);
        WriteBlock(stored.GetBuffer().AsSpan(0, (int)stored.Length), filled);
        filled = 0;
    }

    private void WriteBlock(ReadOnlySpan<byte> bytes, int plain)
    {
        Span<byte> header = stackalloc byte[RecordingFile.BlockHeaderBytes];
        BinaryPrimitives.WriteInt32LittleEndian(header, bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], plain);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], RecordingFile.Checksum(header[..8], bytes));
        Write(header);
        Write(bytes);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            file.Write(bytes);
        }
        catch (IOException e)
        {
            // Whatever came after half a block could not be found again.
            hasFailed = true;
            throw new FaultsException(path, e.Message);
        }
    }
}

/// <summary>Reads a recording up to its end, or up to where it is damaged.</summary>
public sealed class RecordingReader : IDisposable
{
    private readonly FileStream file;
    private byte[] block = [];
    private byte[] storedBytes = [];
    private int at, end;
    private bool hasEnded;

    /// <exception cref="FaultsException">There is no such file, it is no recording, or already its header is damaged.</exception>
    public RecordingReader(string path)
    {
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(path, e.Message);
        }
        try
        {
            Header = ReadHeader(path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public RecordingHeader Header { get; }

    /// <summary>Whether the file says where it ends. One that does not, of an older fleet, may have been cut off between two blocks.</summary>
    public bool KnowsItsEnd { get; private set; }

    /// <summary>What is wrong with the file and at which byte; null when nothing is, as far as it was read.</summary>
    public string? Damage { get; private set; }

    public long Messages { get; private set; }

    /// <summary>The next message; false at the end, or at the first block that cannot be believed.</summary>
    public bool TryRead(out Recorded message)
    {
        message = default;
        while (at >= end)
            if (Damage is not null || hasEnded || !TryReadBlock(isPlain: false)) return false;
        var header = block.AsSpan(at, end - at);
        var (topic, properties, payload) = (0, 0, 0);
        if (header.Length >= RecordingFile.MessageHeaderBytes)
        {
            topic = BinaryPrimitives.ReadUInt16LittleEndian(header[9..]);
            properties = BinaryPrimitives.ReadUInt16LittleEndian(header[11..]);
            payload = BinaryPrimitives.ReadInt32LittleEndian(header[13..]);
        }
        var from = at + RecordingFile.MessageHeaderBytes;
        if (payload < 0 || topic == 0 || (long)from + topic + properties + payload > end)
        {
            Damage = $"the block that ends at byte {file.Position} holds a message that does not fit into it";
            return false;
        }
        message = new Recorded(
            new Seconds(BinaryPrimitives.ReadInt64LittleEndian(header) / 1e6), block.AsMemory(from, topic), block.AsMemory(from + topic, properties), block.AsMemory(from + topic + properties, payload),
            header[8] & 3, (header[8] & 4) != 0);
        at = from + topic + properties + payload;
        Messages++;
        return true;
    }

    public void Dispose() => file.Dispose();

    private RecordingHeader ReadHeader(string path)
    {
        Span<byte> magic = stackalloc byte[8];
        if (file.ReadAtLeast(magic, 8, throwOnEndOfStream: false) < 8 || !magic[..7].SequenceEqual(RecordingFile.Magic)) throw new FaultsException(path, "is no recording: it does not begin with \"FLTRECD\"");
        if (magic[7] is < RecordingFile.VersionWithoutEnd or > RecordingFile.Version) throw new FaultsException(path, $"is a recording of version {magic[7]}; this reads {RecordingFile.VersionWithoutEnd} to {RecordingFile.Version}");
        KnowsItsEnd = magic[7] > RecordingFile.VersionWithoutEnd;
        if (!TryReadBlock(isPlain: true)) throw new FaultsException(path, Damage ?? "ends before its header");
        try
        {
            var header = JsonSerializer.Deserialize(block.AsSpan(0, end), Json.File.Info<RecordingHeader>()) ?? throw new FaultsException(path, "has no header");
            at = end;
            return header;
        }
        catch (JsonException e)
        {
            throw new FaultsException(path, $"its header cannot be read: {e.Message}");
        }
    }

    private bool TryReadBlock(bool isPlain)
    {
        var offset = file.Position;
        Span<byte> header = stackalloc byte[RecordingFile.BlockHeaderBytes];
        var read = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (read == 0) return KnowsItsEnd && Broken(offset, "the recording is cut off, or is still being made: no block says that it ends");
        if (read < header.Length) return Broken(offset, "a block is cut off");
        var (stored, plain) = (BinaryPrimitives.ReadInt32LittleEndian(header), BinaryPrimitives.ReadInt32LittleEndian(header[4..]));
        if (stored is < 0 or > RecordingFile.BlockBytesMax || plain is < 0 or > RecordingFile.BlockBytesMax) return Broken(offset, $"a block says it has {stored} bytes for {plain}; allowed: {RecordingFile.BlockBytesMax}");
        if (storedBytes.Length < stored) storedBytes = new byte[stored];
        if (file.ReadAtLeast(storedBytes.AsSpan(0, stored), stored, throwOnEndOfStream: false) < stored) return Broken(offset, "a block is cut off");
        if (RecordingFile.Checksum(header[..8], storedBytes.AsSpan(0, stored)) != BinaryPrimitives.ReadUInt32LittleEndian(header[8..])) return Broken(offset, "a block's CRC-32 does not match");
        if (KnowsItsEnd && plain == 0) return IsEnd(offset);
        if (block.Length < plain) block = new byte[plain];
        (at, end) = (0, plain);
        if (isPlain)
        {
            storedBytes.AsSpan(0, stored).CopyTo(block);
            return true;
        }
        using var deflate = new DeflateStream(new MemoryStream(storedBytes, 0, stored), CompressionMode.Decompress);
        try
        {
            return deflate.ReadAtLeast(block.AsSpan(0, plain), plain, throwOnEndOfStream: false) == plain || Broken(offset, "a block is shorter than it says");
        }
        catch (InvalidDataException e)
        {
            return Broken(offset, $"a block cannot be unpacked: {e.Message}");
        }
    }

    private bool IsEnd(long offset)
    {
        hasEnded = true;
        return file.Position < file.Length && Broken(offset, $"{file.Length - file.Position} bytes follow the block that says that the recording ends");
    }

    /// <returns>False, always.</returns>
    private bool Broken(long offset, string what)
    {
        Damage = $"at byte {offset}: {what}";
        end = at = 0;
        return false;
    }
}
