using Fleet.Contracts;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>When inputs come: the intervals between them. It has a state, so each camera gets its own.</summary>
public abstract class Pace
{
    /// <summary>Mean interval, as it is now.</summary>
    public abstract Seconds Mean { get; }

    /// <summary>One input each 1/<paramref name="rate"/>; the first after <paramref name="phase"/>, so that a fleet does not fire as one.</summary>
    public static Pace Periodic(Hertz rate, Seconds phase = default)
    {
        if (!(phase.Value >= 0 && double.IsFinite(phase.Value))) throw new FaultsException("phase", $"is {phase}; allowed: 0 s or more");
        return new PeriodicPace(Checked(rate).Period, phase);
    }

    /// <summary>Inputs that know nothing of each other: intervals -ln(1 - u) / rate, u uniform in [0, 1).</summary>
    public static Pace Poisson(Hertz rate, Random random) => new PoissonPace(Checked(rate).Period, random);

    /// <summary>Until the next input; rounded to the clock's tick of 100 ns.</summary>
    public TimeSpan Next() => Interval().Span;

    /// <summary>Until the next input; asked once for each.</summary>
    protected abstract Seconds Interval();

    private static Hertz Checked(Hertz rate) =>
        rate.Value is >= 1e-6 and <= 1e5 ? rate : throw new FaultsException("rate", $"is {rate}; allowed: 0.000001 to 100000 Hz");

    private sealed class PeriodicPace(Seconds mean, Seconds phase) : Pace
    {
        private Seconds? first = phase;

        public override Seconds Mean => mean;

        protected override Seconds Interval()
        {
            var interval = first ?? mean;
            first = null;
            return interval;
        }
    }

    private sealed class PoissonPace(Seconds mean, Random random) : Pace
    {
        public override Seconds Mean => mean;

        protected override Seconds Interval() => mean * -Math.Log(1 - random.NextDouble());
    }
}
