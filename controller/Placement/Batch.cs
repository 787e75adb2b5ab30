namespace Fleet.Controller.Placement;

/// <summary>
/// The requests of one slot, and of each option the requests that it would serve if it were held (the potential available capacity). That is
/// exogenous: what a holding can serve in a slot is shared by all options on it in proportion to their requests, and an option
/// that is split has the lesser share of its two holdings.
/// </summary>
public sealed class Batch
{
    private readonly double[] demand;
    private readonly int[] active;

    public Batch(Idn idn)
    {
        Idn = idn;
        Count = new double[idn.Types.Count];
        Capacity = new double[idn.Head.Length];
        active = new int[idn.Types.Count];
        demand = new double[idn.Holdings];
    }

    public Batch(Idn idn, ReadOnlySpan<double> count) : this(idn) => Set(count);

    public Idn Idn { get; }

    /// <summary>Requests of each type.</summary>
    public double[] Count { get; }

    /// <summary>Of each option, in requests; of types without requests it means nothing.</summary>
    public double[] Capacity { get; }

    /// <summary>Types that have requests, in order.</summary>
    public ReadOnlySpan<int> Active => active.AsSpan(0, ActiveCount);

    public int ActiveCount { get; private set; }

    public double Total { get; private set; }

    /// <summary>Takes new counts in place of the old.</summary>
    public void Set(ReadOnlySpan<double> count)
    {
        count.CopyTo(Count);
        FindActive();
        // Only what was touched is cleared: most holdings of a large network have no demand in a slot.
        foreach (var type in Active) AddDemand(type, clear: true);
        foreach (var type in Active) AddDemand(type, clear: false);
        foreach (var type in Active)
        {
            var requests = Count[type];
            for (var option = Idn.Start[type]; option < Idn.Start[type + 1]; option++)
            {
                var share = Share(Idn.Head[option], requests);
                if (Idn.Tail[option] != Idn.None) share = Math.Min(share, Share(Idn.Tail[option], requests));
                Capacity[option] = share;
            }
        }
    }

    /// <summary>
    /// Mean requests and mean capacities of several batches. The gain is concave in both together, so that the gain of any allocation on the mean
    /// is at least the mean of its gains.
    /// </summary>
    public static Batch Mean(IReadOnlyList<Batch> batches)
    {
        var mean = new Batch(batches[0].Idn);
        for (var i = 0; i < batches.Count; i++) mean.Blend(batches[i], 1.0 / (i + 1));
        return mean;
    }

    /// <summary>Moves counts and capacities towards another batch's by a weight: a mean in the making.</summary>
    public void Blend(Batch next, double weight)
    {
        for (var type = 0; type < Count.Length; type++)
        {
            if (Count[type] == 0 && next.Count[type] == 0) continue;
            Count[type] += weight * (next.Count[type] - Count[type]);
            for (var option = Idn.Start[type]; option < Idn.Start[type + 1]; option++)
                Capacity[option] += weight * ((next.Count[type] > 0 ? next.Capacity[option] : 0) - Capacity[option]);
        }
        FindActive();
    }

    private void FindActive()
    {
        (ActiveCount, Total) = (0, 0);
        for (var type = 0; type < Count.Length; type++)
        {
            if (Count[type] <= 0) continue;
            active[ActiveCount++] = type;
            Total += Count[type];
        }
    }

    private void AddDemand(int type, bool clear)
    {
        var requests = clear ? 0 : Count[type];
        for (var option = Idn.Start[type]; option < Idn.Start[type + 1]; option++)
        {
            ref var head = ref demand[Idn.Head[option]];
            head = clear ? 0 : head + requests;
            if (Idn.Tail[option] == Idn.None) continue;
            ref var tail = ref demand[Idn.Tail[option]];
            tail = clear ? 0 : tail + requests;
        }
    }

    /// <summary>What of a holding's capacity the requests of one type get.</summary>
    /// <param name="demand">Requests that all options on the holding would bring.</param>
    internal static double Share(double limit, double demand, double requests) => demand <= limit ? requests : limit * requests / demand;

    private double Share(int holding, double requests) => Share(Idn.PerSlot[holding], demand[holding], requests);
}
