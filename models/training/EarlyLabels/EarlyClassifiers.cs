using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>Classifiers on the latents of a split that is trained and stays: every split gets the same ones, fitted alike.</summary>
public static class EarlyClassifiers
{
    private static readonly Recipe Steps = new() { Epochs = 6, BatchSize = 250, WeightDecay = 0.01 };

    /// <summary>One linear layer; fitted.</summary>
    public static nn.Module<Tensor, Tensor> Linear(Latents latents, int classes, int seed)
    {
        random.manual_seed(seed);
        var linear = nn.Linear(latents.Values.shape[1], classes);
        return Fit(linear, latents, seed);
    }

    /// <summary><see cref="GaussianMixture"/>; fitted by its posterior's cross-entropy.</summary>
    public static GaussianMixture Mixture(Latents latents, int classes, int seed)
    {
        var mixture = new GaussianMixture(latents.Values, latents.Labels, classes, seed);
        Fit(mixture, latents, seed);
        return mixture;
    }

    /// <summary>A Gaussian a class, whose moments are those of the latents: nothing to learn.</summary>
    public static ClassGaussians Gaussians(Latents latents, int classes)
    {
        var gaussians = new ClassGaussians(classes, (int)latents.Values.shape[1]);
        using var scope = NewDisposeScope();
        var labels = tensor(latents.Labels.Select(label => (long)label).ToArray());
        foreach (var (mean, own) in latents.Values.split(1000).Zip(labels.split(1000)))
            gaussians.Follow(mean, full_like(mean, float.NegativeInfinity), own, decay: 1);
        return gaussians;
    }

    /// <summary>[image, class], flattened.</summary>
    public static float[] Logits(nn.Module<Tensor, Tensor> classifier, Latents latents)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return [.. latents.Values.split(1000).SelectMany(part => Network.Elements(classifier.forward(part)))];
    }

    private static nn.Module<Tensor, Tensor> Fit(nn.Module<Tensor, Tensor> classifier, Latents latents, int seed)
    {
        using var optimiser = optim.AdamW(classifier.parameters(), Steps.LearningRate, weight_decay: Steps.WeightDecay);
        var labels = latents.Labels.Select(label => (long)label).ToArray();
        var batches = labels.Length / Steps.BatchSize;
        var draws = new Random(seed);
        for (var step = 0; step < Steps.Epochs * batches; step++)
        {
            using var scope = NewDisposeScope();
            var rows = new long[Steps.BatchSize];
            for (var i = 0; i < rows.Length; i++) rows[i] = draws.Next(labels.Length);
            foreach (var group in optimiser.ParamGroups) group.LearningRate = Steps.RateAt(step, Steps.Epochs * batches);
            optimiser.zero_grad();
            var logits = classifier.forward(latents.Values.index_select(0, tensor(rows)));
            nn.functional.cross_entropy(logits, tensor(Array.ConvertAll(rows, row => labels[row]))).backward();
            optimiser.step();
        }
        return classifier;
    }
}
