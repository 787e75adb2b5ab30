using System.Globalization;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>Writes a model of the zoo: a network, the bottlenecks that ship with it, and what all of it answers.</summary>
public sealed record ExportJob(string Name, string Description, JointJob Main, BottleneckJob? Bottlenecks) : IJob
{
    public static readonly ExportJob Fmnist = new("fmnist-export", "Exports fmnist and its bottlenecks to the zoo.", JointJob.Fmnist, BottleneckJob.Fmnist);

    public static readonly ExportJob Scenes = new("scenes-export", "Exports scenes and its bottlenecks to the zoo.", JointJob.Scenes, BottleneckJob.Scenes);

    public string? Standing(Workshop workshop)
    {
        var bottlenecks = (Bottlenecks?.Shipped ?? []).Select(spec => spec.Size);
        return workshop.StandingComparison(Main.Name + "-int8", Name) is null ? null
            : workshop.StandingModel(Main.Name, workshop.Command(Main.Name), workshop.Adjusted(Main.Recipe.Steps), bottlenecks);
    }

    public async Task Run(Workshop workshop)
    {
        using var net = Main.Train(workshop);
        var bottlenecks = (Bottlenecks?.Shipped ?? [])
            .Select(spec => new TrainedBottleneck(spec.Size, "bottlefit", spec.Recipe.Method is BottleneckMethod.FrozenEncoder, Bottlenecks!.Train(workshop, net, spec))).ToList();
        var directory = Path.Combine(workshop.Options.Zoo, Main.Name);
        workshop.Say($"{Name}: writing {directory}");
        var report = await new ModelExport(net, workshop.Task(Main.Task), bottlenecks, directory, workshop.Clock).Run(Main.Record(workshop));
        foreach (var bottleneck in bottlenecks) bottleneck.Net.Dispose();
        Say(workshop, report);
        new Comparison
        {
            Name = Main.Name + "-int8",
            Task = Main.Task,
            Text = "Each piece as fp32 and as int8, quantised after training. Accuracy is that of the piece's own logits, or of the final exit behind it, on calibration images: the choice is made there. What ships is the faster, if int8 loses at most 0.2 point; times are of one run on one machine and one thread.",
            Command = workshop.Command(Name),
            Points = report.Precisions,
        }.Write(workshop.Comparisons);
    }

    private static void Say(Workshop workshop, ExportReport report)
    {
        var card = report.Card;
        workshop.Say(string.Create(CultureInfo.InvariantCulture, $"largest logit difference to torch {report.LargestDifference:G3} (allowed: {ModelExport.DifferenceMax:G3})"));
        foreach (var exit in card.Exits)
            workshop.Say(string.Create(CultureInfo.InvariantCulture, $"exit {exit.Exit}: accuracy {exit.Accuracy:P2}, temperature {exit.Temperature:F3}, ECE {exit.EceBefore:P2} -> {exit.EceAfter:P2}, {card.HeadWork(exit.Exit).Total.Value / 1e6:F3} MMAC"));
        foreach (var route in card.Routes)
            workshop.Say(string.Create(CultureInfo.InvariantCulture, $"cut {route.Cut} {route.Codec} {route.Bottleneck}: accuracy {route.Accuracy:P2}, {route.Payload.Value:F1} bytes"));
        foreach (var piece in card.Pieces.Where(piece => piece.Precision is Contracts.Precision.Int8))
            workshop.Say($"{piece.File} ships as int8");
        foreach (var exit in card.Exits.Where(exit => exit.EceAfter > ModelExport.EceMax))
            workshop.Say($"warning: exit {exit.Exit} stays badly calibrated; at most {ModelExport.EceMax:P1} is wanted");
    }
}
