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
    public void Augmentation_Image_MovesMirrorsAndErases()
    {
        var images = FashionMnist.Read(SmallData.Directory, "t10k").Slice(0, 1);
        var augmented = new AugmentedImages(images, seed: 1);
        var image = new byte[images.PixelCount];
        var levels = images.Image(0).ToArray().Distinct().Count();
        HashSet<string> seen = [];
        for (var epoch = 0; epoch < 100; epoch++)
        {
            Assert.That(augmented.Draw(epoch, 0, image), Is.EqualTo(images.Labels[0]));
            // Nothing but the erased rectangle brings a level that the image has not.
            Assert.That(image.Distinct().Count(), Is.LessThanOrEqualTo(levels + 1));
            seen.Add(string.Join(' ', image));
        }
        Assert.That(seen, Has.Count.GreaterThan(60));
    }

    [Test]
    public void Augmentation_SameEpoch_SameImage()
    {
        var images = FashionMnist.Read(SmallData.Directory, "t10k").Slice(0, 1);
        var (one, two) = (new byte[images.PixelCount], new byte[images.PixelCount]);
        new AugmentedImages(images, seed: 3).Draw(5, 0, one);
        new AugmentedImages(images, seed: 3).Draw(5, 0, two);
        Assert.That(two, Is.EqualTo(one));
    }

    [Test]
    public void Scenes_Epochs_DifferAndMarkTheSameItem()
    {
        var images = FashionMnist.Read(SmallData.Directory, "t10k");
        var scenes = new FreshScenes(images, images.Normalisation, count: 10, seed: 1);
        var (one, two) = (new byte[96 * 96], new byte[96 * 96]);
        Assert.That(scenes.Draw(0, 4, one), Is.EqualTo(scenes.Draw(1, 4, two)).And.EqualTo(images.Labels[4]));
        Assert.That(two, Is.Not.EqualTo(one));
    }
}
