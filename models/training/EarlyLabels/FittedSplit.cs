using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>A trained split with what is fitted on its training latents: early classifiers, the confidences that thresholds come from, the int8 scale.</summary>
public sealed class FittedSplit
{
    private readonly TeacherSplit teacher;
    private readonly VariationalSplit split;
    private readonly float scale;
    private readonly IReadOnlyList<(string Name, nn.Module<Tensor, Tensor> Classifier, Contracts.Macs Work, EarlyAnswers Learnt)> classifiers;

    /// <param name="teacher">Its tail goes on.</param>
    /// <param name="split">Trained; stays.</param>
    /// <param name="train">What it was trained on.</param>
    /// <param name="seed">Of the early classifiers.</param>
    public FittedSplit(TeacherSplit teacher, VariationalSplit split, ImageSet train, int seed)
    {
        (this.teacher, this.split) = (teacher, split);
        var latents = new Latents(split, train);
        scale = latents.Scale;
        var mixture = EarlyClassifiers.Mixture(latents, teacher.Classes, seed);
        var gaussians = EarlyClassifiers.Gaussians(latents, teacher.Classes);
        var linearWork = new Contracts.Macs((double)split.LatentSize * teacher.Classes);
        classifiers = [Of("linear", EarlyClassifiers.Linear(latents, teacher.Classes, seed), linearWork), Of("Gaussians", gaussians, gaussians.Work), Of("mixture", mixture, mixture.Work)];

        (string, nn.Module<Tensor, Tensor>, Contracts.Macs, EarlyAnswers) Of(string name, nn.Module<Tensor, Tensor> classifier, Contracts.Macs work) =>
            (name, classifier, split.DeviceWork + work, new EarlyAnswers(EarlyClassifiers.Logits(classifier, latents), latents.Labels));
    }

    /// <summary>What it comes to on other images.</summary>
    public SplitOutcomes On(ImageSet images)
    {
        var latents = new Latents(split, images);
        return new SplitOutcomes(
            new EarlyAnswers(teacher.TailLogits(split, latents.Values), images.Labels),
            new EarlyAnswers(teacher.TailLogits(split, latents.Crossed(scale)), images.Labels),
            [.. classifiers.Select(early => new EarlyOutcome(early.Name, early.Work, early.Learnt, new EarlyAnswers(EarlyClassifiers.Logits(early.Classifier, latents), images.Labels)))],
            new Contracts.Bytes(split.LatentSize), split.DeviceWork);
    }
}
