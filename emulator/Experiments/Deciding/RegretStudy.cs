using Fleet.Emulator.Simulation;
using Fleet.Models.Offloading;

namespace Fleet.Emulator.Experiments.Deciding;

/// <summary>What going on costs and to whom it goes, and on which recording.</summary>
/// <param name="Price">Of going on, in wrong answers.</param>
public sealed record RegretCase(string Model, double Price);

/// <summary>Regret of one policy in one case after so many inputs, mean of the seeds, in wrong answers.</summary>
/// <param name="Fixed">At the end, of each of <see cref="RegretStudy.Thresholds"/> on the same inputs.</param>
public sealed record RegretCurve(RegretCase Case, string Policy, IReadOnlyList<int> Inputs, IReadOnlyList<double> Regret, double LossAnInput, IReadOnlyList<double> Fixed)
{
    /// <summary>Whether it learns, and how: the published form, or the one that devices run.</summary>
    public bool IsHiLcb => Policy.StartsWith("hi-lcb", StringComparison.Ordinal);

    public bool Learns => IsHiLcb || Policy == "h2t2";

    /// <summary>R-squared of the regret against a law of the inputs, a + b law(t), by least squares from <see cref="FitFrom"/> on.</summary>
    public double Fit(Func<double, double> law) => Line(law).RSquared;

    /// <summary>Of a + b law(t).</summary>
    public double Slope(Func<double, double> law) => Line(law).Slope;

    /// <summary>K: before, the bound's logarithm and the bins' first inputs rule.</summary>
    public const int FitFrom = 1_000;

    private (double Slope, double RSquared) Line(Func<double, double> law)
    {
        var points = Inputs.Zip(Regret).Where(point => point.First >= FitFrom).Select(point => (X: law(point.First), Y: point.Second)).ToList();
        var (x, y) = (points.Average(point => point.X), points.Average(point => point.Y));
        var (xx, xy, yy) = (points.Sum(point => (point.X - x) * (point.X - x)), points.Sum(point => (point.X - x) * (point.Y - y)), points.Sum(point => (point.Y - y) * (point.Y - y)));
        return (xy / xx, yy == 0 ? 0 : xy * xy / (xx * yy));
    }
}

/// <summary>
/// Policies on recorded confidences, against the best fixed threshold in hindsight. Confidences are quantised to the learners' bins, as the papers have them, so that
/// the best threshold is one that could be learnt.
/// </summary>
public static class RegretStudy
{
    public const int Horizon = 100_000;
    public const int Seeds = 10;
    public const double DefaultThreshold = 0.8;

    public static readonly IReadOnlyList<RegretCase> Cases = [new("fmnist", 0.05), new("fmnist", 0.2), new("scenes", 0.1), new("scenes", 0.3)];

    /// <summary>Thresholds at the edges of the bins: 0 never goes on, 2 always does.</summary>
    public static readonly IReadOnlyList<double> Thresholds = [0, .. Enumerable.Range(0, ConfidenceScale.Bins - 1).Select(ConfidenceScale.High), 2];

    private static readonly IReadOnlyList<int> LookedAt = [.. Enumerable.Range(0, 25).Select(i => (int)Math.Round(Math.Pow(10, 1 + i / 6.0)))];

    public static IReadOnlyList<string> Policies => [.. Contenders().Select(contender => contender.Name)];

    public static IReadOnlyList<RegretCurve> Run(RegretCase one, RecordedStream stream, long seed)
    {
        var names = Policies;
        var (sums, losses, fixedRegret) = (names.Select(_ => new double[LookedAt.Count]).ToList(), new double[names.Count], new double[Thresholds.Count]);
        for (var run = 0; run < Seeds; run++)
        {
            var contenders = Contenders();
            for (var i = 0; i < contenders.Count; i++)
            {
                // Everybody sees the same inputs of a seed; what one draws is its own.
                var (inputs, luck) = (new SeededRandom(seed + run, $"{one.Model}/{one.Price}/inputs"), new SeededRandom(seed + run, $"{one.Model}/{one.Price}/{contenders[i].Name}"));
                var next = 0;
                var ledger = Play(contenders[i], one.Price, stream, Horizon, inputs, luck, ledger =>
                {
                    if (next < LookedAt.Count && ledger.Inputs == LookedAt[next]) sums[i][next++] += ledger.Regret / Seeds;
                });
                losses[i] += ledger.Loss / ledger.Inputs / Seeds;
                for (var threshold = 0; i == 0 && threshold < Thresholds.Count; threshold++) fixedRegret[threshold] += (ledger.FixedLosses[threshold] - ledger.BestFixed.Loss) / Seeds;
            }
        }
        return [.. names.Select((name, i) => new RegretCurve(one, name, LookedAt, sums[i], losses[i], fixedRegret))];
    }

    /// <summary>So many inputs of a stream, and what they cost.</summary>
    /// <param name="inputs">Draws them.</param>
    /// <param name="luck">The contender's own.</param>
    /// <param name="look">Called after each.</param>
    public static RegretLedger Play(Contender contender, double price, RecordedStream stream, int count, SeededRandom inputs, SeededRandom luck, Action<RegretLedger>? look = null)
    {
        var ledger = new RegretLedger(Thresholds);
        for (var t = 0; t < count; t++)
        {
            var input = stream.Next(inputs);
            var (wentOn, audited) = contender.Take(input, price, luck);
            // At the edge of its bin a confidence is what every threshold at an edge takes it for.
            ledger.Add(Quantised(input.Confidence), wentOn, price, input.Agrees ? 0 : 1, audited);
            look?.Invoke(ledger);
        }
        return ledger;
    }

    /// <summary>The middle of its bin.</summary>
    public static double Quantised(double confidence) => ConfidenceScale.Centre(ConfidenceScale.Bin(confidence));

    private static IReadOnlyList<Contender> Contenders() =>
    [
        new HiLcbContender("hi-lcb", isMonotone: true), new HiLcbContender("hi-lcb-lite", isMonotone: false),
        new HiLcbContender("hi-lcb as published", isMonotone: true, isAsPublished: true), new HiLcbContender("hi-lcb-lite as published", isMonotone: false, isAsPublished: true), new H2t2Contender("h2t2", AlarmCosts.None),
        new FixedContender("always", 2), new FixedContender("never", 0), new FixedContender("static 0.8", DefaultThreshold),
    ];
}
