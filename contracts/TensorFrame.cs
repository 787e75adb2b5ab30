using System.Buffers.Binary;
using System.IO.Hashing;

namespace Fleet.Contracts;

/// <summary>
/// Topic offload: what crosses a cut, as one binary message. Little-endian; the layout is fixed:
/// <code>
///  0 magic "FLTF"   4 version u8 = 2   5 codec u8   6 cut u8   7 dimensions u8 (0..4)
///  8 model hash u64 (first 8 bytes of the card's SHA-256)      16 request id u64
/// 24 deadline u32, microseconds the sender still waits         28 sample i32 (index in a replayed data set, -1 when live)
/// 32 scale f32      36 zero point i16      38 bottleneck u8 (from 1, 0 none)    39 view u8 (from 1, 0 none)
/// 40 extents u16 x 4 (unused ones 0)
/// 48 payload length u32                    52 CRC-32 (IEEE) of bytes 0..51 and of the payload      56 payload
/// </code>
/// The deadline is a remaining time, not a date: sender and receiver need no common clock.
/// </summary>
public sealed record TensorFrame : Message
{
    public const int HeaderBytes = 56;
    public const byte Version = 2;

    /// <summary>No frame is longer: a 4096x4096 grey image still fits.</summary>
    public const int FrameBytesMax = 16 << 20;

    private const uint Magic = 0x46544C46; // "FLTF"

    public required FeatureCodec Codec { get; init; }

    public required int Cut { get; init; }

    public required ulong ModelHash { get; init; }

    public required ulong RequestId { get; init; }

    public required Seconds Deadline { get; init; }

    /// <summary>-1 when the input is live.</summary>
    public int Sample { get; init; } = -1;

    public float Scale { get; init; } = 1;

    /// <summary>Of int8; -32768 to 32767.</summary>
    public int ZeroPoint { get; init; }

    /// <summary>Place in the card's list, from 1, of the bottleneck whose latent this is; 0 when it is the cut itself.</summary>
    public int Bottleneck { get; init; }

    /// <summary>Which of several devices that contribute to one inference this is, from 1; 0 when there is only one.</summary>
    public int View { get; init; }

    /// <summary>Channels, height, width.</summary>
    public required IReadOnlyList<int> Shape { get; init; }

    /// <summary>Raw values or an image file. The array is the sender's: read it before the next await, or copy it.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Where the answer goes: the MQTT response topic.</summary>
    public required Topic ReplyTo { get; init; }

    public int EncodedBytes => HeaderBytes + Payload.Length;

    public Route Route => new(Cut, Codec, Bottleneck);

    /// <summary>Writes <see cref="EncodedBytes"/> bytes.</summary>
    public void Encode(Span<byte> frame)
    {
        frame[..HeaderBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        frame[4] = Version;
        frame[5] = (byte)Codec;
        frame[6] = (byte)Cut;
        frame[7] = (byte)Shape.Count;
        BinaryPrimitives.WriteUInt64LittleEndian(frame[8..], ModelHash);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[16..], RequestId);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[24..], (uint)Math.Clamp(Math.Round(Deadline.Value * 1e6), 0, uint.MaxValue));
        BinaryPrimitives.WriteInt32LittleEndian(frame[28..], Sample);
        BinaryPrimitives.WriteSingleLittleEndian(frame[32..], Scale);
        BinaryPrimitives.WriteInt16LittleEndian(frame[36..], (short)ZeroPoint);
        frame[38] = (byte)Bottleneck;
        frame[39] = (byte)View;
        for (var i = 0; i < Shape.Count; i++) BinaryPrimitives.WriteUInt16LittleEndian(frame[(40 + 2 * i)..], (ushort)Shape[i]);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[48..], (uint)Payload.Length);
        Payload.Span.CopyTo(frame[HeaderBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[52..], Checksum(frame[..EncodedBytes]));
    }

    /// <summary>Reads a frame; a <see cref="Malformed"/> says what is wrong with it.</summary>
    public static Message Decode(ReadOnlySpan<byte> frame, Topic? replyTo)
    {
        Malformed Bad(string reason, int bytes) => new("tensor frame: " + reason, bytes);

        if (frame.Length < HeaderBytes) return Bad($"{frame.Length} bytes; a header alone has {HeaderBytes}", frame.Length);
        if (frame.Length > FrameBytesMax) return Bad($"{frame.Length} bytes; allowed: {FrameBytesMax}", frame.Length);
        if (BinaryPrimitives.ReadUInt32LittleEndian(frame) != Magic) return Bad("does not begin with \"FLTF\"", frame.Length);
        if (frame[4] != Version) return Bad($"version {frame[4]}; this reads {Version}", frame.Length);
        var payload = BinaryPrimitives.ReadUInt32LittleEndian(frame[48..]);
        if (payload != frame.Length - HeaderBytes) return Bad($"says {payload} payload bytes, has {frame.Length - HeaderBytes}: truncated or padded", frame.Length);
        if (BinaryPrimitives.ReadUInt32LittleEndian(frame[52..]) != Checksum(frame)) return Bad("CRC-32 does not match: damaged on the way", frame.Length);
        if (replyTo is null) return Bad("has no valid response topic, so nobody can be answered", frame.Length);
        if (frame[7] is < 1 or > 4) return Bad($"{frame[7]} dimensions; allowed: 1 to 4", frame.Length);

        var shape = new int[frame[7]];
        long elements = 1;
        for (var i = 0; i < shape.Length; i++) elements *= shape[i] = BinaryPrimitives.ReadUInt16LittleEndian(frame[(40 + 2 * i)..]);
        var read = new TensorFrame
        {
            Codec = (FeatureCodec)frame[5],
            Cut = frame[6],
            ModelHash = BinaryPrimitives.ReadUInt64LittleEndian(frame[8..]),
            RequestId = BinaryPrimitives.ReadUInt64LittleEndian(frame[16..]),
            Deadline = new Seconds(BinaryPrimitives.ReadUInt32LittleEndian(frame[24..]) / 1e6),
            Sample = BinaryPrimitives.ReadInt32LittleEndian(frame[28..]),
            Scale = BinaryPrimitives.ReadSingleLittleEndian(frame[32..]),
            ZeroPoint = BinaryPrimitives.ReadInt16LittleEndian(frame[36..]),
            Bottleneck = frame[38],
            View = frame[39],
            Shape = shape,
            Payload = frame[HeaderBytes..].ToArray(),
            ReplyTo = replyTo,
        };
        if (!read.Route.IsLawful) return Bad($"{read.Route} does not exist", frame.Length);
        if (!(float.IsFinite(read.Scale) && read.Scale > 0)) return Bad($"scale {read.Scale}; it must be above 0", frame.Length);
        if (PayloadBytes(read.Codec, elements) is { } needed && needed != payload)
            return Bad($"shape [{string.Join(",", shape)}] as {Route.CodecName(read.Codec)} takes {needed} bytes, the payload has {payload}", frame.Length);
        return read;
    }

    /// <summary>Payload length of a tensor of so many elements; null where it depends on the content.</summary>
    public static long? PayloadBytes(FeatureCodec codec, long elements) => codec switch
    {
        FeatureCodec.Int8 or FeatureCodec.Raw => elements,
        FeatureCodec.Float16 => elements * 2,
        FeatureCodec.Float32 => elements * 4,
        FeatureCodec.Bits => (elements + 7) / 8,
        _ => null,
    };

    private static uint Checksum(ReadOnlySpan<byte> frame)
    {
        var crc = new Crc32();
        crc.Append(frame[..52]);
        crc.Append(frame[HeaderBytes..]);
        return crc.GetCurrentHashAsUInt32();
    }
}

/// <summary>How an offload ended.</summary>
public enum OffloadStatus
{
    Ok,

    /// <summary>It waited in the queue past its deadline.</summary>
    Expired,

    /// <summary>The queue was full.</summary>
    Full,

    /// <summary>The edge server does not hold this tail of this model.</summary>
    NotHeld,

    /// <summary>Shape or payload do not fit the model.</summary>
    Refused,

    /// <summary>The class vectors of the group leave doubt: its devices' sign bits are wanted too, under the same request id.</summary>
    BitsWanted,
}
