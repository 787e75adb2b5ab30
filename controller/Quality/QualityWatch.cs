using Fleet.Contracts;
using Fleet.Controller.Planning;

namespace Fleet.Controller.Quality;

/// <summary>
/// Watches a site's answers by its audits: how good they are, whether the exits have drifted, and how far they may be trusted then. Pure: no clock, no bus.
/// <para>
/// It remembers the last audits, but none from before the last change. After an alarm it learns: temperatures and threshold are made anew when enough audits have come since the
/// change and each time their number has doubled, and what they were made from is what later audits are compared with.
/// </para>
/// </summary>
public sealed class QualityWatch(QualityOptions options, PlannedModel model)
{
    /// <summary>Audits that are remembered.</summary>
    public const int Memory = 2048;

    private readonly Queue<WatchedInput> recent = new();
    private readonly DriftDetector detector = new(options.AuditsToFalseAlarm);
    private readonly Dictionary<(int Exit, Route Route), AgreementMap> promised = [];
    private AgreementMap?[]? learnt;

    // The number of audits from which it learns next; 0 while nothing has drifted.
    private int learnsAt;

    /// <summary>What has been learnt and is in force; null while the card is believed.</summary>
    public Recalibration? InForce { get; private set; }

    /// <summary>Grows whenever something new is learnt.</summary>
    public int Lessons { get; private set; }

    /// <summary>Alarms so far.</summary>
    public int Drifts { get; private set; }

    /// <summary>Audits so far.</summary>
    public long Total { get; private set; }

    /// <summary>Takes over what an earlier controller had learnt, and learns it anew as soon as it can: the audits behind it are gone.</summary>
    public void Adopt(Recalibration? learnt)
    {
        InForce = learnt;
        if (learnt is not null) learnsAt = options.LearnsFrom;
    }

    /// <param name="ran">What its device ran when it was audited.</param>
    /// <param name="runs">What devices run now.</param>
    public void Add(WatchedInput input, Assignment ran, Func<string, Assignment?> runs)
    {
        Total++;
        recent.Enqueue(input);
        if (recent.Count > Memory) recent.Dequeue();
        if (learnsAt == 0 && !HasDrifted(input, ran)) return;
        if (recent.Count >= learnsAt) Learn(runs);
    }

    /// <summary>What is planned, with audits and what has been learnt from them.</summary>
    /// <param name="auditor">The edge server that a local device's audits go to; null when none lives.</param>
    public Assignment Apply(Assignment planned, string? auditor)
    {
        var trusted = InForce?.Apply(planned) ?? planned;
        return trusted with { AuditRatio = options.AuditRatio, AuditTold = true, AuditTo = planned.OffloadTo.Length == 0 ? auditor : null };
    }

    public Summary Tell(Summary summary, Func<string, Assignment?> runs) =>
        QualityEstimate.Of(recent, runs, model.Files.Card.StageCount).In(summary) with
        {
            WatchedTotal = Total,
            DriftTotal = Drifts,
            Temperatures = InForce?.Temperatures ?? new PerExit(),
            ThresholdMin = InForce is { } learnt ? Quantity.Rounded(learnt.ThresholdMin) : null,
        };

    private bool HasDrifted(WatchedInput input, Assignment ran)
    {
        // The exit that answered, or the deepest that was asked.
        var exit = input.Under(ran) is { Exit: > 0 and var answered } ? answered : Math.Min(ran.Head, input.Depth);
        if (MapOf(exit, ran.RouteIn(model.Files.Card)) is not { } map) return false;
        var (confidence, agrees) = input.At(exit, learnt is null ? model.Temperatures(exit).Of(exit) : InForce!.Temperatures.Of(exit));
        var (least, most) = map.Differing(confidence);
        if (!detector.Add(least, most, !agrees)) return false;
        Drifts++;
        while (recent.Count > Math.Max(1, detector.Since)) recent.Dequeue();
        learnsAt = options.LearnsFrom;
        return true;
    }

    private AgreementMap? MapOf(int exit, Route route)
    {
        if (learnt is not null) return exit <= learnt.Length ? learnt[exit - 1] : null;
        if (promised.TryGetValue((exit, route), out var known)) return known;
        return promised[(exit, route)] = AgreementMap.Of(model.Calibration, exit, model.Temperatures(exit).Of(exit), route);
    }

    private void Learn(Func<string, Assignment?> runs)
    {
        List<WatchedInput> inputs = [.. recent];
        InForce = Recalibration.Of(inputs, device => runs(device) is { OffloadTo.Length: > 0 }, model.Files.Card.Classes.Count, options.RiskMax);
        Lessons++;
        learnsAt = inputs.Count * 2;
        if (learnsAt <= Memory) return;
        // As much as can be remembered has been learnt: from now on this is what is normal.
        learnt = [.. InForce.Temperatures.Select((temperature, i) => double.IsNaN(temperature) ? null : AgreementMap.Of(inputs, i + 1, temperature))];
        learnsAt = 0;
    }
}
