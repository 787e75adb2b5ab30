namespace Fleet.Controller.Placement;

/// <summary>What serving a batch costs with what is held, what that saves, and where a little more of it would save more.</summary>
public static class Serving
{
    /// <summary>Requests that rounding leaves over are none.</summary>
    private const double Dust = 1e-12;

    /// <summary>C(r, l, x): milliseconds, summed over all requests.</summary>
    public static double Cost(Batch batch, ReadOnlySpan<double> held)
    {
        var cost = 0.0;
        foreach (var type in batch.Active) cost += CostOf(batch, type, held);
        return cost;
    }

    /// <summary>G(r, l, x) = C(r, l, w) - C(r, l, x): milliseconds that are saved against what is pinned alone.</summary>
    public static double Gain(Batch batch, ReadOnlySpan<double> held) => Cost(batch, batch.Idn.Minimal()) - Cost(batch, held);

    /// <summary>Milliseconds of the requests of one type: the cheapest options serve first.</summary>
    public static double CostOf(Batch batch, int type, ReadOnlySpan<double> held)
    {
        var (idn, left, cost) = (batch.Idn, batch.Count[type], 0.0);
        var end = idn.Start[type + 1];
        for (var option = idn.Start[type]; option < end; option++)
        {
            var served = Math.Min(left, batch.Capacity[option] * Held(idn, option, held));
            cost += served * idn.Cost[option];
            left -= served;
            if (left <= 0) break;
        }
        return cost;
    }

    /// <summary>How much of an option there is: of one that is split, what both its holdings have.</summary>
    public static double Held(Idn idn, int option, ReadOnlySpan<double> held)
    {
        var head = held[idn.Head[option]];
        return idn.Tail[option] == Idn.None ? head : Math.Min(head, held[idn.Tail[option]]);
    }

    /// <summary>
    /// Adds a supergradient of the gain at <paramref name="held"/> to <paramref name="gradient"/>, of size Holdings. With K* the first rank by which all requests
    /// are served, an option of lower rank has l (cost of K* - its cost). Of a split the holding that there is less of has it, each of two equal ones half.
    /// </summary>
    public static void AddSupergradient(Batch batch, ReadOnlySpan<double> held, Span<double> gradient)
    {
        var idn = batch.Idn;
        foreach (var type in batch.Active)
        {
            var last = LastRank(batch, type, held);
            for (var option = idn.Start[type]; option < last; option++)
            {
                var slope = batch.Capacity[option] * (idn.Cost[last] - idn.Cost[option]);
                var (head, tail) = (idn.Head[option], idn.Tail[option]);
                if (tail == Idn.None || held[head] < held[tail]) gradient[head] += slope;
                else if (held[tail] < held[head]) gradient[tail] += slope;
                else
                {
                    gradient[head] += slope / 2;
                    gradient[tail] += slope / 2;
                }
            }
        }
    }

    /// <summary>The option of a type by which all its requests are served.</summary>
    private static int LastRank(Batch batch, int type, ReadOnlySpan<double> held)
    {
        var (idn, left) = (batch.Idn, batch.Count[type] * (1 - Dust));
        var end = idn.Start[type + 1] - 1;
        for (var option = idn.Start[type]; option < end; option++)
        {
            left -= batch.Capacity[option] * Held(idn, option, held);
            if (left <= 0) return option;
        }
        return end;
    }
}
