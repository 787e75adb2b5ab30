using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Replaying;

namespace Fleet.Training;

/// <summary>What an export came to.</summary>
/// <param name="Card">As written.</param>
/// <param name="LargestDifference">Between a logit of the fp32 ONNX files and the trained module's, over the test images, all exits and all tails.</param>
/// <param name="Precisions">What fp32 and int8 came to, piece by piece.</param>
public sealed record ExportReport(ModelCard Card, double LargestDifference, IReadOnlyList<ComparisonPoint> Precisions);

/// <summary>
/// Makes a model's directory out of a trained network and its bottlenecks: ONNX files, each fp32 or int8, tables, traces, and the card,
/// which is written last.
/// </summary>
public sealed class ModelExport(Network net, TaskData task, IReadOnlyList<TrainedBottleneck> bottlenecks, string directory, TimeProvider clock)
{
    /// <summary>The largest difference between a logit of the module and of the ONNX files that is still called equal.</summary>
    public const double DifferenceMax = 1e-4;

    /// <summary>ECE after calibration beyond which a card should not be trusted.</summary>
    public const double EceMax = 0.015;

    private readonly ImageSets sets = task.Sets;

    /// <summary>Images of a drift trace, of the calibration and of the test set.</summary>
    public (int Calibration, int Test) DriftImages { get; init; } = (1000, 2000);

    /// <summary>Writes the model; the one that stands in its directory stays until all of the new one is there.</summary>
    /// <exception cref="FaultsException">
    /// The ONNX files differ from the module by more than <see cref="DifferenceMax"/>, or the directory holds something else than a model; nothing is written.
    /// </exception>
    public Task<ExportReport> Run(TrainingRecord record) => ModelDirectory.Write(directory, unfinished => Run(record, unfinished));

    private async Task<ExportReport> Run(TrainingRecord record, string unfinished)
    {
        var trained = net.Logits(sets.Test);
        var card = WritePieces(record, trained, unfinished);
        var difference = await Compare(card, trained, unfinished);
        var precisions = new PrecisionChoice(task, unfinished, clock);
        card = precisions.Choose(card, (bottleneck, features) => Latents(bottleneck, features, unfinished));
        using var replay = ModelReplay.Open(card, unfinished);
        card = await FeatureRange.Choose(card, replay, sets);
        card = await new ModelMeasurement(task, unfinished) { DriftImages = DriftImages }.Run(card, replay);
        return new ExportReport(card, difference, precisions.Points);
    }

    /// <summary>Writes all stages, tails and bottlenecks as fp32.</summary>
    /// <returns>A card that lacks what is measured.</returns>
    private ModelCard WritePieces(TrainingRecord record, float[][] trained, string unfinished)
    {
        var architecture = net.Architecture;
        var stages = architecture.Stages.Select(piece => PieceFile.Write(net, piece, unfinished)).ToList();
        return new ModelCard
        {
            Name = record.Model,
            Task = "image classification",
            Classes = task.Classes,
            Replays = task.Replays,
            InputMean = task.Normalisation.Mean,
            InputStd = task.Normalisation.Std,
            Parameters = stages.Sum(stage => stage.Parameters),
            Cuts = [.. architecture.Cuts.Select((value, cut) => new CutPoint { Cut = cut, Shape = architecture.Extents[value].ToArray() })],
            Stages = stages,
            Tails = [.. architecture.Tails.Select(piece => PieceFile.Write(net, piece, unfinished))],
            Bottlenecks = [.. bottlenecks.Select((bottleneck, i) => BottleneckFiles.Write(bottleneck, i + 1, unfinished))],
            Exits = [],
            Routes = [],
            CalibrationTrace = new CardFile { File = TraceRecording.CalibrationFile, Sha256 = "", Samples = 0 },
            TestTrace = new CardFile { File = TraceRecording.TestFile, Sha256 = "", Samples = 0 },
            Provenance = new Provenance
            {
                Command = record.Command,
                Data = $"{task.Description}; {record.TrainImages} images trained on, the last {CalibrationImages.Count} of the training images for calibration, {sets.Test.Count} test images",
                Seed = record.Seed,
                Epochs = record.Epochs,
                TrainedAccuracy = [.. trained.Select(logits => Calibration.Accuracy(logits, sets.Test.Labels, architecture.ClassCount))],
            },
        };
    }

    /// <summary>The largest difference between what the files and what the module say, over routes that change nothing.</summary>
    private async Task<double> Compare(ModelCard card, float[][] trained, string unfinished)
    {
        using var replay = ModelReplay.Open(card, unfinished);
        var lossless = Enumerable.Range(0, card.StageCount).Select(cut => new Route(cut, cut == 0 ? FeatureCodec.Raw : FeatureCodec.Float32)).ToList();
        var exported = await replay.Run(card, sets.Test.Run, lossless);
        var difference = Math.Max(
            trained.Zip(exported.Exits).Max(pair => Difference(pair.First, pair.Second)),
            exported.Routes.Max(route => Difference(trained[^1], route.Logits)));
        return difference <= DifferenceMax ? difference
            : throw new FaultsException(directory, $"the ONNX files' logits differ from the trained network's by up to {difference:G3}; {DifferenceMax:G3} is allowed");
    }

    /// <summary>What a bottleneck's tail gets for features at its cut.</summary>
    private float[] Latents(BottleneckCard bottleneck, float[] features, string unfinished)
    {
        var encoder = File.ReadAllBytes(Path.Combine(unfinished, bottleneck.Encoder.File));
        var latents = PieceRun.Run(encoder, features, net.Architecture.Extents[net.Architecture.Cuts[bottleneck.Cut]].ToArray()).Features;
        for (var i = 0; i < latents.Length; i++) latents[i] = MathF.Round(latents[i] / bottleneck.Scale) * bottleneck.Scale;
        return latents;
    }

    /// <summary>Infinite when either is not a number.</summary>
    private static double Difference(float[] a, float[] b) =>
        a.Zip(b).Max(pair => float.IsNaN(pair.First - pair.Second) ? double.PositiveInfinity : Math.Abs((double)pair.First - pair.Second));
}
