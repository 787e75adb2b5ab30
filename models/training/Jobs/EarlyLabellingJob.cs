using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>
/// The regularised bottleneck with early labelling on Fashion-MNIST (formulas at <see cref="EarlyLabelling"/>), with a small teacher, and its
/// ablation: the same training without the KL term.
/// </summary>
public sealed class EarlyLabellingJob : IJob
{
    private const int Channels = 3;

    private static readonly Recipe Steps = new() { Epochs = 8, WeightDecay = 0.001 };

    /// <summary>b and c. The published configurations have c = 0: labels are learnt through the class-conditional Gaussians alone. The last two tell what c does, without and with them.</summary>
    private static readonly IReadOnlyList<(double Divergence, double Labels)> Variants = [(0, 0), (0.1, 0), (0.06, 0), (0, 0.3), (0.06, 0.3)];

    public string Name => "rebel";

    public string Description => "A variational bottleneck of 147 bytes with early labelling, with and without its KL term.";

    public Task Run(Workshop workshop)
    {
        using var net = SmallTeacher.Train(workshop);
        var teacher = new TeacherSplit(net);
        var sets = workshop.Task("fmnist").Sets;
        var points = new List<ComparisonPoint> { Teacher(net, sets.Test) };
        var (chosen, best) = ("", 0.0);
        foreach (var (divergence, labels) in Variants)
        {
            var recipe = new EarlyLabellingRecipe(workshop.Adjusted(Steps), Channels, divergence, labels);
            var name = string.Create(CultureInfo.InvariantCulture, $"KL {divergence}, labels {labels}");
            using var split = Trained(workshop, teacher, recipe);
            var fitted = new FittedSplit(teacher, split, sets.Train, recipe.Steps.Seed);
            var (calibration, test) = (fitted.On(sets.Calibration), fitted.On(sets.Test));
            workshop.Say($"{name}, calibration: {calibration}\n{name}, test: {test}");
            points.AddRange(test.Points(name));
            if (divergence > 0 && calibration.Score > best) (chosen, best) = (name, calibration.Score);
        }
        Comparison(workshop, chosen, points).Write(workshop.Comparisons);
        return Task.CompletedTask;
    }

    private static VariationalSplit Trained(Workshop workshop, TeacherSplit teacher, EarlyLabellingRecipe recipe)
    {
        var task = workshop.Task("fmnist");
        var name = string.Create(CultureInfo.InvariantCulture, $"rebel-{recipe.Divergence}-{recipe.Labels}");
        // The teacher's weights are part of what makes the result.
        var text = $"{recipe}, teacher {teacher.Network.WeightsHash()}";
        return workshop.Trained(name, new VariationalSplit(teacher.Network, recipe.Channels, recipe.Steps.Seed), text, (split, progress) => EarlyLabelling.Run(
            split, teacher, task.Learning(recipe.Steps.Seed, workshop.Options.Limit), task.Sets.Calibration, recipe, progress, workshop.Clock, workshop.Say));
    }

    private static ComparisonPoint Teacher(Network net, ImageSet test)
    {
        var architecture = net.Architecture;
        return new ComparisonPoint
        {
            Method = "teacher",
            Variant = "final exit",
            Accuracy = JointTraining.Accuracies(net, test)[^1],
            Wire = new Bytes(test.PixelCount),
            Note = string.Create(CultureInfo.InvariantCulture, $"{PieceCost.Work(architecture, architecture.Tail(0)).Total.Value / 1e6:F1} million MACs, raw image"),
        };
    }

    private Comparison Comparison(Workshop workshop, string chosen, IReadOnlyList<ComparisonPoint> points) => new()
    {
        Name = Name,
        Task = "fmnist",
        Text = "Regularised bottleneck with early labelling: b weighs the KL term, c the early classifier's cross-entropy (b KL, c labels; a = 1). " +
            "Early classifiers are fitted on the frozen latents of the training images: a linear layer, a Gaussian a class with full covariance (moments, nothing learnt), and the authors' mixture on a random projection; thresholds stand at quantiles of their training confidences. " +
            "Rows of a threshold give the accuracy of all images, early answers and offloaded ones together. " +
            $"With the KL term, \"{chosen}\" has the best mean of full and early accuracy on the calibration images.",
        Command = $"fleet-training train {Name}{workshop.Options.Differences}",
        Points = points,
    };
}
