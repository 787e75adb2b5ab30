namespace Fleet.Contracts;

/// <summary>
/// Pauses between tries to connect: after n failures one that is uniform from 0 to <paramref name="Initial"/> x 2^n, up to <paramref name="Max"/> at most.
/// Full jitter (M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015): after a broker's restart a fleet must not come back all at once.
/// </summary>
public sealed record Backoff(Seconds Initial, Seconds Max)
{
    /// <summary>Above it any initial pause has grown beyond any longest one.</summary>
    private const int DoublingsMax = 30;

    /// <summary>
    /// To a broker. The longest pause is the usual report period: with more a fleet would be missed, or declared lost by its wills, because of a broker that
    /// has long been back. While nobody listens a try costs a packet; a broker that cannot keep up makes tries as slow as it is.
    /// </summary>
    public static Backoff ToBroker { get; } = new(new Seconds(0.5), new Seconds(5));

    /// <param name="failures">Tries that have failed since the last connection.</param>
    /// <param name="drawn">Uniform in 0 to 1.</param>
    public Seconds Pause(int failures, double drawn) => Seconds.Min(Max, Initial * Math.Pow(2, Math.Min(failures, DoublingsMax))) * drawn;

    public IEnumerable<string> Faults()
    {
        if (Initial.Value <= 0 || Max < Initial) yield return $"back-off is {Initial.Value} to {Max.Value} s; allowed: above 0, and not decreasing";
    }
}
