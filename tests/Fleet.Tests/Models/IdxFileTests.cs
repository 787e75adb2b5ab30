using System.Buffers.Binary;
using System.IO.Compression;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Data sets in the IDX format are read whole or refused by name.</summary>
public sealed class IdxFileTests
{
    private static readonly string Data = ProjectFiles.Find("data/fashion-mnist");
    private static readonly string Images = Path.Combine(Data, "t10k-images-idx3-ubyte.gz");
    private static readonly string Labels = Path.Combine(Data, "t10k-labels-idx1-ubyte.gz");
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("fleet-idx-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Read_FashionMnist_GivesTenThousandLabelledImages()
    {
        var images = IdxFile.Read(Images, Labels);
        Assert.That((images.Count, images.Rows, images.Columns), Is.EqualTo((10_000, 28, 28)));
        var counts = new int[10];
        for (var i = 0; i < images.Count; i++) counts[images.Label(i)]++;
        Assert.That(counts, Is.All.EqualTo(1000));
        Assert.That(Enumerable.Range(0, 5).Select(images.Label), Is.EqualTo(new[] { 9, 2, 1, 1, 6 }));
        Assert.That(images.Image(9999).Length, Is.EqualTo(784));
        Assert.That(images.Sample(3), Is.EqualTo(new Sample(3, 1, images.Image(3))));
    }

    [Test]
    public void Read_WithoutLabels_KnowsNone() => Assert.That(IdxFile.Read(Images).Label(0), Is.EqualTo(-1));

    [Test]
    public void Read_PlainAndZipped_AreTheSame()
    {
        byte[] file = [.. Header(8, 2, 2, 3), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        using (var zip = new GZipStream(File.Create(At("a.gz")), CompressionMode.Compress)) zip.Write(file);
        var plain = IdxFile.Read(Write("a", file));
        var zipped = IdxFile.Read(At("a.gz"));
        Assert.That((plain.Count, plain.Rows, plain.Columns), Is.EqualTo((2, 2, 3)));
        Assert.That(plain.Image(1).ToArray(), Is.EqualTo(new byte[] { 7, 8, 9, 10, 11, 12 }).And.EqualTo(zipped.Image(1).ToArray()));
    }

    [Test]
    public void Read_TruncatedAnywhere_IsRefused()
    {
        byte[] file = [.. Header(8, 2, 2, 3), .. new byte[12]];
        for (var length = 0; length < file.Length; length++) Assert.That(FaultOf(Write("a", file[..length])), Does.Contain("is not an IDX file").Or.Contain("truncated or damaged"));
        Assert.That(FaultOf(Write("a", [.. file, 0])), Does.Contain("says 2x2x3 bytes and has 13"));
    }

    [Test]
    public void Read_OtherHeader_IsRefusedByWhatIsWrong()
    {
        Assert.That(FaultOf(Write("a", [1, .. Header(8, 1, 1, 1)[1..], 0])), Is.EqualTo("is not an IDX file"));
        Assert.That(FaultOf(Write("a", [.. Header(9, 1, 1, 1), 0])), Does.Contain("elements of type 9"));
        Assert.That(FaultOf(Write("a", [.. Header(8, 1, 1), .. new byte[8]])), Does.Contain("has 2 dimensions; 3 are needed"));
        Assert.That(FaultOf(Labels), Does.Contain("has 1 dimensions; 3 are needed"));
    }

    [TestCase(-1, -1, 12)]
    [TestCase(0, 2, 3)]
    [TestCase(int.MaxValue, int.MaxValue, int.MaxValue)]
    [TestCase(int.MinValue, int.MinValue, int.MinValue)]
    [TestCase(65536, 65536, 65536)]
    public void Read_ExtentsThatCannotBe_AreRefused(int count, int rows, int columns) =>
        Assert.That(FaultOf(Write("a", [.. Header(8, count, rows, columns), .. new byte[12]])), Does.Contain($"says {count}x{rows}x{columns} bytes and has 12"));

    [Test]
    public void Read_ZippedFileDamagedOrCut_IsRefused()
    {
        var zipped = File.ReadAllBytes(Images);
        var damaged = (byte[])zipped.Clone();
        damaged.AsSpan(zipped.Length / 2, 64).Fill(0xff);
        Assert.That(() => IdxFile.Read(Write("damaged.gz", damaged)), Throws.TypeOf<FaultsException>());
        Assert.That(() => IdxFile.Read(Write("cut.gz", zipped[..(zipped.Length / 2)])), Throws.TypeOf<FaultsException>());
        Assert.That(() => IdxFile.Read(Write("none.gz", [1, 2, 3])), Throws.TypeOf<FaultsException>());
        Assert.That(() => IdxFile.Read(Write("empty.gz", [])), Throws.TypeOf<FaultsException>());
    }

    [Test]
    public void Read_LabelsOfAnotherSet_AreRefused()
    {
        var labels = Write("labels", [.. Header(8, 3), 1, 2, 3]);
        var fault = Assert.Throws<FaultsException>(() => IdxFile.Read(Images, labels))!;
        Assert.That((fault.Subject, fault.Faults[0]), Is.EqualTo((labels, $"has 3 labels for the 10000 images of {Images}")));
    }

    [Test]
    public void Read_NoSuchFile_NamesIt()
    {
        Assert.That(Assert.Throws<FaultsException>(() => IdxFile.Read(At("none")))!.Subject, Is.EqualTo(At("none")));
        Assert.That(Assert.Throws<FaultsException>(() => IdxFile.Read(folder))!.Subject, Is.EqualTo(folder));
    }

    private static byte[] Header(byte type, params int[] extents)
    {
        var header = new byte[4 + 4 * extents.Length];
        (header[2], header[3]) = (type, (byte)extents.Length);
        for (var i = 0; i < extents.Length; i++) BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + 4 * i), extents[i]);
        return header;
    }

    private static string FaultOf(string path)
    {
        var e = Assert.Throws<FaultsException>(() => IdxFile.Read(path))!;
        Assert.That(e.Subject, Is.EqualTo(path));
        return e.Faults.Single();
    }

    private string At(string name) => Path.Combine(folder, name);

    private string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(At(name), bytes);
        return At(name);
    }
}
