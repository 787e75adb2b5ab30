using Fleet.Terminal;
using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>What one epoch came to: mean training loss, what validation measured, and the time this run has taken.</summary>
public sealed record EpochReport(int Epoch, int Epochs, double Loss, IReadOnlyList<double> Figures, TimeSpan Elapsed, TimeSpan Remaining);

/// <summary>
/// Gradient descent over epochs. The same recipe, data and thread count give the same weights, bit for bit, on one machine, and so
/// does a run that was interrupted: all that is random in an epoch follows from the seed and its number, and weights and the
/// optimiser's state are kept after each.
/// </summary>
/// <param name="module">What is trained; only parameters that require gradients are.</param>
/// <param name="images">To learn from.</param>
/// <param name="recipe">Epochs, rate, batch.</param>
/// <param name="progress">File that an interrupted run goes on from; null to keep nothing.</param>
/// <param name="clock">For reports.</param>
public sealed class TrainingLoop(nn.Module module, ITrainingImages images, Recipe recipe, ProgressFile? progress, TimeProvider clock)
{
    private readonly byte[] image = new byte[images.Side * images.Side];
    private readonly float[] pixels = new float[recipe.BatchSize * images.Side * images.Side];
    private readonly long[] labels = new long[recipe.BatchSize];

    /// <param name="enterTraining">Puts the module into training mode, before each epoch.</param>
    /// <param name="loss">Of a batch: images [N, 1, side, side] and labels [N] to a scalar.</param>
    /// <param name="validate">Figures to report; nothing is learnt or chosen from them.</param>
    /// <param name="report">Called after every epoch.</param>
    /// <exception cref="ArgumentException">There are fewer training images than one batch has.</exception>
    public IReadOnlyList<EpochReport> Run(Action enterTraining, Func<Tensor, Tensor, Tensor> loss, Func<IReadOnlyList<double>> validate, Action<EpochReport> report)
    {
        var batches = images.Count / recipe.BatchSize;
        if (batches == 0) throw new ArgumentException($"{images.Count} training images are fewer than a batch of {recipe.BatchSize}");
        using var optimiser = optim.AdamW(module.parameters().Where(parameter => parameter.requires_grad), recipe.LearningRate, weight_decay: recipe.WeightDecay);
        var reports = progress?.Resume(module, optimiser) ?? [];
        var done = reports.Count;
        var start = clock.GetTimestamp();
        for (var epoch = done; epoch < recipe.Epochs; epoch++)
        {
            enterTraining();
            var mean = ProgressBar.Show($"epoch {epoch + 1} of {recipe.Epochs}", tell => Epoch(epoch, batches, optimiser, loss, tell));
            var figures = validate();
            var elapsed = clock.GetElapsedTime(start);
            reports.Add(new EpochReport(epoch + 1, recipe.Epochs, mean, figures, elapsed, elapsed / (epoch + 1 - done) * (recipe.Epochs - epoch - 1)));
            progress?.Keep(module, optimiser, reports);
            report(reports[^1]);
        }
        return reports;
    }

    private double Epoch(int epoch, int batches, optim.Optimizer optimiser, Func<Tensor, Tensor, Tensor> loss, Action<double> tell)
    {
        var seed = Models.Seeds.Mix(recipe.Seed, epoch);
        torch.random.manual_seed(seed);
        var order = Enumerable.Range(0, images.Count).ToArray();
        new Random(seed).Shuffle(order);
        var total = 0.0;
        for (var batch = 0; batch < batches; batch++)
        {
            var rate = recipe.RateAt(epoch * batches + batch, recipe.Epochs * batches);
            foreach (var group in optimiser.ParamGroups) group.LearningRate = rate;
            total += Step(epoch, order.AsSpan(batch * recipe.BatchSize, recipe.BatchSize), optimiser, loss);
            tell((batch + 1.0) / batches);
        }
        return total / batches;
    }

    /// <returns>The loss before the step.</returns>
    private double Step(int epoch, ReadOnlySpan<int> indices, optim.Optimizer optimiser, Func<Tensor, Tensor, Tensor> loss)
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < indices.Length; i++)
        {
            labels[i] = images.Draw(epoch, indices[i], image);
            images.Normalisation.Apply(image, pixels.AsSpan(i * image.Length, image.Length));
        }
        optimiser.zero_grad();
        var value = loss(tensor(pixels, [indices.Length, 1, images.Side, images.Side]), tensor(labels));
        value.backward();
        optimiser.step();
        return value.item<float>();
    }
}
