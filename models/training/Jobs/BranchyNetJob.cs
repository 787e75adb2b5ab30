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

    private static readonly Recipe TrunkSteps = new() { Epochs = 12, WeightDecay = 0.01 };

    /// <summary>Of what starts from the trained trunk.</summary>
    private static readonly Recipe BranchSteps = TrunkSteps with { Epochs = 16 };

    public string Name => "b-lenet";

    public string Description => "BranchyNet's B-LeNet on Fashion-MNIST: trunk and branch trained together and apart, thresholds screened.";

    public Task Run(Workshop workshop)
    {
        using var trunk = Trunk(workshop);
        using var joint = Joint(workshop);
        using var separate = Separate(workshop);
        Comparison(workshop, trunk, joint, separate).Write(workshop.Comparisons);
        return Task.CompletedTask;
    }

    /// <summary>Both exits trained together, from the trained trunk.</summary>
    public static Network Joint(Workshop workshop) => Trained(workshop, "b-lenet", BranchSteps,
        $"joint, exit weights {string.Join(' ', Weights.Select(weight => weight.ToString(CultureInfo.InvariantCulture)))}, from a trunk of {TrunkSteps}",
        net => StartFromTrunk(workshop, net),
        (net, images, truth) => Losses.Joint(net.forward(images), truth, Weights));

    /// <summary>The branch trained alone; the trunk stays.</summary>
    public static Network Separate(Workshop workshop) => Trained(workshop, "b-lenet-separate", BranchSteps, $"branch alone, on a trunk of {TrunkSteps}",
        net =>
        {
            StartFromTrunk(workshop, net);
            net.Freeze(net.Architecture.Tail(0).Layers);
        },
        (net, images, truth) => nn.functional.cross_entropy(Exit(net, images, net.Architecture.Stage(1)), truth));

    private static Network Trunk(Workshop workshop) => Trained(workshop, "b-lenet-trunk", TrunkSteps, "trunk alone",
        net => net.Freeze(net.Architecture.Layers.Except(net.Architecture.Tail(0).Layers)),
        (net, images, truth) => nn.functional.cross_entropy(Exit(net, images, net.Architecture.Tail(0)), truth));

    /// <summary>The branch starts from the same random weights in all three.</summary>
    private static void StartFromTrunk(Workshop workshop, Network net)
    {
        using var trunk = Trunk(workshop);
        net.CopyFrom(trunk);
    }

    private static Tensor Exit(Network net, Tensor images, Piece piece) => net.Values(piece.Input, images, piece.Layers)[piece.Logits!];

    private static Network Trained(Workshop workshop, string name, Recipe recipe, string how, Action<Network> prepare, Func<Network, Tensor, Tensor, Tensor> loss)
    {
        var steps = workshop.Adjusted(recipe);
        var task = workshop.Task("fmnist");
        return workshop.Trained(name, new Network(ZooNetworks.BLeNet(), steps.Seed), $"{how}, {steps}", (net, progress) =>
        {
            prepare(net);
            new TrainingLoop(net, task.Learning(steps.Seed, workshop.Options.Limit), steps, progress, workshop.Clock).Run(
                net.Train, (images, truth) => loss(net, images, truth), () => JointTraining.Accuracies(net, task.Sets.Calibration), workshop.Say);
        });
    }

    /// <summary>For the card.</summary>
    public static TrainingRecord Record(Workshop workshop)
    {
        var steps = workshop.Adjusted(BranchSteps);
        var images = Math.Min(workshop.Options.Limit ?? int.MaxValue, workshop.Task("fmnist").Sets.Train.Count);
        return new TrainingRecord("b-lenet", $"fleet-training train b-lenet-export{workshop.Options.Differences}", steps.Seed, steps.Epochs, images);
    }

    private Comparison Comparison(Workshop workshop, Network trunk, Network joint, Network separate)
    {
        var sets = workshop.Task("fmnist").Sets;
        return new Comparison
        {
            Name = Name,
            Task = "fmnist",
            Text = "BranchyNet's B-LeNet: trunk alone; trunk and branch trained together from there (exit weights 1 and 0.3); the branch alone on the frozen trunk. " +
                "An image leaves at the branch when its entropy in nats is below T. Rows with a threshold are the Pareto front that the calibration images give over the published grid, " +
                "measured on the test images; work counts the branch's head, which the published timer did not.",
            Command = $"fleet-training train {Name}{workshop.Options.Differences}",
            Points = [Alone(trunk, sets.Test), .. Points("joint", joint, sets, workshop), .. Points("separate", separate, sets, workshop)],
        };
    }

    private static ComparisonPoint Alone(Network trunk, ImageSet test) => new()
    {
        Method = "trunk alone",
        Variant = "final exit",
        Accuracy = JointTraining.Accuracies(trunk, test)[^1],
        Device = PieceCost.Work(trunk.Architecture, trunk.Architecture.Tail(0)).Total,
    };

    private static IEnumerable<ComparisonPoint> Points(string method, Network net, ImageSets sets, Workshop workshop)
    {
        var calibration = Cascades.Of(net, sets.Calibration, ExitScore.Entropy);
        var test = Cascades.Of(net, sets.Test, ExitScore.Entropy);
        var front = Screening.ParetoFront(calibration, Screening.DefaultGrids(calibration));
        var chosen = Screening.Cheapest(front, calibration.FullAccuracy - LossMax);

        yield return new ComparisonPoint { Method = method, Variant = "final exit", Accuracy = test.FullAccuracy, Device = test.Macs[1] };
        yield return new ComparisonPoint { Method = method, Variant = "exit 1", Accuracy = test.Evaluate([double.PositiveInfinity]).Accuracy, Device = test.Macs[0] };
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
