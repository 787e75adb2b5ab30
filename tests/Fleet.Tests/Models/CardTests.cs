using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>
/// The card's figures are those of the files. Exits are run over all test images; routes are taken from the test trace, whose logits
/// <see cref="HeadAndTailTests"/> holds against the files, since running all seven takes a minute (`fleet models verify` does).
/// </summary>
public sealed class CardTests
{
    private const double FourDigits = 0.00005 + 1e-9;
    private static readonly byte[] Labels = [.. Enumerable.Range(0, Zoo.Images.Count).Select(i => (byte)Zoo.Images.Label(i))];
    private static readonly Lazy<float[][]> Exits = new(RunStages);

    private static ModelCard Card => Zoo.Card;

    private static IEnumerable<ExitCard> ExitCards => Card.Exits;

    private static IEnumerable<RouteCard> RouteCards => Card.Routes;

    [TestCaseSource(nameof(ExitCards))]
    public void Exit_RunOverAllImages_ReachesWhatTheCardSays(ExitCard exit)
    {
        var logits = Exits.Value[exit.Exit - 1];
        Assert.That(Calibration.Accuracy(logits, Labels, Card.Classes.Count), Is.EqualTo(exit.Accuracy).Within(FourDigits));
        Assert.That(Calibration.Ece(logits, Labels, Card.Classes.Count, 1), Is.EqualTo(exit.EceBefore).Within(FourDigits));
        Assert.That(Calibration.Ece(logits, Labels, Card.Classes.Count, exit.Temperature), Is.EqualTo(exit.EceAfter).Within(FourDigits));
    }

    [TestCaseSource(nameof(ExitCards))]
    public void Exit_Calibration_IsThatOfTheCalibrationTrace(ExitCard exit)
    {
        var trace = Zoo.Model.ReadCalibrationTrace();
        var logits = Enumerable.Range(0, trace.Samples).SelectMany(i => trace.ExitLogits(exit.Exit, i).ToArray()).Select(logit => (float)logit).ToArray();
        Assert.That(Calibration.Accuracy(logits, trace.Labels, Card.Classes.Count), Is.EqualTo(exit.CalibrationAccuracy).Within(0.0003));
        Assert.That(Calibration.FitTemperature(logits, trace.Labels, Card.Classes.Count), Is.EqualTo(exit.Temperature).Within(0.5).Percent);
    }

    [TestCaseSource(nameof(RouteCards))]
    public void Route_OfTheTestTrace_ReachesWhatTheCardSays(RouteCard route)
    {
        // PNG loses nothing but has a length of its own; halves may swap two classes that were equal to three digits.
        var (correct, bytes, over) = (0, 0L, Card.RouteOf(route));
        for (var i = 0; i < Labels.Length; i++)
        {
            if (ArgMax(Zoo.TestTrace.RouteLogits(over, i)) == Labels[i]) correct++;
            bytes += Zoo.TestTrace.PayloadBytes(over, i) ?? FeatureCodecs.EncodedBytes(route.Codec, Card.Cuts[route.Cut].Elements);
        }
        Assert.That((double)correct / Labels.Length, Is.EqualTo(route.Accuracy).Within(0.0003));
        Assert.That((double)bytes / Labels.Length, Is.EqualTo(route.Payload.Value).Within(0.0001));
    }

    [Test]
    public void Trace_Labels_AreThoseOfTheDataSet() => Assert.That(Zoo.TestTrace.Labels.ToArray(), Is.EqualTo(Labels));

    [Test]
    public void Card_FirstAndFinalExitAndCalibration_ClearTheirBars()
    {
        Assert.That(Card.Exit(Card.StageCount).Accuracy, Is.GreaterThanOrEqualTo(0.915));
        Assert.That(Card.Exit(1).Accuracy, Is.GreaterThanOrEqualTo(0.875));
        Assert.That(Card.Exits.Select(exit => exit.EceAfter), Is.All.LessThanOrEqualTo(0.02));
        Assert.That(Card.Exits.Select(exit => exit.Accuracy), Is.Ordered);
    }

    private static int ArgMax(ReadOnlySpan<Half> logits)
    {
        var best = 0;
        for (var c = 1; c < logits.Length; c++)
            if (logits[c] > logits[best]) best = c;
        return best;
    }

    /// <summary>Every exit's logits [images x classes], stage by stage in batches, as the files give them.</summary>
    private static float[][] RunStages()
    {
        const int Batch = 50;
        var logits = Card.Exits.Select(_ => new float[Labels.Length * Card.Classes.Count]).ToArray();
        var pieces = new List<OnnxPiece>();
        var engines = new List<OnnxEngine>();
        var input = Activations.Pinned(Batch * Card.Cuts[0].Elements);
        var first = input;
        for (var stage = 1; stage <= Card.StageCount; stage++)
        {
            var behind = stage < Card.StageCount ? Card.Cuts[stage] : null;
            var rows = new Activations(Batch, input, behind?.Elements ?? 0, Card.Classes.Count);
            pieces.Add(Zoo.Model.LoadStage(stage, threads: 2));
            engines.Add(new OnnxEngine(pieces[^1], rows, Card.Cuts[stage - 1].Shape, behind?.Shape));
            input = rows.Features;
        }
        for (var from = 0; from < Labels.Length; from += Batch)
        {
            for (var row = 0; row < Batch; row++)
            {
                var pixels = Zoo.Images.Image(from + row).Span;
                for (var i = 0; i < pixels.Length; i++) first[row * pixels.Length + i] = (float)((pixels[i] / 255.0 - Card.InputMean) / Card.InputStd);
            }
            for (var exit = 0; exit < engines.Count; exit++)
            {
                engines[exit].Run().AsTask().Wait();
                engines[exit].Rows.Logits.CopyTo(logits[exit].AsSpan(from * Card.Classes.Count));
            }
        }
        foreach (var engine in engines) engine.Dispose();
        foreach (var piece in pieces) piece.Dispose();
        return logits;
    }
}
