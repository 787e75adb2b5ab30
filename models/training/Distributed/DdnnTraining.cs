using System.Globalization;
using Fleet.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <param name="Steps">Epochs, rate, batch.</param>
/// <param name="Dropout">How often a view is absent while the network learns; one always stays.</param>
public sealed record DdnnRecipe(Recipe Steps, double Dropout)
{
    /// <inheritdoc cref="JointRecipe.ToString"/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Steps}, view dropout {Dropout}");
}

/// <summary>
/// Trains all exits of a distributed network together with equal weights: the sum of the cross-entropies of every device's own exit and of
/// the local, edge and cloud exits (Teerapittayanon et al., ICDCS 2017, section III-C). In training views are absent at random, so that the
/// exits over several devices learn to do without any of them; every device's own exit always learns.
/// </summary>
public static class DdnnTraining
{
    public static IReadOnlyList<EpochReport> Run(
        Ddnn net, ITrainingImages images, ImageSet validation, DdnnRecipe recipe, ProgressFile? progress, TimeProvider clock, Action<EpochReport> report)
    {
        Tensor Loss(Tensor batch, Tensor truth)
        {
            net.Devices.Clip();
            var logits = net.Run(batch, Presence(batch.shape[0], net.Grid.Views, recipe.Dropout));
            var loss = nn.functional.cross_entropy(logits.Local, truth) + nn.functional.cross_entropy(logits.Edge, truth) + nn.functional.cross_entropy(logits.Cloud, truth);
            for (var view = 0; view < net.Grid.Views; view++) loss += nn.functional.cross_entropy(logits.Devices.select(1, view), truth);
            return loss;
        }
        IReadOnlyList<double> Validate()
        {
            using var outcomes = DdnnOutcomes.Of(net, validation);
            var seen = outcomes.With(DdnnOutcomes.AllPresent(net.Grid.Views));
            return [seen.Accuracy(seen.Local), seen.Accuracy(seen.Edge), seen.Accuracy(seen.Cloud)];
        }
        return new TrainingLoop(net, images, recipe.Steps, progress, clock).Run(() => net.train(), Loss, Validate, report);
    }

    /// <summary>[N, views] of ones and, with probability <paramref name="dropout"/>, zeros; no row is all zeros.</summary>
    public static Tensor Presence(long rows, int views, double dropout)
    {
        var draw = rand(rows, views);
        return (draw >= dropout).logical_or(draw == draw.amax([1], keepdim: true)).to(ScalarType.Float32);
    }
}
