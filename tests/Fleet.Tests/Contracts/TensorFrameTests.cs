using System.Buffers.Binary;
using System.IO.Hashing;
using CsCheck;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>The frame's bytes are fixed, and damage to any of them is noticed.</summary>
public sealed class TensorFrameTests
{
    private static readonly Topic Back = Samples.On(TopicKind.Reply);

    // Typed by hand from the layout in TensorFrame's comment; the checksum by Python's zlib.crc32.
    private static readonly byte[] Golden =
    [
        0x46, 0x4c, 0x54, 0x46, // "FLTF"
        0x02, 0x01, 0x01, 0x03, // version 2, int8, cut 1, 3 dimensions
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, // model hash
        0x2a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // request 42
        0x90, 0xd0, 0x03, 0x00, // 250,000 us
        0xff, 0xff, 0xff, 0xff, // live
        0x00, 0x00, 0x00, 0x3f, // scale 0.5
        0x80, 0xff, // zero point -128
        0x00, 0x00, // no bottleneck, one view
        0x02, 0x00, 0x01, 0x00, 0x03, 0x00, 0x00, 0x00, // [2, 1, 3]
        0x06, 0x00, 0x00, 0x00, // payload bytes
        0x83, 0x41, 0x69, 0xcd, // CRC-32
        0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
    ];

    [Test]
    public void Encode_KnownFrame_GivesTheseBytes() => Assert.That(Wire.Encode(Samples.Frame), Is.EqualTo(Golden));

    [Test]
    public void Decode_TheseBytes_GivesTheKnownFrame() => Assert.That(WireTests.IsSame(Samples.Frame, TensorFrame.Decode(Golden, Back)), Is.True);

    [Test]
    public void Decode_AnyEncodedFrame_GivesItBack() => AnyMessage.TensorFrame.Sample(frame => WireTests.IsSame(frame, TensorFrame.Decode(Wire.Encode(frame), Back)), iter: 2000);

    [Test]
    public void Decode_TruncatedAnywhere_IsRefused()
    {
        for (var length = 0; length < Golden.Length; length++) Assert.That(ReasonOf(Golden[..length]), Does.StartWith("tensor frame: "), $"{length} bytes");
    }

    [Test]
    public void Decode_Padded_IsRefused() => Assert.That(ReasonOf([.. Golden, 0]), Does.Contain("truncated or padded"));

    [Test]
    public void Decode_AnySingleBitFlipped_IsRefused()
    {
        for (var bit = 0; bit < Golden.Length * 8; bit++)
        {
            var damaged = (byte[])Golden.Clone();
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.That(TensorFrame.Decode(damaged, Back), Is.InstanceOf<Malformed>(), $"bit {bit}");
        }
    }

    [Test]
    public void Decode_AnyFrameWithABitFlipped_IsRefused() => Gen.Select(AnyMessage.TensorFrame.Select(Wire.Encode), Gen.Int[0, 1_000_000]).Sample((bytes, at) =>
    {
        bytes[at / 8 % bytes.Length] ^= (byte)(1 << at % 8);
        return TensorFrame.Decode(bytes, Back) is Malformed;
    }, iter: 2000);

    [TestCase(0, 0x47, "FLTF")]
    [TestCase(4, 1, "version 1; this reads 2")]
    [TestCase(4, 0, "version 0; this reads 2")]
    [TestCase(5, 0, "cut 1 none does not exist")]
    [TestCase(5, 4, "cut 1 raw does not exist")]
    [TestCase(5, 200, "cut 1 codec 200 does not exist")]
    [TestCase(5, 7, "cut 1 coded does not exist")]
    [TestCase(6, 0, "cut 0 int8 does not exist")]
    [TestCase(7, 0, "0 dimensions; allowed: 1 to 4")]
    [TestCase(7, 5, "5 dimensions; allowed: 1 to 4")]
    [TestCase(5, 2, "shape [2,1,3] as fp16 takes 12 bytes, the payload has 6")]
    [TestCase(5, 3, "shape [2,1,3] as fp32 takes 24 bytes, the payload has 6")]
    [TestCase(40, 9, "shape [9,1,3] as int8 takes 27 bytes, the payload has 6")]
    [TestCase(48, 7, "says 7 payload bytes, has 6")]
    public void Decode_LieWithAValidChecksum_IsRefusedByName(int at, byte value, string expected)
    {
        var lie = (byte[])Golden.Clone();
        lie[at] = value;
        Assert.That(ReasonOf(Signed(lie)), Does.Contain(expected));
    }

    [Test]
    public void Encode_BottleneckAndView_StandBesideTheZeroPoint()
    {
        var coded = Samples.Frame with { Codec = FeatureCodec.Coded, Bottleneck = 200, View = 6, ZeroPoint = 0, Payload = new byte[] { 9 } };
        var bytes = Wire.Encode(coded);
        Assert.That(bytes[36..40], Is.EqualTo(new byte[] { 0, 0, 200, 6 }));
        Assert.That(WireTests.IsSame(coded, TensorFrame.Decode(bytes, Back)), Is.True);
        bytes[6] = 0;
        Assert.That(ReasonOf(Signed(bytes)), Does.Contain("cut 0 bottleneck 200 coded does not exist"));
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    [TestCase(0f)]
    [TestCase(-1f)]
    public void Decode_ScaleThatIsNoScale_IsRefused(float scale)
    {
        var lie = (byte[])Golden.Clone();
        BinaryPrimitives.WriteSingleLittleEndian(lie.AsSpan(32), scale);
        Assert.That(ReasonOf(Signed(lie)), Does.Contain("scale"));
    }

    [Test]
    public void Decode_HugeExtents_IsRefusedWithoutOverflow()
    {
        var lie = (byte[])Golden.Clone();
        lie[7] = 4;
        lie.AsSpan(40, 8).Fill(0xff);
        Assert.That(ReasonOf(Signed(lie)), Does.Contain("[65535,65535,65535,65535]"));
    }

    [Test]
    public void Decode_NoResponseTopic_IsRefused()
    {
        Assert.That(TensorFrame.Decode(Golden, null), Is.InstanceOf<Malformed>().With.Property(nameof(Malformed.Reason)).Contains("response topic"));
        foreach (var path in (string?[])[null, "", "fleet/v1/lab/pi-01/state", "fleet-data/v1/lab/+/reply", "elsewhere"])
            Assert.That(Wire.Decode(Samples.On(TopicKind.Offload), Golden, path), Is.InstanceOf<Malformed>(), path);
        Assert.That(Wire.Decode(Samples.On(TopicKind.Offload), Golden, Back.Path), Is.InstanceOf<TensorFrame>());
    }

    [Test]
    public void Decode_SourceOverwritten_KeepsItsOwnPayload()
    {
        var buffer = (byte[])Golden.Clone();
        var frame = (TensorFrame)TensorFrame.Decode(buffer, Back);
        buffer.AsSpan().Clear();
        Assert.That(frame.Payload.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3, 4, 5, 6 }));
    }

    [Test]
    public void Deadline_OfWholeMicroseconds_CrossesExactly() => Gen.Int[0, 10_000_000].Sample(microseconds =>
        ((TensorFrame)TensorFrame.Decode(Wire.Encode(Samples.Frame with { Deadline = new Seconds(microseconds / 1e6) }), Back)).Deadline == new Seconds(microseconds / 1e6), iter: 5000);

    [TestCase(-1, 0)]
    [TestCase(1e9, 4294.967295)]
    public void Deadline_OutOfItsField_IsTheNearestItCanHold(double seconds, double expected) =>
        Assert.That(((TensorFrame)TensorFrame.Decode(Wire.Encode(Samples.Frame with { Deadline = new Seconds(seconds) }), Back)).Deadline.Value, Is.EqualTo(expected));

    [TestCase(FeatureCodec.Int8, 10, 10)]
    [TestCase(FeatureCodec.Raw, 10, 10)]
    [TestCase(FeatureCodec.Float16, 10, 20)]
    [TestCase(FeatureCodec.Float32, 10, 40)]
    [TestCase(FeatureCodec.Png, 10, null)]
    [TestCase(FeatureCodec.Webp, 10, null)]
    [TestCase(FeatureCodec.Coded, 10, null)]
    public void PayloadBytes_Codec_IsItsElementSize(FeatureCodec codec, long elements, long? expected) => Assert.That(TensorFrame.PayloadBytes(codec, elements), Is.EqualTo(expected));

    private static string ReasonOf(byte[] frame)
    {
        var read = TensorFrame.Decode(frame, Back);
        Assert.That(read, Is.InstanceOf<Malformed>());
        return ((Malformed)read).Reason;
    }

    private static byte[] Signed(byte[] frame)
    {
        var crc = new Crc32();
        crc.Append(frame.AsSpan(0, 52));
        crc.Append(frame.AsSpan(TensorFrame.HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(52), crc.GetCurrentHashAsUInt32());
        return frame;
    }
}
