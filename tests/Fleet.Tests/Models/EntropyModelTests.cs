using System.Buffers.Binary;
using System.IO.Hashing;
using CsCheck;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Tables are what they were made from, survive their file, and are refused when they cannot be tables.</summary>
public sealed class EntropyModelTests
{
    private static readonly EntropyModel Model = EntropyModel.FromCounts([[3, 0, 5], [1]], [-1, 40]);

    [Test]
    public void Parse_WhatWasWritten_CodesTheSame() => Gen.Long[0, 100_000].Array[1, 30].Array[1, 5].Sample(counts =>
    {
        var model = EntropyModel.FromCounts(counts, Array.ConvertAll(counts, channel => -channel.Length / 2));
        var read = EntropyModel.Parse("t", model.ToBytes());
        var symbols = Enumerable.Range(0, 20 * counts.Length).Select(i => i % 11 - 5).ToArray();
        return read.Channels == counts.Length && read.IdealBits(symbols) == model.IdealBits(symbols) && new RangeCoder(read).Encode(symbols).SequenceEqual(new RangeCoder(model).Encode(symbols));
    }, iter: 1000);

    [Test]
    public void ToBytes_TwoChannels_HasTheLayoutOfItsComment()
    {
        var file = Model.ToBytes();
        Assert.That(file, Has.Length.EqualTo(8 + 6 + 2 * 4 + 6 + 2 * 2 + 4));
        Assert.That(file[..8], Is.EqualTo(new byte[] { (byte)'F', (byte)'E', (byte)'N', (byte)'T', 1, 0, 2, 0 }));
        Assert.That((BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(8)), BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(12))), Is.EqualTo((-1, (ushort)3)));
        // Weights 3.5, 0.5, 5.5 and 0.5 for the escape: 65,532 shared out by tens, and one for everybody.
        Assert.That(Enumerable.Range(0, 4).Select(i => (int)BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(14 + 2 * i))), Is.EqualTo(new[] { 22_937, 3_278, 36_043, 3_278 }).Within(1).And.Some.GreaterThan(36_000));
    }

    [Test]
    public void IdealBits_OfListedValues_AreTheirInformation()
    {
        var model = EntropyModel.FromProbabilities([[0.5, 0.25, 0.25]], [0]);
        Assert.That(model.IdealBits([0, 0, 1, 2]), Is.EqualTo(1 + 1 + 2 + 2).Within(0.001));
        // The escape has one of 65,536, and 5 is the third number above the list: distance 4, 0 0 1 0 1.
        Assert.That(model.IdealBits([5]), Is.EqualTo(16 + 5).Within(1e-9));
    }

    [Test]
    public void FromProbabilities_WhatTheyLackOfOne_IsTheEscapes() =>
        Assert.That(EntropyModel.FromProbabilities([[0.5]], [0]).IdealBits([1]), Is.EqualTo(1 + 1).Within(0.001));

    private static IEnumerable<TestCaseData> Impossible()
    {
        yield return new(Array.Empty<double[]>(), Array.Empty<int>(), "0 channels");
        yield return new(new[] { new[] { 1.0 } }, new[] { 0, 1 }, "2 offsets for 1 channels");
        yield return new(new[] { Array.Empty<double>() }, new[] { 0 }, "channel 0 has 0 values");
        yield return new(new[] { new double[65_536] }, new[] { 0 }, "channel 0 has 65536 values; allowed: 1 to 65535");
        yield return new(new[] { new[] { 1, -0.1 } }, new[] { 0 }, "negative or no number");
        yield return new(new[] { new[] { double.NaN } }, new[] { 0 }, "negative or no number");
        yield return new(new[] { new[] { 1e308, 1e308 } }, new[] { 0 }, "sum is no number");
        yield return new(new[] { new[] { 0.5, 0.5 } }, new[] { int.MaxValue }, "beyond 32 bits");
    }

    [TestCaseSource(nameof(Impossible))]
    public void FromProbabilities_Impossible_IsRefused(double[][] probabilities, int[] offsets, string fault) =>
        Assert.That(() => EntropyModel.FromProbabilities(probabilities, offsets), Throws.TypeOf<FaultsException>().With.Message.Contains(fault));

    [Test]
    public void FromCounts_NegativeSmoothing_IsRefused() => Assert.That(() => EntropyModel.FromCounts([[1]], [0], -1), Throws.TypeOf<FaultsException>().With.Message.Contains("smoothing"));

    [Test]
    public void FromProbabilities_AsManyValuesAsFit_GivesEachAFrequency()
    {
        var widest = EntropyModel.FromProbabilities([new double[EntropyModel.ValuesMax]], [0]);
        Assert.That(widest.IdealBits([0, EntropyModel.ValuesMax - 1]), Is.EqualTo(32));
        Assert.That(EntropyModel.Parse("t", widest.ToBytes()).IdealBits([0]), Is.EqualTo(16));
    }

    [Test]
    public void Parse_AnyBitFlipped_IsRefused()
    {
        var file = Model.ToBytes();
        for (var bit = 0; bit < 8 * file.Length; bit++)
        {
            file[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.That(() => EntropyModel.Parse("t", file), Throws.TypeOf<FaultsException>().With.Property(nameof(FaultsException.Subject)).EqualTo("t"), $"bit {bit}");
            file[bit / 8] ^= (byte)(1 << bit % 8);
        }
    }

    [Test]
    public void Parse_TruncatedAnywhereOrPadded_IsRefused()
    {
        var file = Model.ToBytes();
        for (var length = 0; length < file.Length; length++) Assert.That(() => EntropyModel.Parse("t", file.AsSpan(0, length).ToArray()), Throws.TypeOf<FaultsException>(), $"{length} bytes");
        Assert.That(() => EntropyModel.Parse("t", [.. file, 0]), Throws.TypeOf<FaultsException>());
    }

    [TestCase(4, 2, "has version 2; this reads 1")]
    [TestCase(6, 1, "1 channels, then 10 bytes that belong to none")]
    [TestCase(6, 3, "channel 2 lists no values")]
    [TestCase(6, 0, "0 channels")]
    [TestCase(12, 0, "channel 0 lists no values")]
    [TestCase(12, 200, "channel 0 lists no values, or more than the file holds")]
    [TestCase(14, 0, "sum to 65536")]
    [TestCase(15, 0, "sum to 65536")]
    public void Parse_LieWithAValidChecksum_IsRefusedByName(int at, byte value, string fault)
    {
        var file = Model.ToBytes();
        file[at] = value;
        Assert.That(() => EntropyModel.Parse("t", Signed(file)), Throws.TypeOf<FaultsException>().With.Message.Contains(fault));
    }

    [Test]
    public void Parse_AnyBytesWithAValidChecksum_IsReadOrRefused() => Gen.Byte.Array[0, 60].Sample(bytes =>
    {
        byte[] file = [.. "FENT"u8, 1, 0, .. bytes, 0, 0, 0, 0];
        try
        {
            return EntropyModel.Parse("t", Signed(file)).ToBytes().SequenceEqual(file);
        }
        catch (FaultsException)
        {
            return true;
        }
    }, iter: 5000);

    private static byte[] Signed(byte[] file)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(file.Length - 4), Crc32.HashToUInt32(file.AsSpan(0, file.Length - 4)));
        return file;
    }
}
