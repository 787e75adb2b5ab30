using Fleet.Contracts;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>When inputs come: the intervals between them. It has a state, so each camera gets its own.</summary>
public sealed class Pace
{
    private readonly Func<Seconds> mean;
    private readonly Func<Seconds> next;

    private Pace(Func<Seconds> mean, Func<Seconds> next) => (this.mean, this.next) = (mean, next);

    /// <summary>Mean interval, as it is now.</summary>
    public Seconds Mean => mean();

    /// <summary>One input each 1/<paramref name="rate"/>; the first after <paramref name="phase"/>, so that a fleet does not fire as one.</summary>
    public static Pace Periodic(Hertz rate, Seconds phase = default)
    {
        if (!(phase.Value >= 0 && double.IsFinite(phase.Value))) throw new FaultsException("phase", $"is {phase}; allowed: 0 s or more");
        var (mean, first) = (Checked(rate).Period, (Seconds?)phase);
        return new(() => mean, () =>
        {
            var interval = first ?? mean;
            first = null;
            return interval;
        });
    }

    /// <summary>Inputs that know nothing of each other: intervals -ln(1 - u) / rate, u uniform in [0, 1).</summary>
    public static Pace Poisson(Hertz rate, Random random)
    {
        var mean = Checked(rate).Period;
        return new(() => mean, () => mean * -Math.Log(1 - random.NextDouble()));
    }

    /// <summary>Inputs as somebody else has them come.</summary>
    /// <param name="mean">Mean interval at the time it is asked for.</param>
    /// <param name="next">Until the next input; asked once for each.</param>
    public static Pace Of(Func<Seconds> mean, Func<Seconds> next) => new(mean, next);

    /// <summary>Until the next input; rounded to the clock's tick of 100 ns.</summary>
    public TimeSpan Next() => next().Span;

    private static Hertz Checked(Hertz rate) =>
        rate.Value is >= 1e-6 and <= 1e5 ? rate : throw new FaultsException("rate", $"is {rate}; allowed: 0.000001 to 100000 Hz");
}
