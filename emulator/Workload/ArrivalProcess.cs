using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Workload;

/// <summary>When inputs come to one device: a random process with a stream of its own, that reads no clock and knows nothing of the device.</summary>
public abstract class ArrivalProcess
{
    /// <summary>Mean interval, in which a camera's backlog is counted.</summary>
    public abstract Seconds Mean { get; }

    /// <summary>Time from now to the next input; null when none comes any more.</summary>
    /// <param name="now">Since the run's begin: when the last input came, or when the device began to look. Does not decrease.</param>
    public abstract Seconds? Next(Seconds now);

    /// <summary>An exponential variate of this mean.</summary>
    protected static Seconds Exponential(Seconds mean, SeededRandom random) => mean * -Math.Log(1 - random.NextDouble());
}

/// <summary>One input each 1/rate; the first after a phase, so that a fleet does not fire as one.</summary>
public sealed class PeriodicArrivals(Hertz rate, double phase) : ArrivalProcess
{
    private bool hasBegun;

    public override Seconds Mean => rate.Period;

    public override Seconds? Next(Seconds now)
    {
        if (hasBegun) return Mean;
        hasBegun = true;
        return Mean * phase;
    }
}

/// <summary>Inputs that know nothing of each other.</summary>
public sealed class PoissonArrivals(Hertz rate, SeededRandom random) : ArrivalProcess
{
    public override Seconds Mean => rate.Period;

    public override Seconds? Next(Seconds now) => Exponential(Mean, random);
}

/// <summary>
/// A Poisson process at one of two rates, each for exponential times: Markov-modulated (Heffes and Lucantoni, "A Markov modulated characterization of
/// packetized voice and data traffic", IEEE JSAC 4(6), 1986). Counts over long times have an index of dispersion of
/// 1 + 2 (r1 - r2)^2 s1 s2 / ((s1 + s2)^2 (r1 s2 + r2 s1)), s1 and s2 the rates of leaving the states.
/// </summary>
public sealed class BurstyArrivals(Hertz calm, Hertz burst, Seconds calmMean, Seconds burstMean, SeededRandom random) : ArrivalProcess
{
    private Seconds? changesAt;
    private bool isBurst;

    public override Seconds Mean => (calmMean + burstMean) / (calm * calmMean + burst * burstMean);

    public override Seconds? Next(Seconds now)
    {
        if (changesAt is null)
        {
            isBurst = random.NextDouble() < burstMean / (calmMean + burstMean);
            changesAt = now + Exponential(isBurst ? burstMean : calmMean, random);
        }
        for (var at = now; ; Change())
        {
            at = at + Exponential((isBurst ? burst : calm).Period, random);
            if (at < changesAt.Value) return at - now;
            // Poisson processes have no memory: from the change on the wait is drawn anew.
            at = changesAt.Value;
            if (at < now) at = now;
        }
    }

    private void Change()
    {
        isBurst = !isBurst;
        changesAt += Exponential(isBurst ? burstMean : calmMean, random);
    }
}

/// <summary>
/// A Poisson process whose rate follows the time of day, by thinning one of the highest rate (Lewis and Shedler, "Simulation of nonhomogeneous
/// Poisson processes by thinning", Naval Research Logistics Quarterly 26(3), 1979).
/// </summary>
/// <param name="mean">Over a whole day.</param>
/// <param name="depth">0 to 1: the rate swings between mean x (1 - depth) and mean x (1 + depth).</param>
/// <param name="begin">Time of day at the run's begin.</param>
/// <param name="peak">Time of day of the highest rate.</param>
public sealed class DiurnalArrivals(Hertz mean, double depth, Seconds begin, Seconds peak, Seconds day, SeededRandom random) : ArrivalProcess
{
    public override Seconds Mean => mean.Period;

    /// <summary>At a time since the run's begin.</summary>
    public Hertz RateAt(Seconds now) => mean * (1 + depth * Math.Cos(2 * Math.PI * ((begin + now - peak) / day)));

    public override Seconds? Next(Seconds now)
    {
        var highest = mean * (1 + depth);
        var at = now;
        do at += Exponential(highest.Period, random);
        while (random.NextDouble() * highest.Value >= RateAt(at).Value);
        return at - now;
    }
}

/// <summary>One process after another, as the scenario's stages have it.</summary>
/// <param name="stages">In the order of their times, the first from 0 on.</param>
public sealed class StagedArrivals(IReadOnlyList<(Seconds From, ArrivalProcess Process)> stages) : ArrivalProcess
{
    private int current;

    public override Seconds Mean => stages[current].Process.Mean;

    public override Seconds? Next(Seconds now)
    {
        for (var at = now; ; at = Seconds.Max(at, stages[++current].From))
        {
            var wait = stages[current].Process.Next(at);
            if (current + 1 == stages.Count || wait is { } next && at + next < stages[current + 1].From) return wait + (at - now);
        }
    }
}
