using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;

namespace Fleet.Controller.Broker;

/// <summary>
/// Keeps texts small that differ in their figures only, as reports do: what is left of a text without its figures, its pattern, is kept once for all of its like, and of
/// the figures each character takes half a byte. Any bytes come back as they were. Not thread-safe.
/// </summary>
internal sealed class Patterns
{
    /// <summary>Texts of further patterns, and longer ones, are kept as they are.</summary>
    public const int CountMax = 4096;

    private const int TextBytesMax = 2048;

    /// <summary>Stands in a pattern for a figure.</summary>
    private const byte Gap = 0;

    /// <summary>Of two bytes at the beginning of what is packed: the text follows as it is.</summary>
    private const ushort Plain = ushort.MaxValue;

    private const byte End = 15;
    private static readonly byte[] Characters = [.. "0123456789.-+eE"u8];
    private static readonly byte[] CodeOf = [.. Enumerable.Range(0, 256).Select(character => (byte)(Array.IndexOf(Characters, (byte)character) is >= 0 and var code ? code : End))];
    private readonly List<byte[]> patterns = [];
    private readonly Dictionary<byte[], ushort> numbers = new(new SameBytes());
    private readonly byte[] pattern = new byte[TextBytesMax], packed = new byte[TextBytesMax];

    /// <summary>Patterns known.</summary>
    public int Count => patterns.Count;

    /// <summary>The text in as few bytes, behind <paramref name="room"/> bytes for whoever keeps it.</summary>
    public byte[] Pack(ReadOnlySpan<byte> text, int room)
    {
        if (!TrySplit(text, out var patternLength, out var nibbles) || NumberOf(pattern.AsSpan(0, patternLength)) is not { } number) return Joined(room, Plain, text);
        return Joined(room, number, packed.AsSpan(0, (nibbles + 1) / 2));
    }

    /// <summary>The text that was packed.</summary>
    public byte[] Unpack(ReadOnlySpan<byte> kept, int room)
    {
        var number = (ushort)(kept[room] | kept[room + 1] << 8);
        var rest = kept[(room + 2)..];
        if (number == Plain) return rest.ToArray();
        Span<byte> text = stackalloc byte[TextBytesMax];
        var (length, nibble) = (0, 0);
        foreach (var character in patterns[number])
        {
            if (character != Gap)
            {
                text[length++] = character;
                continue;
            }
            while (NibbleAt(rest, nibble++) is not End and var code) text[length++] = Characters[code];
        }
        return text[..length].ToArray();
    }

    /// <summary>Into pattern and figures; false when the text is too long or has the very byte that stands for figures.</summary>
    private bool TrySplit(ReadOnlySpan<byte> text, out int patternLength, out int nibbles)
    {
        (patternLength, nibbles) = (0, 0);
        if (text.Length > TextBytesMax) return false;
        for (var at = 0; at < text.Length;)
        {
            var word = WordLength(text[at..], out var isFigure);
            if (!isFigure)
            {
                // What is no word is one character.
                word = Math.Max(1, word);
                if (text[at] == Gap) return false;
                text.Slice(at, word).CopyTo(pattern.AsSpan(patternLength));
                patternLength += word;
            }
            else
            {
                pattern[patternLength++] = Gap;
                foreach (var character in text.Slice(at, word)) PutNibble(nibbles++, CodeOf[character]);
                PutNibble(nibbles++, End);
            }
            at += word;
        }
        return true;
    }

    /// <summary>How many letters, digits and signs stand together, and whether they are a figure: names and hashes have digits, too, and stay in the pattern.</summary>
    private static int WordLength(ReadOnlySpan<byte> text, out bool isFigure)
    {
        var length = 0;
        isFigure = text.Length > 0 && (char.IsAsciiDigit((char)text[0]) || text[0] == '-' && text.Length > 1 && char.IsAsciiDigit((char)text[1]));
        while (length < text.Length && IsOfWord(text[length])) isFigure &= CodeOf[text[length++]] != End;
        return length;
    }

    private static bool IsOfWord(byte character) => char.IsAsciiLetterOrDigit((char)character) || character is (byte)'.' or (byte)'-' or (byte)'+' or (byte)'_';

    private void PutNibble(int at, byte code) => packed[at / 2] = (byte)(at % 2 == 0 ? code | End << 4 : packed[at / 2] & End | code << 4);

    private static byte NibbleAt(ReadOnlySpan<byte> figures, int at) => (byte)(figures[at / 2] >> (at % 2 * 4) & End);

    /// <summary>Null when it is one pattern too many.</summary>
    private ushort? NumberOf(ReadOnlySpan<byte> wanted)
    {
        var lookup = numbers.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(wanted, out var known)) return known;
        if (patterns.Count >= CountMax) return null;
        var number = (ushort)patterns.Count;
        patterns.Add(wanted.ToArray());
        numbers.Add(patterns[^1], number);
        return number;
    }

    private static byte[] Joined(int room, ushort number, ReadOnlySpan<byte> rest)
    {
        var kept = new byte[room + 2 + rest.Length];
        (kept[room], kept[room + 1]) = ((byte)number, (byte)(number >> 8));
        rest.CopyTo(kept.AsSpan(room + 2));
        return kept;
    }

    private sealed class SameBytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)XxHash3.HashToUInt64(alternate);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
