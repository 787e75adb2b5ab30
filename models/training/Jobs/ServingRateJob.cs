using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Deciding;

namespace Fleet.Training;

/// <summary>
/// Exit losses weighted by how often each exit answers in a fleet (<see cref="ServingRates"/>): copies of a trained network are fine-tuned for two
/// fleets and, with as many steps, for none.
/// </summary>
public sealed class ServingRateJob : IJob
{
    /// <summary>Added to every rate: an exit that nobody uses today is not forgotten.</summary>
    private const double Floor = 0.05;

    /// <summary>A quarter of the training images: fmnist is there already, and its epochs are dear.</summary>
    private const int FmnistImages = 13_750;

    private static readonly Recipe Steps = new() { Seed = 2, Epochs = 2, LearningRate = 1e-3, WeightDecay = 0.01 };

    /// <summary>Devices hold stage 1: some answer all by themselves, others send what they are not this sure of.</summary>
    private static readonly IReadOnlyList<(string Name, IReadOnlyList<FleetShare> Devices)> Fleets =
    [
        ("mostly-local", [new(85, Head: 1, Offloads: false, [0]), new(15, Head: 1, Offloads: true, [0.9])]),
        ("mostly-offloaded", [new(10, Head: 1, Offloads: false, [0]), new(90, Head: 1, Offloads: true, [0.999])]),
    ];

    public string Name => "serving-rates";

    public string Description => "Exit losses weighted by how often each exit answers in two fleets, against equal weights.";

    public Task Run(Workshop workshop)
    {
        var points = new List<ComparisonPoint>();
        using (var lenet = BranchyNetJob.Joint(workshop)) points.AddRange(Points(workshop, "b-lenet", lenet, BranchyNetJob.Images(workshop), Steps));
        using (var fmnist = JointJob.Fmnist.Train(workshop)) points.AddRange(Points(workshop, "fmnist", fmnist, workshop.Task("fmnist").Learning(Steps.Seed, Math.Min(FmnistImages, workshop.Options.Limit ?? FmnistImages)), Steps with { Epochs = 1 }));
        new Comparison
        {
            Name = Name,
            Task = "fmnist",
            Text = "Copies of a trained network fine-tuned with exit losses weighted by how often each exit answers in a fleet, or equally, with as many steps. " +
                "Rates are counted on the calibration images before; the accuracy is that of all answers in the fleet to the test images.",
            Command = workshop.Command(Name),
            Points = points,
        }.Write(workshop.Comparisons);
        return Task.CompletedTask;
    }

    private static IEnumerable<ComparisonPoint> Points(Workshop workshop, string name, Network start, ITrainingImages images, Recipe recipe)
    {
        var sets = workshop.Task("fmnist").Sets;
        var before = Cascades.Of(start, sets.Calibration, ExitScore.Probability);
        var weightings = Fleets.Select(fleet => (fleet.Name, Weights: ServingRates.LossWeights(ServingRates.Of(before, fleet.Devices), Floor)))
            .Prepend((Name: "nobody", Weights: [.. start.Architecture.Exits.Select(_ => 1.0)]));
        foreach (var weighting in weightings)
        {
            using var net = Tuned(workshop, name, start, images, weighting, workshop.Adjusted(recipe));
            var test = Cascades.Of(net, sets.Test, ExitScore.Probability);
            foreach (var (fleet, devices) in Fleets)
            {
                var point = new ComparisonPoint
                {
                    Method = $"{name}, weighted for {weighting.Name}",
                    Variant = $"answering {fleet}",
                    Accuracy = Quantity.Rounded(ServingRates.Accuracy(test, devices)),
                    Note = $"loss weights {Text(weighting.Weights, "F2")}; answers by exit {Text(ServingRates.Of(test, devices), "P1")}; " +
                        $"accuracy of each exit on all images {Text(JointTraining.Accuracies(net, sets.Test), "P2")}",
                };
                workshop.Say($"{point.Method}, {point.Variant}: {Text([point.Accuracy], "P2")}; {point.Note}");
                yield return point;
            }
        }
    }

    /// <summary>A copy that has gone on from where the network was left.</summary>
    private static Network Tuned(Workshop workshop, string name, Network start, ITrainingImages images, (string Name, double[] Weights) weighting, Recipe steps)
    {
        var task = workshop.Task("fmnist");
        var text = $"from {start.WeightsHash()}, {images.Count} images, loss weights {Text(weighting.Weights, "R")}, {steps}";
        return workshop.Trained($"{name}-for-{weighting.Name}", new Network(start.Architecture, steps.Seed), text, (net, progress) =>
        {
            net.CopyFrom(start);
            new TrainingLoop(net, images, steps, progress, workshop.Clock).Run(
                net.Train, (images, truth) => Losses.Joint(net.forward(images), truth, weighting.Weights), () => JointTraining.Accuracies(net, task.Sets.Calibration), workshop.Say);
        });
    }

    private static string Text(IEnumerable<double> values, string format) => string.Join(' ', values.Select(value => value.ToString(format, CultureInfo.InvariantCulture)));
}
