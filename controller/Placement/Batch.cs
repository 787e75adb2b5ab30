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
        foreach (var batch in batches)
            foreach (var type in batch.Active)
            {
                mean.Count[type] += batch.Count[type] / batches.Count;
                for (var option = mean.Idn.Start[type]; option < mean.Idn.Start[type + 1]; option++) mean.Capacity[option] += batch.Capacity[option] / batches.Count;
            }
        mean.FindActive();
        return mean;
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

    private double Share(int holding, double requests)
    {
        var limit = Idn.PerSlot[holding];
        return demand[holding] <= limit ? requests : limit * requests / demand[holding];
    }
}
