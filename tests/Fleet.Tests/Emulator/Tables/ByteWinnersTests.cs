using CsCheck;
using Fleet.Contracts;
using Fleet.Emulator.Tables;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Tables;

public sealed class ByteWinnersTests
{
    private static Way Way(Family family, double bytes, double accuracy, string variant = "") => new(family, family.ToString(), variant, accuracy, new Bytes(bytes), null, null, "");

    [Test]
    public void Over_TwoOfEach_CutsWhereTheBestChanges()
    {
        Way[] ways = [Way(Family.Codec, 120.4, 0.8), Way(Family.Codec, 300, 0.9), Way(Family.Bottleneck, 100, 0.85), Way(Family.Bottleneck, 200, 0.84), Way(Family.Split, 50, 0.99)];
        Assert.That(ByteWinners.Over(ways, 50, 400).Select(stretch => (stretch.From, stretch.To, stretch.Winner)), Is.EqualTo(new[]
        {
            (50, 99, "nobody"), (100, 120, "bottleneck"), (121, 299, "bottleneck"), (300, 400, "codec"),
        }));
    }

    [Test]
    public void Over_EqualAccuracy_CallsBoth() =>
        Assert.That(ByteWinners.Over([Way(Family.Codec, 10, 0.9), Way(Family.Bottleneck, 10, 0.9)], 10, 20).Single().Winner, Is.EqualTo("both"));

    [Test]
    public void Over_ShippedBottleneck_LeavesOutThoseOfComparisons()
    {
        Way[] ways = [Way(Family.Codec, 10, 0.8), Way(Family.Bottleneck, 10, 0.9, "estimated"), Way(Family.Bottleneck, 15, 0.85, "shipped") with { IsShipped = true }];
        Assert.That(ByteWinners.Over(ways, 10, 20).Select(stretch => (stretch.From, stretch.Winner)), Is.EqualTo(new[] { (10, "codec"), (15, "bottleneck") }));
    }

    /// <summary>Against asking at every single byte count.</summary>
    [Test]
    public void Over_AnyWays_EqualsBruteForceAndLeavesNoHole()
    {
        var way = Gen.Select(Gen.Bool, Gen.Double[1, 120], Gen.Int[0, 20], (isCodec, bytes, accuracy) => Way(isCodec ? Family.Codec : Family.Bottleneck, bytes, accuracy / 20.0, $"{bytes}"));
        way.Array[0, 12].Sample(ways =>
        {
            var stretches = ByteWinners.Over(ways, 20, 100);
            Assert.That(stretches.SelectMany(stretch => Enumerable.Range(stretch.From, stretch.To - stretch.From + 1)), Is.EqualTo(Enumerable.Range(20, 81)));
            foreach (var stretch in stretches)
                for (var bytes = stretch.From; bytes <= stretch.To; bytes++)
                {
                    Assert.That(stretch.Codec?.Accuracy, Is.EqualTo(Best(ways, Family.Codec, bytes)));
                    Assert.That(stretch.Bottleneck?.Accuracy, Is.EqualTo(Best(ways, Family.Bottleneck, bytes)));
                }
        }, iter: 300);
    }

    private static double? Best(Way[] ways, Family family, int bytes) => ways.Where(way => way.Family == family && way.Wire!.Value.Value <= bytes).Max(way => (double?)way.Accuracy);
}
