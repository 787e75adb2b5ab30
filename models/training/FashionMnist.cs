using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>The data that one training run needs; no image is in two of them.</summary>
public sealed record ImageSets(ImageSet Train, ImageSet Calibration, ImageSet Test);

/// <summary>Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv 1708.07747): 28x28 grey images of ten kinds of clothing, and our network for it.</summary>
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

    /// <param name="directory">Where the four IDX files lie, gzip-compressed.</param>
    /// <param name="limit">Train on this many images only, the first ones; null for all.</param>
    /// <exception cref="FaultsException">A file is missing or damaged; the message names it and the Debian package that has it.</exception>
    public static ImageSets Load(string directory, int? limit = null)
    {
        var all = Read(directory, "train");
        var train = all.Count - CalibrationCount;
        return new ImageSets(all.Slice(0, Math.Min(limit ?? train, train)), all.Slice(train, CalibrationCount), Read(directory, "t10k"));
    }

    /// <summary>One of the two parts, "train" or "t10k".</summary>
    /// <inheritdoc cref="Load"/>
    public static ImageSet Read(string directory, string part) =>
        new(IdxFile.Read(Find(directory, $"{part}-images-idx3-ubyte.gz"), Find(directory, $"{part}-labels-idx1-ubyte.gz")));

    /// <summary>
    /// Three stages, about 0.3 M parameters and 15 M multiply-accumulates; an image that leaves at exit 1 costs 4 % of them, at
    /// exit 2 23 %. Depthwise-separable layers where the device computes, full convolutions where an edge server may.
    /// </summary>
    public static Architecture Network()
    {
        var net = new ArchitectureBuilder();
        var x = net.Input(new Extent(1, Side, Side));

        net.Section("stage1");
        x = net.Relu(net.Conv(x, 16));
        x = net.DepthwiseSeparable(x, 32, stride: 2);
        x = net.DepthwiseSeparable(x, 32);
        net.Cut(x);
        net.Section("exit1");
        net.Exit(net.DepthwiseSeparable(x, 64, stride: 2), Classes.Count);

        net.Section("stage2");
        x = net.Residual(x, 64, stride: 2);
        net.Cut(x);
        net.Section("exit2");
        net.Exit(x, Classes.Count);

        net.Section("stage3");
        x = net.Residual(x, 128);
        net.Section("exit3");
        net.Exit(x, Classes.Count);
        return net.Build();
    }

    private static string Find(string directory, string file)
    {
        var path = Path.Combine(directory, file);
        return File.Exists(path) ? path : throw new FaultsException(path,
            $"is missing; install the Debian package {DebianPackage} (it puts the data in {DebianDirectory}) or name the data's directory with --data");
    }
}
