using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models.Distributed;

/// <summary>The zoo's group: its card's figures, and the bars on devices that come and go.</summary>
public sealed class GroupReplayTests
{
    private const double FourDigits = 0.00005 + 1e-9;
    private const int All = 0b111111;

    [Test]
    public async Task Card_RunOverAllPictures_ReachesWhatItSays()
    {
        var (card, replay) = (GroupZoo.Card, await GroupZoo.Replay);
        var exits = await replay.With(GroupZoo.Choice(All));
        var (together, local, _) = exits.Overall(card.Local.EntropyBelow, card.Edge.EntropyBelow);
        Assert.Multiple(() =>
        {
            Assert.That(card.Views.Select(view => view.Accuracy), Is.EqualTo(Enumerable.Range(1, 6).Select(replay.OwnAccuracy)).Within(FourDigits));
            Assert.That(exits.Accuracy(exits.Local), Is.EqualTo(card.Local.Accuracy).Within(FourDigits));
            Assert.That(exits.Accuracy(exits.Edge), Is.EqualTo(card.Edge.Accuracy).Within(FourDigits));
            Assert.That(exits.Accuracy(exits.Cloud), Is.EqualTo(card.Cloud.Accuracy).Within(FourDigits));
            Assert.That(together, Is.EqualTo(card.Accuracy).Within(FourDigits));
            Assert.That(local, Is.EqualTo(card.LocalShare).Within(FourDigits));
        });
    }

    [Test]
    public async Task Devices_MapsAndVectors_AreWhatTheWireCanCarry()
    {
        var replay = await GroupZoo.Replay;
        Assert.That(replay.Maps.Select(maps => maps.Count(sign => sign is not (-1 or 1))), Is.All.Zero, "absent is zero, so a sign never is");
        Assert.That(GroupZoo.Card.MapElements, Is.EqualTo(4 * 35));
    }

    [Test]
    public async Task LosingAnyDevice_CostsLessThanTenPoints()
    {
        var (card, replay) = (GroupZoo.Card, await GroupZoo.Replay);
        for (var lost = 0; lost < 6; lost++)
        {
            var exits = await replay.With(GroupZoo.Choice(All & ~(1 << lost)));
            Assert.Multiple(() =>
            {
                Assert.That(card.Local.Accuracy - exits.Accuracy(exits.Local), Is.LessThan(0.1), $"local exit without view {lost + 1}");
                Assert.That(card.Edge.Accuracy - exits.Accuracy(exits.Edge), Is.LessThan(0.1), $"edge exit without view {lost + 1}");
                Assert.That(card.Cloud.Accuracy - exits.Accuracy(exits.Cloud), Is.LessThan(0.1), $"cloud exit without view {lost + 1}");
                Assert.That(card.Accuracy - exits.Overall(card.Local.EntropyBelow, card.Edge.EntropyBelow).Accuracy, Is.LessThan(0.1), $"together without view {lost + 1}");
            });
        }
    }

    [Test]
    public async Task MoreDevices_InTheMeanOverAllChoices_AreMoreAccurate()
    {
        var (card, replay) = (GroupZoo.Card, await GroupZoo.Over(500));
        var (local, cloud, together) = (new double[7], new double[7], new double[7]);
        var choices = new int[7];
        for (var bits = 1; bits <= All; bits++)
        {
            var exits = await replay.With(GroupZoo.Choice(bits));
            var there = int.PopCount(bits);
            choices[there]++;
            local[there] += exits.Accuracy(exits.Local);
            cloud[there] += exits.Accuracy(exits.Cloud);
            together[there] += exits.Overall(card.Local.EntropyBelow, card.Edge.EntropyBelow).Accuracy;
        }
        Assert.That(choices[1..], Is.EqualTo([6, 15, 20, 15, 6, 1]));
        foreach (var sums in new[] { local, cloud, together })
            Assert.That(sums[1..].Zip(choices[1..], (sum, count) => sum / count), Is.Ordered.Ascending);
    }

    [Test]
    public async Task Overall_AtTheEnds_IsTheLocalOrTheCloudExitAlone()
    {
        var exits = await (await GroupZoo.Replay).With(GroupZoo.Choice(All));
        Assert.Multiple(() =>
        {
            Assert.That(exits.Overall(0, 0), Is.EqualTo((exits.Accuracy(exits.Cloud), 0.0, 0.0)));
            Assert.That(exits.Overall(1.01, 0), Is.EqualTo((exits.Accuracy(exits.Local), 1.0, 0.0)));
            Assert.That(exits.Overall(0, 1.01), Is.EqualTo((exits.Accuracy(exits.Edge), 0.0, 1.0)));
        });
    }
}
