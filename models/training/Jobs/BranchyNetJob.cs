using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Deciding;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// BranchyNet's B-LeNet, trained in three ways: its trunk alone, then trunk and branch together from there, or the branch alone on a
/// trunk that stays as it is. Thresholds are screened on the calibration images; figures are of the test images.
/// </summary>
public sealed class BranchyNetJob : IJob
{
    /// <summary>The share of MNIST's images that left at the branch in the paper's table I, its threshold being 0.025.</summary>
    private const double PublishedShare = 0.943;

    /// <summary>How much accuracy a threshold may cost on the calibration images, against the final exit.</summary>
    private const double LossMax = 0.002;

    /// <summary>Of the branch's loss and the final one's: that early weights help is the paper's finding on B-AlexNet with one branch.</summary>
    private static readonly double[] Weights = [1, 0.3];

    /// <summary>Of each training; two start from the trained trunk.</summary>
    public static readonly Recipe Steps = new() { Epochs = 8, LearningRate = 1e-3, WeightDecay = 0.01 };

    /// <summary>Of weights and batches: what is compared differs by little more than two trainings of one kind do.</summary>
    private static readonly IReadOnlyList<int> Seeds = [1, 2, 3];

    public string Name => "b-lenet";

    public string Description => "BranchyNet's B-LeNet on Fashion-MNIST: trunk and branch trained together and apart, thresholds screened.";

    public Task Run(Workshop workshop)
    {
        var seeds = workshop.Options.Seed is { } seed ? [seed] : Seeds;
        var runs = seeds.Select(seed => Trainings(workshop, seed)).ToList();
        using var joint = Joint(workshop, seeds[0]);
        using var separate = Separate(workshop, seeds[0]);
        var sets = workshop.Task("fmnist").Sets;
        new Comparison
        {
            Name = Name,
            Task = "fmnist",
            Text = $"BranchyNet's B-LeNet: trunk alone; trunk and branch trained together from there (exit weights 1 and 0.3); the branch alone on the frozen trunk, for as many epochs. " +
                (runs.Count == 1 ? "" : $"Exits are means over {seeds.Count} seeds of weights and batches, with the standard error of the mean. ") +
                "An image leaves at the branch when its entropy in nats is below T. Rows with a threshold are of the seed that ships: the Pareto front that the calibration images give over the published grid, " +
                "measured on the test images; work counts the branch's head, which the published timer did not.",
            Command = workshop.Command(Name),
            Points = [.. Means(workshop, runs), .. Points("joint", joint, sets, workshop), .. Points("separate", separate, sets, workshop)],
        }.Write(workshop.Comparisons);
        return Task.CompletedTask;
    }

    /// <summary>Both exits trained together, from the trained trunk.</summary>
    public static Network Joint(Workshop workshop, int seed = 1) => Trained(workshop, "b-lenet", Steps with { Seed = seed },
        $"joint, exit weights {string.Join(' ', Weights.Select(weight => weight.ToString(CultureInfo.InvariantCulture)))}, from a trunk of {Steps}",
        net => StartFromTrunk(workshop, net, seed),
        (net, images, truth) => Losses.Joint(net.forward(images), truth, Weights));

    /// <summary>The branch trained alone; the trunk stays.</summary>
    private static Network Separate(Workshop workshop, int seed) => Trained(workshop, "b-lenet-separate", Steps with { Seed = seed }, $"branch alone, on a trunk of {Steps}",
        net =>
        {
            StartFromTrunk(workshop, net, seed);
            net.Freeze(net.Architecture.Tail(0).Layers);
        },
        (net, images, truth) => nn.functional.cross_entropy(Exit(net, images, net.Architecture.Stage(1)), truth));

    private static Network Trunk(Workshop workshop, int seed) => Trained(workshop, "b-lenet-trunk", Steps with { Seed = seed }, "trunk alone",
        net => net.Freeze(net.Architecture.Layers.Except(net.Architecture.Tail(0).Layers)),
        (net, images, truth) => nn.functional.cross_entropy(Exit(net, images, net.Architecture.Tail(0)), truth));

    /// <summary>The branch starts from the same random weights in all three.</summary>
    private static void StartFromTrunk(Workshop workshop, Network net, int seed)
    {
        using var trunk = Trunk(workshop, seed);
        net.CopyFrom(trunk);
    }

    /// <summary>Neither moved nor mirrored, as in the paper: so small a network does not learn them by heart.</summary>
    public static PlainImages Images(Workshop workshop) => new(FashionMnist.Limited(workshop.Task("fmnist").Sets.Train, workshop.Options.Limit));

    private static Tensor Exit(Network net, Tensor images, Piece piece) => net.Values(piece.Input, images, piece.Layers)[piece.Logits!];

    private static Network Trained(Workshop workshop, string name, Recipe recipe, string how, Action<Network> prepare, Func<Network, Tensor, Tensor, Tensor> loss)
    {
        var steps = workshop.Adjusted(recipe);
        var task = workshop.Task("fmnist");
        return workshop.Trained(steps.Seed == 1 ? name : $"{name}-{steps.Seed}", new Network(ZooNetworks.BLeNet(), steps.Seed), $"{how}, images as they are, {steps}", (net, progress) =>
        {
            prepare(net);
            new TrainingLoop(net, Images(workshop), steps, progress, workshop.Clock).Run(
                net.Train, (images, truth) => loss(net, images, truth), () => JointTraining.Accuracies(net, task.Sets.Calibration), workshop.Say);
        });
    }

    /// <summary>For the card.</summary>
    public static TrainingRecord Record(Workshop workshop)
    {
        var steps = workshop.Adjusted(Steps);
        var images = Math.Min(workshop.Options.Limit ?? int.MaxValue, workshop.Task("fmnist").Sets.Train.Count);
        return new TrainingRecord("b-lenet", workshop.Command("b-lenet-export"), steps.Seed, steps.Epochs, images);
    }

    /// <summary>Test accuracies of the three trainings from one seed.</summary>
    private sealed record Outcome(double Trunk, IReadOnlyList<double> Joint, IReadOnlyList<double> Separate);

    private static Outcome Trainings(Workshop workshop, int seed)
    {
        var test = workshop.Task("fmnist").Sets.Test;
        using var trunk = Trunk(workshop, seed);
        using var joint = Joint(workshop, seed);
        using var separate = Separate(workshop, seed);
        return new Outcome(JointTraining.Accuracies(trunk, test)[^1], JointTraining.Accuracies(joint, test), JointTraining.Accuracies(separate, test));
    }

    private static IEnumerable<ComparisonPoint> Means(Workshop workshop, IReadOnlyList<Outcome> runs)
    {
        var net = ZooNetworks.BLeNet();
        var (trunk, work) = (PieceCost.Work(net, net.Tail(0)).Total, Cascades.Work(net));
        yield return Mean("trunk alone", "final exit", trunk, [.. runs.Select(run => run.Trunk)]);
        yield return Mean("joint", "final exit", work[1], [.. runs.Select(run => run.Joint[1])]);
        var gains = new MeanAndError([.. runs.Select(run => run.Joint[0] - run.Separate[0])]);
        var gain = string.Create(CultureInfo.InvariantCulture, $"; {gains.Mean * 100:+0.00;-0.00} points against separate") +
            (runs.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" in the mean over the same seeds, standard error {gains.Error * 100:F2}"));
        var joint = Mean("joint", "exit 1", work[0], [.. runs.Select(run => run.Joint[0])]);
        yield return joint with { Note = (joint.Note + gain).TrimStart(';', ' ') };
        yield return Mean("separate", "final exit", work[1], [.. runs.Select(run => run.Separate[1])]);
        yield return Mean("separate", "exit 1", work[0], [.. runs.Select(run => run.Separate[0])]);

        ComparisonPoint Mean(string method, string variant, Macs work, IReadOnlyList<double> accuracies)
        {
            var (mean, error) = new MeanAndError(accuracies);
            var note = accuracies.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"standard error {error * 100:F2}: {string.Join(" ", accuracies.Select(accuracy => (accuracy * 100).ToString("F2", CultureInfo.InvariantCulture)))}");
            workshop.Say(string.Create(CultureInfo.InvariantCulture, $"{method}, {variant}: accuracy {mean:P2}, {note}"));
            return new ComparisonPoint { Method = method, Variant = variant, Accuracy = Quantity.Rounded(mean), Device = work, Note = note };
        }
    }

    private static IEnumerable<ComparisonPoint> Points(string method, Network net, ImageSets sets, Workshop workshop)
    {
        var calibration = Cascades.Of(net, sets.Calibration, ExitScore.Entropy);
        var test = Cascades.Of(net, sets.Test, ExitScore.Entropy);
        var front = Screening.ParetoFront(calibration, Screening.DefaultGrids(calibration));
        var chosen = Screening.Cheapest(front, calibration.FullAccuracy - LossMax);

        foreach (var outcome in front)
            yield return Leaving(outcome.Thresholds[0], outcome == chosen ? "; the least work within 0.2 point of the final exit on the calibration images" : "");
        yield return Leaving(ThresholdFor(calibration, PublishedShare), "; the published share of 94.3 % on the calibration images");

        ComparisonPoint Leaving(double threshold, string note)
        {
            var outcome = test.Evaluate([threshold]);
            var gain = PieceCost.Work(net.Architecture, net.Architecture.Tail(0)).Total / outcome.MeanMacs;
            var text = string.Create(CultureInfo.InvariantCulture, $"{outcome.ExitShares[0]:P1} leave at the branch; {gain:F2} times less work than the trunk alone{note}");
            var variant = string.Create(CultureInfo.InvariantCulture, $"T = {threshold:G4}");
            workshop.Say(string.Create(CultureInfo.InvariantCulture, $"{method}, {variant}: accuracy {outcome.Accuracy:P2}, {text}"));
            return new ComparisonPoint { Method = method + ", entropy exit", Variant = variant, Accuracy = outcome.Accuracy, Device = Quantity.Rounded(outcome.MeanMacs), Note = text };
        }
    }

    /// <summary>The entropy below which a share of the images leaves by exit 1.</summary>
    private static double ThresholdFor(Cascade cascade, double share)
    {
        var surest = cascade.Sureness(1).ToArray();
        Array.Sort(surest);
        return ExitRule.AtLeast(cascade.Score, surest[(int)Math.Round((1 - share) * surest.Length)]).Threshold;
    }
}
