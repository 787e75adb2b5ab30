using System.Buffers.Binary;
using System.IO.Compression;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Training.Tests;

/// <summary>A whole job on few images: what it writes can be read, and its networks are trained once.</summary>
public sealed class JobTests
{
    private const int Train = CalibrationImages.Count + 256;
    private const int Test = 200;

    private readonly string directory = Directory.CreateTempSubdirectory("fleet-jobs-").FullName;

    /// <summary>Test images that come with the code stand in for the training images, which need a download.</summary>
    [OneTimeSetUp]
    public void DrawData()
    {
        Copy("images-idx3-ubyte.gz", header: 16, size: 28 * 28);
        Copy("labels-idx1-ubyte.gz", header: 8, size: 1);
    }

    [OneTimeTearDown]
    public void Forget() => Directory.Delete(directory, recursive: true);

    [Test]
    public async Task BranchyNet_OnFewImages_WritesAComparison()
    {
        var options = new WorkshopOptions(directory, Path.Combine(directory, "checkpoints"), Path.Combine(directory, "zoo"), Threads: 1, Epochs: 1);
        await new BranchyNetJob().Run(new Workshop(options, TextWriter.Null, TimeProvider.System));
        var comparison = Comparison.ReadAll(Path.Combine(directory, "zoo", "comparison")).Single();

        using var said = new StringWriter();
        using var again = BranchyNetJob.Joint(new Workshop(options, said, TimeProvider.System));

        double Accuracy(string method, string variant) => comparison.Points.Single(point => point.Method == method && point.Variant == variant).Accuracy;
        Assert.Multiple(() =>
        {
            Assert.That(comparison.Name, Is.EqualTo("b-lenet"));
            Assert.That(comparison.Command, Does.EndWith("train b-lenet --epochs 1"));
            Assert.That(comparison.Points.Select(point => point.Device!.Value.Value), Is.All.InRange(220_150, 1_247_720));
            Assert.That(Accuracy("separate", "final exit"), Is.EqualTo(Accuracy("trunk alone", "final exit")), "a frozen trunk answers as before");
            Assert.That(said.ToString().Trim(), Is.EqualTo("b-lenet: taken from its checkpoint"));
        });
    }

    private void Copy(string suffix, int header, int size)
    {
        using var source = new GZipStream(File.OpenRead(Path.Combine(SmallData.Directory, "t10k-" + suffix)), CompressionMode.Decompress);
        var bytes = new byte[header + (Train + Test) * size];
        source.ReadExactly(bytes);
        Write("train-" + suffix, bytes.AsSpan(0, header), Train, bytes.AsSpan(header, Train * size));
        Write("t10k-" + suffix, bytes.AsSpan(0, header), Test, bytes.AsSpan(header + Train * size));
    }

    private void Write(string file, Span<byte> header, int count, ReadOnlySpan<byte> content)
    {
        BinaryPrimitives.WriteInt32BigEndian(header[4..], count);
        using var target = new GZipStream(File.Create(Path.Combine(directory, file)), CompressionLevel.Fastest);
        target.Write(header);
        target.Write(content);
    }
}
