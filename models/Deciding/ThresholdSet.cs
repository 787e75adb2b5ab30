namespace Fleet.Models.Deciding;

/// <summary>The numbers above <paramref name="Low"/> up to and with <paramref name="High"/>.</summary>
public readonly record struct Interval(double Low, double High)
{
    public bool Contains(double value) => value > Low && value <= High;
}

/// <summary>
/// The probabilities in (0, 1] at which a decision is taken. Where calibration is monotone this is one threshold; where it is not, the
/// decision of least cost needs several. Source: Cohen and Goldszmidt, HPL-2004-22R1.
/// </summary>
public sealed record ThresholdSet
{
    public static readonly ThresholdSet None = new([]);

    private ThresholdSet(IReadOnlyList<Interval> intervals) => Intervals = intervals;

    /// <summary>Ascending, apart from one another.</summary>
    public IReadOnlyList<Interval> Intervals { get; }

    public bool Contains(double probability)
    {
        foreach (var interval in Intervals)
            if (interval.Contains(probability)) return true;
        return false;
    }

    /// <summary>All probabilities above a threshold.</summary>
    public static ThresholdSet Above(double threshold) => Between(threshold, 1);

    /// <summary>The probabilities above <paramref name="low"/> up to and with <paramref name="high"/>.</summary>
    public static ThresholdSet Between(double low, double high)
    {
        var interval = new Interval(Math.Max(0, low), Math.Min(1, high));
        return interval.Low < interval.High ? new ThresholdSet([interval]) : None;
    }

    /// <summary>The bins (lo, hi] that are taken, neighbours joined.</summary>
    /// <param name="upperEdges">Ascending, the last of them 1.</param>
    /// <param name="takes">Asked with a bin's upper edge, which stands for all of it.</param>
    public static ThresholdSet Where(IReadOnlyList<double> upperEdges, Func<double, bool> takes)
    {
        var intervals = new List<Interval>();
        double low = 0;
        foreach (var high in upperEdges)
        {
            if (takes(high))
            {
                var joins = intervals.Count > 0 && intervals[^1].High == low;
                var interval = new Interval(joins ? intervals[^1].Low : low, high);
                if (joins) intervals[^1] = interval;
                else intervals.Add(interval);
            }
            low = high;
        }
        return new ThresholdSet(intervals);
    }
}
