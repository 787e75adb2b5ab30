using System.Buffers.Binary;
using System.IO.Hashing;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>
/// How often each integer comes in each channel of a latent, as whole frequencies of 65,536 that sender and receiver share, so that
/// coding is the same on every processor. A channel lists the values from an offset on; every other integer is an escape.
/// <code>
/// "FENT" | version u16 = 1 | channels u16 | for each channel: offset i32, values u16, frequencies u16 [values + 1] (the escape last) | CRC-32 of all before
/// </code>
/// </summary>
public sealed class EntropyModel
{
    /// <summary>Frequencies of a channel sum to 2^16.</summary>
    public const int TotalBits = 16;

    public const int Total = 1 << TotalBits;

    /// <summary>Values a channel may list: each of them, and the escape, needs a frequency of at least one.</summary>
    public const int ValuesMax = Total - 1;

    private const uint Magic = 0x544E4546; // "FENT"
    private const ushort Version = 1;
    private readonly Channel[] channels;

    private EntropyModel(Channel[] channels) => this.channels = channels;

    public int Channels => channels.Length;

    /// <summary>From what a trained model says.</summary>
    /// <param name="probabilities">For each channel, of the integers offset, offset + 1, ...; what they lack of 1 is the escape's.</param>
    /// <param name="offsets">The first integer of each channel.</param>
    /// <exception cref="FaultsException">Not one offset a channel; a channel without values; a probability that is negative or no number.</exception>
    public static EntropyModel FromProbabilities(IReadOnlyList<double[]> probabilities, IReadOnlyList<int> offsets) =>
        Weighed(probabilities, offsets, values => Math.Max(0, 1 - values.Sum()));

    /// <summary>From integers seen in training.</summary>
    /// <param name="counts">For each channel, how often offset, offset + 1, ... came.</param>
    /// <param name="offsets">The first integer of each channel.</param>
    /// <param name="smoothing">Added to every count, and the escape's whole count: what has not been seen may still come.</param>
    /// <exception cref="FaultsException">As for <see cref="FromProbabilities"/>; a negative count or smoothing.</exception>
    public static EntropyModel FromCounts(IReadOnlyList<long[]> counts, IReadOnlyList<int> offsets, double smoothing = 0.5) =>
        smoothing >= 0 ? Weighed([.. counts.Select(channel => Array.ConvertAll(channel, count => count + smoothing))], offsets, _ => smoothing) : throw new FaultsException("smoothing", $"is {smoothing}; allowed: 0 or more");

    /// <summary>Reads a tables file. Throws <see cref="FaultsException"/> that names it and what is wrong.</summary>
    public static EntropyModel Parse(string name, ReadOnlySpan<byte> file)
    {
        if (file.Length < 12 || BinaryPrimitives.ReadUInt32LittleEndian(file) != Magic) throw new FaultsException(name, "is not an entropy model: it does not begin with \"FENT\"");
        if (BinaryPrimitives.ReadUInt16LittleEndian(file[4..]) is var version && version != Version) throw new FaultsException(name, $"has version {version}; this reads {Version}");
        if (BinaryPrimitives.ReadUInt32LittleEndian(file[^4..]) != Crc32.HashToUInt32(file[..^4])) throw new FaultsException(name, "CRC-32 does not match: truncated or damaged");
        var channels = new Channel[BinaryPrimitives.ReadUInt16LittleEndian(file[6..])];
        var rest = file[8..^4];
        for (var c = 0; c < channels.Length; c++)
        {
            var values = rest.Length < 6 ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]);
            var length = 6 + 2 * (values + 1);
            if (values == 0 || rest.Length < length) throw new FaultsException(name, $"channel {c} lists no values, or more than the file holds");
            channels[c] = Channel.Read(rest[..length], values) ?? throw new FaultsException(name, $"channel {c}: frequencies must each be at least 1 and sum to {Total}, and all values fit 32 bits");
            rest = rest[length..];
        }
        return channels.Length > 0 && rest.IsEmpty ? new EntropyModel(channels) : throw new FaultsException(name, $"{channels.Length} channels, then {rest.Length} bytes that belong to none");
    }

    /// <summary>The tables file.</summary>
    public byte[] ToBytes()
    {
        var file = new byte[8 + channels.Sum(channel => 6 + 2 * (channel.Values + 1)) + 4];
        BinaryPrimitives.WriteUInt32LittleEndian(file, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(6), checked((ushort)channels.Length));
        var rest = file.AsSpan(8);
        foreach (var channel in channels) rest = rest[channel.Write(rest)..];
        BinaryPrimitives.WriteUInt32LittleEndian(rest, Crc32.HashToUInt32(file.AsSpan(0, file.Length - 4)));
        return file;
    }

    /// <summary>Bits that no coder with these tables can beat: the sum of -log2 of every symbol's frequency, escapes in full.</summary>
    /// <param name="symbols">Channel by channel, equally many of each.</param>
    public double IdealBits(ReadOnlySpan<int> symbols)
    {
        var (bits, each) = (0.0, PerChannel(symbols.Length));
        for (var i = 0; i < symbols.Length; i++)
        {
            var channel = channels[i / each];
            var index = channel.IndexOf(symbols[i]);
            bits += TotalBits - Math.Log2(channel.FrequencyOf(index));
            if (index == channel.Values) bits += Escape.Bits(Escape.Distance(symbols[i], channel.Offset, channel.Values));
        }
        return bits;
    }

    /// <summary>Symbols each channel has of so many. Throws <see cref="ArgumentException"/> when they cannot be shared out.</summary>
    internal int PerChannel(int symbols) =>
        symbols % Channels == 0 ? symbols / Channels : throw new ArgumentException($"{symbols} symbols cannot be {Channels} channels of equal length");

    internal Channel Of(int channel) => channels[channel];

    private static EntropyModel Weighed(IReadOnlyList<double[]> weights, IReadOnlyList<int> offsets, Func<double[], double> escape)
    {
        FaultsException.ThrowIfAny("entropy model", WeightFaults(weights, offsets));
        return new EntropyModel([.. weights.Select((channel, c) => new Channel(offsets[c], Frequencies([.. channel, escape(channel)])))]);
    }

    private static IEnumerable<string> WeightFaults(IReadOnlyList<double[]> weights, IReadOnlyList<int> offsets)
    {
        if (weights.Count is 0 or > ushort.MaxValue) yield return $"{weights.Count} channels; allowed: 1 to {ushort.MaxValue}";
        if (weights.Count != offsets.Count) yield return $"{offsets.Count} offsets for {weights.Count} channels; each needs one";
        for (var c = 0; c < Math.Min(weights.Count, offsets.Count); c++)
        {
            if (weights[c].Length is 0 or > ValuesMax) yield return $"channel {c} has {weights[c].Length} values; allowed: 1 to {ValuesMax}";
            if (weights[c].Any(weight => !(weight >= 0 && double.IsFinite(weight)))) yield return $"channel {c} has a weight that is negative or no number";
            else if (!double.IsFinite(weights[c].Sum())) yield return $"channel {c} has weights whose sum is no number";
            if (offsets[c] + (long)weights[c].Length - 1 > int.MaxValue) yield return $"channel {c} begins at {offsets[c]} with {weights[c].Length} values: beyond 32 bits";
        }
    }

    /// <summary>
    /// Whole frequencies in proportion to the weights, each at least 1, with sum 2^16: one for everybody, the rest shared out and
    /// rounded down, what rounding left to those it took most from (earlier ones first among equals).
    /// </summary>
    private static int[] Frequencies(double[] weights)
    {
        var (spare, sum) = (Total - weights.Length, weights.Sum());
        var exact = Array.ConvertAll(weights, weight => sum > 0 ? spare * (weight / sum) : (double)spare / weights.Length);
        var frequencies = Array.ConvertAll(exact, share => 1 + (int)Math.Floor(share));
        var left = Total - frequencies.Sum();
        foreach (var i in Enumerable.Range(0, weights.Length).OrderByDescending(i => exact[i] - Math.Floor(exact[i])).ThenBy(i => i).Take(left)) frequencies[i]++;
        return frequencies;
    }

    /// <summary>One channel's values with where each begins in [0, 2^16); the last one is the escape.</summary>
    internal sealed class Channel
    {
        private readonly int[] starts;

        public Channel(int offset, int[] frequencies)
        {
            (Offset, starts) = (offset, new int[frequencies.Length + 1]);
            for (var i = 0; i < frequencies.Length; i++) starts[i + 1] = starts[i] + frequencies[i];
        }

        public int Offset { get; }

        /// <summary>Values listed; also the index of the escape.</summary>
        public int Values => starts.Length - 2;

        /// <summary>Null when the frequencies are none.</summary>
        public static Channel? Read(ReadOnlySpan<byte> bytes, int values)
        {
            var frequencies = new int[values + 1];
            for (var i = 0; i <= values; i++) frequencies[i] = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(6 + 2 * i)..]);
            var offset = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            return frequencies.Min() > 0 && frequencies.Sum() == Total && offset + (long)values - 1 <= int.MaxValue ? new Channel(offset, frequencies) : null;
        }

        public int Write(Span<byte> bytes)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, Offset);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], (ushort)Values);
            for (var i = 0; i <= Values; i++) BinaryPrimitives.WriteUInt16LittleEndian(bytes[(6 + 2 * i)..], (ushort)FrequencyOf(i));
            return 6 + 2 * (Values + 1);
        }

        public int IndexOf(int symbol)
        {
            var index = (long)symbol - Offset;
            return index >= 0 && index < Values ? (int)index : Values;
        }

        public int StartOf(int index) => starts[index];

        public int FrequencyOf(int index) => starts[index + 1] - starts[index];

        /// <summary>The index whose share of [0, 2^16) holds <paramref name="point"/>.</summary>
        public int Find(int point)
        {
            var (low, high) = (0, Values);
            while (low < high)
            {
                var middle = (low + high + 1) / 2;
                if (starts[middle] <= point) low = middle;
                else high = middle - 1;
            }
            return low;
        }
    }
}
