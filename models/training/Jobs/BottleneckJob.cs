using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <param name="Name">Short; the card and the wire know the bottleneck by it.</param>
/// <param name="Channels">Of the latent.</param>
/// <param name="Stride">How much smaller the latent's sides are than the cut's.</param>
/// <param name="Recipe">How it learns.</param>
/// <param name="Ships">Whether it belongs to the model; others are for the comparison.</param>
public sealed record BottleneckSpec(string Name, int Channels, int Stride, BottleneckRecipe Recipe, bool Ships);

/// <summary>Bottlenecks at cut 1 of a trained network, of several sizes and learnt in several ways.</summary>
public sealed record BottleneckJob(string Name, string Description, JointJob Main, int Hidden, IReadOnlyList<BottleneckSpec> Specs) : IJob
{
    private const int Cut = 1;

    public static readonly BottleneckJob Scenes = new("scenes-bottlenecks", "Bottlenecks at cut 1 of scenes, by size and by way of learning.", JointJob.Scenes, Hidden: 64,
    [
        new("tiny", 8, 2, new(BottleneckMethod.TwoStages, (4, 4), 55_000, 4e-4), Ships: true),
        new("small", 12, 2, new(BottleneckMethod.TwoStages, (4, 4), 55_000, 1e-4), Ships: true),
        new("medium", 24, 2, new(BottleneckMethod.TwoStages, (4, 4), 55_000, 2e-5), Ships: true),
        new("large", 32, 2, new(BottleneckMethod.TwoStages, (4, 6), 55_000, 7e-6), Ships: true),
        new("small-frozen", 12, 2, new(BottleneckMethod.FrozenEncoder, (4, 4), 55_000, 1e-4), Ships: false),
        new("small-labels", 12, 2, new(BottleneckMethod.CrossEntropy, (4, 4), 55_000, 1e-4), Ships: false),
        new("small-distilled", 12, 2, new(BottleneckMethod.Distillation, (4, 4), 55_000, 1e-4), Ships: false),
    ]);

    public static readonly BottleneckJob Fmnist = new("fmnist-bottlenecks", "Bottlenecks at cut 1 of fmnist, by size and by way of learning.", JointJob.Fmnist, Hidden: 64,
    [
        new("tiny", 6, 2, new(BottleneckMethod.TwoStages, (4, 5), 55_000, 1e-3), Ships: true),
        new("small", 8, 2, new(BottleneckMethod.TwoStages, (4, 5), 55_000, 2.5e-4), Ships: true),
        new("medium", 12, 2, new(BottleneckMethod.TwoStages, (4, 5), 55_000, 5e-5), Ships: true),
        new("small-frozen", 8, 2, new(BottleneckMethod.FrozenEncoder, (4, 5), 55_000, 2.5e-4), Ships: false),
        new("small-labels", 8, 2, new(BottleneckMethod.CrossEntropy, (4, 5), 55_000, 2.5e-4), Ships: false),
        new("small-distilled", 8, 2, new(BottleneckMethod.Distillation, (4, 5), 55_000, 2.5e-4), Ships: false),
    ]);

    public Task Run(Workshop workshop)
    {
        using var teacher = Main.Train(workshop);
        var points = new List<ComparisonPoint>();
        foreach (var spec in Specs)
        {
            using var net = Train(workshop, teacher, spec);
            points.Add(Measure(workshop, teacher, net, spec, Describe(spec.Recipe.Method)));
            if (spec.Recipe.Method is not BottleneckMethod.FrozenEncoder) continue;
            using var imitation = Training(workshop, teacher, spec).RunFirst(Size(spec), Design(teacher, spec));
            points.Add(Measure(workshop, teacher, imitation, spec, Describe(BottleneckMethod.HeadDistillation)));
        }
        var whole = JointTraining.Accuracies(teacher, workshop.Task(Main.Task).Sets.Test);
        new Comparison
        {
            Name = Name,
            Task = Main.Task,
            Text = string.Create(CultureInfo.InvariantCulture, $"Bottlenecks at cut {Cut}, by size and by way of learning; bytes are what the prior predicts, those of the shipped ones as coded stand above. The uncut network reaches {whole[^1]:P2}, exit {Cut} {whole[Cut - 1]:P2}. All train for as many epochs, but head distillation, which is the first of the two stages alone."),
            Command = $"fleet-training train {Name}{workshop.Options.Differences}",
            Points = points,
        }.Write(workshop.Comparisons);
        return Task.CompletedTask;
    }

    private ComparisonPoint Measure(Workshop workshop, Network teacher, BottleneckNet net, BottleneckSpec spec, string method)
    {
        var test = workshop.Task(Main.Task).Sets.Test;
        var (logits, bytes) = BottleneckTraining.Evaluate(net, teacher, test);
        var encoder = net.Design.Encoder;
        var point = new ComparisonPoint
        {
            Method = method,
            Variant = Size(spec)[(Main.Name.Length + 1)..],
            Accuracy = Calibration.Accuracy(logits, test.Labels, net.Design.Main.ClassCount),
            Wire = new Bytes(Math.Round(bytes, 1)),
            Device = PieceCost.Work(net.Design.Main, net.Design.Main.Stage(Cut)).Total + PieceCost.Work(net.Design.Layers, encoder).Total,
            DeviceFile = new Bytes(PieceExporter.Export(net.Layers, encoder).CalculateSize()),
        };
        workshop.Say(string.Create(CultureInfo.InvariantCulture, $"{Name} {spec.Name}, {method}: test accuracy {point.Accuracy:P2} at {bytes:F1} bytes"));
        return point;
    }

    private static string Describe(BottleneckMethod method) => method switch
    {
        BottleneckMethod.CrossEntropy => "bottleneck, cross-entropy",
        BottleneckMethod.Distillation => "bottleneck, distillation",
        BottleneckMethod.HeadDistillation => "bottleneck, head distillation",
        BottleneckMethod.TwoStages => "bottleneck, two stages",
        _ => "bottleneck, two stages, encoder frozen",
    };

    private BottleneckTraining Training(Workshop workshop, Network teacher, BottleneckSpec spec) => new(workshop, workshop.Task(Main.Task), teacher, spec.Recipe);

    private BottleneckDesign Design(Network teacher, BottleneckSpec spec) => new(teacher.Architecture, Cut, spec.Channels, Hidden, spec.Stride);

    /// <summary>Names what all ways of learning one size share.</summary>
    private string Size(BottleneckSpec spec) => $"{Main.Name}-{spec.Name.Split('-')[0]}";

    /// <summary>The trained bottleneck, out of its checkpoint when there is one.</summary>
    public BottleneckNet Train(Workshop workshop, Network teacher, BottleneckSpec spec) =>
        Training(workshop, teacher, spec).Run($"{Main.Name}-{spec.Name}", Size(spec), Design(teacher, spec));
}
