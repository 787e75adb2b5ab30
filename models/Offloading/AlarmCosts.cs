namespace Fleet.Models.Offloading;

/// <summary>What a kept answer costs when a better one differs, in wrong answers. Of the classes, some are alarms; where none are, all errors cost 1.</summary>
/// <param name="Missed">An alarm that was not given.</param>
/// <param name="False">One that was given without need.</param>
/// <param name="Alarms">By class; empty: none.</param>
/// <param name="Other">Taking one alarm for another, or one class that is none for another: 0 where nobody asks but whether it is one.</param>
public sealed record AlarmCosts(double Missed, double False, IReadOnlyList<bool> Alarms, double Other = 1)
{
    public static AlarmCosts None { get; } = new(1, 1, []);

    /// <summary>The dearest error.</summary>
    public double Most => Math.Max(Other, Math.Max(Missed, False));

    public bool HasAlarms => Alarms.Count > 0;

    /// <param name="kept">The answer that was or would be kept.</param>
    /// <param name="better">What stands for the truth.</param>
    public double Of(int kept, int better)
    {
        if (kept == better) return 0;
        var (given, due) = (IsAlarm(kept), IsAlarm(better));
        return given == due ? Other : due ? Missed : False;
    }

    /// <summary>How much an exit's logits speak for an alarm: the probability of all alarm classes together. Allocates nothing.</summary>
    public double Score(ReadOnlySpan<float> logits, double temperature)
    {
        var largest = logits[Confidence.ArgMax(logits)];
        double all = 0, alarms = 0;
        for (var c = 0; c < logits.Length; c++)
        {
            var weight = Math.Exp((logits[c] - largest) / temperature);
            all += weight;
            if (IsAlarm(c)) alarms += weight;
        }
        return all >= 1 ? alarms / all : 0;
    }

    private bool IsAlarm(int label) => label >= 0 && label < Alarms.Count && Alarms[label];
}
