using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Training.Tests;

/// <summary>Disjoint parts of the test images that come with the code; the training images need a download and are not used here.</summary>
internal static class SmallData
{
    public static readonly string Directory = Path.Combine(TestContext.CurrentContext.TestDirectory, "fashion-mnist");

    public static readonly JointRecipe Recipe = new(new Recipe { Seed = 7, Epochs = 2, BatchSize = 64, WarmUp = 0.5 }, [0.5, 0.7, 1]);

    public static TaskData Load()
    {
        var images = FashionMnist.Read(Directory, "t10k");
        var sets = new ImageSets(images.Slice(0, 1280), images.Slice(1280, 250), images.Slice(1530, 350));
        return new TaskData("fmnist", FashionMnist.Description, ReplaySet.FashionMnist, FashionMnist.Classes, sets, (seed, _) => new AugmentedImages(sets.Train, seed));
    }

    public static (Network Net, IReadOnlyList<EpochReport> Reports) Train(TaskData task)
    {
        var net = new Network(ZooNetworks.Fmnist(), Recipe.Steps.Seed);
        return (net, Train(net, task, progress: null));
    }

    public static IReadOnlyList<EpochReport> Train(Network net, TaskData task, ProgressFile? progress, int? stopAfter = null) => JointTraining.Run(
        net, task.Learning(Recipe.Steps.Seed, null), task.Sets.Calibration, Recipe, progress, TimeProvider.System,
        report =>
        {
            if (report.Epoch == stopAfter) throw new OperationCanceledException();
        });

    public static BottleneckNet TrainBottleneck(Network net, TaskData task, BottleneckMethod method, string checkpoints, bool firstStageOnly = false)
    {
        var workshop = new Workshop(new WorkshopOptions(Directory, checkpoints, checkpoints, Threads: 1), TextWriter.Null, TimeProvider.System);
        var training = new BottleneckTraining(workshop, task, net, new BottleneckRecipe(method, (1, 1), 640, 1e-3));
        var design = new BottleneckDesign(net.Architecture, cut: 1, channels: 4, hidden: 16, stride: 2);
        return firstStageOnly ? training.RunFirst("small", design) : training.Run($"small-{method}", "small", design);
    }
}
