using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Fleet.Contracts;

namespace Fleet.Emulator.Simulation;

/// <summary>Digest of everything that happened on a site, in order. Two runs with equal hashes are the same run.</summary>
public sealed class EventHash
{
    private readonly XxHash128 hash = new();
    private readonly byte[] number = new byte[8];

    public void Message(long ticks, Topic topic, Message message)
    {
        Add(ticks);
        Add(topic.Path);
        if (message is TensorFrame frame)
        {
            Add((long)frame.RequestId);
            Add(frame.Sample);
            hash.Append(frame.Payload.Span);
        }
        else
        {
            hash.Append(Wire.EncodeShared(message));
        }
    }

    public void Event(long ticks, string what, long a, long b)
    {
        Add(ticks);
        Add(what);
        Add(a);
        Add(b);
    }

    public void Add(string text)
    {
        const int Piece = 80;
        Span<byte> utf8 = stackalloc byte[3 * Piece];
        for (var at = 0; at < text.Length; at += Piece)
        {
            var length = Encoding.UTF8.GetBytes(text.AsSpan(at, Math.Min(text.Length - at, Piece)), utf8);
            hash.Append(utf8[..length]);
        }
    }

    public void Add(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(number, value);
        hash.Append(number);
    }

    public override string ToString() => Convert.ToHexStringLower(hash.GetCurrentHash());
}
