using System.Text;

namespace Fleet.Emulator.Simulation;

/// <summary>
/// Independent random streams from one seed: one for each thing that draws, by name, so that adding a device changes no other's luck.
/// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018) seeded by SplitMix64, so that results do
/// not depend on the runtime's own generator.
/// </summary>
public sealed class SeededRandom : Random
{
    private ulong s0, s1, s2, s3;

    /// <summary>The stream <paramref name="name"/> of a seed.</summary>
    public SeededRandom(long seed, string name) : base(0)
    {
        // FNV-1a of the name, mixed with the seed.
        var state = 14695981039346656037UL;
        var most = Encoding.UTF8.GetMaxByteCount(name.Length);
        Span<byte> bytes = most <= 512 ? stackalloc byte[512] : new byte[most];
        foreach (var b in bytes[..Encoding.UTF8.GetBytes(name, bytes)]) state = (state ^ b) * 1099511628211UL;
        state ^= (ulong)seed * 0x9E3779B97F4A7C15UL;
        (s0, s1, s2, s3) = (SplitMix(ref state), SplitMix(ref state), SplitMix(ref state), SplitMix(ref state));
    }

    public override int Next() => (int)(Bits() >> 33);

    public override int Next(int maxValue) => Next(0, maxValue);

    public override int Next(int minValue, int maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minValue, maxValue);
        return minValue + (int)(NextDouble() * ((long)maxValue - minValue));
    }

    public override long NextInt64() => (long)(Bits() >> 1);

    public override double NextDouble() => (Bits() >> 11) * (1.0 / (1UL << 53));

    public override float NextSingle() => (float)NextDouble();

    public override void NextBytes(byte[] buffer) => NextBytes(buffer.AsSpan());

    public override void NextBytes(Span<byte> buffer)
    {
        for (var i = 0; i < buffer.Length; i++) buffer[i] = (byte)(Bits() >> 56);
    }

    /// <summary>A standard normal variate (Box and Muller, 1958).</summary>
    public double NextNormal() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    protected override double Sample() => NextDouble();

    private static ulong SplitMix(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15UL;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    private ulong Bits()
    {
        var result = ulong.RotateLeft(s1 * 5, 7) * 9;
        var t = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = ulong.RotateLeft(s3, 45);
        return result;
    }
}
