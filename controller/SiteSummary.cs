using Fleet.Contracts;
using Fleet.Controller.Planning;

namespace Fleet.Controller;

/// <summary>Adds up a site's windows between two summaries.</summary>
public sealed class SiteSummary
{
    private readonly double[] exits = new double[PerExit.Max];
    private double spared, count, offloaded, fallback, missed, labelled, correct, expected, expectedCount;
    private double latencyP50, latencyP95, latencyCount, energyCount;
    private Joules energy;
    private Bytes bytes;
    private long answeredTotal;

    /// <summary>Answers since the start whose accuracy the calibration trace promises, and how many of them should be right.</summary>
    public double ExpectedCountTotal { get; private set; }

    /// <inheritdoc cref="ExpectedCountTotal"/>
    public double ExpectedCorrectTotal { get; private set; }

    /// <param name="option">What the device ran, as far as it is known: gives the accuracy that its answers promise.</param>
    public void Add(InferWindow window, Option? option)
    {
        for (var exit = 1; exit <= window.Exits.Count; exit++) exits[exit - 1] += window.Exits.Of(exit);
        count += window.Count;
        answeredTotal += window.Count;
        offloaded += window.Offloaded;
        fallback += window.Fallback;
        missed += window.DeadlineMissed;
        spared += window.Spared ?? 0;
        labelled += window.Labelled;
        correct += window.Correct;
        if (window is { LatencyP50: { } p50, LatencyP95: { } p95 })
        {
            latencyP50 += p50.Value * window.Count;
            latencyP95 += p95.Value * window.Count;
            latencyCount += window.Count;
        }
        if (window.Energy is { } spent)
        {
            energy += spent;
            energyCount += window.Count;
        }
        bytes += window.BytesSent;
        if (option is not null) Expect(window, option);
    }

    /// <summary>The summary of what was added; the next one begins empty.</summary>
    public Summary Close(Summary about, Seconds window)
    {
        double? Ratio(double part, double whole) => whole > 0 ? Quantity.Rounded(part / whole) : null;
        var deepest = Array.FindLastIndex(exits, answers => answers > 0) + 1;
        var summary = about with
        {
            Count = (int)count,
            RequestRate = Quantity.Rounded(new Hertz(count / window.Value)),
            ExitRatios = new PerExit(exits.Take(deepest).Select(answers => Ratio(answers, count) ?? 0)),
            OffloadRatio = Ratio(offloaded, count),
            FallbackRatio = Ratio(fallback, count),
            DeadlineMissedRatio = Ratio(missed, count),
            SparedRatio = spared > 0 ? Ratio(spared, spared + count) : null,
            Accuracy = Ratio(correct, labelled),
            AccuracyEstimate = Ratio(expected, expectedCount),
            LatencyP50 = Ratio(latencyP50, latencyCount) is { } p50 ? new Seconds(p50) : null,
            LatencyP95 = Ratio(latencyP95, latencyCount) is { } p95 ? new Seconds(p95) : null,
            EnergyPerInference = Ratio(energy.Value, energyCount) is { } each ? new Joules(each) : null,
            BytesPerInference = Ratio(bytes.Value, count) is { } sent ? new Bytes(sent) : null,
            AnsweredTotal = answeredTotal,
        };
        ExpectedCountTotal += expectedCount;
        ExpectedCorrectTotal += expected;
        Array.Clear(exits);
        spared = count = offloaded = fallback = missed = labelled = correct = expected = expectedCount = 0;
        latencyP50 = latencyP95 = latencyCount = energyCount = 0;
        energy = Joules.Zero;
        bytes = Bytes.Zero;
        return summary;
    }

    private void Expect(InferWindow window, Option option)
    {
        for (var exit = 1; exit <= Math.Min(window.Exits.Count, option.Head); exit++)
        {
            expected += window.Exits.Of(exit) * option.ExitAccuracies[exit - 1];
            expectedCount += window.Exits.Of(exit);
        }
        if (option.Route is null) return;
        expected += window.Offloaded * option.OffloadAccuracy + window.Fallback * option.FallbackAccuracy;
        expectedCount += window.Offloaded + window.Fallback;
    }
}
