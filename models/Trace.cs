using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>
/// What a model answered for every sample of a set, by every exit and over every route that changes the answer: logits in half
/// precision. Emulated devices replay the test set's; planners and calibration see only the calibration set's. Routes that lose
/// nothing (raw, PNG, fp32) equal the final exit and are not stored.
/// <code>
/// "FTRC" | version u16 = 1 | classes u16 | samples u32 | exits u16 | routes u16 | first sample u32 | text length u16 | text (UTF-8: what made it)
/// network hash [32] | route table (cut u8, codec u8) | labels u8 [samples] | logits fp16 [exits][samples][classes]
/// | logits fp16 [routes][samples][classes] | payload bytes u16 [routes][samples] | CRC-32 of all before
/// </code>
/// </summary>
public sealed class Trace
{
    private const uint Magic = 0x43525446; // "FTRC"
    private const ushort Version = 1;
    private readonly Route[] routes;
    private readonly byte[] labels;
    private readonly Half[][] exitLogits;
    private readonly Half[][] routeLogits;
    private readonly ushort[][] payloadBytes;

    /// <param name="text">What made it: command and data set.</param>
    /// <param name="networkHash">SHA-256 of the network's files, see <see cref="ModelFiles.NetworkHash"/>.</param>
    /// <param name="firstSample">Index in the data set of the first sample.</param>
    /// <param name="exitLogits">One array [samples x classes] an exit, 1..N.</param>
    /// <param name="routes">The routes stored.</param>
    /// <param name="routeLogits">One array [samples x classes] a route.</param>
    /// <param name="payloadBytes">One array [samples] a route: payload without the frame's header.</param>
    public Trace(string text, byte[] networkHash, int firstSample, byte[] labels, int classes, IEnumerable<float[]> exitLogits, IEnumerable<Route> routes, IEnumerable<float[]> routeLogits, IEnumerable<ushort[]> payloadBytes)
        : this(text, networkHash, firstSample, labels, classes, [.. exitLogits.Select(ToHalf)], [.. routes], [.. routeLogits.Select(ToHalf)], [.. payloadBytes])
    {
    }

    private Trace(string text, byte[] networkHash, int firstSample, byte[] labels, int classes, Half[][] exitLogits, Route[] routes, Half[][] routeLogits, ushort[][] payloadBytes)
    {
        (Text, NetworkHash, FirstSample, Classes) = (text, networkHash, firstSample, classes);
        (this.labels, this.exitLogits, this.routes, this.routeLogits, this.payloadBytes) = (labels, exitLogits, routes, routeLogits, payloadBytes);
    }

    public string Text { get; }

    public byte[] NetworkHash { get; }

    public int FirstSample { get; }

    public int Samples => labels.Length;

    public int Classes { get; }

    public int Exits => exitLogits.Length;

    public IReadOnlyList<Route> Routes => routes;

    public ReadOnlySpan<byte> Labels => labels;

    public int Label(int sample) => labels[sample];

    /// <summary>Logits of exit <paramref name="exit"/> (1..N).</summary>
    public ReadOnlySpan<Half> ExitLogits(int exit, int sample) => exitLogits[exit - 1].AsSpan(sample * Classes, Classes);

    /// <summary>Logits of the final exit when the work crossed by <paramref name="route"/>.</summary>
    public ReadOnlySpan<Half> RouteLogits(Route route, int sample)
    {
        var i = Array.IndexOf(routes, route);
        if (i >= 0) return routeLogits[i].AsSpan(sample * Classes, Classes);
        if (!IsLossless(route)) throw new ArgumentOutOfRangeException(nameof(route), $"{route} is not in the trace ({string.Join(", ", routes)})");
        return ExitLogits(Exits, sample);
    }

    public bool Knows(Route route) => IsLossless(route) || Array.IndexOf(routes, route) >= 0;

    /// <summary>Payload of one sample on a route; null when its size is fixed by the shape.</summary>
    public int? PayloadBytes(Route route, int sample)
    {
        var i = Array.IndexOf(routes, route);
        return i >= 0 ? payloadBytes[i][sample] : null;
    }

    public void Write(string path)
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        var text = Encoding.UTF8.GetBytes(Text);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write((ushort)Classes);
        writer.Write((uint)Samples);
        writer.Write((ushort)Exits);
        writer.Write((ushort)routes.Length);
        writer.Write((uint)FirstSample);
        writer.Write((ushort)text.Length);
        writer.Write(text);
        writer.Write(NetworkHash);
        foreach (var route in routes)
        {
            writer.Write((byte)route.Cut);
            writer.Write((byte)route.Codec);
        }
        writer.Write(labels);
        foreach (var logits in exitLogits.Concat(routeLogits)) writer.Write(MemoryMarshal.AsBytes(logits.AsSpan()));
        foreach (var sizes in payloadBytes) writer.Write(MemoryMarshal.AsBytes(sizes.AsSpan()));
        writer.Flush();
        writer.Write(Crc32.HashToUInt32(memory.GetBuffer().AsSpan(0, (int)memory.Length)));
        writer.Flush();
        File.WriteAllBytes(path, memory.ToArray());
    }

    /// <summary>Reads a trace; throws <see cref="FaultsException"/> that names the file and what is wrong.</summary>
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
        var samples = (int)reader.ReadUInt32();
        int exits = reader.ReadUInt16();
        int routeCount = reader.ReadUInt16();
        var firstSample = (int)reader.ReadUInt32();
        var text = Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadUInt16()));
        var networkHash = reader.ReadBytes(32);
        var routes = new Route[routeCount];
        for (var i = 0; i < routeCount; i++) routes[i] = new Route(reader.ReadByte(), (FeatureCodec)reader.ReadByte());
        var needed = samples + 2 * (exits + (long)routeCount) * samples * classes + 2L * routeCount * samples;
        var held = reader.BaseStream.Length - reader.BaseStream.Position;
        if (samples < 0 || needed != held) throw new InvalidDataException($"{samples} samples, {classes} classes, {exits} exits and {routeCount} routes take {needed} bytes, {held} follow");
        var labels = reader.ReadBytes(samples);
        T[][] Arrays<T>(int count, int length) where T : unmanaged
        {
            var arrays = new T[count][];
            for (var i = 0; i < count; i++) reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes((arrays[i] = new T[length]).AsSpan()));
            return arrays;
        }
        var exitLogits = Arrays<Half>(exits, samples * classes);
        var routeLogits = Arrays<Half>(routeCount, samples * classes);
        var payloadBytes = Arrays<ushort>(routeCount, samples);
        return new Trace(text, networkHash, firstSample, labels, classes, exitLogits, routes, routeLogits, payloadBytes);
    }

    private static bool IsLossless(Route route) => route.Codec is FeatureCodec.Raw or FeatureCodec.Float32;

    private static Half[] ToHalf(float[] values) => Array.ConvertAll(values, value => (Half)value);
}
