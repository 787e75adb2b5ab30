using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>
/// Traces on disk, little-endian, bit-exact:
/// <code>
/// "FTRC" | version u16 = 2 | classes u16 | samples u32 | exits u16 | routes u16 | first sample u32 | text length u16 | text (UTF-8: what made it)
/// drift length u8 | drift (UTF-8) | network hash [32] | route table (cut u8, codec u8, bottleneck u8) | Brotli stream | CRC-32 of all before
/// </code>
/// In the stream: labels u8 [samples] | final exit's logits | those of the other exits 1.. | of the routes | payload bytes u32 [routes][samples].
/// Logits [samples][classes] are fp16; all but the final exit's stand as differences from it in units in the last place, and each
/// array as its high bytes, then its low bytes: routes that lose little differ little. On the first model's test trace that is 2.7
/// times smaller than the values themselves, where Brotli alone gains 1.2 times.
/// </summary>
internal static class TraceFile
{
    private const uint Magic = 0x43525446; // "FTRC"
    private const ushort Version = 2;
    private const int BrotliQuality = 11;
    private const int BrotliWindowBits = 22;

    /// <summary>What a stream may unfold to: some ten times the largest trace foreseen.</summary>
    private const long UnfoldedBytesMax = 1L << 30;

    public static void Write(string path, Trace trace, Half[][] exits, Half[][] routes, int[][] payloadBytes)
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(checked((ushort)trace.Classes));
        writer.Write((uint)trace.Samples);
        writer.Write(checked((ushort)exits.Length));
        writer.Write(checked((ushort)routes.Length));
        writer.Write((uint)trace.FirstSample);
        var (text, drift) = (Encoding.UTF8.GetBytes(trace.Text), Encoding.UTF8.GetBytes(trace.Drift));
        writer.Write(checked((ushort)text.Length));
        writer.Write(text);
        writer.Write(checked((byte)drift.Length));
        writer.Write(drift);
        writer.Write(trace.NetworkHash);
        foreach (var route in trace.Routes) writer.Write([checked((byte)route.Cut), (byte)route.Codec, checked((byte)route.Bottleneck)]);
        writer.Write(Pack(trace, exits, routes, payloadBytes));
        writer.Flush();
        writer.Write(Crc32.HashToUInt32(memory.GetBuffer().AsSpan(0, (int)memory.Length)));
        writer.Flush();
        File.WriteAllBytes(path, memory.ToArray());
    }

    /// <summary>Throws <see cref="FaultsException"/> that names the file and what is wrong.</summary>
    public static Trace Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(path, e.Message);
        }
        if (bytes.Length < 32 || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic) throw new FaultsException(path, "is not a trace");
        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(4)) != Version) throw new FaultsException(path, $"has version {BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(4))}; this reads {Version}");
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4)) != Crc32.HashToUInt32(bytes.AsSpan(0, bytes.Length - 4))) throw new FaultsException(path, "CRC-32 does not match: truncated or damaged");
        try
        {
            return Parse(bytes);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException or OverflowException)
        {
            throw new FaultsException(path, "says more or less than it holds: " + e.Message);
        }
    }

    private static Trace Parse(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes, 6, bytes.Length - 10));
        int classes = reader.ReadUInt16();
        long samples = reader.ReadUInt32();
        int exits = reader.ReadUInt16();
        int routeCount = reader.ReadUInt16();
        var firstSample = (int)reader.ReadUInt32();
        var text = Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadUInt16()));
        var drift = Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadByte()));
        var networkHash = reader.ReadBytes(32);
        var routes = new Route[routeCount];
        for (var i = 0; i < routeCount; i++) routes[i] = new Route(reader.ReadByte(), (FeatureCodec)reader.ReadByte(), reader.ReadByte());
        var needed = samples * (1 + 2L * (exits + routeCount) * classes + 4L * routeCount);
        var what = $"{samples} samples, {classes} classes, {exits} exits and {routeCount} routes take {needed} bytes";
        if (exits == 0 || needed > UnfoldedBytesMax) throw new InvalidDataException($"{what}; allowed: at least one exit, at most {UnfoldedBytesMax} bytes");
        var stream = reader.ReadBytes(bytes.Length);
        var unfolded = new byte[needed];
        if (!BrotliDecoder.TryDecompress(stream, unfolded, out var found) || found != needed) throw new InvalidDataException($"{what}, {found} follow");
        var (labels, exitLogits, routeLogits, payloadBytes) = Unpack(unfolded, (int)samples, classes, exits, routeCount);
        return new Trace(text, networkHash, firstSample, drift, labels, classes, exitLogits, routes, routeLogits, payloadBytes);
    }

    private static byte[] Pack(Trace trace, Half[][] exits, Half[][] routes, int[][] payloadBytes)
    {
        var (values, final) = (trace.Samples * trace.Classes, exits[^1]);
        var folded = new byte[trace.Samples + 2 * values * (exits.Length + routes.Length) + 4 * trace.Samples * routes.Length];
        var rest = folded.AsSpan();
        Span<byte> Next(int bytes, ref Span<byte> from)
        {
            var next = from[..bytes];
            from = from[bytes..];
            return next;
        }
        trace.Labels.CopyTo(Next(trace.Samples, ref rest));
        Split(final, [], Next(2 * values, ref rest));
        foreach (var logits in exits[..^1].Concat(routes)) Split(logits, final, Next(2 * values, ref rest));
        foreach (var sizes in payloadBytes) MemoryMarshal.AsBytes(sizes.AsSpan()).CopyTo(Next(4 * trace.Samples, ref rest));
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(folded.Length)];
        if (!BrotliEncoder.TryCompress(folded, packed, out var length, BrotliQuality, BrotliWindowBits)) throw new InvalidOperationException("Brotli needs more room than its own bound");
        return packed[..length];
    }

    private static (byte[] Labels, Half[][] Exits, Half[][] Routes, int[][] PayloadBytes) Unpack(ReadOnlySpan<byte> rest, int samples, int classes, int exits, int routes)
    {
        var values = samples * classes;
        var labels = rest[..samples].ToArray();
        rest = rest[samples..];
        var logits = new Half[exits + routes][];
        for (var i = 0; i < logits.Length; i++, rest = rest[(2 * values)..]) logits[i] = Join(rest[..(2 * values)], i == 0 ? [] : logits[0]);
        var payloadBytes = new int[routes][];
        for (var i = 0; i < routes; i++, rest = rest[(4 * samples)..]) payloadBytes[i] = MemoryMarshal.Cast<byte, int>(rest[..(4 * samples)]).ToArray();
        return (labels, [.. logits[1..exits], logits[0]], logits[exits..], payloadBytes);
    }

    /// <summary>High bytes, then low bytes, of the differences from <paramref name="near"/>; of the values when it is empty.</summary>
    private static void Split(ReadOnlySpan<Half> values, ReadOnlySpan<Half> near, Span<byte> planes)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var bits = near.IsEmpty ? BitConverter.HalfToUInt16Bits(values[i]) : Fold((ushort)(Rank(values[i]) - Rank(near[i])));
            planes[i] = (byte)(bits >> 8);
            planes[values.Length + i] = (byte)bits;
        }
    }

    private static Half[] Join(ReadOnlySpan<byte> planes, ReadOnlySpan<Half> near)
    {
        var values = new Half[planes.Length / 2];
        for (var i = 0; i < values.Length; i++)
        {
            var bits = (ushort)(planes[i] << 8 | planes[values.Length + i]);
            values[i] = near.IsEmpty ? BitConverter.UInt16BitsToHalf(bits) : Ranked((ushort)(Rank(near[i]) + Unfold(bits)));
        }
        return values;
    }

    /// <summary>Neighbouring halves get neighbouring numbers: negative ones count down from the sign bit.</summary>
    private static ushort Rank(Half value)
    {
        var bits = BitConverter.HalfToUInt16Bits(value);
        return (ushort)((bits & 0x8000) == 0 ? bits | 0x8000 : ~bits);
    }

    private static Half Ranked(ushort rank) => BitConverter.UInt16BitsToHalf((ushort)((rank & 0x8000) == 0 ? ~rank : rank & 0x7fff));

    /// <summary>Small differences of either sign become small numbers: 0, -1, 1, -2 to 0, 1, 2, 3.</summary>
    private static ushort Fold(ushort difference) => (ushort)(difference << 1 ^ (short)difference >> 15);

    private static ushort Unfold(ushort folded) => (ushort)(folded >> 1 ^ -(folded & 1));
}
