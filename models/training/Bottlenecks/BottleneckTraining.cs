using System.Globalization;
using Fleet.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>How a bottleneck learns.</summary>
public enum BottleneckMethod
{
    /// <summary>Cross-entropy with the labels, all behind the cut at once.</summary>
    CrossEntropy,

    /// <summary>Labels and the whole network's answers (Hinton, Vinyals and Dean, 2015), all behind the cut at once.</summary>
    Distillation,

    /// <summary>Encoder and decoder imitate the whole network's features, its tail frozen (Matsubara et al., generalised head network distillation, 2020).</summary>
    HeadDistillation,

    /// <summary>Head distillation first, then distillation of all (Matsubara et al., BottleFit, 2022).</summary>
    TwoStages,

    /// <summary>As <see cref="TwoStages"/>, but the encoder stays as the first stage left it: devices need not be touched.</summary>
    FrozenEncoder,
}

/// <param name="Method">How.</param>
/// <param name="Epochs">Passes over the training images in each of the two stages; methods of one stage take the sum.</param>
/// <param name="Images">Training images a pass.</param>
/// <param name="RatePrice">What a bit costs in nats of loss: the higher, the fewer bytes.</param>
public sealed record BottleneckRecipe(BottleneckMethod Method, (int First, int Second) Epochs, int Images, double RatePrice);

/// <summary>Trains encoder, prior and decoder at a cut of a trained network whose stages before the cut stay as they are.</summary>
public sealed class BottleneckTraining(Workshop workshop, TaskData task, Network teacher, BottleneckRecipe recipe)
{
    private const double ImitationRate = 2e-3;
    private const double Rate = 1e-3;
    private const double Temperature = 2;

    private readonly ITrainingImages images = task.Learning(1, Math.Min(recipe.Images, workshop.Options.Limit ?? int.MaxValue));

    /// <summary>The trained module, out of its checkpoint when there is one.</summary>
    /// <param name="name">Of the checkpoint.</param>
    /// <param name="size">Of the first stage's checkpoint, which methods of two stages share.</param>
    /// <param name="design">The layers.</param>
    public BottleneckNet Run(string name, string size, BottleneckDesign design)
    {
        var net = new BottleneckNet(design, teacher, seed: 1);
        if (recipe.Method is BottleneckMethod.TwoStages or BottleneckMethod.FrozenEncoder)
        {
            net = First(size + "-imitation", net, recipe.Epochs.First);
            if (recipe.Method is BottleneckMethod.FrozenEncoder) net.FreezeEncoder();
            return Second(name, net, recipe.Epochs.Second, labelShare: 0.5);
        }
        var epochs = recipe.Epochs.First + recipe.Epochs.Second;
        return recipe.Method is BottleneckMethod.HeadDistillation
            ? First(name, net, epochs)
            : Second(name, net, epochs, recipe.Method is BottleneckMethod.CrossEntropy ? 1 : 0.5);
    }

    /// <summary>The first stage of two, alone.</summary>
    public BottleneckNet RunFirst(string size, BottleneckDesign design) => First(size + "-imitation", new BottleneckNet(design, teacher, seed: 1), recipe.Epochs.First);

    private BottleneckNet First(string name, BottleneckNet net, int epochs)
    {
        net.FreezeTail();
        var trained = Train(name, "imitation", net, new Recipe { Epochs = epochs, LearningRate = ImitationRate }, net.Design.Landmarks, net.Design.ToLastLandmark, Imitate);
        net.Thaw();
        return trained;
    }

    private BottleneckNet Second(string name, BottleneckNet net, int epochs, double labelShare)
    {
        var answer = net.Design.Main.Exits[^1];
        return Train(name, recipe.Method.ToString(), net, new Recipe { Epochs = epochs, LearningRate = Rate }, [answer], net.Design.Tail.Layers,
            (teaching, values, truth) => Losses.Distilled(values[answer], teaching[answer], truth, 1 - labelShare, Temperature));
    }

    /// <summary>At every landmark the mean squared difference, as a share of the teacher's mean square.</summary>
    private static Tensor Imitate(Dictionary<string, Tensor> teaching, Dictionary<string, Tensor> values, Tensor truth)
    {
        Tensor? loss = null;
        foreach (var (name, target) in teaching)
        {
            var share = (values[name] - target).square().mean() / target.square().mean();
            loss = loss is null ? share : loss + share;
        }
        return loss!;
    }

    private BottleneckNet Train(
        string name, string what, BottleneckNet net, Recipe steps, IReadOnlyList<string> taught, IReadOnlyList<Layer> layers,
        Func<Dictionary<string, Tensor>, Dictionary<string, Tensor>, Tensor, Tensor> loss)
    {
        steps = workshop.Adjusted(steps with { BatchSize = 64, WeightDecay = 1e-3 });
        var main = net.Design.Main;
        var cut = main.Cuts[net.Design.Cut];
        var teaching = main.LayersTo([cut, .. taught]);
        return workshop.Trained(name, net, string.Create(CultureInfo.InvariantCulture, $"{recipe.Images} images, rate price {recipe.RatePrice}, {what}, {steps}"), (module, progress) =>
            new TrainingLoop(module, images, steps, progress, workshop.Clock).Run(
                module.Train,
                (batch, truth) =>
                {
                    var lesson = Teach(batch, teaching);
                    var (values, bits) = module.Run(lesson[cut], layers);
                    return loss(taught.ToDictionary(name => name, name => lesson[name]), values, truth) + bits * recipe.RatePrice;
                },
                () => Validate(module),
                workshop.Say));
    }

    private Dictionary<string, Tensor> Teach(Tensor batch, IReadOnlyList<Layer> layers)
    {
        using var noGradient = no_grad();
        teacher.eval();
        return teacher.Values(teacher.Architecture.Input, batch, layers);
    }

    /// <summary>Accuracy through the bottleneck, and mean bytes as the prior counts them.</summary>
    private IReadOnlyList<double> Validate(BottleneckNet net)
    {
        var (accuracy, bytes) = Reach(net, teacher, task.Sets.Calibration);
        return [accuracy, bytes];
    }

    /// <summary>Accuracy through the rounded latent, and mean bytes as the prior counts them.</summary>
    public static (double Accuracy, double MeanBytes) Reach(BottleneckNet net, Network head, ImageSet images)
    {
        var (logits, bytes) = Evaluate(net, head, images);
        return (Calibration.Accuracy(logits, images.Labels, net.Design.Main.ClassCount), bytes);
    }

    /// <summary>Logits [image, class] through the rounded latent, and mean bytes as the prior counts them.</summary>
    public static (float[] Logits, double MeanBytes) Evaluate(BottleneckNet net, Network teacher, ImageSet images)
    {
        var main = net.Design.Main;
        var classes = main.ClassCount;
        var logits = new float[images.Count * classes];
        var bits = 0.0;
        net.eval();
        teacher.eval();
        using var noGradient = no_grad();
        var head = main.HeadLayers(net.Design.Cut);
        foreach (var (first, batch) in images.Batches(250))
        {
            using var scope = NewDisposeScope();
            var features = teacher.Values(main.Input, batch(), head)[main.Cuts[net.Design.Cut]];
            var latent = net.Encode(features).round();
            bits += net.Prior.MeanBits(latent).item<float>() * latent.shape[0];
            Network.Elements(net.Decode(latent)[main.Exits[^1]]).CopyTo(logits, first * classes);
        }
        return (logits, bits / 8 / images.Count);
    }
}
