namespace Fleet.Models;

/// <summary>
/// Integers to as few bytes as their <see cref="EntropyModel"/> allows, and back: a range coder with carry propagation (Martin, "Range
/// encoding", 1979; Schindler, 1998) over whole numbers only, so that every processor writes the same bytes. Any integer can be
/// coded: one that its channel does not list follows an escape, as an Exp-Golomb number. Trailing zero bytes are left out.
/// Not for two threads at once; once warm it allocates nothing but the payload.
/// </summary>
public sealed class RangeCoder(EntropyModel model)
{
    private readonly RangeEncoder encoder = new();

    public EntropyModel Model => model;

    /// <param name="symbols">Channel by channel, equally many of each.</param>
    public byte[] Encode(ReadOnlySpan<int> symbols)
    {
        Write(symbols);
        return encoder.Written.ToArray();
    }

    /// <summary>
    /// Reads as many symbols as there is room for; says what is wrong when the payload is not what <see cref="Encode"/> would make of
    /// them, else null. A code without redundancy cannot know more: most damaged payloads, and all that were cut short, are the code of
    /// another message. The frame's checksum, which covers the payload, tells those.
    /// </summary>
    public string? Decode(ReadOnlySpan<byte> payload, Span<int> symbols)
    {
        var decoder = new RangeDecoder(payload);
        var each = model.PerChannel(symbols.Length);
        for (var i = 0; i < symbols.Length; i++)
        {
            var channel = model.Of(i / each);
            var index = channel.Find(decoder.Point());
            decoder.Take(channel.StartOf(index), channel.FrequencyOf(index));
            if (index < channel.Values) symbols[i] = channel.Offset + index;
            else if (Escape.Read(ref decoder) is { } distance && Escape.Symbol(distance, channel.Offset, channel.Values) is { } symbol) symbols[i] = symbol;
            else return $"symbol {i} of {symbols.Length} is an escape to no 32-bit integer: damaged";
        }
        Write(symbols);
        return encoder.Written.SequenceEqual(payload) ? null : $"{payload.Length} bytes are not the code of any {symbols.Length} symbols: padded or damaged";
    }

    private void Write(ReadOnlySpan<int> symbols)
    {
        var each = model.PerChannel(symbols.Length);
        encoder.Begin();
        for (var i = 0; i < symbols.Length; i++)
        {
            var channel = model.Of(i / each);
            var index = channel.IndexOf(symbols[i]);
            encoder.Put(channel.StartOf(index), channel.FrequencyOf(index));
            if (index == channel.Values) Escape.Write(encoder, Escape.Distance(symbols[i], channel.Offset, channel.Values));
        }
        encoder.End();
    }
}

/// <summary>
/// An integer that a channel does not list, by its distance from the list: 0, 2, 4, ... above it, 1, 3, 5, ... below. The distance plus
/// one is written in Exp-Golomb code of order 0: as many zeros as it has bits after its first, then its bits.
/// </summary>
internal static class Escape
{
    /// <summary>Bits after the first that the largest distance plus one has: it is at most 2^33 - 2.</summary>
    private const int BitsMax = 32;
    private const int Half = EntropyModel.Total / 2;

    public static ulong Distance(int symbol, int offset, int values) =>
        symbol < offset ? 2 * (ulong)(offset - 1L - symbol) + 1 : 2 * (ulong)((long)symbol - offset - values);

    /// <summary>Null when it is no 32-bit integer.</summary>
    public static int? Symbol(ulong distance, int offset, int values)
    {
        var symbol = (distance & 1) == 1 ? offset - 1L - (long)(distance >> 1) : offset + (long)values + (long)(distance >> 1);
        return symbol is >= int.MinValue and <= int.MaxValue ? (int)symbol : null;
    }

    public static int Bits(ulong distance) => 2 * System.Numerics.BitOperations.Log2(distance + 1) + 1;

    public static void Write(RangeEncoder encoder, ulong distance)
    {
        var after = System.Numerics.BitOperations.Log2(distance + 1);
        for (var i = 0; i < after; i++) encoder.Put(0, Half);
        for (var bit = after; bit >= 0; bit--) encoder.Put((distance + 1 >> bit & 1) == 1 ? Half : 0, Half);
    }

    /// <summary>Null when it has more bits than any distance.</summary>
    public static ulong? Read(ref RangeDecoder decoder)
    {
        var after = 0;
        while (Bit(ref decoder) == 0)
            if (++after > BitsMax) return null;
        var number = 1UL;
        for (var i = 0; i < after; i++) number = number << 1 | Bit(ref decoder);
        return number - 1;
    }

    private static ulong Bit(ref RangeDecoder decoder)
    {
        var bit = decoder.Point() < Half ? 0UL : 1UL;
        decoder.Take(bit == 0 ? 0 : Half, Half);
        return bit;
    }
}

/// <summary>
/// The interval [low, low + range) of 56 bits below the bytes already written. A share of it is taken symbol by symbol; its top byte
/// is written when the range has become shorter than 48 bits, so that 2^16 shares lose less than 2^-32 of it to rounding.
/// </summary>
internal sealed class RangeEncoder
{
    internal const int StateBits = 56;
    internal const ulong RangeMin = 1UL << 48;
    private const ulong LowMask = (1UL << StateBits) - 1;
    private byte[] bytes = new byte[256];
    private int length;
    private ulong low, range;

    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, length);

    public void Begin() => (length, low, range) = (0, 0, 1UL << StateBits);

    /// <summary>Takes the share [start, start + frequency) of 2^16.</summary>
    public void Put(int start, int frequency)
    {
        var step = range >> EntropyModel.TotalBits;
        low += step * (ulong)start;
        // The last share also gets what rounding left.
        range = start + frequency == EntropyModel.Total ? range - step * (ulong)start : step * (ulong)frequency;
        if (low > LowMask) Carry();
        while (range < RangeMin)
        {
            Append((byte)(low >> (StateBits - 8)));
            low = low << 8 & LowMask;
            range <<= 8;
        }
    }

    /// <summary>Writes the number of the interval that has the most trailing zeros, and leaves those out: the reader pads with zeros.</summary>
    public void End()
    {
        for (var kept = 0; kept <= StateBits; kept += 8)
        {
            var rest = (1UL << (StateBits - kept)) - 1;
            var number = low + rest & ~rest;
            if (number - low >= range) continue;
            low = number;
            if (low > LowMask) Carry();
            for (var bit = 8; bit <= kept; bit += 8) Append((byte)(low >> (StateBits - bit)));
            break;
        }
        while (length > 0 && bytes[length - 1] == 0) length--;
    }

    private void Carry()
    {
        low &= LowMask;
        for (var i = length - 1; ++bytes[i] == 0; i--)
        {
            // A byte that was 255 carries on.
        }
    }

    private void Append(byte value)
    {
        if (length == bytes.Length) Array.Resize(ref bytes, 2 * length);
        bytes[length++] = value;
    }
}

/// <summary>Follows a <see cref="RangeEncoder"/>; beyond the end it reads zeros.</summary>
internal ref struct RangeDecoder
{
    private readonly ReadOnlySpan<byte> bytes;
    private int next;
    private ulong offset;
    private ulong range = 1UL << RangeEncoder.StateBits;

    public RangeDecoder(ReadOnlySpan<byte> bytes)
    {
        this.bytes = bytes;
        for (var i = 0; i < RangeEncoder.StateBits / 8; i++) Pull();
    }

    /// <summary>Where in [0, 2^16) the number lies.</summary>
    public readonly int Point() => (int)Math.Min(offset / (range >> EntropyModel.TotalBits), EntropyModel.Total - 1);

    public void Take(int start, int frequency)
    {
        var step = range >> EntropyModel.TotalBits;
        offset -= step * (ulong)start;
        range = start + frequency == EntropyModel.Total ? range - step * (ulong)start : step * (ulong)frequency;
        while (range < RangeEncoder.RangeMin)
        {
            Pull();
            range <<= 8;
        }
    }

    private void Pull() => offset = offset << 8 | (next < bytes.Length ? bytes[next++] : (byte)0);
}
