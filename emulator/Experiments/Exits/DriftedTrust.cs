using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using Fleet.Emulator.Tables;
using Fleet.Models;
using Fleet.Models.Calibrating;
using Fleet.Models.Deciding;

namespace Fleet.Emulator.Experiments.Exits;

/// <summary>One way of reading an exit's confidence, on test images of one kind.</summary>
/// <param name="Cost">Mean cost of trusting or not trusting the exit by it, see <see cref="DriftedTrust.Costs"/>.</param>
/// <param name="Kept">Share of images whose confidence reaches the accuracy asked, and <paramref name="KeptAccuracy"/>: how often those are right (null: none).</param>
/// <param name="Outage">Share of groups of images whose kept answers are right less often than asked.</param>
public sealed record Reading(double Ece, double Cost, double Kept, double? KeptAccuracy, double Outage);

/// <summary>The first exit on images that have drifted, its confidence read as it is, by the card's temperature, and by a map fitted on calibration images that drifted alike.</summary>
/// <param name="Drift">"none", or as in "noise-2".</param>
/// <param name="Band">An ECE that a perfectly calibrated exit of as many samples stays under in 95 of 100 cases, by the fitted map.</param>
public sealed record DriftedTrust(string Model, string Drift, int Samples, double Accuracy, Reading Raw, Reading Card, Reading Fitted, MapFamily Family, double Band)
{
    /// <summary>Trusting a wrong answer costs 1; not trusting a right one, and so asking somebody else for nothing, a quarter.</summary>
    public static readonly ErrorCosts Costs = new(1, 0.25);

    /// <summary>How often kept answers shall be right.</summary>
    public const double Asked = 0.9;

    private const int Exit = 1;
    private const int Groups = 500;
    private const int GroupSize = 100;
    private const string None = "none";

    /// <summary>Undrifted images first, then every drift of the card.</summary>
    public static IEnumerable<DriftedTrust> Of(StudiedModel model, long seed)
    {
        yield return Of(model, None, model.Calibration, model.Test, seed);
        foreach (var drift in model.Card.DriftTraces.Where(trace => trace.Set is TraceSet.Test))
        {
            if (model.Card.DriftTraces.FirstOrDefault(trace => trace.Drift == drift.Drift && trace.Set is TraceSet.Calibration) is not { } calibration) continue;
            yield return Of(model, drift.Drift, ExitLogits.Of(model.Files.ReadTrace(calibration)), ExitLogits.Of(model.Files.ReadTrace(drift)), seed);
        }
    }

    private static DriftedTrust Of(StudiedModel model, string drift, ExitLogits calibration, ExitLogits test, long seed)
    {
        var (name, logits) = ($"{model.Card.Name}/{drift}", test.Exits[Exit - 1]);
        var choice = MapChoice.Fit(calibration.Exits[Exit - 1], calibration.Labels, calibration.Classes, MapScore.Brier, new SeededRandom(seed, $"trust/folds/{name}"));
        var fitted = choice.Map.Judge(logits, test.Labels, test.Classes);
        return new DriftedTrust(
            model.Card.Name, drift, test.Samples, Calibration.Accuracy(logits, test.Labels, test.Classes), Read(new TemperatureMap(1)), Read(new TemperatureMap(model.Card.Exit(Exit).Temperature)), Read(choice.Map), choice.Family,
            EceBand.Upper(fitted.Confidences, new SeededRandom(seed, $"trust/band/{name}")));

        Reading Read(CalibrationMap map) => Judge(map.Judge(logits, test.Labels, test.Classes), new SeededRandom(seed, $"trust/groups/{name}"));
    }

    private static Reading Judge((double[] Confidences, bool[] Correct) judged, Random random)
    {
        var (confidences, correct) = judged;
        var cost = confidences.Zip(correct, (p, right) => Costs.SaysYes(p) ? right ? 0 : Costs.FalsePositive : right ? Costs.FalseNegative : 0).Average();
        var kept = Enumerable.Range(0, confidences.Length).Where(i => confidences[i] >= Asked).ToList();
        var outages = Enumerable.Range(0, Groups).Count(_ =>
        {
            var (answered, right) = (0, 0);
            for (var i = 0; i < GroupSize; i++)
            {
                var at = random.Next(confidences.Length);
                if (confidences[at] < Asked) continue;
                answered++;
                if (correct[at]) right++;
            }
            return right < Asked * answered;
        });
        return new Reading(ReliabilityDiagram.EqualWidth(confidences, correct).Ece, cost, (double)kept.Count / confidences.Length, kept.Count == 0 ? null : (double)kept.Count(i => correct[i]) / kept.Count, (double)outages / Groups);
    }
}
