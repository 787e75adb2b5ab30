using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models.Distributed;

/// <summary>The published figures of DDNN (comm.csv of its repository, and the paper's largest cost).</summary>
public sealed class CommunicationCostTests
{
    [TestCase(1, 64, 0.7018, 14.4)]
    [TestCase(2, 64, 0.7368, 16.2)]
    [TestCase(4, 64, 0.7076, 21.4)]
    [TestCase(8, 64, 0.7135, 30.3)]
    public void Mean_PublishedShares_GivesThePublishedBytes(int filters, int bitsPerFilter, double localExits, double bytes) =>
        Assert.That(Math.Round(CommunicationCost.Mean(3, localExits, filters, bitsPerFilter).Value, 1), Is.EqualTo(bytes));

    [Test]
    public void Mean_NoLocalExit_Is140BytesWhereRawIsNearly22TimesMore()
    {
        var bytes = CommunicationCost.Mean(3, 0, 4, 256).Value;
        Assert.That(bytes, Is.EqualTo(140));
        Assert.That(Math.Round(32 * 32 * 3 / bytes, 1), Is.EqualTo(21.9));
    }

    [TestCase(0.2281, 110.8)]
    [TestCase(0.6082, 62.2)]
    [TestCase(0.8304, 33.7)]
    [TestCase(1, 12)]
    public void Mean_PublishedThresholds_GiveThePublishedBytes(double localExits, double bytes) =>
        Assert.That(Math.Round(CommunicationCost.Mean(3, localExits, 4, 256).Value, 1), Is.EqualTo(bytes));

    [TestCase(-0.01)]
    [TestCase(1.01)]
    [TestCase(double.NaN)]
    public void Mean_NoShare_IsRefused(double localExits) =>
        Assert.That(() => CommunicationCost.Mean(3, localExits, 4, 256), Throws.TypeOf<ArgumentOutOfRangeException>());
}
