using Fleet.Contracts;
using Fleet.Controller.Planning;
using Fleet.Models;
using Fleet.Models.Deciding;

namespace Fleet.Controller.Quality;

/// <summary>
/// What audits have taught: how far exits may be trusted now, and the confidence below which none answers while an edge server can be asked. What a plan
/// chose stays otherwise as it is: its thresholds are calibrated probabilities and mean the same at another temperature.
/// </summary>
/// <param name="Temperatures">For exit 1..N; NaN where nothing is known.</param>
/// <param name="ThresholdMin">Above 1: no exit answers while an edge server can be asked.</param>
public sealed record Recalibration(PerExit Temperatures, double ThresholdMin)
{
    /// <summary>Least inputs from which a temperature is fitted.</summary>
    private const int TemperatureSamples = 30;

    /// <summary>Every so-manieth input fits temperatures, the others the threshold: control holds for scores that were fixed without looking at its samples.</summary>
    private const int FittingStride = 4;

    /// <summary>
    /// Learns from inputs that are drawn like those to come. Temperatures: by likelihood of what is best known of each input's class. Threshold: conformal
    /// risk control of the share of answers that differ from the tail's, over all exits at once; a device's own deepest exit counts as the end of its path.
    /// </summary>
    /// <param name="mayAsk">Whether a device can ask an edge server: of one that stays local the deepest exit answers anyway, and no threshold helps.</param>
    public static Recalibration Of(IReadOnlyList<WatchedInput> inputs, Func<string, bool> mayAsk, int classes, double riskMax)
    {
        var exits = inputs.Max(input => input.Depth);
        var fitting = inputs.Where((_, i) => i % FittingStride == 0).ToList();
        var temperatures = Enumerable.Range(1, exits).Select(exit => Temperature([.. fitting.Where(input => input.Depth >= exit)], exit, classes)).ToArray();
        var asking = inputs.Where((input, i) => i % FittingStride != 0 && mayAsk(input.Device)).ToList();
        return new Recalibration(new PerExit(temperatures), asking.Count == 0 ? 0 : Threshold(asking, exits, temperatures, riskMax));
    }

    public Assignment Apply(Assignment planned)
    {
        var stays = planned.OffloadTo.Length == 0;
        return planned with
        {
            Temperatures = new PerExit(planned.Temperatures.Select((temperature, i) => Temperatures.Find(i + 1) ?? temperature)),
            Thresholds = new PerExit(planned.Thresholds.Select((threshold, i) => stays && i == planned.Head - 1 ? threshold : Math.Max(threshold, ThresholdMin))),
        };
    }

    /// <summary>What an earlier controller had learnt, by what it wants devices to run; null when that was nothing. Where plans were stricter than what was learnt, so is this.</summary>
    public static Recalibration? Of(IEnumerable<Assignment> desired, PlannedModel model)
    {
        var learnt = desired.Where(assignment => assignment.CardSha256 == model.Files.CardSha256 && !assignment.Temperatures.Equals(model.Temperatures(assignment.Head))).ToList();
        if (learnt.Count == 0) return null;
        var least = learnt.Where(assignment => assignment.OffloadTo.Length > 0).Select(assignment => assignment.Thresholds.Min()).DefaultIfEmpty(0).Min();
        return new Recalibration(learnt.MaxBy(assignment => assignment.Head)!.Temperatures, least);
    }

    private static double Temperature(IReadOnlyList<WatchedInput> inputs, int exit, int classes)
    {
        if (inputs.Count < TemperatureSamples) return double.NaN;
        var logits = new float[inputs.Count * classes];
        for (var i = 0; i < inputs.Count; i++) inputs[i].Logits[exit - 1].CopyTo(logits, i * classes);
        return Quantity.Rounded(Calibration.FitTemperature(logits, [.. inputs.Select(input => (byte)input.Truth)], classes));
    }

    private static double Threshold(IReadOnlyList<WatchedInput> inputs, int exits, double[] temperatures, double riskMax)
    {
        // An exit that a device does not hold is never sure.
        var sureness = Enumerable.Range(1, exits).Select(_ => Enumerable.Repeat(-1.0, inputs.Count).ToArray()).ToArray();
        var agrees = Enumerable.Range(1, exits).Select(_ => Enumerable.Repeat(true, inputs.Count).ToArray()).ToArray();
        for (var exit = 1; exit <= exits; exit++)
            for (var i = 0; i < inputs.Count; i++)
                if (inputs[i].Depth >= exit && !double.IsNaN(temperatures[exit - 1])) (sureness[exit - 1][i], agrees[exit - 1][i]) = inputs[i].At(exit, temperatures[exit - 1]);
        return RiskControl.AgreementLevel(sureness, agrees, riskMax);
    }
}
