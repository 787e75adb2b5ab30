using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

public sealed class ScenesTests
{
    [Test]
    public void Make_SameSeed_SameScenes()
    {
        var (one, two, other) = (Scenes.Make(Items(), 0, 4, seed: 5), Scenes.Make(Items(), 0, 4, seed: 5), Scenes.Make(Items(), 0, 4, seed: 6));
        Assert.Multiple(() =>
        {
            Assert.That(Pixels(two), Is.EqualTo(Pixels(one)));
            Assert.That(Pixels(other), Is.Not.EqualTo(Pixels(one)));
            Assert.That(Enumerable.Range(0, 4).Select(one.Label), Is.EqualTo([0, 1, 2, 3]));
        });
    }

    [Test]
    public void Compose_AnyScene_MarksOneItemByFourCorners()
    {
        var scenes = new Scenes(Items(), seed: 1);
        var pixels = new byte[Scenes.Side * Scenes.Side];
        for (var index = 0; index < 50; index++)
        {
            scenes.Compose(index, target: 0, first: 0, count: 4, pixels);
            // Corners are 245 grey levels bright and no item of these tests is above 160: the noise cannot bridge that.
            var bright = Enumerable.Range(0, pixels.Length).Where(i => pixels[i] > 205).ToList();
            var (left, right) = (bright.Min(i => i % Scenes.Side), bright.Max(i => i % Scenes.Side));
            var (top, bottom) = (bright.Min(i => i / Scenes.Side), bright.Max(i => i / Scenes.Side));
            Assert.Multiple(() =>
            {
                Assert.That(right - left, Is.EqualTo(bottom - top), $"scene {index}: the mark is a square");
                Assert.That(right - left + 1, Is.InRange(32, 48));
                Assert.That(bright, Has.Count.EqualTo(4 * (7 * 2 + 5 * 2)));
            });
        }
    }

    [Test]
    public void Compose_Background_HasTheNoiseItClaims()
    {
        var scenes = new Scenes(Items(), seed: 2);
        var pixels = new byte[Scenes.Side * Scenes.Side];
        var differences = new List<double>();
        for (var index = 0; index < 20; index++)
        {
            scenes.Compose(index, target: 0, first: 0, count: 4, pixels);
            // Neighbours in the top row, which no item reaches: texture changes by little from pixel to pixel, noise by sqrt(2) sigma.
            for (var x = 1; x < Scenes.Side; x++) differences.Add(pixels[x] - pixels[x - 1]);
        }
        Assert.That(Math.Sqrt(differences.Average(d => d * d) / 2), Is.InRange(Scenes.NoiseSigma, 1.5 * Scenes.NoiseSigma).And.LessThan(20));
    }

    private static byte[] Pixels(LabelledImages scenes) => [.. Enumerable.Range(0, scenes.Count).SelectMany(i => scenes.Image(i).ToArray())];

    private static LabelledImages Items() =>
        new(4, 28, 28, [.. Enumerable.Range(0, 4 * 28 * 28).Select(i => (byte)(i % 28 is > 4 and < 24 ? 100 + 20 * (i / (28 * 28)) : 0))], [0, 1, 2, 3]);
}
