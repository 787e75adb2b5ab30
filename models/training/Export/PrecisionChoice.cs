using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Timing;
using Fleet.Onnx;
using Google.Protobuf;

namespace Fleet.Training;

/// <summary>
/// Decides for each piece whether it ships as fp32 or as int8: the faster of the two, as measured side by side on this machine, if int8
/// costs no accuracy to speak of. Ranges come from training images, accuracy from calibration images.
/// </summary>
/// <param name="task">For its images.</param>
/// <param name="directory">Where the fp32 files lie; int8 ones replace them.</param>
/// <param name="clock">To time with.</param>
public sealed class PrecisionChoice(TaskData task, string directory, TimeProvider clock)
{
    /// <summary>
    /// int8 must cost less accuracy than this at every output it changes, on calibration images. Of so few images the difference of two
    /// accuracies is known to about as much again, so that on others it stays within four thousandths.
    /// </summary>
    public const double LossMax = 0.002;

    /// <summary>int8 must take less than this share of fp32's time, the median of interleaved rounds: below it noise might choose.</summary>
    public const double TimeShareMax = 0.9;

    private const int RangeImages = 400;
    private const int JudgeImages = 2500;

    private readonly List<ComparisonPoint> points = [];

    /// <summary>What was measured, one point a piece and precision.</summary>
    public IReadOnlyList<ComparisonPoint> Points => points;

    /// <summary>Chooses for all stages and tails, and for the tails of bottlenecks.</summary>
    /// <returns>The card with the pieces as they are shipped.</returns>
    public ModelCard Choose(ModelCard card, Func<BottleneckCard, float[], float[]> latents)
    {
        var range = Rows(task.Sets.Train, RangeImages);
        var judge = Rows(task.Sets.Calibration, JudgeImages);
        var tails = card.Tails.Select(tail => File.ReadAllBytes(Path.Combine(directory, tail.File))).ToList();
        var stages = new List<ModelPiece>();
        var shippedTails = new List<ModelPiece>();
        var bottlenecks = card.Bottlenecks.ToList();
        for (var cut = 0; cut < card.StageCount; cut++)
        {
            var shape = card.Cuts[cut].Shape;
            var next = cut + 1 < card.StageCount ? cut + 1 : (int?)null;
            var stageFile = File.ReadAllBytes(Path.Combine(directory, card.Stages[cut].File));
            var (rangeNext, judgeNext) = (PieceRun.Run(stageFile, range, shape).Features, PieceRun.Run(stageFile, judge, shape).Features);
            shippedTails.Add(Decide(card.Tails[cut], range, judge, shape, file => [Accuracy(PieceRun.Run(file, judge, shape).Logits)]));
            stages.Add(Decide(card.Stages[cut], range, judge, shape, file =>
            {
                var (features, logits) = PieceRun.Run(file, judge, shape);
                return next is { } behind ? [Accuracy(logits), Accuracy(PieceRun.Run(tails[behind], features, card.Cuts[behind].Shape).Logits)] : [Accuracy(logits)];
            }));
            for (var i = 0; i < bottlenecks.Count; i++)
            {
                if (bottlenecks[i].Cut != next) continue;
                var bottleneck = bottlenecks[i];
                var (rangeLatent, judgeLatent) = (latents(bottleneck, rangeNext), latents(bottleneck, judgeNext));
                bottlenecks[i] = bottleneck with { Tail = Decide(bottleneck.Tail, rangeLatent, judgeLatent, bottleneck.Shape, file => [Accuracy(PieceRun.Run(file, judgeLatent, bottleneck.Shape).Logits)]) };
            }
            (range, judge) = (rangeNext, judgeNext);
        }
        return card with { Stages = stages, Tails = shippedTails, Bottlenecks = bottlenecks };
    }

    private double Accuracy(float[] logits) => Calibration.Accuracy(logits, task.Sets.Calibration.Labels.AsSpan(0, logits.Length / task.Classes.Count), task.Classes.Count);

    private ModelPiece Decide(ModelPiece piece, float[] range, float[] judge, IReadOnlyList<int> shape, Func<byte[], double[]> accuracies)
    {
        var path = Path.Combine(directory, piece.File);
        var original = File.ReadAllBytes(path);
        var before = accuracies(original);
        var best = QuantisedPieces.Candidates(path, range, shape)
            .Select(candidate => (candidate.Ranges, File: candidate.Model.ToByteArray()))
            .Select(candidate => (candidate.Ranges, candidate.File, After: accuracies(candidate.File)))
            .MaxBy(candidate => candidate.After.Sum());
        var loss = before.Zip(best.After, (fp32, int8) => fp32 - int8).Max();
        var times = PieceTiming.Measure(
            [new TimedFile(piece.File, original, piece.Work.Total), new TimedFile(piece.File + " as int8", best.File, piece.Work.Total)], TimingPlan.Default, clock, _ => { });
        var ratio = times[1].Times.Over(times[0].Times);
        var ships = ratio.Median < TimeShareMax && Math.Round(loss * JudgeImages) < LossMax * JudgeImages;
        points.Add(Point(piece.File, "fp32", before[^1], original.Length, ships ? "" : "ships"));
        points.Add(Point(piece.File, $"int8, ranges {best.Ranges}", best.After[^1], best.File.Length, string.Create(CultureInfo.InvariantCulture,
            $"{(ships ? "ships; " : "")}{1 / ratio.Median:F2} times as fast as fp32, {(double)best.File.Length / original.Length:P0} of its size")));
        if (!ships) return piece;
        File.WriteAllBytes(path, best.File);
        return piece with { Precision = Precision.Int8, FileBytes = best.File.Length, Sha256 = ModelFiles.Sha256(best.File) };
    }

    private static ComparisonPoint Point(string piece, string variant, double accuracy, long bytes, string note) =>
        new() { Method = piece, Variant = variant, Accuracy = accuracy, DeviceFile = new Bytes(bytes), Note = note };

    private static float[] Rows(ImageSet images, int count)
    {
        var taken = Math.Min(count, images.Count);
        var rows = new float[taken * images.PixelCount];
        for (var i = 0; i < taken; i++) images.Normalise(i, rows.AsSpan(i * images.PixelCount, images.PixelCount));
        return rows;
    }
}
