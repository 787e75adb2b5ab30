using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <param name="Size">Short; all ways of learning one size share the first stage's checkpoint. The card and the wire know a bottleneck that ships by it.</param>
/// <param name="Channels">Of the latent.</param>
/// <param name="Stride">How much smaller the latent's sides are than the cut's.</param>
/// <param name="Recipe">How it learns.</param>
public sealed record BottleneckSpec(string Size, int Channels, int Stride, BottleneckRecipe Recipe);

/// <summary>Bottlenecks at cut 1 of a trained network, of several sizes and learnt in several ways.</summary>
/// <param name="Hidden">Channels of the encoders' inner layer.</param>
/// <param name="Shipped">Belong to the model; its export trains them.</param>
/// <param name="Compared">What this job measures.</param>
public sealed record BottleneckJob(string Name, string Description, JointJob Main, int Hidden, IReadOnlyList<BottleneckSpec> Shipped, IReadOnlyList<BottleneckSpec> Compared) : IJob
{
    private const int Cut = 1;

    public static readonly BottleneckJob Scenes = new("scenes-bottlenecks", "Bottlenecks at cut 1 of scenes, by way of learning.", JointJob.Scenes, Hidden: 64,
        [
            Of("tiny", 8, BottleneckMethod.TwoStages, (4, 4), 4e-4),
            Of("small", 12, BottleneckMethod.TwoStages, (4, 4), 1e-4),
            Of("medium", 24, BottleneckMethod.TwoStages, (4, 4), 2e-5),
            Of("large", 32, BottleneckMethod.TwoStages, (4, 6), 7e-6),
        ],
        [.. Ways.Select(way => Of("small-brief", 12, way, (4, 4), 1e-4, images: 27_500))]);

    public static readonly BottleneckJob Fmnist = new("fmnist-bottlenecks", "Bottlenecks at cut 1 of fmnist, by size and by way of learning.", JointJob.Fmnist, Hidden: 64,
        Sizes, [.. Sizes, .. Ways.Skip(1).Select(way => Of("small", 8, way, (4, 5), 2.5e-4))]);

    private static IReadOnlyList<BottleneckMethod> Ways => [BottleneckMethod.TwoStages, BottleneckMethod.FrozenEncoder, BottleneckMethod.CrossEntropy, BottleneckMethod.Distillation];

    /// <summary>Of fmnist.</summary>
    private static IReadOnlyList<BottleneckSpec> Sizes =>
    [
        Of("tiny", 6, BottleneckMethod.TwoStages, (4, 5), 1e-3),
        Of("small", 8, BottleneckMethod.TwoStages, (4, 5), 2.5e-4),
        Of("medium", 12, BottleneckMethod.TwoStages, (4, 5), 5e-5),
    ];

    private static BottleneckSpec Of(string size, int channels, BottleneckMethod method, (int First, int Second) epochs, double ratePrice, int images = 55_000) =>
        new(size, channels, Stride: 2, new BottleneckRecipe(method, epochs, images, ratePrice));

    public Task Run(Workshop workshop)
    {
        using var teacher = Main.Train(workshop);
        var points = new List<ComparisonPoint>();
        foreach (var spec in Compared)
        {
            using var net = Train(workshop, teacher, spec);
            points.Add(Measure(workshop, teacher, net, spec, Describe(spec.Recipe.Method)));
            if (spec.Recipe.Method is not BottleneckMethod.FrozenEncoder) continue;
            using var imitation = Training(workshop, teacher, spec).RunFirst(Checkpoint(spec), Design(teacher, spec));
            points.Add(Measure(workshop, teacher, imitation, spec, Describe(BottleneckMethod.HeadDistillation)));
        }
        var whole = JointTraining.Accuracies(teacher, workshop.Task(Main.Task).Sets.Test);
        new Comparison
        {
            Name = Name,
            Task = Main.Task,
            Text = string.Create(CultureInfo.InvariantCulture, $"Bottlenecks at cut {Cut}, by size and by way of learning; bytes are what the prior predicts, those of the shipped ones as coded stand above. The uncut network reaches {whole[^1]:P2}, exit {Cut} {whole[Cut - 1]:P2}. All train for as many epochs, but head distillation, which is the first of the two stages alone."),
            Command = workshop.Command(Name),
            Points = points,
        }.Write(workshop.Comparisons);
        return Task.CompletedTask;
    }

    private ComparisonPoint Measure(Workshop workshop, Network teacher, BottleneckNet net, BottleneckSpec spec, string method)
    {
        var test = workshop.Task(Main.Task).Sets.Test;
        var (accuracy, bytes) = BottleneckTraining.Reach(net, teacher, test);
        var encoder = net.Design.Encoder;
        var point = new ComparisonPoint
        {
            Method = method,
            Variant = spec.Size,
            Accuracy = accuracy,
            Wire = new Bytes(Math.Round(bytes, 1)),
            Device = PieceCost.Work(net.Design.Main, net.Design.Main.Stage(Cut)).Total + PieceCost.Work(net.Design.Layers, encoder).Total,
            DeviceFile = new Bytes(PieceExporter.Export(teacher, net.Design.Main.Stage(Cut)).CalculateSize() + PieceExporter.Export(net.Layers, encoder).CalculateSize()),
        };
        workshop.Say(string.Create(CultureInfo.InvariantCulture, $"{Name} {spec.Size}, {method}: test accuracy {point.Accuracy:P2} at {bytes:F1} bytes"));
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

    /// <summary>Of the first stage, which ways of learning one size share.</summary>
    private string Checkpoint(BottleneckSpec spec) => $"{Main.Name}-{spec.Size}";

    /// <summary>The trained bottleneck, out of its checkpoint when there is one.</summary>
    public BottleneckNet Train(Workshop workshop, Network teacher, BottleneckSpec spec) =>
        Training(workshop, teacher, spec).Run(Checkpoint(spec) + Suffix(spec.Recipe.Method), Checkpoint(spec), Design(teacher, spec));

    private static string Suffix(BottleneckMethod method) => method switch
    {
        BottleneckMethod.CrossEntropy => "-labels",
        BottleneckMethod.Distillation => "-distilled",
        BottleneckMethod.FrozenEncoder => "-frozen",
        _ => "",
    };
}
