using Fleet.Contracts;
using Fleet.Models;
using Fleet.Tests.Models.Distributed;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>A device of a group installs its own view's network and no other.</summary>
public sealed class HeadStoreGroupTests : HeadStoreFixture
{
    private static Assignment Member(int view) => new()
    {
        Version = 1,
        Epoch = 1,
        Model = "ddnn",
        CardSha256 = GroupZoo.Model.CardSha256,
        Head = 1,
        Cut = 1,
        FeatureDType = FeatureCodec.Bits,
        Group = "gate",
        View = view,
        Thresholds = new PerExit([2]),
        Temperatures = new PerExit([1]),
        ArtifactsUrl = Path.GetDirectoryName(GroupZoo.Directory)!,
    };

    [Test]
    public async Task InstallView_OfTheZoo_HasCardAndOneNetworkThatRuns()
    {
        var store = Store();
        var files = await store.InstallView(Member(4), CancellationToken.None);
        Assert.That(FilesIn(files.Directory), Is.EqualTo(new[] { "group.json", "view-4.onnx" }));
        using var head = files.LoadHead(4);
        head.Load(new Sample(0, 0, ViewGrid.Six.Cut(Fleet.Tests.Models.Zoo.Images.Image(0).Span, 4)));
        await head.Run(1);
        Assert.That(head.Logits(1).ToArray(), Is.EqualTo((await GroupZoo.Over(1)).Vectors[3]));
        store.Remember(Member(4));
        Assert.That(store.Last(out _), Is.EqualTo(Member(4)));
    }

    [Test]
    public void InstallView_ThatTheGroupHasNot_IsNamed() => Assert.That(
        async () => await Store().InstallView(Member(7), CancellationToken.None), Throws.TypeOf<FaultsException>().With.Message.Contains("is 7; ddnn has views 1 to 6"));

    [Test]
    public void InstallView_OfAnotherCard_IsRefused() => Assert.That(
        async () => await Store().InstallView(Member(1) with { CardSha256 = new string('0', 64) }, CancellationToken.None), Throws.TypeOf<FaultsException>().With.Message.Contains("group.json").And.Message.Contains("SHA-256"));
}
