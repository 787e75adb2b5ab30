using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Fleet.Contracts;

/// <summary>A PUBLISH as it came, valid while its handler runs. <paramref name="Properties"/>: MQTT 5's, as they stood on the wire, without their length.</summary>
public readonly ref struct InboundPublish(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload, int quality, bool retain)
{
    public ReadOnlySpan<byte> Topic { get; } = topic;

    public ReadOnlySpan<byte> Properties { get; } = properties;

    public ReadOnlySpan<byte> Payload { get; } = payload;

    public int Quality { get; } = quality;

    public bool Retain { get; } = retain;
}

/// <summary>
/// The few MQTT 5 packets of which there are very many, written into and read from buffers without allocating (OASIS MQTT 5.0, sections 2 and 3).
/// All others go through MQTTnet's formatter.
/// </summary>
public static class MqttPackets
{
    public const byte Publish = 3;
    public const byte PubAck = 4;
    public const byte Disconnect = 14;

    private const byte MessageExpiry = 0x02, ResponseTopic = 0x08, CorrelationData = 0x09, SubscriptionId = 0x0B;

    /// <summary>Length of a PUBLISH with these parts, fixed header included.</summary>
    public static int PublishBytes(int topicBytes, int propertyBytes, int payloadBytes, bool acknowledged)
    {
        var remaining = 2 + topicBytes + (acknowledged ? 2 : 0) + LengthBytes(propertyBytes) + propertyBytes + payloadBytes;
        return 1 + LengthBytes(remaining) + remaining;
    }

    /// <summary>Writes everything up to the payload; returns where it begins.</summary>
    public static int WritePublish(Span<byte> packet, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties, ushort id, bool retain)
    {
        packet[0] = (byte)(Publish << 4 | (id > 0 ? 0x02 : 0) | (retain ? 0x01 : 0));
        var at = 1 + WriteLength(packet[1..], RemainingOf(packet.Length));
        BinaryPrimitives.WriteUInt16BigEndian(packet[at..], (ushort)topic.Length);
        topic.CopyTo(packet[(at + 2)..]);
        at += 2 + topic.Length;
        if (id > 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(packet[at..], id);
            at += 2;
        }
        at += WriteLength(packet[at..], properties.Length);
        properties.CopyTo(packet[at..]);
        return at + properties.Length;
    }

    /// <summary>What the protocol's messages need of MQTT 5's properties: the same as <see cref="MqttClientSetup.ApplicationMessage"/> sets. Returns their length.</summary>
    public static int WriteProperties(Span<byte> to, Message message)
    {
        switch (message)
        {
            case TensorFrame frame:
                to[0] = MessageExpiry;
                BinaryPrimitives.WriteUInt32BigEndian(to[1..], (uint)Math.Clamp(Math.Ceiling(frame.Deadline.Value), 1, uint.MaxValue));
                to[5] = ResponseTopic;
                Utf8.FromUtf16(frame.ReplyTo.Path, to[8..], out _, out var length);
                BinaryPrimitives.WriteUInt16BigEndian(to[6..], (ushort)length);
                return 8 + length + WriteCorrelation(to[(8 + length)..], frame.RequestId);
            case Reply reply:
                return WriteCorrelation(to, reply.RequestId);
            default:
                return 0;
        }
    }

    public static void WritePubAck(Span<byte> packet, ushort id)
    {
        (packet[0], packet[1]) = (PubAck << 4, 2);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], id);
    }

    /// <summary>Length of the packet that begins here; 0 when more bytes are needed to tell, -1 when it is none.</summary>
    public static int FrameLength(ReadOnlySpan<byte> bytes, out int headerBytes)
    {
        headerBytes = 0;
        if (bytes.Length < 2) return 0;
        if (!TryReadLength(bytes[1..], out var remaining, out var lengthBytes)) return lengthBytes < 4 ? 0 : -1;
        headerBytes = 1 + lengthBytes;
        return headerBytes + remaining;
    }

    /// <summary>Reads what follows the fixed header of a PUBLISH; false when its lengths do not fit.</summary>
    public static bool TryReadPublish(byte flags, ReadOnlySpan<byte> body, out InboundPublish inbound, out ushort id)
    {
        inbound = default;
        id = 0;
        var quality = flags >> 1 & 3;
        if (body.Length < 2) return false;
        var at = 2 + BinaryPrimitives.ReadUInt16BigEndian(body);
        if (body.Length < at + (quality > 0 ? 2 : 0)) return false;
        var topic = body[2..at];
        if (quality > 0)
        {
            id = BinaryPrimitives.ReadUInt16BigEndian(body[at..]);
            at += 2;
        }
        if (!TryReadLength(body[at..], out var length, out var bytes) || body.Length < at + bytes + length) return false;
        at += bytes;
        inbound = new InboundPublish(topic, body.Slice(at, length), body[(at + length)..], quality, (flags & 1) != 0);
        return true;
    }

    /// <summary>The response topic among a PUBLISH's properties; null when there is none.</summary>
    public static string? ResponseTopicOf(ReadOnlySpan<byte> properties)
    {
        while (properties.Length > 0)
        {
            var size = PropertyBytes(properties);
            if (size < 0 || size > properties.Length) return null;
            if (properties[0] == ResponseTopic) return Encoding.UTF8.GetString(properties[3..size]);
            properties = properties[size..];
        }
        return null;
    }

    /// <summary>The next subscription identifier among a PUBLISH's properties, which lose all up to it; false when there is none left.</summary>
    public static bool TryTakeSubscriptionId(ref ReadOnlySpan<byte> properties, out uint id)
    {
        id = 0;
        while (properties.Length > 0)
        {
            var size = PropertyBytes(properties);
            if (size < 0 || size > properties.Length) return false;
            var isId = properties[0] == SubscriptionId && TryReadLength(properties[1..], out var value, out _) && (id = (uint)value) > 0;
            properties = properties[size..];
            if (isId) return true;
        }
        return false;
    }

    public static int LengthBytes(int length) => length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4;

    public static int WriteLength(Span<byte> to, int length)
    {
        var at = 0;
        do
        {
            to[at++] = (byte)(length % 128 | (length >= 128 ? 128 : 0));
            length /= 128;
        }
        while (length > 0);
        return at;
    }

    public static bool TryReadLength(ReadOnlySpan<byte> from, out int length, out int bytes)
    {
        (length, bytes) = (0, 0);
        while (bytes < 4 && bytes < from.Length)
        {
            length |= (from[bytes] & 0x7F) << (7 * bytes);
            if ((from[bytes++] & 0x80) == 0) return true;
        }
        return false;
    }

    private static int WriteCorrelation(Span<byte> to, ulong requestId)
    {
        to[0] = CorrelationData;
        BinaryPrimitives.WriteUInt16BigEndian(to[1..], 8);
        BinaryPrimitives.WriteUInt64LittleEndian(to[3..], requestId);
        return 11;
    }

    private static int RemainingOf(int packetBytes)
    {
        for (var lengthBytes = 1; lengthBytes < 4; lengthBytes++)
            if (LengthBytes(packetBytes - 1 - lengthBytes) == lengthBytes) return packetBytes - 1 - lengthBytes;
        return packetBytes - 5;
    }

    /// <summary>Of the property that begins here, its identifier included; those that a PUBLISH may have (section 3.3.2.3). -1: none of them.</summary>
    private static int PropertyBytes(ReadOnlySpan<byte> at) => at[0] switch
    {
        0x01 => 2,
        MessageExpiry => 5,
        0x23 => 3,
        SubscriptionId => TryReadLength(at[1..], out _, out var bytes) ? 1 + bytes : -1,
        0x03 or ResponseTopic or CorrelationData => Sized(at, 1) is > 0 and var end ? end : -1,
        0x26 => Sized(at, 1) is > 0 and var name ? Sized(at, name) : -1,
        _ => -1,
    };

    private static int Sized(ReadOnlySpan<byte> at, int from) => at.Length < from + 2 ? -1 : from + 2 + BinaryPrimitives.ReadUInt16BigEndian(at[from..]);
}
