using System.Security.Cryptography;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Onnx;

namespace Fleet.Training;

/// <summary>What an export of a distributed network came to.</summary>
/// <param name="Files">As written.</param>
/// <param name="LargestDifference">Between a logit of the ONNX files and the trained module's over the test pictures, wherever all bits agree.</param>
/// <param name="FlippedBits">Share of the bits that differ: a value next to zero may fall on either side.</param>
public sealed record DdnnReport(GroupFiles Files, double LargestDifference, double FlippedBits);

/// <summary>Makes a group's directory out of a trained network: a network a view, three behind them, and the card, which is written last.</summary>
public sealed class DdnnExport(Ddnn net, TaskData task, string directory)
{
    /// <summary>The largest share of bits that rounding may turn.</summary>
    public const double FlippedMax = 1e-5;

    /// <summary>What early exits may cost altogether on the calibration set, and of it the edge exit.</summary>
    private const double LossMax = 0.005;
    private const double EdgeLossMax = 0.0025;

    /// <summary>Thresholds that are tried, from never to always.</summary>
    public static readonly IReadOnlyList<double> Grid = [0, .. Enumerable.Range(1, 19).Select(step => step / 20.0), 1.01];

    /// <exception cref="FaultsException">The ONNX files differ from the module, or the directory holds something else than a model; nothing is written.</exception>
    public async Task<DdnnReport> Run(TrainingRecord record)
    {
        var report = await ModelDirectory.Write(directory, unfinished => Run(record, unfinished));
        return report with { Files = GroupFiles.Open(directory) };
    }

    private async Task<DdnnReport> Run(TrainingRecord record, string unfinished)
    {
        var files = WriteCard(Draft(record, unfinished), unfinished);
        var calibration = await Replay(files, task.Sets.Calibration);
        var test = await Replay(files, task.Sets.Test);
        var (difference, flipped) = Difference(test, await test.With(DdnnOutcomes.AllPresent(net.Grid.Views)));
        if (!(difference <= ModelExport.DifferenceMax && flipped <= FlippedMax))
            throw new FaultsException(directory, $"the ONNX files' logits differ from the trained network's by up to {difference:G3} and {flipped:G3} of the bits; {ModelExport.DifferenceMax:G3} and {FlippedMax:G3} are allowed");
        return new DdnnReport(WriteCard(await Describe(files.Card, calibration, test), unfinished), difference, flipped);
    }

    public static Task<GroupReplay> Replay(GroupFiles files, ImageSet images) =>
        GroupReplay.Of(files, [.. Enumerable.Range(0, images.Count).Select(i => images.Sample(i).Pixels)], images.Labels);

    /// <summary>A card that lacks what is measured.</summary>
    private GroupCard Draft(TrainingRecord record, string unfinished)
    {
        var (devices, upper) = (net.Devices, net.Upper.Architecture);
        GroupPiece Unmeasured(ModelPiece piece) => new() { Piece = piece, Temperature = 1, Accuracy = 0 };
        ModelPiece Above(Network network, Piece piece, string name, int index) => PieceFile.Write(network, piece with { File = name + ".onnx", Index = index }, unfinished);
        return new GroupCard
        {
            Name = record.Model,
            Task = "image classification by a group",
            Classes = task.Classes,
            InputMean = task.Normalisation.Mean,
            InputStd = task.Normalisation.Std,
            Rows = net.Grid.Rows,
            Columns = net.Grid.Columns,
            PictureHeight = net.Grid.PictureHeight,
            PictureWidth = net.Grid.PictureWidth,
            ViewShape = [1, net.Grid.Height, net.Grid.Width],
            MapShape = devices.Map.ToArray(),
            Aggregation = net.Shape.Name,
            Views = [.. Enumerable.Range(1, net.Grid.Views).Select(view => Unmeasured(WriteView(view, unfinished)))],
            Local = Unmeasured(Above(net.Local, net.Local.Architecture.Stage(1), "local", 0)),
            Edge = Unmeasured(Above(net.Upper, upper.Stage(1), "edge", 1)),
            Cloud = Unmeasured(Above(net.Upper, upper.Stage(2), "cloud", 2)),
            EdgeFeaturesShape = upper.Extents[upper.Cuts[1]].ToArray(),
            Accuracy = 0,
            LocalShare = 0,
            DeviceBinary = new Bytes(devices.BinaryBytes),
            Provenance = new Provenance
            {
                Command = record.Command,
                Data = $"{task.Description}; {record.TrainImages} images trained on, the last {task.Sets.Calibration.Count} of the training images for calibration, {task.Sets.Test.Count} test images; each cut into {net.Grid.Rows} x {net.Grid.Columns} views",
                Seed = record.Seed,
                Epochs = record.Epochs,
                TrainedAccuracy = [],
            },
        };
    }

    private ModelPiece WriteView(int view, string unfinished)
    {
        var file = $"view-{view}.onnx";
        OnnxFile.Write(net.Devices.Export(view), Path.Combine(unfinished, file));
        var bytes = File.ReadAllBytes(Path.Combine(unfinished, file));
        return net.Devices.Describe() with { Index = view, File = file, Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)), FileBytes = bytes.Length };
    }

    private async Task<GroupCard> Describe(GroupCard card, GroupReplay calibration, GroupReplay test)
    {
        var all = DdnnOutcomes.AllPresent(net.Grid.Views);
        var (seen, tested) = (await calibration.With(all), await test.With(all));
        double Temperature(float[] logits) => Calibration.FitTemperature(logits, seen.Labels, seen.Classes);
        var (localBelow, edgeBelow) = Thresholds(seen);
        var (accuracy, local, _) = tested.Overall(localBelow, edgeBelow);
        using var trained = DdnnOutcomes.Of(net, task.Sets.Test);
        var exits = trained.With(all);
        return card with
        {
            Views = [.. card.Views.Select((view, i) => view with { Temperature = Temperature(calibration.Vectors[i]), Accuracy = test.OwnAccuracy(i + 1) })],
            Local = card.Local with { Temperature = Temperature(seen.Local), Accuracy = tested.Accuracy(tested.Local), EntropyBelow = localBelow },
            Edge = card.Edge with { Temperature = Temperature(seen.Edge), Accuracy = tested.Accuracy(tested.Edge), EntropyBelow = edgeBelow },
            Cloud = card.Cloud with { Temperature = Temperature(seen.Cloud), Accuracy = tested.Accuracy(tested.Cloud), EntropyBelow = Grid[^1] },
            Accuracy = accuracy,
            LocalShare = local,
            Provenance = card.Provenance with { TrainedAccuracy = [exits.Accuracy(exits.Local), exits.Accuracy(exits.Edge), exits.Accuracy(exits.Cloud)] },
        };
    }

    /// <summary>The largest thresholds with which the early exits cost no more than is allowed: first the edge exit's, then the local one's.</summary>
    private static (double Local, double Edge) Thresholds(GroupExits seen)
    {
        var cloud = seen.Accuracy(seen.Cloud);
        var edge = Grid.Last(below => below == 0 || seen.Overall(0, below).Accuracy >= cloud - EdgeLossMax);
        return (Grid.Last(below => below == 0 || seen.Overall(below, edge).Accuracy >= cloud - LossMax), edge);
    }

    private (double Largest, double Flipped) Difference(GroupReplay replay, GroupExits exported)
    {
        using var trained = DdnnOutcomes.Of(net, task.Sets.Test);
        var (views, classes, elements) = (net.Grid.Views, net.Devices.Classes, net.Devices.Map.Elements);
        var (bits, vectors, exits) = (trained.Bits, trained.Vectors, trained.With(DdnnOutcomes.AllPresent(views)));
        var (largest, flipped) = (0.0, 0);
        for (var i = 0; i < exported.Labels.Length; i++)
        {
            var turned = 0;
            for (var view = 0; view < views; view++)
                for (var k = 0; k < elements; k++)
                    if (bits[(i * views + view) * elements + k] != replay.Maps[view][i * elements + k]) turned++;
            flipped += turned;
            if (turned > 0) continue;
            for (var c = 0; c < classes; c++)
            {
                for (var view = 0; view < views; view++) largest = Math.Max(largest, Distance(vectors[(i * views + view) * classes + c], replay.Vectors[view][i * classes + c]));
                largest = Math.Max(largest, Distance(exits.Local[i * classes + c], exported.Local[i * classes + c]));
                largest = Math.Max(largest, Distance(exits.Edge[i * classes + c], exported.Edge[i * classes + c]));
                largest = Math.Max(largest, Distance(exits.Cloud[i * classes + c], exported.Cloud[i * classes + c]));
            }
        }
        return (largest, (double)flipped / bits.Length);
    }

    /// <summary>Infinite when either is not a number.</summary>
    private static double Distance(float a, float b) => float.IsNaN(a - b) ? double.PositiveInfinity : Math.Abs((double)a - b);

    private static GroupFiles WriteCard(GroupCard card, string unfinished)
    {
        FaultsException.ThrowIfAny(GroupFiles.CardName, card.Faults());
        File.WriteAllText(Path.Combine(unfinished, GroupFiles.CardName), JsonSerializer.Serialize(card, Json.File.Info<GroupCard>()) + "\n");
        return GroupFiles.Open(unfinished);
    }
}
