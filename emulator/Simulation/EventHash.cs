using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Fleet.Contracts;

namespace Fleet.Emulator.Simulation;

/// <summary>Digest of everything that happened on a site, in order. Two runs with equal hashes are the same run.</summary>
public sealed class EventHash
{
    private readonly XxHash128 hash = new();

    // What one event adds is gathered first: the digest takes long pieces faster than short ones.
    private readonly byte[] piece = new byte[256];
    private int length;

    /// <summary>At most, in UTF-8.</summary>
    private const int BytesPerChar = 3;

    public void Message(long ticks, Topic topic, Message message)
    {
        Begin(ticks, topic.Path);
        if (message is TensorFrame frame)
        {
            Put((long)frame.RequestId);
            Put(frame.Sample);
            Flush();
            hash.Append(frame.Payload.Span);
        }
        else
        {
            Flush();
            hash.Append(Wire.EncodeShared(message));
        }
    }

    public void Event(long ticks, string what, long a, long b)
    {
        Begin(ticks, what);
        Put(a);
        Put(b);
        Flush();
    }

    public void Add(string text)
    {
        Put(text);
        Flush();
    }

    private void Begin(long ticks, string text)
    {
        Put(ticks);
        Put(text);
    }

    private void Put(long value)
    {
        if (length + sizeof(long) > piece.Length) Flush();
        BinaryPrimitives.WriteInt64LittleEndian(piece.AsSpan(length), value);
        length += sizeof(long);
    }

    private void Put(ReadOnlySpan<char> text)
    {
        while (text.Length > 0)
        {
            if (length + BytesPerChar > piece.Length) Flush();
            var part = text[..Math.Min(text.Length, (piece.Length - length) / BytesPerChar)];
            length += Encoding.UTF8.GetBytes(part, piece.AsSpan(length));
            text = text[part.Length..];
        }
    }

    private void Flush()
    {
        hash.Append(piece.AsSpan(0, length));
        length = 0;
    }

    public override string ToString() => Convert.ToHexStringLower(hash.GetCurrentHash());
}
