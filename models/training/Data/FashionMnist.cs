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

    /// <summary>The last of the 60,000 training images, never trained on: temperatures, thresholds and planners see these.</summary>
    public const int CalibrationCount = 5000;

    public const string Description = "Fashion-MNIST (arXiv 1708.07747)";

    public const string DebianPackage = "dataset-fashion-mnist";

    /// <summary>Where that package installs the four files.</summary>
    public const string DebianDirectory = "/usr/share/datasets/fashion-mnist";

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
        var train = all.Count - CalibrationCount;
        return new ImageSets(all.Slice(0, train), all.Slice(train, CalibrationCount), Read(directory, "t10k"));
    }

    /// <summary>One of the two parts, "train" or "t10k".</summary>
    /// <inheritdoc cref="Load"/>
    public static ImageSet Read(string directory, string part) =>
        new(IdxFile.Read(Find(directory, $"{part}-images-idx3-ubyte.gz"), Find(directory, $"{part}-labels-idx1-ubyte.gz")), Normalisation);

    /// <summary>The first images only, or all.</summary>
    public static ImageSet Limited(ImageSet images, int? limit) => limit is { } count && count < images.Count ? images.Slice(0, count) : images;

    private static string Find(string directory, string file)
    {
        var path = Path.Combine(directory, file);
        return File.Exists(path) ? path : throw new FaultsException(path,
            $"is missing; install the Debian package {DebianPackage} (it puts the data in {DebianDirectory}) or name the data's directory with --data");
    }
}
