using CsCheck;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Images as they cross cut 0: lossless where promised, and nothing that is no image gets through.</summary>
public sealed class ImageCodecTests
{
    private static readonly Gen<byte[]> Pixels = Gen.Byte.Array[28 * 28];

    [TestCase(FeatureCodec.Raw)]
    [TestCase(FeatureCodec.Png)]
    public void TryDecode_OfALosslessCodec_GivesThePixelsBack(FeatureCodec codec) => Pixels.Sample(pixels => Decoded(codec, ImageCodec.Encode(codec, pixels, 28, 28))!.SequenceEqual(pixels));

    [TestCase(FeatureCodec.Raw)]
    [TestCase(FeatureCodec.Png)]
    public void TryDecode_OfAnImageThatIsNotSquare_GivesThePixelsBack(FeatureCodec codec)
    {
        var pixels = Enumerable.Range(0, 5 * 11).Select(i => (byte)(i * 4)).ToArray();
        Assert.That(Decoded(codec, ImageCodec.Encode(codec, pixels, 5, 11), 5, 11), Is.EqualTo(pixels));
        if (codec is FeatureCodec.Png) Assert.That(Decoded(codec, ImageCodec.Encode(codec, pixels, 5, 11), 11, 5), Is.Null);
    }

    [Test]
    public void TryDecode_OfWebp_GivesASimilarImageInFewerBytes()
    {
        var pixels = new byte[28 * 28];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(255 / (1 + Math.Exp((14 - i % 28) / 4.0)));
        var payload = ImageCodec.Encode(FeatureCodec.Webp, pixels, 28, 28);
        Assert.That(payload, Has.Length.LessThan(pixels.Length / 2));
        var back = Decoded(FeatureCodec.Webp, payload)!;
        Assert.That(back, Has.Length.EqualTo(pixels.Length));
        Assert.That(back.Zip(pixels, (a, b) => Math.Abs(a - b)).Max(), Is.LessThanOrEqualTo(16));
    }

    [Test]
    public void Encode_Twice_GivesTheSameBytes() => Pixels.Sample(pixels =>
        ImageCodec.Encode(FeatureCodec.Png, pixels, 28, 28).SequenceEqual(ImageCodec.Encode(FeatureCodec.Png, pixels, 28, 28))
        && ImageCodec.Encode(FeatureCodec.Webp, pixels, 28, 28).SequenceEqual(ImageCodec.Encode(FeatureCodec.Webp, pixels, 28, 28)), iter: 20);

    [TestCase(FeatureCodec.Raw)]
    [TestCase(FeatureCodec.Png)]
    [TestCase(FeatureCodec.Webp)]
    public void TryDecode_Garbage_IsRefused(FeatureCodec codec)
    {
        Assert.That(Decoded(codec, []), Is.Null);
        Gen.Byte.Array[0, 200].Sample(payload => Decoded(codec, payload) is null, iter: 300);
    }

    [TestCase(FeatureCodec.Raw)]
    [TestCase(FeatureCodec.Png)]
    [TestCase(FeatureCodec.Webp)]
    public void TryDecode_OtherSize_IsRefused(FeatureCodec codec)
    {
        Assert.That(Decoded(codec, ImageCodec.Encode(codec, new byte[27 * 28], 27, 28)), Is.Null);
        Assert.That(Decoded(codec, ImageCodec.Encode(codec, new byte[280 * 280], 280, 280)), Is.Null);
    }

    [Test]
    public void TryDecode_OtherFormat_IsRefused()
    {
        var pixels = new byte[28 * 28];
        Assert.That(Decoded(FeatureCodec.Png, ImageCodec.Encode(FeatureCodec.Webp, pixels, 28, 28)), Is.Null);
        Assert.That(Decoded(FeatureCodec.Webp, ImageCodec.Encode(FeatureCodec.Png, pixels, 28, 28)), Is.Null);
        Assert.That(Decoded(FeatureCodec.Png, pixels), Is.Null);
    }

    [TestCase(FeatureCodec.Png)]
    [TestCase(FeatureCodec.Webp)]
    public void TryDecode_Damaged_NeverThrows(FeatureCodec codec) => Gen.Select(Pixels, Gen.Int[0, 10_000], Gen.Byte, Gen.Bool).Sample((pixels, at, value, cuts) =>
    {
        var payload = ImageCodec.Encode(codec, pixels, 28, 28);
        if (cuts) return Decoded(codec, payload[..(at % (payload.Length / 2))]) is null;
        payload[at % payload.Length] ^= value;
        return Decoded(codec, payload) is null or { Length: 28 * 28 };
    }, iter: 300);

    [Test]
    public void Encode_NotAnImageCodec_Throws() => Assert.That(() => ImageCodec.Encode(FeatureCodec.Int8, new byte[4], 2, 2), Throws.TypeOf<ArgumentOutOfRangeException>());

    private static byte[]? Decoded(FeatureCodec codec, byte[] payload, int rows = 28, int columns = 28)
    {
        var pixels = new byte[rows * columns];
        return ImageCodec.TryDecode(codec, payload, rows, columns, pixels) ? pixels : null;
    }
}
