using Fleet.Contracts;
using Fleet.Emulator.Tables;
using Fleet.Models;
using Fleet.Models.Deciding;

namespace Fleet.Emulator.Experiments.Exits;

/// <summary>Exits and a cascade on images that have drifted, beside the same images before they did.</summary>
/// <param name="Clean">Accuracy of exit 1..N on the same images undrifted, and <paramref name="Drifted"/>.</param>
/// <param name="Kept">The cascade with the thresholds chosen on undrifted calibration images, on the drifted test images.</param>
/// <param name="Chosen">With thresholds chosen on calibration images that drifted alike.</param>
public sealed record DriftLoss(string Model, string Drift, IReadOnlyList<double> Clean, IReadOnlyList<double> Drifted, CascadeOutcome Kept, CascadeOutcome Chosen)
{
    /// <summary>What thresholds may lose on the calibration images that choose them.</summary>
    public const double Allowed = 0.005;

    public static IEnumerable<DriftLoss> Of(StudiedModel model)
    {
        var card = model.Card;
        var usual = Choose(model, model.Calibration);
        foreach (var drift in card.DriftTraces.Where(trace => trace.Set is TraceSet.Test))
        {
            if (card.DriftTraces.FirstOrDefault(trace => trace.Drift == drift.Drift && trace.Set is TraceSet.Calibration) is not { } calibration) continue;
            var test = ExitLogits.Of(model.Files.ReadTrace(drift));
            // Drifted traces are of the first images of the set.
            var clean = model.Test.At([.. Enumerable.Range(0, test.Samples)]);
            var cascade = Of(model, test);
            yield return new DriftLoss(card.Name, drift.Drift, Accuracies(clean), Accuracies(test), cascade.Evaluate(usual), cascade.Evaluate(Choose(model, ExitLogits.Of(model.Files.ReadTrace(calibration)))));
        }
    }

    private static Cascade Of(StudiedModel model, ExitLogits set) => Cascade.Of(set, ExitScore.Probability, [.. model.Card.Exits.Select(exit => exit.Temperature)], Cascade.MacsOf(model.Card));

    private static double[] Choose(StudiedModel model, ExitLogits calibration)
    {
        var cascade = Of(model, calibration);
        // The full network is always on the front, so that something keeps to any loss.
        return Screening.Cheapest(Screening.ParetoFront(cascade, Screening.DefaultGrids(cascade)), cascade.FullAccuracy - Allowed)!.Thresholds;
    }

    private static IReadOnlyList<double> Accuracies(ExitLogits set) => [.. set.Exits.Select(logits => Calibration.Accuracy(logits, set.Labels, set.Classes))];
}
