using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv 1708.07747): 28x28 grey images of ten kinds of clothing.</summary>
public static class FashionMnist
{
    public const int Side = 28;

    /// <summary>Mean and standard deviation of all training pixels, scaled to 0..1.</summary>
    public const double Mean = 0.2860;
    public const double Std = 0.3530;

    public static readonly string Description = TestImages.Describe(ReplaySet.FashionMnist);

    /// <summary>In the order of the labels 0..9.</summary>
    public static readonly IReadOnlyList<string> Classes =
        ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"];

    private static readonly Normalisation Normalisation = new(Mean, Std);

    /// <summary>All 70,000 images as a task.</summary>
    /// <inheritdoc cref="Load"/>
    public static TaskData Task(string directory)
    {
        var sets = Load(directory);
        return new TaskData("fmnist", Description, ReplaySet.FashionMnist, Classes, sets, (seed, limit) => new AugmentedImages(Limited(sets.Train, limit), seed));
    }

    /// <param name="directory">Where the four IDX files lie, gzip-compressed.</param>
    /// <exception cref="FaultsException">A file is missing or damaged; the message names it and the Debian package that has it.</exception>
    public static ImageSets Load(string directory)
    {
        var all = Read(directory, "train");
        var train = all.Count - CalibrationImages.Count;
        return new ImageSets(all.Slice(0, train), all.Slice(train, CalibrationImages.Count), Read(directory, "t10k"));
    }

    /// <summary>One of the two parts, "train" or "t10k".</summary>
    /// <inheritdoc cref="Load"/>
    public static ImageSet Read(string directory, string part) =>
        new(IdxFile.Read(CalibrationImages.Find(directory, $"{part}-images-idx3-ubyte.gz"), CalibrationImages.Find(directory, $"{part}-labels-idx1-ubyte.gz")), Normalisation);

    /// <summary>The first images only, or all.</summary>
    public static ImageSet Limited(ImageSet images, int? limit) => limit is { } count && count < images.Count ? images.Slice(0, count) : images;
}
