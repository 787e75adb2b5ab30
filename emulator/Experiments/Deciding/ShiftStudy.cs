using Fleet.Emulator.Simulation;
using Fleet.Models.Offloading;

namespace Fleet.Emulator.Experiments.Deciding;

/// <summary>What a policy lost an input before and after images changed, and what the best fixed threshold of either half would have; wrong answers an input, mean of the seeds.</summary>
/// <param name="Late">In the last quarter of the inputs, when who learns has had time to.</param>
public sealed record ShiftOutcome(RegretCase Case, string Drift, string Policy, double Before, double After, double Late, double WentOnAfter);

/// <summary>Half of the inputs are as the network was trained for, half have drifted. Static thresholds are the best of the calibration set, and the best in hindsight of the first half.</summary>
public static class ShiftStudy
{
    public const int Half = 20_000;
    public const int Seeds = 10;
    public const double Audits = 0.02;
    public const string Calibrated = "static, best on calibration";
    public const string Hindsight = "static, best in hindsight before";
    public const string Judged = "hi-lcb";
    public const string Best = "best threshold after";

    public static readonly IReadOnlyList<string> Drifts = ["noise-2", "rotation-2"];

    /// <param name="calibration">What a static threshold is chosen on.</param>
    public static IReadOnlyList<ShiftOutcome> Run(RegretCase one, string drift, RecordedStream calibration, RecordedStream before, RecordedStream after, long seed)
    {
        var sums = new Dictionary<string, double[]>(StringComparer.Ordinal);
        for (var run = 0; run < Seeds; run++)
        {
            var contenders = Contenders(BestOn(calibration.All, one.Price), BestOn(Drawn(before, Inputs()), one.Price));
            SeededRandom Inputs() => new(seed + run, $"{one.Model}/{one.Price}/{drift}/inputs");
            double best = 0;
            foreach (var contender in contenders)
            {
                var (inputs, luck) = (Inputs(), new SeededRandom(seed + run, $"{one.Model}/{one.Price}/{drift}/{contender.Name}"));
                var first = RegretStudy.Play(contender, one.Price, before, Half, inputs, luck);
                var middle = RegretStudy.Play(contender, one.Price, after, Half / 2, inputs, luck);
                var last = RegretStudy.Play(contender, one.Price, after, Half / 2, inputs, luck);
                best = (middle.FixedLosses.Zip(last.FixedLosses, (a, b) => a + b).Min()) / Half;
                Add(contender.Name, first.Loss / Half, (middle.Loss + last.Loss) / Half, 2 * last.Loss / Half, (double)(middle.WentOn + last.WentOn) / Half);
            }
            Add(Best, 0, best, best, 0);
        }
        return [.. sums.Select(pair => new ShiftOutcome(one, drift, pair.Key, pair.Value[0] / Seeds, pair.Value[1] / Seeds, pair.Value[2] / Seeds, pair.Value[3] / Seeds))];

        void Add(string name, params double[] values)
        {
            if (!sums.TryGetValue(name, out var sum)) sums.Add(name, sum = new double[values.Length]);
            for (var i = 0; i < values.Length; i++) sum[i] += values[i];
        }
    }

    private static IEnumerable<RecordedInput> Drawn(RecordedStream stream, SeededRandom order)
    {
        for (var t = 0; t < Half; t++) yield return stream.Next(order);
    }

    private static double BestOn(IEnumerable<RecordedInput> inputs, double price)
    {
        var ledger = new RegretLedger(RegretStudy.Thresholds);
        foreach (var input in inputs) ledger.Add(RegretStudy.Quantised(input.Confidence), wentOn: false, price, input.Agrees ? 0 : 1);
        return ledger.BestFixed.Threshold;
    }

    private static IReadOnlyList<Contender> Contenders(double calibrated, double hindsight) =>
    [
        new HiLcbContender(Judged, isMonotone: true, audits: Audits), new HiLcbContender("hi-lcb-lite", isMonotone: false, audits: Audits),
        new HiLcbContender("hi-lcb as published", isMonotone: true, isAsPublished: true), new H2t2Contender("h2t2", AlarmCosts.None),
        new FixedContender(Calibrated, calibrated), new FixedContender(Hindsight, hindsight), new FixedContender("always", 2), new FixedContender("never", 0),
    ];
}
