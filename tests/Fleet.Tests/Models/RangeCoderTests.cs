using CsCheck;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Whatever integers go in come out, in as few bytes as the tables allow; what is no code is refused.</summary>
public sealed class RangeCoderTests
{
    private static readonly EntropyModel Bell = EntropyModel.FromProbabilities([Laplace(1.5), Laplace(0.2), [1]], [-20, -20, 0]);

    private const string Golden = "91b7468c5ea834c570f4c0531f8a";

    private static readonly Gen<EntropyModel> AnyModel =
        from offsets in Gen.OneOf(Gen.Int[-50, 50], Gen.OneOf(int.MinValue, int.MaxValue - 40)).Array[1, 4]
        from counts in Gen.Long[0, 1000].Array[1, 40].Array[offsets.Length]
        select EntropyModel.FromCounts(counts, offsets, smoothing: 0.5);

    private static readonly Gen<int> AnySymbol = Gen.OneOf(Gen.Int[-30, 30], Gen.Int, Gen.OneOf(int.MinValue, int.MaxValue, 0, -1));

    [Test]
    public void Decode_AnySymbolsEncodedWithAnyTables_GivesThemBack() => Gen.Select(AnyModel, AnySymbol.Array[0, 60]).Sample((model, drawn) =>
    {
        var symbols = drawn[..(drawn.Length / model.Channels * model.Channels)];
        var read = new int[symbols.Length];
        var coder = new RangeCoder(model);
        return coder.Decode(coder.Encode(symbols), read) is null && read.SequenceEqual(symbols);
    }, iter: 3000);

    [Test]
    public void Encode_AnySymbolsWithAnyTables_IsWithinTwoBytesAndAPercentOfTheIdeal() => Gen.Select(AnyModel, AnySymbol.Array[0, 400]).Sample((model, drawn) =>
    {
        var symbols = drawn[..(drawn.Length / model.Channels * model.Channels)];
        return new RangeCoder(model).Encode(symbols).Length <= model.IdealBits(symbols) / 8 * 1.01 + 2;
    }, iter: 2000);

    [Test]
    public void Encode_LongMessages_CostNextToNothingAboveTheIdeal()
    {
        var random = new Random(1);
        var symbols = new int[3 * 40_000];
        for (var i = 0; i < 80_000; i++) symbols[i] = (int)Math.Round((i < 40_000 ? 1.5 : 0.2) * Math.Log(1 / (1 - random.NextDouble())) * (random.Next(2) * 2 - 1));
        var (length, ideal) = (new RangeCoder(Bell).Encode(symbols).Length, Bell.IdealBits(symbols) / 8);
        Assert.That(length, Is.InRange(ideal - 1, ideal + 2));
        Assert.That(length, Is.GreaterThan(10_000));
    }

    [Test]
    public void Encode_WhatIsAlmostCertain_TakesAlmostNothing()
    {
        var certain = EntropyModel.FromCounts([[1_000_000]], [7], smoothing: 0);
        var coder = new RangeCoder(certain);
        var symbols = Enumerable.Repeat(7, 1000).ToArray();
        Assert.That(coder.Encode(symbols), Is.Empty);
        var read = new int[1000];
        Assert.That(coder.Decode([], read), Is.Null);
        Assert.That(read, Is.EqualTo(symbols));
        symbols[500] = int.MinValue;
        Assert.That(coder.Encode(symbols), Has.Length.InRange(9, 13));
    }

    /// <summary>By hand: the interval of the bit string 1, 0, 1 in halves is [0.625, 0.75); 0.101 in binary is its shortest number.</summary>
    [Test]
    public void Encode_ThreeEvenChoices_GivesTheirBits() =>
        Assert.That(new RangeCoder(Even()).Encode([1, 0, 1]), Is.EqualTo(new byte[] { 0b1010_0000 }));

    [Test]
    public void Encode_KnownSymbols_GivesTheseBytesOnEveryMachine() =>
        Assert.That(Convert.ToHexStringLower(new RangeCoder(Bell).Encode([0, 1, -1, 3, 0, 0, -25, 0, 0, 0, 1, 1_000_000])), Is.EqualTo(Golden));

    [Test]
    public void Decode_PayloadThatGoesOn_IsRefused() => Gen.Select(AnyModel, AnySymbol.Array[0, 60], Gen.Byte.Array[1, 20]).Sample((model, drawn, more) =>
    {
        var symbols = drawn[..(drawn.Length / model.Channels * model.Channels)];
        var coder = new RangeCoder(model);
        var payload = coder.Encode(symbols);
        return coder.Decode([.. payload, 0], symbols)!.Contains("padded or damaged", StringComparison.Ordinal) && coder.Decode([.. payload, .. more, 0], symbols) is not null;
    }, iter: 2000);

    [Test]
    public void Decode_AnyBytes_EndsInSymbolsThatAreTheirCodeOrInARefusal() => Gen.Select(AnyModel, Gen.Byte.Array[0, 200], Gen.Int[0, 40]).Sample((model, bytes, each) =>
    {
        var (coder, read) = (new RangeCoder(model), new int[model.Channels * each]);
        return coder.Decode(bytes, read) is not null || coder.Encode(read).SequenceEqual(bytes);
    }, iter: 3000);

    [Test]
    public void Decode_EscapeWithoutEnd_IsRefused() =>
        Assert.That(new RangeCoder(EntropyModel.FromCounts([[0]], [0], smoothing: 0)).Decode([0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], new int[1]), Does.Contain("escape to no 32-bit integer").Or.Contain("not the code"));

    [Test]
    public void Encode_OnceWarm_AllocatesOnlyThePayload()
    {
        var coder = new RangeCoder(Bell);
        int[] symbols = [.. Enumerable.Range(0, 300).Select(i => i % 7 - 3)];
        var read = new int[300];
        var length = coder.Encode(symbols).Length;
        coder.Decode(coder.Encode(symbols), read);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var payload = coder.Encode(symbols);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThanOrEqualTo(length + 64), "an array and its header");
        before = GC.GetAllocatedBytesForCurrentThread();
        coder.Decode(payload, read);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void Encode_SymbolsThatCannotBeSharedOut_SaysSo() =>
        Assert.That(() => new RangeCoder(Bell).Encode(new int[4]), Throws.ArgumentException.With.Message.Contains("4 symbols cannot be 3 channels"));

    private static EntropyModel Even() => EntropyModel.FromCounts([[1_000_000, 1_000_001]], [0], smoothing: 0);

    /// <summary>Probabilities of -20..20 that fall off by 1/e each <paramref name="width"/>.</summary>
    private static double[] Laplace(double width)
    {
        var weights = Enumerable.Range(-20, 41).Select(value => Math.Exp(-Math.Abs(value) / width)).ToArray();
        return Array.ConvertAll(weights, weight => weight / weights.Sum());
    }
}
