using Fleet.Contracts;

namespace Fleet.Models.Timing;

/// <summary>How much longer one work took than another, of the same rounds: the median of the rounds' ratios and their quartiles.</summary>
public readonly record struct TimeRatio(double Median, double LowerQuartile, double UpperQuartile)
{
    /// <summary>Shorter in at least three rounds of four.</summary>
    public bool IsFaster => UpperQuartile < 1;

    /// <summary>Longer in at least three rounds of four.</summary>
    public bool IsSlower => LowerQuartile > 1;
}

/// <summary>The time of one run of a work, in each round of a measurement.</summary>
public sealed record RunTimes(IReadOnlyList<Seconds> Rounds)
{
    public Seconds Median => new(Quantile(Rounds.Select(time => time.Value), 0.5));

    public Seconds LowerQuartile => new(Quantile(Rounds.Select(time => time.Value), 0.25));

    public Seconds UpperQuartile => new(Quantile(Rounds.Select(time => time.Value), 0.75));

    /// <summary>This work's time over another's, round by round: both must be of one measurement.</summary>
    /// <exception cref="ArgumentException">They have not as many rounds.</exception>
    public TimeRatio Over(RunTimes other)
    {
        if (Rounds.Count != other.Rounds.Count) throw new ArgumentException($"{Rounds.Count} rounds over {other.Rounds.Count}; only works of one measurement are compared", nameof(other));
        var ratios = Rounds.Zip(other.Rounds, (mine, others) => mine / others).ToArray();
        return new TimeRatio(Quantile(ratios, 0.5), Quantile(ratios, 0.25), Quantile(ratios, 0.75));
    }

    /// <summary>Linear between the two nearest order statistics.</summary>
    private static double Quantile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        var at = share * (sorted.Length - 1);
        var below = (int)at;
        return below + 1 == sorted.Length ? sorted[below] : sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
    }
}
