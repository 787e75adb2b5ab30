using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

public sealed class LinkEstimateTests
{
    [Test]
    public void Answered_NothingFetched_ClaimIsBelievedAndTheRestIsTheRoundTrip()
    {
        var link = new LinkEstimate(new BytesPerSecond(1e6));
        Assert.That(link.RoundTrip, Is.Null);
        link.Answered(new Bytes(1000), new Seconds(0.051));
        Assert.That(link.RoundTrip!.Value.Value, Is.EqualTo(0.05).Within(1e-6));
        Assert.That(link.Rate.Value, Is.EqualTo(1e6).Within(1e-6));
    }

    [Test]
    public void Fetched_SlowLink_FramesOfAnotherSizeAreForetold()
    {
        var link = new LinkEstimate(new BytesPerSecond(3e6));
        link.Fetched(new Bytes(67_000), new Seconds(67_000 / 15e3));
        for (var i = 0; i < 20; i++) link.Answered(new Bytes(2200), new Seconds(0.08 + 2200 / 15e3 + 0.02 * (i % 3 - 1)));
        Assert.That(link.Rate.Value, Is.EqualTo(15e3).Within(10).Percent);
        Assert.That(link.RoundTrip!.Value.Value + 140 / link.Rate.Value, Is.EqualTo(0.08 + 140 / 15e3).Within(0.015));
    }

    /// <summary>Everybody fetches at once after a start, and nobody later.</summary>
    [Test]
    public void Answered_FetchedInACrowd_TwoSizesCorrectTheRate()
    {
        var link = new LinkEstimate(new BytesPerSecond(2e6));
        link.Fetched(new Bytes(40_000), new Seconds(1));
        for (var i = 0; i < 200; i++)
        {
            var size = i % 2 == 0 ? 400 : 4000;
            link.Answered(new Bytes(size), new Seconds(0.004 + size / 2e6));
        }
        Assert.That(link.RoundTrip!.Value.Value, Is.EqualTo(0.004).Within(0.002));
        Assert.That(4000 / link.Rate.Value, Is.LessThan(0.01));
    }

    [Test]
    public void Answered_OnePacketSentAgain_DoesNotLookLikeAnotherLink()
    {
        var link = new LinkEstimate(new BytesPerSecond(1e6));
        for (var i = 0; i < 100; i++) link.Answered(new Bytes(500), new Seconds(0.01));
        link.Answered(new Bytes(500), new Seconds(0.11));
        Assert.That(link.RoundTrip!.Value.Value, Is.EqualTo(0.0095).Within(0.01));
        for (var i = 0; i < 200; i++) link.Answered(new Bytes(500), new Seconds(0.04));
        Assert.That(link.RoundTrip!.Value.Value, Is.EqualTo(0.0395).Within(0.004), "but a link that stays slower does");
    }

    [Test]
    public void Fetched_FewBytes_SayNothing()
    {
        var link = new LinkEstimate(new BytesPerSecond(1e6));
        link.Fetched(new Bytes(1000), new Seconds(1));
        Assert.That(link.Rate.Value, Is.EqualTo(1e6).Within(1e-6));
    }
}
