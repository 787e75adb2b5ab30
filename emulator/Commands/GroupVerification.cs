using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Emulator.Commands;

/// <summary>Runs a group's ONNX files over the test images, each cut into its views, and compares with the group's card.</summary>
internal static class GroupVerification
{
    /// <summary>Throws <see cref="FaultsException"/> when a file is damaged or cannot be run as the card says.</summary>
    public static async Task<IReadOnlyList<Finding>> Run(GroupFiles model, LabelledImages images)
    {
        try
        {
            var card = model.Card;
            var replay = await GroupReplay.Of(model, [.. Enumerable.Range(0, images.Count).Select(images.Image)], [.. Enumerable.Range(0, images.Count).Select(i => (byte)images.Label(i))]);
            var exits = await replay.With([.. card.Views.Select(_ => true)]);
            var (accuracy, local, _) = exits.Overall(card.Local.EntropyBelow, card.Edge.EntropyBelow);
            return
            [
                .. CountedWork.Compare(model.Directory, card.Pieces, isBinary: true),
                .. card.Views.Select((view, i) => Finding.Of($"view {i + 1} accuracy", view.Accuracy, replay.OwnAccuracy(i + 1))),
                Finding.Of("local exit accuracy", card.Local.Accuracy, exits.Accuracy(exits.Local)),
                Finding.Of("edge exit accuracy", card.Edge.Accuracy, exits.Accuracy(exits.Edge)),
                Finding.Of("cloud exit accuracy", card.Cloud.Accuracy, exits.Accuracy(exits.Cloud)),
                Finding.Of("accuracy of all exits", card.Accuracy, accuracy),
                Finding.Of("share of the local exit", card.LocalShare, local),
            ];
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaultsException(model.Directory, "the files cannot be run with the shapes the card gives: " + e.Message.Split('\n')[0]);
        }
    }

    /// <summary>What `fleet models list` says of it.</summary>
    public static void Print(GroupFiles model)
    {
        var card = model.Card;
        Console.Out.WriteLine($"{card.Name}: {card.Task}, {card.Classes.Count} classes, {card.Views.Count} views of {string.Join('x', card.ViewShape)}, aggregation {card.Aggregation}; card {model.CardSha256[..16]}");
        Figures.Columns(
        [
            ["exit", "MACs", "accuracy", "below entropy", "sends", "file"],
            .. card.Views.Select((view, i) => Row($"own, view {i + 1}", view, "", "")),
            Row("local", card.Local, Digits(card.Local.EntropyBelow), $"{FeatureCodecs.EncodedBytes(FeatureCodec.Float32, card.Classes.Count)} B"),
            Row("edge", card.Edge, Digits(card.Edge.EntropyBelow), $"{FeatureCodecs.EncodedBytes(FeatureCodec.Bits, card.MapElements)} B more"),
            Row("cloud", card.Cloud, "", ""),
        ]);
        Console.Out.WriteLine($"  all exits: accuracy {Digits(card.Accuracy)}, {Digits(card.LocalShare)} of it answered by the local one; a device's network takes {card.DeviceBinary.Value:F0} B of binary weights");
    }

    private static string[] Row(string name, GroupPiece exit, string below, string sends) =>
        [name, exit.Piece.Work.Total.Value.ToString("N0", CultureInfo.InvariantCulture), Digits(exit.Accuracy), below, sends, $"{exit.Piece.FileBytes.ToString("N0", CultureInfo.InvariantCulture)} B"];

    private static string Digits(double value) => value.ToString("F4", CultureInfo.InvariantCulture);
}
