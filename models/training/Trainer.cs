using Fleet.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>What one epoch came to: mean training loss, each exit's accuracy on the validation images, and the time since the start.</summary>
public sealed record EpochReport(int Epoch, int Epochs, double Loss, IReadOnlyList<double> Accuracy, TimeSpan Elapsed)
{
    public TimeSpan Remaining => Elapsed / Epoch * (Epochs - Epoch);
}

/// <summary>
/// Trains all exits of a network together. The loss of the final exit is the cross-entropy H with the labels; an early exit also
/// learns from the final one (Zhang et al., Be your own teacher, ICCV 2019, without its hints):
/// loss = H(final) + w sum over early exits ((1 - a) H(exit) + a t^2 KL(softmax(final / t) || softmax(exit / t))).
/// The same recipe, data and thread count give the same weights, bit for bit, on one machine.
/// </summary>
public sealed class Trainer
{
    private readonly EarlyExitNet net;
    private readonly ImageSet train;
    private readonly Recipe recipe;
    private readonly TimeProvider clock;
    private readonly Random random;
    private readonly Augmentation augmentation;
    private readonly float[] pixels;
    private readonly long[] labels;

    public Trainer(EarlyExitNet net, ImageSet train, Recipe recipe, TimeProvider clock)
    {
        (this.net, this.train, this.recipe, this.clock) = (net, train, recipe, clock);
        random = new Random(recipe.Seed);
        augmentation = new Augmentation(train, random);
        pixels = new float[recipe.BatchSize * train.PixelCount];
        labels = new long[recipe.BatchSize];
    }

    /// <param name="validation">Images to report accuracy on; nothing is learnt or chosen from them.</param>
    /// <param name="report">Called after every epoch.</param>
    /// <exception cref="ArgumentException">There are fewer training images than one batch has.</exception>
    public IReadOnlyList<EpochReport> Run(ImageSet validation, Action<EpochReport> report)
    {
        var batches = train.Count / recipe.BatchSize;
        if (batches == 0) throw new ArgumentException($"{train.Count} training images are fewer than a batch of {recipe.BatchSize}");
        torch.random.manual_seed(recipe.Seed);
        using var optimiser = optim.AdamW(net.parameters(), recipe.LearningRate, weight_decay: recipe.WeightDecay);
        var order = Enumerable.Range(0, train.Count).ToArray();
        var reports = new List<EpochReport>();
        var start = clock.GetTimestamp();
        for (var epoch = 0; epoch < recipe.Epochs; epoch++)
        {
            net.train();
            random.Shuffle(order);
            var loss = 0.0;
            for (var batch = 0; batch < batches; batch++)
            {
                var rate = recipe.RateAt(epoch * batches + batch, recipe.Epochs * batches);
                foreach (var group in optimiser.ParamGroups) group.LearningRate = rate;
                loss += Step(optimiser, order.AsSpan(batch * recipe.BatchSize, recipe.BatchSize));
            }
            var accuracy = net.Logits(validation).Select(logits => Calibration.Accuracy(logits, validation.Labels, net.Architecture.ClassCount)).ToArray();
            reports.Add(new EpochReport(epoch + 1, recipe.Epochs, loss / batches, accuracy, clock.GetElapsedTime(start)));
            report(reports[^1]);
        }
        return reports;
    }

    /// <summary>One step of gradient descent on the images of one batch.</summary>
    /// <returns>The loss before the step.</returns>
    private double Step(optim.Optimizer optimiser, ReadOnlySpan<int> indices)
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < indices.Length; i++)
        {
            augmentation.Fill(indices[i], pixels.AsSpan(i * train.PixelCount, train.PixelCount));
            labels[i] = train.Labels[indices[i]];
        }
        optimiser.zero_grad();
        var loss = Loss(net.forward(tensor(pixels, [indices.Length, 1, train.Side, train.Side])), tensor(labels));
        loss.backward();
        optimiser.step();
        return loss.item<float>();
    }

    private Tensor Loss(Tensor[] exits, Tensor truth)
    {
        var loss = nn.functional.cross_entropy(exits[^1], truth);
        foreach (var exit in exits[..^1])
        {
            var fromLabels = nn.functional.cross_entropy(exit, truth) * (1 - recipe.Distillation);
            var fromFinal = Imitation(exit, exits[^1].detach()) * recipe.Distillation;
            loss += (fromLabels + fromFinal) * recipe.EarlyExitWeight;
        }
        return loss;
    }

    /// <summary>t^2 KL(softmax(teacher / t) || softmax(student / t)), the mean over the batch; t^2 keeps its gradients on the labels' scale.</summary>
    private Tensor Imitation(Tensor student, Tensor teacher)
    {
        var t = recipe.DistillationTemperature;
        var target = nn.functional.log_softmax(teacher / t, 1);
        var divergence = (target.exp() * (target - nn.functional.log_softmax(student / t, 1))).sum(1).mean();
        return divergence * (t * t);
    }
}
