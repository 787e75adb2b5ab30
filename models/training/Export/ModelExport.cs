using System.Text.Json;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>What an export came to.</summary>
/// <param name="Card">As written.</param>
/// <param name="LargestDifference">Between a logit of the ONNX files and the trained module's, over the test images, all exits and all tails.</param>
public sealed record ExportReport(ModelCard Card, double LargestDifference);

/// <summary>Makes a model's directory out of a trained network: ONNX files, two traces, and the card, which is written last.</summary>
public sealed class ModelExport(Network net, TaskData task, string directory)
{
    /// <summary>The largest difference between a logit of the module and of the ONNX files that is still called equal.</summary>
    public const double DifferenceMax = 1e-4;

    /// <summary>ECE after calibration beyond which a card should not be trusted.</summary>
    public const double EceMax = 0.02;

    private readonly ImageSets sets = task.Sets;

    private const string CalibrationTrace = "calibration.trace";
    private const string TestTrace = "test.trace";

    /// <summary>Routes a card describes: the image in three codecs, the features at each cut in two.</summary>
    private IReadOnlyList<Route> Routes { get; } =
    [
        new(0, FeatureCodec.Raw),
        new(0, FeatureCodec.Png),
        new(0, FeatureCodec.Webp),
        .. Enumerable.Range(1, net.Architecture.StageCount - 1).SelectMany(cut => new[] { new Route(cut, FeatureCodec.Int8), new Route(cut, FeatureCodec.Float16) }),
    ];

    /// <summary>Routes that change nothing: over them a tail must say what the whole module says.</summary>
    private IReadOnlyList<Route> Lossless { get; } =
        [.. Enumerable.Range(0, net.Architecture.StageCount).Select(cut => new Route(cut, cut == 0 ? FeatureCodec.Raw : FeatureCodec.Float32))];

    /// <exception cref="FaultsException">The ONNX files differ from the module by more than <see cref="DifferenceMax"/>; no card is written.</exception>
    public async Task<ExportReport> Run(TrainingRecord record)
    {
        Directory.CreateDirectory(directory);
        File.Delete(Path.Combine(directory, ModelFiles.CardName));
        var trained = net.Logits(sets.Test);
        var card = WritePieces(record, trained);
        using var replay = new Replay(card, directory);
        var difference = Difference(trained, await replay.Run(card, sets.Test, Lossless));
        if (!(difference <= DifferenceMax))
            throw new FaultsException(directory, $"the ONNX files' logits differ from the trained network's by up to {difference:G3}; {DifferenceMax:G3} is allowed");

        card = await FeatureRange.Choose(card, replay, sets);
        var calibration = await replay.Run(card, sets.Calibration, Routes);
        var test = await replay.Run(card, sets.Test, Routes);
        card = card with
        {
            Exits = [.. Enumerable.Range(1, card.StageCount).Select(exit => DescribeExit(exit, calibration, test))],
            Routes = [.. test.Routes.Select(route => Describe(route, test))],
            CalibrationTrace = WriteTrace(CalibrationTrace, card, calibration, "calibration images"),
            TestTrace = WriteTrace(TestTrace, card, test, "test images"),
        };
        WriteCard(card);
        return new ExportReport(card, difference);
    }

    /// <summary>Writes all stages and tails.</summary>
    /// <returns>A card that lacks what is measured.</returns>
    private ModelCard WritePieces(TrainingRecord record, float[][] trained)
    {
        var architecture = net.Architecture;
        var stages = architecture.Stages.Select(piece => PieceFile.Write(net, piece, directory)).ToList();
        return new ModelCard
        {
            Name = record.Model,
            Task = "image classification",
            Classes = task.Classes,
            InputMean = task.Normalisation.Mean,
            InputStd = task.Normalisation.Std,
            Parameters = stages.Sum(stage => stage.Parameters),
            Cuts = [.. architecture.Cuts.Select((value, cut) => new CutPoint { Cut = cut, Shape = architecture.Extents[value].ToArray() })],
            Stages = stages,
            Tails = [.. architecture.Tails.Select(piece => PieceFile.Write(net, piece, directory))],
            Exits = [],
            Routes = [],
            CalibrationTrace = new CardFile { File = CalibrationTrace, Sha256 = "", Samples = 0 },
            TestTrace = new CardFile { File = TestTrace, Sha256 = "", Samples = 0 },
            Provenance = new Provenance
            {
                Command = record.Command,
                Data = $"{task.Description}; {record.TrainImages} images trained on, the last {sets.Calibration.Count} of the training images for calibration, {sets.Test.Count} test images",
                Seed = record.Seed,
                Epochs = record.Epochs,
                TrainedAccuracy = [.. trained.Select(logits => Calibration.Accuracy(logits, sets.Test.Labels, architecture.ClassCount))],
            },
        };
    }

    private static ExitCard DescribeExit(int exit, Outcomes calibration, Outcomes test)
    {
        var temperature = Calibration.FitTemperature(calibration.Exits[exit - 1], calibration.Images.Labels, calibration.Classes);
        return new ExitCard
        {
            Exit = exit,
            Temperature = temperature,
            Accuracy = test.Accuracy(exit),
            CalibrationAccuracy = calibration.Accuracy(exit),
            EceBefore = test.Ece(exit, temperature: 1),
            EceAfter = test.Ece(exit, temperature),
        };
    }

    private static RouteCard Describe(RouteOutcome route, Outcomes test) =>
        new() { Cut = route.Route.Cut, Codec = route.Route.Codec, Accuracy = test.Accuracy(route), Payload = route.MeanPayload };

    /// <summary>Raw images are not stored: over them the answer is the final exit's, and their size is the shape's.</summary>
    private CardFile WriteTrace(string file, ModelCard card, Outcomes outcomes, string what)
    {
        var stored = outcomes.Routes.Where(route => route.Route.Codec is not FeatureCodec.Raw).ToList();
        var path = Path.Combine(directory, file);
        new Trace(
            $"{card.Provenance.Command}; {task.Description}, {what}",
            ModelFiles.NetworkHash(card),
            outcomes.Images.FirstIndex,
            outcomes.Images.Labels,
            outcomes.Classes,
            outcomes.Exits,
            stored.Select(route => route.Route),
            stored.Select(route => route.Logits),
            stored.Select(route => route.PayloadBytes)).Write(path);
        return new CardFile { File = file, Sha256 = ModelFiles.Sha256(File.ReadAllBytes(path)), Samples = outcomes.Images.Count };
    }

    private void WriteCard(ModelCard card)
    {
        FaultsException.ThrowIfAny(ModelFiles.CardName, card.Faults());
        var path = Path.Combine(directory, ModelFiles.CardName);
        File.WriteAllText(path, JsonSerializer.Serialize(card, Json.File.Info<ModelCard>()) + "\n");
    }

    private static double Difference(float[][] trained, Outcomes exported)
    {
        var stages = trained.Zip(exported.Exits).Max(pair => Difference(pair.First, pair.Second));
        return Math.Max(stages, exported.Routes.Max(route => Difference(trained[^1], route.Logits)));
    }

    /// <summary>Infinite when either is not a number.</summary>
    private static double Difference(float[] a, float[] b) =>
        a.Zip(b).Max(pair => float.IsNaN(pair.First - pair.Second) ? double.PositiveInfinity : Math.Abs((double)pair.First - pair.Second));
}
