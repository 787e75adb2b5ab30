using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Deciding;

namespace Fleet.Emulator.Tables;

/// <summary>A threshold set that the calibration images chose, and what it does on the test images.</summary>
/// <param name="LossAllowed">The accuracy it may cost on the calibration images, against the full network.</param>
public sealed record ChosenThresholds(double LossAllowed, CascadeOutcome Test);

/// <summary>Thresholds that risk control chose, and what came of them.</summary>
/// <param name="Epsilon">The risk that was asked for.</param>
/// <param name="Chosen">On the calibration images.</param>
/// <param name="Risk">On the test images.</param>
/// <param name="Test">On the test images.</param>
public sealed record ControlledOutcome(string Method, double Epsilon, ControlledThresholds Chosen, double Risk, CascadeOutcome Test);

/// <summary>A model with its answers on both sets. Whatever is chosen is chosen on the calibration images; figures are of the test images.</summary>
public sealed class StudiedModel
{
    /// <summary>Losses of accuracy for which the cheapest thresholds are named.</summary>
    private static readonly double[] Losses = [0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02];

    private readonly IReadOnlyList<CascadeOutcome> calibrationFront;
    private readonly Cascade calibrationCascade;
    private readonly Cascade testCascade;

    /// <exception cref="FaultsException">A trace is damaged or of another network.</exception>
    public StudiedModel(ModelFiles files)
    {
        Files = files;
        (Calibration, Test) = (ExitLogits.Of(files.ReadCalibrationTrace()), ExitLogits.Of(files.ReadTestTrace()));
        var temperatures = Card.Exits.Select(exit => exit.Temperature).ToList();
        calibrationCascade = Cascade.Of(Calibration, ExitScore.Probability, temperatures, Cascade.MacsOf(Card));
        testCascade = Cascade.Of(Test, ExitScore.Probability, temperatures, Cascade.MacsOf(Card));
        calibrationFront = Card.StageCount == 1 ? [] : Screening.ParetoFront(calibrationCascade, Screening.DefaultGrids(calibrationCascade));
        Front = [.. calibrationFront.Select(chosen => testCascade.Evaluate(chosen.Thresholds))];
    }

    public ModelFiles Files { get; }

    public ModelCard Card => Files.Card;

    public ExitLogits Calibration { get; }

    public ExitLogits Test { get; }

    /// <summary>The Pareto front of the calibration images, by rising mean work, as the test images find it; empty with one exit.</summary>
    public IReadOnlyList<CascadeOutcome> Front { get; }

    /// <summary>The cheapest thresholds for each loss that some thresholds keep to; those that several losses choose stand once.</summary>
    public IReadOnlyList<ChosenThresholds> Chosen =>
    [
        .. Losses.Select(loss => (Loss: loss, At: CheapestAt(loss))).Where(choice => choice.At >= 0)
            .DistinctBy(choice => choice.At).Select(choice => new ChosenThresholds(choice.Loss, Front[choice.At])),
    ];

    /// <summary>
    /// Thresholds by risk control on the calibration images: what exits get wrong that the last gets right may happen to at most <paramref name="epsilon"/>
    /// of the inputs, in the mean (conformal) or with probability 1 - <paramref name="delta"/> (upper bound); and that risk on the test images.
    /// </summary>
    public IEnumerable<ControlledOutcome> Controlled(double epsilon, double delta)
    {
        if (Card.StageCount == 1) yield break;
        var (loss, path) = (RiskLoss.AccuracyGap(calibrationCascade), RiskControl.CommonLevel(Card.StageCount));
        yield return Outcome("conformal, in the mean", RiskControl.Conformal(calibrationCascade, loss, path, epsilon));
        yield return Outcome("upper bound", RiskControl.UpperBound(calibrationCascade, loss, path, epsilon, delta));

        ControlledOutcome Outcome(string method, ControlledThresholds chosen) =>
            new(method, epsilon, chosen, RiskControl.Risk(testCascade, RiskLoss.AccuracyGap(testCascade), chosen.Thresholds), testCascade.Evaluate(chosen.Thresholds));
    }

    /// <summary>The samples of both sets that reach an exit (1..N) by those thresholds.</summary>
    public (int[] Calibration, int[] Test) Reaching(int exit, ChosenThresholds chosen) =>
        (calibrationCascade.Reaching(exit, chosen.Test.Thresholds), testCascade.Reaching(exit, chosen.Test.Thresholds));

    private int CheapestAt(double loss)
    {
        if (calibrationFront.Count == 0) return -1;
        var found = Screening.Cheapest(calibrationFront, calibrationCascade.FullAccuracy - loss);
        return found is null ? -1 : calibrationFront.TakeWhile(outcome => outcome != found).Count();
    }
}
