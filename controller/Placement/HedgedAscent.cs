namespace Fleet.Controller.Placement;

/// <summary>
/// Mirror ascent at several rates at once, mixed by how well each would have done (Hedge over step sizes, as in MetaGrad and in the dynamic-regret policies of
/// Si Salem et al., "Online submodular maximization via online convex optimization", AAAI 2024). A mixture of allocations that keep a budget keeps it too.
/// Weights are shared a little after each slot, so that the best rate may change.
/// </summary>
public sealed class HedgedAscent : ILearner
{
    /// <summary>Share of each weight that is spread over all, each slot.</summary>
    private const double WeightShare = 0.01;

    private readonly MirrorAscent[] ascents;
    private readonly double[] weights, mixed, slopes;
    private double squares;

    /// <param name="rates">At least one; doubling grids are usual.</param>
    public HedgedAscent(Idn idn, IReadOnlyList<double> rates, AscentOptions options)
    {
        Idn = idn;
        ascents = [.. rates.Select(rate => new MirrorAscent(idn, options with { Rate = rate }))];
        weights = [.. rates.Select(_ => 1.0 / rates.Count)];
        mixed = new double[idn.Holdings];
        slopes = new double[idn.Holdings];
        Mix();
    }

    public Idn Idn { get; }

    public ReadOnlySpan<double> Fractional => mixed;

    public void Learn(Batch batch)
    {
        Array.Clear(slopes);
        Serving.AddSupergradient(batch, mixed, slopes);
        Weigh();
        foreach (var ascent in ascents) ascent.Follow(slopes);
        Mix();
    }

    private void Weigh()
    {
        Span<double> ahead = stackalloc double[ascents.Length];
        var spread = 0.0;
        for (var i = 0; i < ascents.Length; i++)
        {
            var fractional = ascents[i].Fractional;
            for (var holding = 0; holding < slopes.Length; holding++)
                if (slopes[holding] != 0) ahead[i] += slopes[holding] * (fractional[holding] - mixed[holding]);
            spread = Math.Max(spread, Math.Abs(ahead[i]));
        }
        squares += spread * spread;
        if (squares == 0) return;
        var rate = Math.Sqrt(2 * Math.Log(ascents.Length + 1) / squares);
        var sum = 0.0;
        for (var i = 0; i < ascents.Length; i++) sum += weights[i] *= Math.Exp(rate * ahead[i]);
        for (var i = 0; i < ascents.Length; i++) weights[i] = (1 - WeightShare) * weights[i] / sum + WeightShare / ascents.Length;
    }

    private void Mix()
    {
        Array.Clear(mixed);
        for (var i = 0; i < ascents.Length; i++)
        {
            var fractional = ascents[i].Fractional;
            for (var holding = 0; holding < mixed.Length; holding++) mixed[holding] += weights[i] * fractional[holding];
        }
    }
}
