using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>The points of the table that distributed networks are compared by. Bytes are those that one device sends, by the published formula.</summary>
public sealed class DdnnComparison
{
    private readonly List<ComparisonPoint> points = [];

    public Comparison Table(string text, string command) => new() { Name = "ddnn", Task = "fmnist", Text = text, Command = command, Points = points };

    /// <summary>The three exits of one network with all devices there.</summary>
    public void Exits(string method, string variant, DdnnOutcomes seen, string note = "")
    {
        var exits = seen.With(DdnnOutcomes.AllPresent(seen.Views));
        Add($"{method}, local exit", variant, exits.Accuracy(exits.Local), seen.Cost(localExits: 1), note);
        Add($"{method}, edge exit", variant, exits.Accuracy(exits.Edge), seen.Cost(localExits: 0), note);
        Add($"{method}, cloud exit", variant, exits.Accuracy(exits.Cloud), seen.Cost(localExits: 0), note);
    }

    /// <summary>The cloud exit with all devices and without each.</summary>
    public void Losses(string method, DdnnOutcomes seen)
    {
        for (var lost = 0; lost <= seen.Views; lost++)
        {
            var exits = seen.With([.. Enumerable.Range(1, seen.Views).Select(view => view != lost)]);
            Add(method, lost == 0 ? "none lost" : $"view {lost} lost", exits.Accuracy(exits.Cloud));
        }
    }

    /// <summary>Everything about the network that is shipped, through its ONNX files.</summary>
    public async Task Shipped(GroupCard card, GroupReplay replay)
    {
        var views = card.Views.Count;
        for (var view = 1; view <= views; view++) Add("shipped, own exit of one device", $"view {view}", replay.OwnAccuracy(view));
        await Choices(card, replay, views);
        Thresholds(card, await replay.With(DdnnOutcomes.AllPresent(views)));
    }

    /// <summary>All 2^views - 1 choices of devices: each that lacks one, and the mean over those of one size.</summary>
    private async Task Choices(GroupCard card, GroupReplay replay, int views)
    {
        var all = (1 << views) - 1;
        var figures = new double[all + 1][];
        for (var choice = 1; choice <= all; choice++)
        {
            var exits = await replay.With([.. Enumerable.Range(0, views).Select(view => (choice >> view & 1) == 1)]);
            figures[choice] = [exits.Accuracy(exits.Local), exits.Accuracy(exits.Edge), exits.Accuracy(exits.Cloud), exits.Overall(card.Local.EntropyBelow, card.Edge.EntropyBelow).Accuracy];
        }
        foreach (var (exit, name) in Names.Index())
        {
            Add($"shipped, one device lost, {name}", "none lost", figures[all][exit]);
            for (var view = 1; view <= views; view++) Add($"shipped, one device lost, {name}", $"view {view} lost", figures[all & ~(1 << (view - 1))][exit]);
            for (var there = 1; there <= views; there++)
            {
                var ofSize = figures.Where((_, choice) => int.PopCount(choice) == there).Select(each => each[exit]).ToList();
                Add($"shipped, devices there, {name}", $"{there} of {views}", ofSize.Average(),
                    note: string.Create(CultureInfo.InvariantCulture, $"{(ofSize.Count == 1 ? "the only choice" : $"mean over {ofSize.Count} choices, {ofSize.Min():P1} to {ofSize.Max():P1}")}"));
            }
        }
    }

    /// <summary>The local exit's threshold against accuracy and bytes, with the edge exit as shipped.</summary>
    private void Thresholds(GroupCard card, GroupExits exits)
    {
        foreach (var below in DdnnExport.Grid)
        {
            var (accuracy, local, edge) = exits.Overall(below, card.Edge.EntropyBelow);
            Add("shipped, local exit below a normalised entropy", string.Create(CultureInfo.InvariantCulture, $"T = {below:F2}"), accuracy,
                CommunicationCost.Mean(card.Classes.Count, local, card.MapShape[0], card.MapElements / card.MapShape[0]),
                string.Create(CultureInfo.InvariantCulture, $"local exit answers {local:P1}, edge exit {edge:P1}{(below == card.Local.EntropyBelow ? "; as shipped" : "")}"));
        }
    }

    private static readonly string[] Names = ["local exit", "edge exit", "cloud exit", "all exits"];

    private void Add(string method, string variant, double accuracy, Bytes? wire = null, string note = "") =>
        points.Add(new ComparisonPoint { Method = method, Variant = variant, Accuracy = accuracy, Wire = wire, Note = note });
}
