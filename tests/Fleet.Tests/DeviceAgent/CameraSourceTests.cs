using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Fleet.Contracts;
using Fleet.DeviceAgent.Sensing;
using Fleet.Models;
using NUnit.Framework;
using SkiaSharp;

namespace Fleet.Tests.DeviceAgent;

public sealed class CameraSourceTests
{
    private readonly List<string> reports = [];
    private string folder = "";

    [SetUp]
    public void MakeFolder()
    {
        reports.Clear();
        folder = Directory.CreateTempSubdirectory("fleet-camera-").FullName;
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task DataSetSource_Sequential_GoesRoundFromItsOffset()
    {
        var samples = await DataSetSource.Sequential(Images(4), offset: 2).Take(6).ToListAsync();
        Assert.That(samples.Select(sample => sample.Index), Is.EqualTo(new[] { 2, 3, 0, 1, 2, 3 }));
        Assert.That(samples.Select(sample => sample.Label), Is.EqualTo(new[] { 7, 6, 9, 8, 7, 6 }));
        Assert.That(samples[0].Pixels.ToArray(), Is.EqualTo(new byte[] { 8, 9, 10, 11 }));
    }

    [Test]
    public async Task DataSetSource_Shuffled_GivesEveryImageOnceARoundInANewOrder()
    {
        var indices = await DataSetSource.Shuffled(Images(100), new Random(5)).Take(200).Select(sample => sample.Index).ToListAsync();
        Assert.That(indices.Take(100), Is.EquivalentTo(Enumerable.Range(0, 100)));
        Assert.That(indices.Skip(100), Is.EquivalentTo(Enumerable.Range(0, 100)));
        Assert.That(indices.Skip(100), Is.Not.EqualTo(indices.Take(100)));
        var again = await DataSetSource.Shuffled(Images(100), new Random(5)).Take(200).Select(sample => sample.Index).ToListAsync();
        Assert.That(again, Is.EqualTo(indices), "the seed decides");
    }

    [Test]
    public void DataSetSource_OffsetBeyondTheEnd_SaysWhatIsAllowed() =>
        Assert.That(() => DataSetSource.Sequential(Images(4), 4), Throws.TypeOf<FaultsException>().With.Message.Contains("offset is 4; allowed: 0 to 3"));

    [Test]
    public async Task FolderSource_PngAndPgm_ComeByNameAsGrey()
    {
        Put("b.pgm", "P2 # a comment\n2 2\n# another\n15\n0 15\n5 10\n");
        Put("c.pgm", [.. "P5\n2 2\n255\n"u8, 1, 10, 32, 255]);
        Put("a.png", Png(2, 2, SKColorType.Gray8, 10, 20, 30, 255));
        Put("notes.txt", "not an image");
        var samples = await Source().ToListAsync();
        Assert.That(reports, Is.Empty);
        Assert.That(samples.Select(sample => sample.Pixels.ToArray()), Is.EqualTo(new[] { new byte[] { 10, 20, 30, 255 }, [0, 255, 85, 170], [1, 10, 32, 255] }));
        Assert.That(samples.Select(sample => (sample.Index, sample.Label)), Is.All.EqualTo((-1, -1)));
    }

    [Test]
    public async Task FolderSource_Pgm16Bit_IsScaledToBytes()
    {
        Put("a.pgm", [.. "P5 2 2 65535\n"u8, 0, 0, 255, 255, 128, 0, 1, 1]);
        var samples = await Source().ToListAsync();
        Assert.That(samples.Single().Pixels.ToArray(), Is.EqualTo(new byte[] { 0, 255, 128, 1 }));
    }

    [Test]
    public async Task FolderSource_ColourPng_BecomesLuma()
    {
        Put("a.png", Png(1, 4, SKColorType.Rgba8888, 255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255));
        var samples = await new FolderSource(folder, 4, 1, loop: false, reports.Add).ToListAsync();
        Assert.That(samples.Single().Pixels.ToArray(), Is.EqualTo(new byte[] { 76, 150, 29, 255 }));
    }

    [TestCase("P5\n3 2\n255\n123456", "is 3x2 pixels (width x height); the model needs 2x2")]
    [TestCase("P5\n2 2\n255\n123", "has 3 bytes of pixels; 4 are needed: truncated")]
    [TestCase("P5\n2 2\n255", "has 0 bytes of pixels; 4 are needed: truncated")]
    [TestCase("P2\n2 2\n255\n1 2 3", "has no number where its pixel 3 should stand")]
    [TestCase("P2\n2 2\n255\n1 2 3 x", "has no number where its pixel 3 should stand")]
    [TestCase("P2\n2 2\n9\n1 2 3 10", "pixel 3 is 10; allowed: 0 to 9")]
    [TestCase("P2\n2 2\n0\n0 0 0 0", "greatest grey is 0; allowed: 1 to 65535")]
    [TestCase("P2\n2 2\n99999999999\n0 0 0 0", "greatest grey is 9999999; allowed: 1 to 65535")]
    [TestCase("P2\n2 # never ends", "has no number where its height should stand")]
    [TestCase("P6\n2 2\n255\n", "must begin with P2 or P5")]
    [TestCase("", "must begin with P2 or P5")]
    public async Task FolderSource_BadPgm_IsReportedByNameAndSkipped(string content, string expected)
    {
        Put("bad.pgm", content);
        Put("good.pgm", "P2 2 2 255 1 2 3 4");
        Assert.That(await Source().CountAsync(), Is.EqualTo(1));
        Assert.That(reports.Single(), Does.StartWith(Path.Combine(folder, "bad.pgm")).And.Contain(expected));
    }

    [Test]
    public async Task FolderSource_BadPng_IsReportedByNameAndSkipped()
    {
        var noise = new byte[32 * 32];
        new Random(1).NextBytes(noise);
        var png = Png(32, 32, SKColorType.Gray8, noise);
        Put("a-large.png", Png(3, 3, SKColorType.Gray8, 1, 2, 3, 4, 5, 6, 7, 8, 9));
        Put("b-cut.png", png[..(png.Length / 2)]);
        Put("c-text.png", "hello");
        Put("d.png", png);
        var samples = await new FolderSource(folder, 32, 32, loop: false, reports.Add).ToListAsync();
        Assert.That(samples.Single().Pixels.ToArray(), Is.EqualTo(noise));
        Assert.That(reports, Has.Count.EqualTo(3));
        Assert.That(reports[0], Does.Contain("a-large.png").And.Contain("is 3x3").And.Contain("needs 32x32"));
        Assert.That(reports[1], Does.Contain("b-cut.png").And.Contain("truncated or damaged"));
        Assert.That(reports[2], Does.Contain("c-text.png").And.Contain("is not a PNG image"));
    }

    [Test]
    public async Task FolderSource_Looping_ReportsABadFileOnce()
    {
        Put("bad.pgm", "P7");
        Put("good.pgm", "P2 2 2 255 1 2 3 4");
        Assert.That(await Source(loop: true).Take(5).CountAsync(), Is.EqualTo(5));
        Assert.That(reports, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task FolderSource_LoopingOverNothingUsable_EndsAndSaysSo()
    {
        Put("bad.pgm", "P7");
        Assert.That(await Source(loop: true).CountAsync(), Is.Zero);
        Assert.That(reports[^1], Does.Contain("holds no usable PNG or PGM image"));
    }

    [Test]
    public void FolderSource_NoSuchFolder_IsAFaultAtOnce() =>
        Assert.That(() => new FolderSource(Path.Combine(folder, "nowhere"), 2, 2, false, reports.Add), Throws.TypeOf<FaultsException>().With.Message.Contains("no such directory"));

    [Test]
    public async Task RawFrameSource_WholeFrames_AreGivenInOrder()
    {
        using var stream = new MemoryStream([1, 2, 3, 4, 5, 6]);
        var samples = await new RawFrameSource(stream, "stdin", 3, reports.Add).ToListAsync();
        Assert.That(samples.Select(sample => sample.Pixels.ToArray()), Is.EqualTo(new[] { new byte[] { 1, 2, 3 }, [4, 5, 6] }));
        Assert.That(reports, Is.Empty);
    }

    [Test]
    public async Task RawFrameSource_TruncatedLastFrame_IsReportedAndDropped()
    {
        using var stream = new MemoryStream([1, 2, 3, 4, 5]);
        Assert.That(await new RawFrameSource(stream, "stdin", 3, reports.Add).CountAsync(), Is.EqualTo(1));
        Assert.That(reports.Single(), Is.EqualTo("stdin: ended after 2 bytes of frame 2; a frame has 3: that frame is dropped"));
    }

    private FolderSource Source(bool loop = false) => new(folder, 2, 2, loop, reports.Add);

    private void Put(string name, string text) => Put(name, Encoding.ASCII.GetBytes(text));

    private void Put(string name, byte[] bytes) => File.WriteAllBytes(Path.Combine(folder, name), bytes);

    private static byte[] Png(int columns, int rows, SKColorType colours, params byte[] pixels)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(columns, rows, colours, colours is SKColorType.Gray8 ? SKAlphaType.Opaque : SKAlphaType.Unpremul));
        var rowBytes = pixels.Length / rows;
        for (var row = 0; row < rows; row++) Marshal.Copy(pixels, row * rowBytes, bitmap.GetPixels() + row * bitmap.RowBytes, rowBytes);
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return encoded.ToArray();
    }

    /// <summary>2x2 images: image i has pixels 4i..4i+3 and label 9 - i mod 10; through IDX files, as in use.</summary>
    private LabelledImages Images(int count)
    {
        var name = count.ToString(CultureInfo.InvariantCulture);
        Put($"images-{name}", [0, 0, 8, 3, 0, 0, 0, (byte)count, 0, 0, 0, 2, 0, 0, 0, 2, .. Enumerable.Range(0, 4 * count).Select(i => (byte)i)]);
        Put($"labels-{name}", [0, 0, 8, 1, 0, 0, 0, (byte)count, .. Enumerable.Range(0, count).Select(i => (byte)(9 - i % 10))]);
        return IdxFile.Read(Path.Combine(folder, $"images-{name}"), Path.Combine(folder, $"labels-{name}"));
    }
}
