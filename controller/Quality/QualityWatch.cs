using Fleet.Contracts;
using Fleet.Controller.Planning;

namespace Fleet.Controller.Quality;

/// <summary>
/// Watches a site's answers by its audits: how good they are, whether the exits have drifted, and how far they may be trusted then. Pure: no clock, no bus.
/// <para>
/// It remembers the last audits, but none from before the last change, and those that gave it away only until as many others have come. A change: either exits have come to differ from the tail more, or less, often than they should at their confidence, or
/// what exit 1 sees has become easier or harder. After an alarm more inputs are drawn for a while, and it learns: temperatures and threshold are made anew when enough audits have come
/// since the change and each time their number has doubled, and what they were made from is what later audits are compared with.
/// </para>
/// </summary>
public sealed class QualityWatch(QualityOptions options, PlannedModel model)
{
    /// <summary>Audits that are remembered.</summary>
    public const int Memory = 2048;

    private readonly Queue<WatchedInput> recent = new();
    private readonly DriftDetector detector = new(options.AuditsToFalseAlarm);
    private readonly Dictionary<(int Exit, Route Route), AgreementMap> promised = [];
    private Sureness? normal = Sureness.Of(model.Calibration, TemperatureOf(model), options.AuditsToFalseAlarm);
    private AgreementMap?[]? learnt;

    // The number of audits from which it learns next; 0 while nothing has drifted.
    private int learnsAt;

    // Whether more inputs are drawn since an alarm.
    private bool isAlarmed;

    // The first of those remembered raised the alarm: they are known because they were unlike others, and paint what has come worse than it is.
    private int suspects;

    /// <summary>What has been learnt and is in force; null while the card is believed.</summary>
    public Recalibration? InForce { get; private set; }

    /// <summary>Times that something was learnt.</summary>
    public int Lessons { get; private set; }

    /// <summary>Grows whenever devices are to be told something else: what has been learnt, or how many inputs to draw.</summary>
    public int Revision { get; private set; }

    /// <summary>Alarms so far.</summary>
    public int Drifts { get; private set; }

    /// <summary>Audits so far.</summary>
    public long Total { get; private set; }

    /// <summary>Takes over what an earlier controller had learnt, and learns it anew as soon as it can: the audits behind it are gone.</summary>
    public void Adopt(Recalibration? learnt)
    {
        InForce = learnt;
        if (learnt is null) return;
        learnsAt = options.LearnsFrom;
        normal = null;
    }

    /// <param name="ran">What its device ran when it was audited.</param>
    /// <param name="runs">What devices run now.</param>
    public void Add(WatchedInput input, Assignment ran, Func<string, Assignment?> runs)
    {
        Total++;
        recent.Enqueue(input);
        if (recent.Count > Memory) recent.Dequeue();
        if (HasChanged(input, ran) is { } since) Alarm(since);
        if (suspects > 0 && recent.Count >= 2 * suspects) Forget();
        if (isAlarmed && recent.Count >= QualityOptions.AlarmedAudits) (isAlarmed, Revision) = (false, Revision + 1);
        if (learnsAt > 0 && recent.Count >= learnsAt) Learn(runs);
    }

    /// <summary>What is planned, with audits and what has been learnt from them.</summary>
    /// <param name="auditor">The edge server that a local device's audits go to; null when none lives.</param>
    public Assignment Apply(Assignment planned, string? auditor)
    {
        var trusted = InForce?.Apply(planned) ?? planned;
        return trusted with { AuditRatio = isAlarmed ? options.AlarmedRatio : options.AuditRatio, AuditTold = true, AuditTo = planned.OffloadTo.Length == 0 ? auditor : null };
    }

    public Summary Tell(Summary summary, Func<string, Assignment?> runs) =>
        QualityEstimate.Of(recent, runs, model.Files.Card.StageCount).In(summary) with
        {
            WatchedTotal = Total,
            DriftTotal = Drifts,
            Temperatures = InForce?.Temperatures ?? PerExit.None,
            ThresholdMin = InForce is { } learnt ? Quantity.Rounded(learnt.ThresholdMin) : null,
        };

    /// <summary>Audits since the change that this one has found; null when it has found none.</summary>
    private long? HasChanged(WatchedInput input, Assignment ran)
    {
        if (normal?.Add(input.At(1, TemperatureOf(model)).Confidence) is true) return normal.Since;
        if (learnsAt > 0) return null;
        // The exit that answered, or the deepest that was asked.
        var exit = input.Under(ran) is { Exit: > 0 and var answered } ? answered : Math.Min(ran.Head, input.Depth);
        if (MapOf(exit, ran.RouteIn(model.Files.Card)) is not { } map) return null;
        var (confidence, agrees) = input.At(exit, learnt is null ? model.Temperatures(exit).Of(exit) : InForce!.Temperatures.Of(exit));
        var (least, most) = map.Differing(confidence);
        return detector.Add(least, most, !agrees) ? detector.Since : null;
    }

    private void Alarm(long since)
    {
        Drifts++;
        Revision++;
        while (recent.Count > Math.Max(1, since)) recent.Dequeue();
        suspects = recent.Count;
        detector.Reset();
        (isAlarmed, learnsAt, normal) = (true, options.LearnsFrom, null);
    }

    /// <summary>As many have come since the alarm as had raised it: these tell as much, and without a bias.</summary>
    private void Forget()
    {
        for (; suspects > 0; suspects--) recent.Dequeue();
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
        Revision++;
        normal = Sureness.Of(inputs, TemperatureOf(model), options.AuditsToFalseAlarm);
        learnsAt = inputs.Count * 2;
        if (learnsAt <= Memory) return;
        // As much as can be remembered has been learnt: from now on this is what is normal.
        learnt = [.. InForce.Temperatures.Select((temperature, i) => double.IsNaN(temperature) ? null : AgreementMap.Of(inputs, i + 1, temperature))];
        learnsAt = 0;
    }

    /// <summary>At which exit 1 is compared with itself, whatever has been learnt since.</summary>
    private static double TemperatureOf(PlannedModel model) => model.Temperatures(1).Of(1);
}
