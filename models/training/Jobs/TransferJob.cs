using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>A trained network, fitted to sites whose data differ: how much of what was lost comes back, and what must be shipped.</summary>
public sealed record TransferJob(string Name, string Description, JointJob Main, IReadOnlyList<Site> Sites, IReadOnlyList<Adaptation> Ways) : IJob
{
    /// <summary>How many samples a site gives.</summary>
    public const int Samples = 500;

    /// <summary>Every drift at level 2, and a place where most of what comes is of the class least often recognised: shirts.</summary>
    public static readonly IReadOnlyList<Site> Everywhere = [.. Drift.Levels.Where(drift => drift.Level == Level).Select(drift => Site.Of(drift)), Site.Of(new LabelShift(Label: 6, Percent: 70))];

    private const int Level = 2;

    public static readonly TransferJob Fmnist = new("fmnist-transfer", "fmnist fitted to drifted sites by retraining parts of stage 1.", JointJob.Fmnist, Everywhere,
    [
        new(AdaptedPart.Norms, LabelSource.Tail, seed: 1),
        new(AdaptedPart.Exit, LabelSource.Truth, seed: 1),
        new(AdaptedPart.ExitAndNorms, LabelSource.Truth, seed: 1),
        new(AdaptedPart.ExitAndNorms, LabelSource.Tail, seed: 1),
    ]);

    public static readonly TransferJob Scenes = new("scenes-transfer", "scenes fitted to drifted sites by retraining parts of stage 1.", JointJob.Scenes, Everywhere,
        [new(AdaptedPart.Norms, LabelSource.Tail, seed: 1), new(AdaptedPart.ExitAndNorms, LabelSource.Truth, seed: 1), new(AdaptedPart.ExitAndNorms, LabelSource.Tail, seed: 1)]);

    /// <summary>Where exits and norms do not give back half: what convolutions add.</summary>
    public static readonly TransferJob ScenesBlur = new("scenes-transfer-blur", "scenes fitted to the blurred site by retraining all of stage 1.", JointJob.Scenes, [Site.Of(new Drift(DriftKind.Blur, Level))],
        [new(AdaptedPart.Stage, LabelSource.Truth, seed: 1)]);

    public Task Run(Workshop workshop)
    {
        using var main = Main.Train(workshop);
        var sets = workshop.Task(Main.Task).Sets;
        var untouched = JointTraining.Accuracies(main, sets.Test);
        var points = new List<ComparisonPoint> { Point("no drift", "as trained", untouched[0], untouched, 0) };
        foreach (var site in Sites)
        {
            var test = site.See(sets.Test, int.MaxValue);
            var lost = JointTraining.Accuracies(main, test);
            points.Add(Point(site.ToString(), "as trained", untouched[0], lost, 0));
            foreach (var way in Ways)
            {
                using var net = new Network(Main.Architecture(), seed: 1);
                net.CopyFrom(main);
                way.Run(net, site.See(sets.Calibration, Samples), workshop.Clock);
                var found = JointTraining.Accuracies(net, test);
                var back = (found[0] - lost[0]) / (untouched[0] - lost[0]);
                points.Add(Point(site.ToString(), way.Name, untouched[0], found, StageBytes(net)) with
                {
                    Note = string.Create(CultureInfo.InvariantCulture, $"{back:P0} of exit 1's loss back; deeper exits {string.Join(" ", found.Skip(1).Select(exit => exit.ToString("P2", CultureInfo.InvariantCulture)))}"),
                });
                workshop.Say($"{Name} {site} {way.Name}: exits {string.Join(" ", found.Select(exit => exit.ToString("P2", CultureInfo.InvariantCulture)))}, before {string.Join(" ", lost.Select(exit => exit.ToString("P2", CultureInfo.InvariantCulture)))}; {points[^1].Note}");
            }
        }
        new Comparison
        {
            Name = Name,
            Task = Main.Task,
            Text = string.Create(CultureInfo.InvariantCulture, $"A site's data differ; {Samples} of its samples, labelled or answered by the whole network, refit parts of stage 1. Accuracy is exit 1's on the site's test images. Shipped is one file, stage 1; what a device holds besides it, by its head, stands at the model."),
            Command = $"fleet-training train {Name}{workshop.Options.Differences}",
            Points = points,
        }.Write(workshop.Comparisons);
        return Task.CompletedTask;
    }

    private static ComparisonPoint Point(string method, string variant, double untouched, IReadOnlyList<double> accuracy, long shipped) => new()
    {
        Method = method,
        Variant = variant,
        Accuracy = accuracy[0],
        DeviceFile = shipped == 0 ? null : new Bytes(shipped),
        Note = string.Create(CultureInfo.InvariantCulture, $"{untouched - accuracy[0]:P2} lost at exit 1; deeper exits {string.Join(" ", accuracy.Skip(1).Select(exit => exit.ToString("P2", CultureInfo.InvariantCulture)))}"),
    };

    /// <summary>Of stage 1 as an ONNX file.</summary>
    private static long StageBytes(Network net) => PieceExporter.Export(net, net.Architecture.Stage(1)).CalculateSize();
}
