using Fleet.Contracts;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>When inputs come: the intervals between them. It has a state, so each camera gets its own.</summary>
public sealed class Pace
{
    private readonly Random? random;
    private Seconds? phase;

    private Pace(Seconds mean, Seconds? phase, Random? random) => (Mean, this.phase, this.random) = (mean, phase, random);

    /// <summary>Mean interval.</summary>
    public Seconds Mean { get; }

    /// <summary>One input each 1/<paramref name="rate"/>; the first after <paramref name="phase"/>, so that a fleet does not fire as one.</summary>
    public static Pace Periodic(Hertz rate, Seconds phase = default)
    {
        if (!(phase.Value >= 0 && double.IsFinite(phase.Value))) throw new FaultsException("phase", $"is {phase}; allowed: 0 s or more");
        return new(Checked(rate).Period, phase, null);
    }

    /// <summary>Inputs that know nothing of each other: intervals -ln(1 - u) / rate, u uniform in [0, 1).</summary>
    public static Pace Poisson(Hertz rate, Random random) => new(Checked(rate).Period, null, random);

    /// <summary>Until the next input; rounded to the clock's tick of 100 ns.</summary>
    public TimeSpan Next()
    {
        if (random is not null) return (Mean * -Math.Log(1 - random.NextDouble())).Span;
        var interval = phase ?? Mean;
        phase = null;
        return interval.Span;
    }

    private static Hertz Checked(Hertz rate) =>
        rate.Value is >= 1e-6 and <= 1e5 ? rate : throw new FaultsException("rate", $"is {rate}; allowed: 0.000001 to 100000 Hz");
}
