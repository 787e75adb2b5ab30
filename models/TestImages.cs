using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>The images that devices replay. Those of Fashion-MNIST ship with Fleet; the others are drawn from them, always alike.</summary>
public static class TestImages
{
    /// <summary>Of Fashion-MNIST, as they ship.</summary>
    public const string Directory = "data/fashion-mnist";

    /// <summary>What the images are, for cards and traces.</summary>
    public static string Describe(ReplaySet set) => set is ReplaySet.Scenes ? $"cluttered {Scenes.Side}x{Scenes.Side} scenes drawn from Fashion-MNIST (arXiv 1708.07747)" : "Fashion-MNIST (arXiv 1708.07747)";

    /// <param name="set">Which.</param>
    /// <param name="directory">Where the IDX files of Fashion-MNIST's test set lie.</param>
    /// <exception cref="FaultsException">A file is missing or damaged, or is not Fashion-MNIST's size though scenes are wanted.</exception>
    public static LabelledImages Read(ReplaySet set, string directory)
    {
        var items = IdxFile.Read(Path.Combine(directory, "t10k-images-idx3-ubyte.gz"), Path.Combine(directory, "t10k-labels-idx1-ubyte.gz"));
        return set is ReplaySet.Scenes ? Scenes.Make(items, 0, items.Count, SceneSets.TestSeed) : items;
    }
}
