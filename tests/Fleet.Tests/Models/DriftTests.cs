using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

public sealed class DriftTests
{
    [Test]
    public void Parse_EveryName_GivesTheDriftBack() =>
        Assert.That(Drift.Levels.Select(drift => Drift.Parse(drift.ToString())), Is.EqualTo(Drift.Levels));

    [TestCase("fog-1")]
    [TestCase("noise")]
    [TestCase("noise-4")]
    [TestCase("noise-02")]
    public void Parse_UnknownDrift_NamesItAndWhatThereIs(string text) => Assert.That(
        () => Drift.Parse(text), Throws.TypeOf<FaultsException>().With.Message.Contains(text).And.Message.Contains("rotation").And.Message.Contains("1 to 3"));

    [Test]
    public void Apply_HigherLevel_ChangesMore([Values] DriftKind kind)
    {
        var changes = Enumerable.Range(1, Drift.LevelMax).Select(level => Change(new Drift(kind, level))).ToList();
        Assert.That(changes, Is.Ordered.Ascending.And.All.GreaterThan(1));
    }

    [Test]
    public void Apply_SameImageAndPlace_SameResult([Values] DriftKind kind)
    {
        var (one, two, other) = (new byte[28 * 28], new byte[28 * 28], new byte[28 * 28]);
        new Drift(kind, 2).Apply(Image(), 28, 7, one);
        new Drift(kind, 2).Apply(Image(), 28, 7, two);
        new Drift(kind, 2).Apply(Image(), 28, 8, other);
        Assert.That(two, Is.EqualTo(one));
        if (kind is DriftKind.Noise) Assert.That(other, Is.Not.EqualTo(one));
    }

    /// <summary>0.6 squared of the distance from the mean is left.</summary>
    [Test]
    public void Apply_Contrast_ShrinksTheDistanceFromTheMean()
    {
        var (image, seen) = (Image(), new byte[28 * 28]);
        var mean = image.Average(pixel => pixel);
        new Drift(DriftKind.Contrast, 2).Apply(image, 28, 0, seen);
        Assert.That(seen.Select(pixel => (double)pixel), Is.EqualTo(image.Select(pixel => mean + 0.36 * (pixel - mean))).Within(0.5));
    }

    [Test]
    public void Of_Images_KeepsLabelsAndOrder()
    {
        var images = new LabelledImages(2, 28, 28, [.. Image(), .. new byte[28 * 28]], [3, 8]);
        var drifted = new Drift(DriftKind.Blur, 1).Of(images, 1, 1);
        Assert.Multiple(() =>
        {
            Assert.That(drifted.Count, Is.EqualTo(1));
            Assert.That(drifted.Label(0), Is.EqualTo(8));
            Assert.That(drifted.Image(0).ToArray(), Is.All.Zero);
        });
    }

    private static double Change(Drift drift)
    {
        var (image, seen) = (Image(), new byte[28 * 28]);
        drift.Apply(image, 28, 5, seen);
        return Math.Sqrt(image.Zip(seen, (a, b) => (double)(a - b) * (a - b)).Average());
    }

    /// <summary>A bright bar beside a ramp: neither turned, blurred nor flattened it stays the same.</summary>
    private static byte[] Image() => [.. Enumerable.Range(0, 28 * 28).Select(i => i % 28 is > 5 and < 10 && i / 28 is > 4 and < 22 ? (byte)230 : (byte)(20 + 5 * (i % 28)))];
}
