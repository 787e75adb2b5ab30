using Fleet.Contracts;
using Fleet.Models.Replaying;

namespace Fleet.Models;

/// <summary>
/// The images that temperatures, thresholds and planners see: the last of Fashion-MNIST's training images, never trained on, and the scenes drawn from them.
/// They do not ship with Fleet.
/// </summary>
public static class CalibrationImages
{
    /// <summary>Of the 60,000 training images, the last.</summary>
    public const int Count = 5000;

    public const string DebianPackage = "dataset-fashion-mnist";

    /// <summary>Where that package installs the four files.</summary>
    public const string DebianDirectory = "/usr/share/datasets/fashion-mnist";

    /// <param name="set">Which.</param>
    /// <param name="directory">Where the IDX files of Fashion-MNIST's training set lie, gzip-compressed.</param>
    /// <exception cref="FaultsException">A file is missing or damaged; the message names it and the Debian package that has it.</exception>
    public static ImageRun Read(ReplaySet set, string directory)
    {
        var items = IdxFile.Read(Find(directory, "train-images-idx3-ubyte.gz"), Find(directory, "train-labels-idx1-ubyte.gz"));
        if (items.Count < Count) throw new FaultsException(directory, $"has {items.Count} training images; at least {Count} are needed");
        var last = new ImageRun(items, items.Count - Count, Count);
        return set is ReplaySet.Scenes ? new ImageRun(Scenes.Make(items, last.First, last.Count, SceneSets.CalibrationSeed)) : last;
    }

    /// <summary>The path of one of the four files.</summary>
    /// <exception cref="FaultsException">There is none; the message says where it comes from.</exception>
    public static string Find(string directory, string file)
    {
        var path = Path.Combine(directory, file);
        return File.Exists(path) ? path : throw new FaultsException(path,
            $"is missing; install the Debian package {DebianPackage} (it puts the data in {DebianDirectory}) or name the data's directory with --data");
    }
}
