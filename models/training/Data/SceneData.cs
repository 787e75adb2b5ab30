using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>Cluttered 96x96 scenes drawn from Fashion-MNIST (see <see cref="Scenes"/>): training, calibration and test scenes from its three parts.</summary>
public static class SceneData
{
    /// <summary>Mean and standard deviation of all pixels of the calibration scenes, scaled to 0..1.</summary>
    public const double Mean = 0.3522;
    public const double Std = 0.1863;

    public static readonly string Description = TestImages.Describe(ReplaySet.Scenes);

    /// <summary>As many scenes show the ranges of features; networks learn from fresh ones instead.</summary>
    private const int RangeScenes = 2000;
    private const int RangeSeed = 9603;

    private static readonly Normalisation Normalisation = new(Mean, Std);

    public static TaskData Task(ImageSets items)
    {
        var sets = new ImageSets(Draw(items.Train.Slice(0, Math.Min(RangeScenes, items.Train.Count)), RangeSeed), Draw(items.Calibration, SceneSets.CalibrationSeed), Draw(items.Test, SceneSets.TestSeed));
        return new TaskData("scenes", Description, ReplaySet.Scenes, FashionMnist.Classes, sets,
            (seed, limit) => new FreshScenes(items.Train, Normalisation, Math.Min(limit ?? items.Train.Count, items.Train.Count), seed));
    }

    private static ImageSet Draw(ImageSet items, int seed) =>
        new(Scenes.Make(items.Images, items.FirstIndex, items.Count, seed), Normalisation);
}
