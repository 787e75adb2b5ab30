namespace Fleet.Controller.Placement;

/// <summary>The fractional allocations of one node: each part between 0 and 1, sizes times parts summing to the budget, or to all sizes if those fit.</summary>
public static class CappedSimplex
{
    /// <summary>Share of a sum that must be left after subtracting, or fewer than six digits of the rest are right.</summary>
    private const double LeastOfSum = 1e-9;

    /// <summary>
    /// The projection by the Bregman divergence of sum s y log y: y = min(1, c h) with c such that the budget is met, by sorting: from the largest
    /// h on, whatever c would lift above 1 is 1, and the rest shares what is left. O(n log n).
    /// </summary>
    /// <param name="h">What to project, above 0; holds the projection afterwards.</param>
    public static void Project(Span<double> h, ReadOnlySpan<double> size, double budget)
    {
        if (Even(size, budget) is 1)
        {
            // All fit whole.
            h.Fill(1);
            return;
        }
        var (left, weight) = (budget, Weight(h, size));
        // Often nothing reaches 1: then there is nothing to sort.
        if (left / weight * Max(h) > 1)
        {
            var order = new int[h.Length];
            var keys = new double[h.Length];
            for (var i = 0; i < h.Length; i++) (order[i], keys[i]) = (i, -h[i]);
            Array.Sort(keys, order);
            var summed = weight;
            foreach (var i in order)
            {
                if (left / weight * h[i] <= 1) break;
                left -= size[i];
                weight -= size[i] * h[i];
                h[i] = double.PositiveInfinity;
                // What was taken away was so much larger than the rest that little but its rounding is left.
                if (weight < summed * LeastOfSum) summed = weight = Weight(h, size);
            }
        }
        var factor = left / weight;
        for (var i = 0; i < h.Length; i++) h[i] = double.IsPositiveInfinity(h[i]) ? 1 : factor * h[i];
    }

    /// <summary>Where sum s y log y is least: all parts alike.</summary>
    public static double Even(ReadOnlySpan<double> size, double budget)
    {
        var all = 0.0;
        foreach (var one in size) all += one;
        return all <= budget ? 1 : budget / all;
    }

    /// <summary>Of those that are not whole.</summary>
    private static double Weight(ReadOnlySpan<double> h, ReadOnlySpan<double> size)
    {
        var weight = 0.0;
        for (var i = 0; i < h.Length; i++)
            if (!double.IsPositiveInfinity(h[i])) weight += size[i] * h[i];
        return weight;
    }

    private static double Max(ReadOnlySpan<double> values)
    {
        var max = 0.0;
        foreach (var value in values) max = Math.Max(max, value);
        return max;
    }
}
