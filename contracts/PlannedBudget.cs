namespace Fleet.Contracts;

/// <summary>What of a budget a plan depends on, as the last plan could have seen it.</summary>
public readonly struct PlannedBudget(Budget budget)
{
    /// <summary>Relative change of a reported figure that makes the last plan stale.</summary>
    private const double Meaningful = 0.15;

    private readonly PerExit stageSeconds = budget.StageSeconds;
    private readonly double requestRate = budget.RequestRate.Value, roundTrip = KnownOrNaN(budget.RoundTrip), energyBudget = KnownOrNaN(budget.EnergyBudget), encoderTime = KnownOrNaN(budget.EncoderTime), kilobyte = Kilobyte(budget);

    /// <summary>Whether that would be stale if the device could spare this instead.</summary>
    public bool DiffersFrom(Budget next) =>
        Differs(requestRate, next.RequestRate.Value, floor: 0.1)
        || Differs(roundTrip, KnownOrNaN(next.RoundTrip), floor: 0.005)
        || Differs(kilobyte, Kilobyte(next), floor: 0.001)
        || Differs(energyBudget, KnownOrNaN(next.EnergyBudget), floor: 0.01)
        || Differs(encoderTime, KnownOrNaN(next.EncoderTime), floor: 1e-4)
        || Differs(stageSeconds, next.StageSeconds, floor: 1e-4);

    /// <summary>By more than the meaningful share and more than a floor below which nobody cares; NaN is unknown.</summary>
    public static bool Differs(double a, double b, double floor) =>
        double.IsNaN(a) != double.IsNaN(b) || Math.Abs(a - b) > Math.Max(floor, Meaningful * Math.Abs(a));

    /// <inheritdoc cref="Differs(double, double, double)"/>
    public static bool Differs<T>(T? a, T? b, double floor) where T : struct, IQuantity<T> => Differs(KnownOrNaN(a), KnownOrNaN(b), floor);

    /// <summary>In any stage, or in how many there are.</summary>
    public static bool Differs(PerExit a, PerExit b, double floor)
    {
        if (a.Count != b.Count) return true;
        for (var stage = 1; stage <= a.Count; stage++)
            if (Differs(a.Of(stage), b.Of(stage), floor)) return true;
        return false;
    }

    /// <summary>Seconds that a kilobyte takes.</summary>
    private static double Kilobyte(Budget budget) => 1000 / KnownOrNaN(budget.Uplink);

    private static double KnownOrNaN<T>(T? quantity) where T : struct, IQuantity<T> => quantity is { } known ? known.Value : double.NaN;
}
