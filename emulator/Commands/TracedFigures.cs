using System.Globalization;
using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Commands;

/// <summary>The figures of a card that its own traces determine, beside what they come to there: a card must not say what its traces contradict.</summary>
internal static class TracedFigures
{
    /// <summary>Samples that the half precision of traces may turn: two logits that were nearly equal.</summary>
    private const double TurnedMax = 2.5;

    /// <summary>ECE sorts confidences into bins, and half precision moves some across an edge.</summary>
    private const double EceTolerance = 1e-3;

    private const double TemperatureTolerance = 1e-3;
    private const double PayloadTolerance = 0.05;

    public static IEnumerable<Finding> OfTest(ModelCard card, Trace test)
    {
        foreach (var exit in card.Exits)
        {
            var logits = test.ExitLogits(exit.Exit);
            yield return Accuracy($"exit {exit.Exit} accuracy", exit.Accuracy, logits, test);
            yield return Finding.Of($"exit {exit.Exit} ECE, T = 1", exit.EceBefore, Calibration.Ece(logits, test.Labels, test.Classes, temperature: 1), EceTolerance);
            yield return Finding.Of($"exit {exit.Exit} ECE, T = {exit.Temperature.ToString("F4", CultureInfo.InvariantCulture)}", exit.EceAfter, Calibration.Ece(logits, test.Labels, test.Classes, exit.Temperature), EceTolerance);
        }
        foreach (var line in card.Routes)
        {
            var route = card.RouteOf(line);
            yield return Accuracy($"{route} accuracy", line.Accuracy, Logits(test, sample => test.RouteLogits(route, sample)), test);
            var found = Enumerable.Range(0, test.Samples).Average(sample => (double)(test.PayloadBytes(route, sample) ?? FeatureCodecs.EncodedBytes(route.Codec, card.Crossing(route.Tail).Elements)));
            yield return new Finding($"{route} payload", Size(line.Payload.Value), Size(found), Math.Abs(found - line.Payload.Value) < PayloadTolerance);
        }
    }

    /// <summary>Temperatures were fitted on fp32 logits, and are found on their fp16 copies.</summary>
    public static IEnumerable<Finding> OfCalibration(ModelCard card, Trace calibration)
    {
        foreach (var exit in card.Exits)
        {
            var logits = calibration.ExitLogits(exit.Exit);
            yield return Accuracy($"calibration exit {exit.Exit} accuracy", exit.CalibrationAccuracy, logits, calibration);
            var found = Calibration.FitTemperature(logits, calibration.Labels, calibration.Classes);
            yield return new Finding($"calibration exit {exit.Exit} temperature", Temperature(exit.Temperature), Temperature(found), Math.Abs(found - exit.Temperature) <= TemperatureTolerance);
        }
    }

    /// <summary>Throws when a figure of the card is not what its traces say.</summary>
    /// <exception cref="FaultsException">Names the card and every such figure, or a damaged trace.</exception>
    public static void Require(ModelFiles model)
    {
        var wrong = OfTest(model.Card, model.ReadTestTrace()).Concat(OfCalibration(model.Card, model.ReadCalibrationTrace())).Where(finding => !finding.Agrees);
        FaultsException.ThrowIfAny(Path.Combine(model.Directory, ModelFiles.CardName), wrong.Select(finding => $"{finding.What} is {finding.Said}; its trace says {finding.Found}"));
    }

    private static Finding Accuracy(string what, double said, float[] logits, Trace trace) =>
        Finding.Of(what, said, Calibration.Accuracy(logits, trace.Labels, trace.Classes), TurnedMax / trace.Samples);

    private delegate ReadOnlySpan<Half> Rows(int sample);

    private static float[] Logits(Trace trace, Rows rows)
    {
        var logits = new float[trace.Samples * trace.Classes];
        for (var i = 0; i < trace.Samples; i++) TensorPrimitives.ConvertToSingle(rows(i), logits.AsSpan(i * trace.Classes, trace.Classes));
        return logits;
    }

    private static string Size(double bytes) => bytes.ToString("F1", CultureInfo.InvariantCulture) + " B";

    private static string Temperature(double value) => value.ToString("F3", CultureInfo.InvariantCulture);
}
