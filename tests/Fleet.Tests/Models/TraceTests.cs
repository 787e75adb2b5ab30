using System.Buffers.Binary;
using System.IO.Hashing;
using CsCheck;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>A trace file holds what was recorded, or is refused.</summary>
public sealed class TraceTests
{
    private static readonly Route Int8 = new(1, FeatureCodec.Int8);
    private static readonly Route Webp = new(0, FeatureCodec.Webp);
    private static readonly Route Coded = new(1, FeatureCodec.Coded, Bottleneck: 3);
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("fleet-trace-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Read_WhatWasWritten_IsTheSame()
    {
        var written = Example();
        var read = Trace.Read(Write(written));
        Assert.That((read.Text, read.Drift, read.FirstSample, read.Samples, read.Classes, read.Exits), Is.EqualTo(("made by \u00fcs", "blur-1", 55_000, 3, 2, 2)));
        Assert.That(read.NetworkHash, Is.EqualTo(written.NetworkHash));
        Assert.That(read.Routes, Is.EqualTo(new[] { Int8, Webp, Coded }));
        Assert.That(read.Labels.ToArray(), Is.EqualTo(new byte[] { 1, 0, 1 }));
        for (var sample = 0; sample < 3; sample++)
        {
            for (var exit = 1; exit <= 2; exit++) Assert.That(read.ExitLogits(exit, sample).ToArray(), Is.EqualTo(written.ExitLogits(exit, sample).ToArray()));
            foreach (var route in read.Routes)
            {
                Assert.That(read.RouteLogits(route, sample).ToArray(), Is.EqualTo(written.RouteLogits(route, sample).ToArray()));
                Assert.That(read.PayloadBytes(route, sample), Is.EqualTo(written.PayloadBytes(route, sample)));
            }
        }
    }

    [Test]
    public void Read_AnyHalvesWritten_HaveTheSameBits() => Gen.Select(Gen.Float, Gen.Float, Gen.OneOf(0f, -0f, float.NaN, float.PositiveInfinity, float.Epsilon)).Array[6].Sample(values =>
    {
        float[] final = [.. values.Select(value => value.Item1)], other = [.. values.Select((value, i) => i % 2 == 0 ? value.Item2 : value.Item3)];
        var written = new Trace("", new byte[32], 0, [0, 1], 3, [other, final], [Int8], [other], [[1, 2]]);
        var read = Trace.Read(Write(written));
        for (var sample = 0; sample < 2; sample++)
            if (!Bits(read.ExitLogits(1, sample)).SequenceEqual(Bits(written.ExitLogits(1, sample))) || !Bits(read.ExitLogits(2, sample)).SequenceEqual(Bits(written.ExitLogits(2, sample))) || !Bits(read.RouteLogits(Int8, sample)).SequenceEqual(Bits(written.RouteLogits(Int8, sample)))) return false;
        return true;
    }, iter: 200, threads: 1);

    [Test]
    public void Logits_Recorded_AreTheNearestHalves()
    {
        var trace = Example();
        Assert.That(trace.ExitLogits(1, 2).ToArray(), Is.EqualTo(new[] { (Half)0.1f, (Half)(-7.3f) }));
        Assert.That(trace.ExitLogits(2, 0).ToArray(), Is.EqualTo(new[] { (Half)10, (Half)11 }));
        Assert.That(trace.RouteLogits(Webp, 1).ToArray(), Is.EqualTo(new[] { (Half)32, (Half)33 }));
        Assert.That((trace.Label(0), trace.PayloadBytes(Int8, 2), trace.PayloadBytes(Webp, 1)), Is.EqualTo((1, (int?)6272, (int?)300)));
    }

    [Test]
    public void RouteLogits_OfALosslessRoute_AreTheFinalExits()
    {
        var trace = Example();
        foreach (var route in (Route[])[new(0, FeatureCodec.Raw), new(0, FeatureCodec.Png), new(1, FeatureCodec.Float32)])
        {
            Assert.That(trace.RouteLogits(route, 1).ToArray(), Is.EqualTo(trace.ExitLogits(2, 1).ToArray()));
            Assert.That((trace.Knows(route), trace.PayloadBytes(route, 1)), Is.EqualTo((true, (int?)null)));
        }
    }

    [Test]
    public void RouteLogits_OfARouteNotRecorded_NamesIt()
    {
        var trace = Example();
        foreach (var unknown in (Route[])[new(1, FeatureCodec.Float16), new(1, FeatureCodec.Float32, Bottleneck: 3), new(1, FeatureCodec.Coded, Bottleneck: 2)]) Assert.That(trace.Knows(unknown), Is.False, unknown.ToString());
        Assert.That(() => trace.RouteLogits(new Route(1, FeatureCodec.Float16), 0).Length, Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("cut 1 fp16"));
    }

    [Test]
    public void Read_AnyByteDamaged_IsRefused()
    {
        var path = Write(Example());
        var bytes = File.ReadAllBytes(path);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 0x10;
            Assert.That(FaultOf(bytes), Does.Contain("CRC-32").Or.Contain("is not a trace").Or.Contain("version"), $"byte {i}");
            bytes[i] ^= 0x10;
        }
    }

    [Test]
    public void Read_TruncatedAnywhereOrPadded_IsRefused()
    {
        var bytes = File.ReadAllBytes(Write(Example()));
        for (var length = 0; length < bytes.Length; length++) Assert.That(FaultOf(bytes[..length]), Does.Contain("CRC-32").Or.Contain("is not a trace"), $"{length} bytes");
        Assert.That(FaultOf([.. bytes, 0]), Does.Contain("CRC-32"));
    }

    [Test]
    public void Read_OtherVersion_NamesBoth()
    {
        var bytes = File.ReadAllBytes(Write(Example()));
        bytes[4] = 1;
        Assert.That(FaultOf(Signed(bytes)), Is.EqualTo("has version 1; this reads 2"));
    }

    [TestCase(6, 3)]
    [TestCase(8, 4)]
    [TestCase(8, 2)]
    [TestCase(12, 1)]
    [TestCase(14, 200)]
    [TestCase(20, 255)]
    public void Read_CountsThatDoNotFitWithAValidChecksum_IsRefused(int at, byte value)
    {
        var bytes = File.ReadAllBytes(Write(Example()));
        bytes[at] = value;
        Assert.That(FaultOf(Signed(bytes)), Does.Contain("says more or less than it holds"));
    }

    [Test]
    public void Read_SamplesBeyondMemory_IsRefused()
    {
        var bytes = File.ReadAllBytes(Write(Example()));
        bytes.AsSpan(8, 4).Fill(0xff);
        Assert.That(FaultOf(Signed(bytes)), Does.Contain("says more or less than it holds"));
        bytes[11] = 0x7f;
        Assert.That(FaultOf(Signed(bytes)), Does.Contain("says more or less than it holds"));
    }

    [Test]
    public void Zoo_TestTrace_IsMuchSmallerThanItsValues()
    {
        var trace = Zoo.TestTrace;
        var values = 2L * trace.Samples * trace.Classes * (trace.Exits + trace.Routes.Count);
        Assert.That(new FileInfo(Path.Combine(Zoo.Directory, Zoo.Card.TestTrace.File)).Length, Is.LessThan(0.6 * values).And.GreaterThan(values / 10));
    }

    [Test]
    public void Read_NoSuchFile_NamesIt() => Assert.That(Assert.Throws<FaultsException>(() => Trace.Read(Path.Combine(folder, "none")))!.Subject, Is.EqualTo(Path.Combine(folder, "none")));

    private static Trace Example() => new(
        "made by \u00fcs", [.. Enumerable.Range(0, 32).Select(i => (byte)i)], 55_000, [1, 0, 1], 2,
        [[0, 1, 2, 3, 0.1f, -7.3f], [10, 11, 12, 13, 14, 15]],
        [Int8, Webp, Coded],
        [[20, 21, 22, 23, 24, 25], [30, 31, 32, 33, 34, 35], [float.NaN, -0f, float.NegativeInfinity, 65504, -65504, 6e-8f]],
        [[6272, 6272, 6272], [250, 300, 350], [0, 70_000, 41]], "blur-1");

    private static ushort[] Bits(ReadOnlySpan<Half> logits) => Array.ConvertAll(logits.ToArray(), BitConverter.HalfToUInt16Bits);

    private static byte[] Signed(byte[] bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Crc32.HashToUInt32(bytes.AsSpan(0, bytes.Length - 4)));
        return bytes;
    }

    private string Write(Trace trace)
    {
        var path = Path.Combine(folder, "written.trace");
        trace.Write(path);
        return path;
    }

    private string FaultOf(byte[] bytes)
    {
        var path = Path.Combine(folder, "damaged.trace");
        File.WriteAllBytes(path, bytes);
        var e = Assert.Throws<FaultsException>(() => Trace.Read(path))!;
        Assert.That(e.Subject, Is.EqualTo(path));
        return e.Faults.Single();
    }
}
