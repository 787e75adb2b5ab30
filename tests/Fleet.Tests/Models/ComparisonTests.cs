using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

public sealed class ComparisonTests
{
    private static readonly Comparison Some = new()
    {
        Name = "some",
        Task = "fmnist",
        Text = "A test.",
        Command = "none",
        Points = [new ComparisonPoint { Method = "webp", Variant = "quality 5", Accuracy = 0.5, Wire = new Bytes(12.5), Device = Macs.Zero }],
    };

    [Test]
    public void ReadAll_Written_GivesItBack()
    {
        var directory = Directory.CreateTempSubdirectory("fleet-comparison-").FullName;
        Some.Write(directory);
        var read = Comparison.ReadAll(directory).Single();
        Assert.Multiple(() =>
        {
            Assert.That(read with { Points = Some.Points }, Is.EqualTo(Some));
            Assert.That(read.Points, Is.EqualTo(Some.Points));
            Assert.That(Comparison.ReadAll(Path.Combine(directory, "nowhere")), Is.Empty);
        });
        Directory.Delete(directory, recursive: true);
    }

    [Test]
    public void ReadAll_Damaged_NamesTheFileAndThePoint()
    {
        var directory = Directory.CreateTempSubdirectory("fleet-comparison-").FullName;
        (Some with { Points = [Some.Points[0] with { Accuracy = 50 }] }).Write(directory);
        Assert.That(() => Comparison.ReadAll(directory), Throws.TypeOf<FaultsException>().With.Message.Contains("some.json").And.Message.Contains("points[0].accuracy_ratio"));
        Directory.Delete(directory, recursive: true);
    }
}
