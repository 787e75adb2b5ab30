using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>The teacher of the early-labelling experiment: one exit, two cuts, 2.2 M multiply-accumulates, so that an encoder for devices can follow it.</summary>
public static class SmallTeacher
{
    private static readonly Recipe Steps = new() { Epochs = 8 };

    public static Architecture Architecture()
    {
        var net = new ArchitectureBuilder();
        var x = net.Input(new Extent(1, FashionMnist.Side, FashionMnist.Side));
        net.Section("stage1");
        x = net.Relu(net.Conv(x, 12));
        x = net.DepthwiseSeparable(x, 24, stride: 2);
        x = net.DepthwiseSeparable(x, 32);
        net.Cut(x);
        net.Section("stage2");
        x = net.Residual(x, 32, stride: 2);
        net.Cut(x);
        net.Section("stage3");
        net.Exit(net.Residual(x, 64, stride: 2), FashionMnist.Classes.Count);
        return net.Build();
    }

    /// <summary>The trained network, out of its checkpoint when there is one.</summary>
    public static Network Train(Workshop workshop)
    {
        var steps = workshop.Adjusted(Steps);
        var task = workshop.Task("fmnist");
        return workshop.Trained("rebel-teacher", new Network(Architecture(), steps.Seed), steps.ToString(), (net, progress) =>
            new TrainingLoop(net, task.Learning(steps.Seed, workshop.Options.Limit), steps, progress, workshop.Clock).Run(
                net.Train, (images, truth) => nn.functional.cross_entropy(net.forward(images)[0], truth), () => JointTraining.Accuracies(net, task.Sets.Calibration), workshop.Say));
    }
}
