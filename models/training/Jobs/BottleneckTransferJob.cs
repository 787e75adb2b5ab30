using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>A trained bottleneck, fitted to sites whose data differ: how much of the accuracy through it comes back, and what devices must fetch.</summary>
public sealed record BottleneckTransferJob(string Name, string Description, BottleneckJob Bottlenecks, BottleneckSpec Spec, IReadOnlyList<Site> Sites) : IJob
{
    public static readonly BottleneckTransferJob Scenes = new(
        "scenes-transfer-bottleneck", "A bottleneck of scenes fitted to drifted sites by retraining its decoder, or all of it.", BottleneckJob.Scenes, BottleneckJob.Scenes.Compared[0], TransferJob.Everywhere);

    private JointJob Main => Bottlenecks.Main;

    public Task Run(Workshop workshop)
    {
        using var main = Main.Train(workshop);
        var sets = workshop.Task(Main.Task).Sets;
        using var trained = Bottlenecks.Train(workshop, main, Spec);
        var (untouched, bytes) = BottleneckTraining.Reach(trained, main, sets.Test);
        var points = new List<ComparisonPoint> { Point("no drift", "as trained", untouched, bytes, shipped: 0, "") };
        foreach (var site in Sites)
        {
            var test = site.See(sets.Test, int.MaxValue);
            (var lost, bytes) = BottleneckTraining.Reach(trained, main, test);
            points.Add(Point(site.ToString(), "as trained", lost, bytes, shipped: 0, string.Create(CultureInfo.InvariantCulture, $"{untouched - lost:P2} lost")));
            foreach (var part in Enum.GetValues<BottleneckPart>())
            {
                using var head = new Network(Main.Architecture(), seed: 1);
                head.CopyFrom(main);
                using var net = Bottlenecks.Train(workshop, main, Spec);
                var way = new BottleneckAdaptation(part, Spec.Recipe.RatePrice, seed: 1);
                way.Run(net, head, site.See(sets.Calibration, TransferJob.Samples), workshop.Clock);
                (var found, bytes) = BottleneckTraining.Reach(net, head, test);
                points.Add(Point(site.ToString(), way.Name, found, bytes, Shipped(part, net, head), string.Create(CultureInfo.InvariantCulture, $"{(found - lost) / (untouched - lost):P0} of the loss back")));
                workshop.Say(string.Create(CultureInfo.InvariantCulture, $"{Name} {site} {way.Name}: {lost:P2} to {found:P2} at {bytes:F1} bytes; {points[^1].Note}"));
            }
        }
        new Comparison
        {
            Name = Name,
            Task = Main.Task,
            Text = string.Create(CultureInfo.InvariantCulture, $"A site's data differ; {TransferJob.Samples} of its samples, labelled, refit a bottleneck at cut {trained.Design.Cut} (two stages, {Spec.Size}). Accuracy is the final exit's through the bottleneck on the site's test images; bytes are what its prior predicts, which stays as it is. Shipped is what each device must fetch: nothing when only the server's side changes."),
            Command = workshop.Command(Name),
            Points = points,
        }.Write(workshop.Comparisons);
        return Task.CompletedTask;
    }

    /// <summary>Bytes of the ONNX files that each device fetches.</summary>
    private static long Shipped(BottleneckPart part, BottleneckNet net, Network head)
    {
        if (part is BottleneckPart.Server) return 0;
        var encoder = PieceExporter.Export(net.Layers, net.Design.Encoder).CalculateSize();
        return part is BottleneckPart.Both ? encoder : encoder + PieceExporter.Export(head, head.Architecture.Stage(1)).CalculateSize();
    }

    private static ComparisonPoint Point(string site, string way, double accuracy, double bytes, long shipped, string note) => new()
    {
        Method = site,
        Variant = way,
        Accuracy = accuracy,
        Wire = new Bytes(Math.Round(bytes, 1)),
        DeviceFile = shipped == 0 ? null : new Bytes(shipped),
        Note = note,
    };
}
