using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Experiments.Distributed;

/// <summary>Accuracies of a group's exits with some devices there.</summary>
/// <param name="Together">Of all answers, each by the first exit that is sure by the card's thresholds.</param>
public readonly record struct GroupAccuracy(double Local, double Edge, double Cloud, double Together)
{
    public IReadOnlyList<double> All => [Local, Edge, Cloud, Together];
}

/// <summary>Over all choices of so many devices.</summary>
public sealed record DevicesThere(int Devices, int Choices, GroupAccuracy Mean, double TogetherLeast, double TogetherMost);

/// <summary>A local threshold, with the share its exits answer and what a device sends for a sample in the mean.</summary>
public sealed record GroupThreshold(double Below, double Accuracy, double Local, double Edge, Bytes Sent);

/// <summary>The shipped group's network, its ONNX files run over all test pictures for every choice of devices.</summary>
public sealed class GroupStudy
{
    private readonly GroupFiles files;
    private readonly GroupReplay replay;
    private readonly IReadOnlyDictionary<int, GroupExits> exits;

    /// <param name="progress">Told the share done.</param>
    public GroupStudy(Stock stock, string model, Action<double> progress)
    {
        files = stock.Groups[model];
        var images = stock.Images(ReplaySet.FashionMnist);
        // Engines over ONNX files complete before they return.
        replay = GroupReplay.Of(files, [.. Enumerable.Range(0, images.Count).Select(images.Image)], [.. Enumerable.Range(0, images.Count).Select(i => (byte)images.Label(i))]).GetAwaiter().GetResult();
        progress(0.1);
        exits = Enumerable.Range(1, Everybody).ToDictionary(there => there, there =>
        {
            progress(0.1 + 0.9 * there / Everybody);
            return replay.With([.. Enumerable.Range(0, Views).Select(view => (there >> view & 1) == 1)]).GetAwaiter().GetResult();
        });
    }

    public GroupCard Card => files.Card;

    public int Views => Card.Views.Count;

    private int Everybody => (1 << Views) - 1;

    public GroupAccuracy All => Of(Everybody);

    /// <summary>Of the own exit of each device.</summary>
    public IReadOnlyList<double> Own => [.. Enumerable.Range(1, Views).Select(replay.OwnAccuracy)];

    /// <summary>Without view 1...</summary>
    public GroupAccuracy Without(int view) => Of(Everybody & ~(1 << (view - 1)));

    /// <summary>With the first so many views.</summary>
    public GroupAccuracy First(int devices) => Of((1 << devices) - 1);

    public IReadOnlyList<DevicesThere> There => [.. Enumerable.Range(1, Views).Select(devices =>
    {
        var choices = Enumerable.Range(1, Everybody).Where(there => int.PopCount(there) == devices).Select(Of).ToList();
        return new DevicesThere(devices, choices.Count, new GroupAccuracy(choices.Average(one => one.Local), choices.Average(one => one.Edge), choices.Average(one => one.Cloud), choices.Average(one => one.Together)),
            choices.Min(one => one.Together), choices.Max(one => one.Together));
    })];

    /// <summary>What a local threshold makes of all devices together; the edge exit keeps the card's.</summary>
    public GroupThreshold At(double below)
    {
        var (accuracy, local, edge) = exits[Everybody].Overall(below, Card.Edge.EntropyBelow);
        return new GroupThreshold(below, accuracy, local, edge, CommunicationCost.Mean(Card.Classes.Count, local, Card.MapShape[0], Card.MapElements / Card.MapShape[0]));
    }

    private GroupAccuracy Of(int there)
    {
        var of = exits[there];
        return new GroupAccuracy(of.Accuracy(of.Local), of.Accuracy(of.Edge), of.Accuracy(of.Cloud), of.Overall(Card.Local.EntropyBelow, Card.Edge.EntropyBelow).Accuracy);
    }
}
