using CsCheck;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>What crosses a cut comes back as exactly as its codec promises.</summary>
public sealed class FeatureCodecsTests
{
    private static readonly Gen<float[]> Features = Gen.Float[-1000, 1000].Array[0, 64];

    [Test]
    public void Int8_InsideItsRange_IsOffByHalfAStepAtMost() =>
        Gen.Select(Gen.Float[1e-4f, 10], Gen.Int[-128, 127], Gen.Double[0, 1].Array[1, 64]).Sample((scale, zeroPoint, shares) =>
        {
            var features = Array.ConvertAll(shares, share => scale * (float)(-128 + 255 * share - zeroPoint));
            var back = RoundTrip(FeatureCodec.Int8, features, scale, zeroPoint);
            return features.Zip(back, (a, b) => Math.Abs(a - b)).All(error => error <= scale / 2 * 1.001f);
        }, iter: 1000);

    [Test]
    public void Int8_OutsideItsRange_SaturatesAtTheNearestEnd()
    {
        foreach (var zeroPoint in (int[])[-128, 0, 127])
            foreach (var far in (float[])[1e3f, 1e9f, 1e20f, float.MaxValue, float.PositiveInfinity])
            {
                Assert.That(Encoded(FeatureCodec.Int8, [far, -far], 0.01f, zeroPoint), Is.EqualTo(new byte[] { 127, 0x80 }), $"{far} at {zeroPoint}");
                Assert.That(RoundTrip(FeatureCodec.Int8, [far, -far], 0.01f, zeroPoint), Is.EqualTo(new[] { 0.01f * (127 - zeroPoint), 0.01f * (-128 - zeroPoint) }));
            }
    }

    [Test]
    public void Int8_Zero_IsExact() => Gen.Select(Gen.Float[1e-4f, 10], Gen.Int[-128, 127]).Sample((scale, zeroPoint) => RoundTrip(FeatureCodec.Int8, [0], scale, zeroPoint)[0] == 0);

    [Test]
    public void Int8_WhatWasDecoded_IsEncodedToTheSameByte()
    {
        var all = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        foreach (var (scale, zeroPoint) in ((float, int)[])[(0.018653212f, -128), (1, 0), (0.056161556f, 127), (1e-3f, 5)])
        {
            var features = new float[256];
            FeatureCodecs.Decode(FeatureCodec.Int8, all, scale, zeroPoint, features);
            Assert.That(Encoded(FeatureCodec.Int8, features, scale, zeroPoint), Is.EqualTo(all));
        }
    }

    [Test]
    public void Bits_AnySigns_ComeBackFromAnEighthOfAByteEach() => Gen.Bool.Array[0, 64].Sample(signs =>
    {
        var features = Array.ConvertAll(signs, sign => sign ? 1f : -1f);
        return RoundTrip(FeatureCodec.Bits, features).SequenceEqual(features) && FeatureCodecs.EncodedBytes(FeatureCodec.Bits, signs.Length) == (signs.Length + 7) / 8;
    });

    [Test]
    public void Bits_KnownSigns_StandFromTheLowestBitOn()
    {
        Assert.That(Encoded(FeatureCodec.Bits, [1, -1, -1, 1, 1, -1, -1, -1, -1, 1]), Is.EqualTo(new byte[] { 0b00011001, 0b10 }));
        Assert.That(Encoded(FeatureCodec.Bits, [-0.5f, 0, 7, float.NaN]), Is.EqualTo(new byte[] { 0b0110 }));
    }

    [Test]
    public void Float32_AnyValue_IsExact() => Gen.Float.Array[0, 64].Sample(features => RoundTrip(FeatureCodec.Float32, features).SequenceEqual(features));

    [Test]
    public void Float16_AnyValue_IsTheNearestHalf() => Features.Sample(features => RoundTrip(FeatureCodec.Float16, features).SequenceEqual(features.Select(value => (float)(Half)value)));

    [Test]
    public void Float16_WhatIsAHalfAlready_IsExact()
    {
        float[] halves = [0, 1, -1, 0.5f, 65504, -65504, 6.1035156e-5f, 5.9604645e-8f, 0.333251953125f];
        Assert.That(RoundTrip(FeatureCodec.Float16, halves), Is.EqualTo(halves));
    }

    [Test]
    public void Encode_KnownFeatures_GivesTheseBytes()
    {
        float[] features = [0, 0.5f, -1.25f, 2];
        Assert.That(Encoded(FeatureCodec.Int8, features, 0.25f, -128), Is.EqualTo(new byte[] { 0x80, 0x82, 0x80, 0x88 }));
        Assert.That(Encoded(FeatureCodec.Int8, features, 0.25f, 3), Is.EqualTo(new byte[] { 0x03, 0x05, 0xfe, 0x0b }));
        Assert.That(Encoded(FeatureCodec.Float16, features), Is.EqualTo(new byte[] { 0x00, 0x00, 0x00, 0x38, 0x00, 0xbd, 0x00, 0x40 }));
        Assert.That(Encoded(FeatureCodec.Float32, features), Is.EqualTo(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0x3f, 0, 0, 0xa0, 0xbf, 0, 0, 0, 0x40 }));
    }

    [TestCase(FeatureCodec.Int8, 6272)]
    [TestCase(FeatureCodec.Float16, 12544)]
    [TestCase(FeatureCodec.Float32, 25088)]
    public void EncodedBytes_OfATensor_IsItsElementsTimesTheirSize(FeatureCodec codec, int expected) => Assert.That(FeatureCodecs.EncodedBytes(codec, 6272), Is.EqualTo(expected));

    [TestCase(FeatureCodec.Png)]
    [TestCase(FeatureCodec.None)]
    public void EncodedBytes_OfWhatIsNoTensorCodec_Throws(FeatureCodec codec) => Assert.That(() => FeatureCodecs.EncodedBytes(codec, 10), Throws.TypeOf<ArgumentOutOfRangeException>());

    private static byte[] Encoded(FeatureCodec codec, float[] features, float scale = 1, int zeroPoint = 0)
    {
        var payload = new byte[FeatureCodecs.EncodedBytes(codec, features.Length)];
        FeatureCodecs.Encode(codec, features, scale, zeroPoint, payload);
        return payload;
    }

    private static float[] RoundTrip(FeatureCodec codec, float[] features, float scale = 1, int zeroPoint = 0)
    {
        var back = new float[features.Length];
        FeatureCodecs.Decode(codec, Encoded(codec, features, scale, zeroPoint), scale, zeroPoint, back);
        return back;
    }
}
