using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Training.Tests;

public sealed class DataTests
{
    [Test]
    public void Data_Missing_NamesTheFileAndThePackage() => Assert.That(
        () => FashionMnist.Load(SmallData.Directory),
        Throws.TypeOf<FaultsException>().With.Message.Contains("train-images-idx3-ubyte.gz").And.Message.Contains("dataset-fashion-mnist"));

    [Test]
    public void Images_Normalised_FollowTheFormula()
    {
        var images = FashionMnist.Read(SmallData.Directory, "t10k");
        var target = new float[images.PixelCount];
        images.Normalise(3, target);
        var expected = images.Image(3).ToArray().Select(pixel => (pixel / 255.0 - 0.2860) / 0.3530);
        Assert.That(target, Is.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void Slice_OfASlice_CountsFromTheFile()
    {
        var images = FashionMnist.Read(SmallData.Directory, "t10k");
        var slice = images.Slice(100, 50).Slice(10, 5);
        Assert.Multiple(() =>
        {
            Assert.That(slice.FirstIndex, Is.EqualTo(110));
            Assert.That(slice.Labels, Is.EqualTo(images.Labels[110..115]));
            Assert.That(slice.Image(2).ToArray(), Is.EqualTo(images.Image(112).ToArray()));
        });
    }

    [Test]
    public void Augmentation_Image_MovesAtMostAPixelAndKeepsItsValues()
    {
        var images = FashionMnist.Read(SmallData.Directory, "t10k");
        var augmentation = new Augmentation(images, new Random(1));
        var plain = new float[images.PixelCount];
        var moved = new float[images.PixelCount];
        images.Normalise(0, plain);
        var seen = new HashSet<string>();
        for (var i = 0; i < 200; i++)
        {
            augmentation.Fill(0, moved);
            Assert.That(moved.Except(plain), Is.Empty);
            seen.Add(string.Join(' ', moved));
        }
        // Three places each way, mirrored or not.
        Assert.That(seen, Has.Count.EqualTo(18));
    }
}
