using NUnit.Framework;

namespace Fleet.Training.Tests;

/// <summary>Disjoint parts of the test images that come with the code; the training images need a download and are not used here.</summary>
internal static class SmallData
{
    public static readonly string Directory = Path.Combine(TestContext.CurrentContext.TestDirectory, "fashion-mnist");

    public static readonly Recipe Recipe = new() { Seed = 7, Epochs = 2, BatchSize = 64, WarmUp = 0.5 };

    public static ImageSets Load()
    {
        var images = FashionMnist.Read(Directory, "t10k");
        return new ImageSets(images.Slice(0, 1280), images.Slice(1280, 250), images.Slice(1530, 350));
    }

    public static (EarlyExitNet Net, IReadOnlyList<EpochReport> Reports) Train(ImageSets sets)
    {
        var net = new EarlyExitNet(FashionMnist.Network(), Recipe.Seed);
        return (net, new Trainer(net, sets.Train, Recipe, TimeProvider.System).Run(sets.Calibration, _ => { }));
    }
}
