using System.Globalization;
using Fleet.Models;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>How all exits of a network are trained together.</summary>
/// <param name="Steps">Epochs, rate, batch.</param>
/// <param name="ExitWeights">Of each exit's loss.</param>
/// <param name="Distillation">How much of an early exit's loss is to imitate the final exit, the rest being the labels.</param>
/// <param name="Temperature">Both sides' logits are divided by this when one imitates the other.</param>
public sealed record JointRecipe(Recipe Steps, IReadOnlyList<double> ExitWeights, double Distillation = 0.5, double Temperature = 2)
{
    /// <summary>All of it: two recipes of one text train alike.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Steps}, exit weights {string.Join(' ', ExitWeights)}, distillation {Distillation} at {Temperature}");
}

/// <summary>Trains all exits of a network together (see <see cref="Losses.SelfDistilled"/>).</summary>
public static class JointTraining
{
    public static IReadOnlyList<EpochReport> Run(
        Network net, ITrainingImages images, ImageSet validation, JointRecipe recipe, ProgressFile? progress, TimeProvider clock, Action<EpochReport> report)
    {
        Tensor Loss(Tensor batch, Tensor truth) =>
            Losses.SelfDistilled(net.forward(batch), truth, recipe.ExitWeights, recipe.Distillation, recipe.Temperature);
        return new TrainingLoop(net, images, recipe.Steps, progress, clock).Run(net.Train, Loss, () => Accuracies(net, validation), report);
    }

    /// <summary>Of every exit.</summary>
    public static IReadOnlyList<double> Accuracies(Network net, ImageSet images) =>
        [.. net.Logits(images).Select(logits => Calibration.Accuracy(logits, images.Labels, net.Architecture.ClassCount))];
}
