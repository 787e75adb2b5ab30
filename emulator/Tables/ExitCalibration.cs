using Fleet.Models;
using Fleet.Models.Calibrating;

namespace Fleet.Emulator.Tables;

/// <summary>How far one exit's confidence can be trusted, on the test samples of one population. Maps were fitted on the calibration samples of the same.</summary>
/// <param name="Exit">1..N.</param>
/// <param name="Population">"all", or "reach it": those that no earlier exit answers.</param>
/// <param name="Before">By the softmax as it is.</param>
/// <param name="Temperature">By the card's temperature.</param>
/// <param name="Mapped">By the map that cross-validation chose.</param>
/// <param name="Family">The family of that map.</param>
/// <param name="Brier">Of the mapped confidences.</param>
/// <param name="EceUpper">An ECE that a perfectly calibrated exit of as many samples stays under in 95 of 100 cases, by the mapped confidences.</param>
public sealed record ExitCalibration(
    int Exit, string Population, int Samples, double Accuracy, ReliabilityDiagram Before, ReliabilityDiagram Temperature, ReliabilityDiagram Mapped, MapFamily Family, double Brier, double EceUpper)
{
    public const string All = "all";
    public const string Reaching = "reach it";

    /// <summary>Fewer calibration samples than this choose no map.</summary>
    private const int SamplesMin = 100;

    /// <summary>Every exit on all samples and, where earlier exits answer some, on those that reach it by <paramref name="thresholds"/>.</summary>
    /// <param name="thresholds">Null for a model without any.</param>
    public static IEnumerable<ExitCalibration> Of(StudiedModel model, ChosenThresholds? thresholds)
    {
        for (var exit = 1; exit <= model.Card.StageCount; exit++)
        {
            var logits = (Calibration: model.Calibration.Exits[exit - 1], Test: model.Test.Exits[exit - 1]);
            yield return Of(model, exit, All, (logits.Calibration, model.Calibration.Labels), (logits.Test, model.Test.Labels));
            if (exit == 1 || thresholds is null) continue;
            var reaching = model.Reaching(exit, thresholds);
            if (reaching.Calibration.Length < SamplesMin || reaching.Test.Length == 0) continue;
            var classes = model.Test.Classes;
            yield return Of(model, exit, Reaching,
                ExitLogits.Rows(logits.Calibration, model.Calibration.Labels, classes, reaching.Calibration), ExitLogits.Rows(logits.Test, model.Test.Labels, classes, reaching.Test));
        }
    }

    private static ExitCalibration Of(StudiedModel model, int exit, string population, (float[] Logits, byte[] Labels) calibration, (float[] Logits, byte[] Labels) test)
    {
        var classes = model.Test.Classes;
        (double[] Confidences, bool[] Correct) Judged(CalibrationMap map) => map.Judge(test.Logits, test.Labels, classes);
        ReliabilityDiagram Diagram((double[] Confidences, bool[] Correct) judged) => ReliabilityDiagram.EqualWidth(judged.Confidences, judged.Correct);
        // Seeds of its own for each exit: adding one changes no other's figures.
        var choice = MapChoice.Fit(calibration.Logits, calibration.Labels, classes, MapScore.Brier, new Random(exit));
        var mapped = Judged(choice.Map);
        return new ExitCalibration(
            exit, population, test.Labels.Length, Calibration.Accuracy(test.Logits, test.Labels, classes),
            Diagram(Judged(new TemperatureMap(1))), Diagram(Judged(new TemperatureMap(model.Card.Exit(exit).Temperature))), Diagram(mapped), choice.Family,
            Calibration.Brier(mapped.Confidences, mapped.Correct), EceBand.Upper(mapped.Confidences, new Random(exit)));
    }
}
