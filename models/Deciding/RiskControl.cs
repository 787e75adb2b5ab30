using Fleet.Contracts;

namespace Fleet.Models.Deciding;

/// <summary>Thresholds chosen so that the risk stays below what was asked, and what is known of them from calibration data.</summary>
/// <param name="Step">Place on the path; 0 is the full network.</param>
/// <param name="Thresholds">One for each exit but the last.</param>
/// <param name="Risk">Mean loss on the calibration samples.</param>
/// <param name="Bound">What the method compares with epsilon: (n R + B) / (n + 1) for conformal control, the upper bound else; 0 at step 0.</param>
/// <param name="MeanMacs">On the calibration samples.</param>
public sealed record ControlledThresholds(int Step, double[] Thresholds, double Risk, double Bound, Macs MeanMacs);

/// <summary>
/// Exit thresholds with a guarantee on the risk of stopping early, whatever the data are distributed like, as long as the samples to come
/// are drawn like the calibration samples and path, scores and losses were fixed without looking at those. Source: Jazbec et al., "Fast yet
/// Safe", NeurIPS 2024.
/// <para>
/// With several exits thresholds are chosen along a path from the safe end, where no exit answers and the loss is 0 by definition, to ever
/// more permissive ones; the choice is the last step before the first that fails. (The authors' code returns that first failing step.)
/// </para>
/// </summary>
public static class RiskControl
{
    /// <summary>Of a risk that may be asked for.</summary>
    public static Bounds RiskBounds { get; } = new(0.001, 0.5);

    /// <summary>Levels from 1 down to 0 that <see cref="AgreementLevel"/> tries: steps of a quarter of a point.</summary>
    private const int LevelSteps = 400;

    /// <summary>
    /// The path of one common level for all exits, from never through 1, 1 - 1/n, ... to 0. A calibrated probability means the same at each
    /// exit, so one level does; an uncalibrated score is allowed and only less efficient.
    /// </summary>
    public static IReadOnlyList<double[]> CommonLevel(int exits, int steps = 100) =>
        [.. Enumerable.Range(0, steps + 1).Select(step => 1 - (double)step / steps).Prepend(ExitRule.Never(ExitScore.Probability).Threshold)
            .Select(level => Enumerable.Repeat(level, exits - 1).ToArray())];

    /// <summary>
    /// Conformal risk control: the mean of the risk over calibration sets is at most <paramref name="epsilon"/>. A step passes iff
    /// R &lt;= ((n + 1) epsilon - B) / n. Losses are first made monotone, each the largest so far along the path: the theorem asks for it, and
    /// it only raises them. Source: Angelopoulos et al., "Conformal risk control", ICLR 2024, theorem 1.
    /// </summary>
    /// <exception cref="ArgumentException">The path does not start where no exit answers, or its steps are not ever more permissive.</exception>
    public static ControlledThresholds Conformal(Cascade calibration, RiskLoss loss, IReadOnlyList<double[]> path, double epsilon)
    {
        var worst = new double[calibration.Samples];
        return LastPassing(calibration, loss, path, losses =>
        {
            for (var sample = 0; sample < worst.Length; sample++) worst[sample] = Math.Max(worst[sample], losses[sample]);
            var (n, risk) = (worst.Length, worst.Average());
            return risk <= ((n + 1) * epsilon - loss.Largest) / n ? (n * risk + loss.Largest) / (n + 1) : null;
        });
    }

    /// <summary>
    /// One level for the exits before a tail, so that the share of answers that differ from the tail's stays at or below <paramref name="epsilon"/> in the mean:
    /// <see cref="Conformal"/> along <see cref="CommonLevel"/>. Behind the last exit the tail answers, and agrees with itself.
    /// </summary>
    /// <param name="sureness">For each exit that may answer, one a sample; below 0 where it is not held.</param>
    /// <param name="agrees">For each exit: whether it answers as the tail does.</param>
    /// <returns>A probability; above 1 when no exit may answer.</returns>
    public static double AgreementLevel(IReadOnlyList<double[]> sureness, IReadOnlyList<bool[]> agrees, double epsilon)
    {
        var samples = sureness[0].Length;
        var cascade = new Cascade(ExitScore.Probability, [.. sureness, new double[samples]], [.. agrees, Enumerable.Repeat(true, samples).ToArray()], [.. Enumerable.Range(1, sureness.Count + 1).Select(work => new Macs(work))]);
        return Conformal(cascade, RiskLoss.AccuracyGap(cascade), CommonLevel(cascade.Exits, LevelSteps), epsilon).Thresholds[0];
    }

    /// <summary>
    /// With probability at least 1 - <paramref name="delta"/> over calibration sets the risk is at most <paramref name="epsilon"/>. A step
    /// passes iff <see cref="WaudbySmithRamdas"/> says so; since steps are tested in fixed order up to the first failure, all share delta.
    /// </summary>
    /// <inheritdoc cref="Conformal" path="/exception"/>
    public static ControlledThresholds UpperBound(Cascade calibration, RiskLoss loss, IReadOnlyList<double[]> path, double epsilon, double delta)
    {
        double[] last = [];
        var chosen = LastPassing(calibration, loss, path, losses =>
        {
            if (!WaudbySmithRamdas.Certifies(losses, epsilon, delta, loss.Largest)) return null;
            last = losses;
            return epsilon;
        });
        return chosen.Step == 0 ? chosen : chosen with { Bound = WaudbySmithRamdas.UpperBound(last, delta, loss.Largest) };
    }

    /// <summary>Mean loss of a set of thresholds.</summary>
    public static double Risk(Cascade cascade, RiskLoss loss, IReadOnlyList<double> thresholds) => loss.Of(cascade.ExitsTaken(thresholds)).Average();

    /// <param name="bound">The bound of a step that passes; null when it fails.</param>
    private static ControlledThresholds LastPassing(Cascade cascade, RiskLoss loss, IReadOnlyList<double[]> path, Func<double[], double?> bound)
    {
        var before = cascade.ExitsTaken(path[0]);
        if (before.Any(exit => exit < cascade.Exits)) throw new ArgumentException("the path must start where no exit answers", nameof(path));
        var chosen = new ControlledThresholds(0, path[0], 0, 0, cascade.Macs[^1]);
        for (var step = 1; step < path.Count; step++)
        {
            RequireMorePermissive(cascade.Score, path, step);
            var losses = loss.Of(cascade.ExitsTaken(path[step]));
            if (bound(losses) is not { } passed) break;
            chosen = new ControlledThresholds(step, path[step], losses.Average(), passed, chosen.MeanMacs);
        }
        return chosen with { MeanMacs = cascade.Evaluate(chosen.Thresholds).MeanMacs };
    }

    private static void RequireMorePermissive(ExitScore score, IReadOnlyList<double[]> path, int step)
    {
        for (var exit = 0; exit < path[step].Length; exit++)
            if (new ExitRule(score, path[step][exit]).Bar > new ExitRule(score, path[step - 1][exit]).Bar)
                throw new ArgumentException($"step {step} of the path is stricter at exit {exit + 1} than the step before", nameof(path));
    }
}
