using System.Globalization;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>How a variational split is trained.</summary>
/// <param name="Steps">Epochs, rate, batch.</param>
/// <param name="Channels">Of the latent.</param>
/// <param name="Divergence">b: of the KL term, in nats a latent value; 0 is the ablation.</param>
/// <param name="Labels">c: of the early classifier's cross-entropy in nats; its gradient reaches the encoder.</param>
public sealed record EarlyLabellingRecipe(Recipe Steps, int Channels, double Divergence, double Labels)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Steps}, {Channels} latent channels, KL {Divergence}, early labels {Labels}");
}

/// <summary>
/// The joint loss of the regularised bottleneck with early labelling (authors' code of 2022, gabrielecastellano/early-exit-distillation):
/// a ||f_student - f_teacher||^2 + b KL(N(mu(x), diag var(x)) || N(mu_y, Sigma_y)) + c CE(early(z), y). Theirs sums squares over all features, so that
/// b = 25,000 beside a = 1; here each term has a unit of its own: the squared error as a share of the teacher's variance (a = 1; always guessing the
/// mean costs 1), the divergence in nats a latent value, the cross-entropy in nats.
/// </summary>
public static class EarlyLabelling
{
    /// <summary>The loss of a batch.</summary>
    /// <param name="split">In training mode; its class Gaussians take the batch in.</param>
    /// <param name="features">The teacher's, at <see cref="VariationalSplit.Cut"/>.</param>
    /// <param name="images">[N, 1, side, side].</param>
    /// <param name="truth">Labels [N].</param>
    /// <param name="recipe">b and c.</param>
    public static Tensor Loss(VariationalSplit split, Tensor features, Tensor images, Tensor truth, EarlyLabellingRecipe recipe)
    {
        var (mean, logVariance) = split.Encode(images);
        var latents = mean + (logVariance * 0.5).exp() * randn_like(mean);
        var loss = Distortion(split.Decode(latents), features);
        if (recipe.Divergence > 0)
        {
            split.Gaussians.Follow(mean, logVariance, truth);
            loss += split.Gaussians.Divergence(mean, logVariance, truth).mean() * (recipe.Divergence / split.LatentSize);
        }
        if (recipe.Labels > 0) loss += nn.functional.cross_entropy(split.Early(latents), truth) * recipe.Labels;
        return loss;
    }

    /// <summary>The mean squared error as a share of the features' variance about their mean over the batch.</summary>
    public static Tensor Distortion(Tensor student, Tensor teacher)
    {
        var variance = (teacher - teacher.mean([0], keepdim: true)).square().mean();
        return (student - teacher).square().mean() / (variance + 1e-8);
    }

    /// <summary>Trains against a teacher that stays; validates by the accuracy of the teacher's tail on decoded means.</summary>
    public static void Run(VariationalSplit split, TeacherSplit teacher, ITrainingImages images, ImageSet validation, EarlyLabellingRecipe recipe,
        ProgressFile? progress, TimeProvider clock, Action<EpochReport> report)
    {
        Tensor OfBatch(Tensor batch, Tensor truth) => Loss(split, teacher.Features(batch), batch, truth, recipe);
        double Accuracy()
        {
            using var scope = NewDisposeScope();
            return Models.Calibration.Accuracy(teacher.TailLogits(split, new Latents(split, validation).Values), validation.Labels, teacher.Classes);
        }
        new TrainingLoop(split, images, recipe.Steps, progress, clock).Run(() => split.train(), OfBatch, () => [Accuracy()], report);
    }
}
