using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Fleet.Contracts;

namespace Fleet.DeviceAgent;

/// <summary>Counts of one report window, and totals since the agent's start.</summary>
public sealed class Window
{
    private static readonly Seconds RateTimeMin = new(1);
    private readonly Histogram latency = new();
    // Side by side with the rest: each input touches them.
    private Each<int> exits;
    private Each<double> exitConfidence;
    private Each<int> exitAudited, exitAgreed;
    private int offloaded, fallback, deadlineMissed, labelled, correct, auditLabelled, auditCorrect;
    private double confidence;
    private Joules energy;
    private Bytes sent;
    private long sequence, startedBefore, rateArrived;
    private Seconds rateTime;
    private int skippedBefore, sparedBefore;

    public long StartedTotal { get; private set; }

    public long AnsweredTotal { get; private set; }

    /// <summary>Requests a second over the last windows that together lasted long enough to tell; what is expected until then, lest a planner believe that nothing comes.</summary>
    public Hertz ArrivalRate { get; private set; }

    /// <summary>So many requests a second are due: a guess that the first measurement replaces.</summary>
    public void Expect(Hertz rate) => ArrivalRate = rate;

    public void Started() => StartedTotal++;

    public void Spent(Joules joules) => energy += joules;

    public void Sent(Bytes bytes) => sent += bytes;

    /// <summary>The tail has been asked about an input that an exit had answered.</summary>
    /// <param name="isRight">Null when nobody has told its label.</param>
    public void Audited(int exit, bool agreed, bool? isRight)
    {
        exitAudited[exit - 1]++;
        if (agreed) exitAgreed[exit - 1]++;
        if (isRight is null) return;
        auditLabelled++;
        if (isRight.Value) auditCorrect++;
    }

    public void Answered(in Answer answer)
    {
        AnsweredTotal++;
        switch (answer.By)
        {
            case AnsweredBy.Exit:
                exits[answer.Exit - 1]++;
                exitConfidence[answer.Exit - 1] += answer.Confidence;
                break;
            case AnsweredBy.Edge: offloaded++; break;
            default: fallback++; break;
        }
        if (answer.DeadlineMissed) deadlineMissed++;
        if (answer.TrueLabel >= 0)
        {
            labelled++;
            if (answer.TrueLabel == answer.Label) correct++;
        }
        confidence += answer.Confidence;
        latency.Add(answer.Latency);
    }

    /// <summary>The window's report; the next one begins empty.</summary>
    /// <param name="looked">So long of it inputs were taken: from the first head on.</param>
    /// <param name="inFlight">Inputs taken and not yet answered, counted apart from the totals.</param>
    /// <param name="skippedTotal">Inputs the camera has dropped since the start.</param>
    /// <param name="sparedTotal">Inputs not taken to spare the battery, since the start.</param>
    public InferWindow Close(Seconds now, Seconds length, Seconds looked, Assignment? ran, int inFlight, int skippedTotal, int sparedTotal = 0)
    {
        var count = (int)latency.Count;
        var skipped = skippedTotal - skippedBefore;
        var spared = sparedTotal - sparedBefore;
        var arrived = StartedTotal - startedBefore + skipped + spared;
        Rate(arrived, looked);
        // Answers of an earlier, deeper head may still arrive: report every exit that answered.
        var deepest = Math.Max(ran?.Head ?? 0, ((ReadOnlySpan<int>)exits).LastIndexOfAnyExcept(0) + 1);
        var isAudited = ran?.AuditRatio > 0;
        var report = new InferWindow
        {
            Sequence = sequence++,
            SentAt = now,
            Window = Quantity.Rounded(length),
            Version = ran?.Version ?? 0,
            Count = count,
            Labelled = labelled,
            Correct = correct,
            Exits = CountsTo(deepest, exits),
            Offloaded = offloaded,
            Fallback = fallback,
            DeadlineMissed = deadlineMissed,
            LatencyP50 = Rounded(latency.Percentile(0.5)),
            LatencyP95 = Rounded(latency.Percentile(0.95)),
            Energy = Quantity.Rounded(energy),
            BytesSent = sent,
            ConfidenceMean = count == 0 ? null : Quantity.Rounded(confidence / count),
            Audited = TensorPrimitives.Sum<int>(exitAudited),
            AuditAgreed = TensorPrimitives.Sum<int>(exitAgreed),
            AuditLabelled = auditLabelled > 0 ? auditLabelled : null,
            AuditCorrect = auditLabelled > 0 ? auditCorrect : null,
            ExitConfidences = isAudited ? ConfidencesTo(deepest) : PerExit.None,
            ExitAudited = isAudited ? CountsTo(deepest, exitAudited) : PerExit.None,
            ExitAuditAgreed = isAudited ? CountsTo(deepest, exitAgreed) : PerExit.None,
            Skipped = skipped,
            Spared = spared > 0 ? spared : null,
            StartedTotal = StartedTotal,
            AnsweredTotal = AnsweredTotal,
            InFlight = inFlight,
        };
        Clear(skippedTotal, sparedTotal);
        return report;
    }

    private static PerExit CountsTo(int deepest, ReadOnlySpan<int> counts)
    {
        Span<double> numbers = stackalloc double[PerExit.Max];
        for (var exit = 0; exit < deepest; exit++) numbers[exit] = counts[exit];
        return new PerExit(numbers[..deepest]);
    }

    private PerExit ConfidencesTo(int deepest)
    {
        Span<double> means = stackalloc double[PerExit.Max];
        for (var exit = 0; exit < deepest; exit++) means[exit] = exits[exit] == 0 ? double.NaN : Quantity.Rounded(exitConfidence[exit] / exits[exit]);
        return new PerExit(means[..deepest]);
    }

    /// <summary>A window that an assignment cut short says little by itself.</summary>
    private void Rate(long arrived, Seconds looked)
    {
        (rateArrived, rateTime) = (rateArrived + arrived, rateTime + looked);
        if (rateTime < RateTimeMin) return;
        ArrivalRate = new Hertz(rateArrived / rateTime.Value);
        (rateArrived, rateTime) = (0, Seconds.Zero);
    }

    private static Seconds? Rounded(Seconds? time) => time is { } value ? Quantity.Rounded(value) : null;

    private void Clear(int skippedTotal, int sparedTotal)
    {
        latency.Clear();
        exits = exitAudited = exitAgreed = default;
        exitConfidence = default;
        offloaded = fallback = deadlineMissed = labelled = correct = auditLabelled = auditCorrect = 0;
        confidence = 0;
        energy = Joules.Zero;
        sent = Bytes.Zero;
        startedBefore = StartedTotal;
        (skippedBefore, sparedBefore) = (skippedTotal, sparedTotal);
    }

    /// <summary>One for each exit.</summary>
    [InlineArray(PerExit.Max)]
    private struct Each<T>
    {
        private T first;
    }
}
