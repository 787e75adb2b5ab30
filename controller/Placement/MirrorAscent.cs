namespace Fleet.Controller.Placement;

/// <summary>How mirror ascent steps.</summary>
public sealed record AscentOptions
{
    /// <summary>The step: without dimension where <see cref="IsScaled"/>, else in megabytes per millisecond and request.</summary>
    public double Rate { get; init; } = 1;

    /// <summary>Whether each node divides its rate by the root of the sum of squares of its steepest slopes so far, which needs no horizon and no scale (Streeter and McMahan, 2010).</summary>
    public bool IsScaled { get; init; } = true;

    /// <summary>Whether the next slot is expected to look like the last: a second step from the same place (Rakhlin and Sridharan, "Online learning with predictable sequences", 2013).</summary>
    public bool IsOptimistic { get; init; }

    /// <summary>Share of the even allocation mixed in after each step, so that what is past is forgotten (Herbster and Warmuth, "Tracking the best expert", 1998): the bound then holds against allocations that change.</summary>
    public double Share { get; init; }

    /// <summary>No part falls below it before a step, so that dropped pieces can return.</summary>
    public double Floor { get; init; } = 1e-6;
}

/// <summary>
/// INFIDA's learner: online mirror ascent with the map sum s y log y. Each node moves alone: h = y exp(rate g / s), then the projection of <see cref="CappedSimplex"/>.
/// </summary>
public sealed class MirrorAscent : ILearner
{
    private readonly AscentOptions options;
    private readonly double[] held, seen, slopes;
    private readonly NodeAscent[] nodes;

    /// <param name="before">Goes on from where it got, on a network of the same nodes and pieces whose requests or costs have become others; null: from the even allocation.</param>
    public MirrorAscent(Idn idn, AscentOptions options, MirrorAscent? before = null)
    {
        (Idn, this.options) = (idn, options);
        held = idn.Minimal();
        slopes = new double[idn.Holdings];
        nodes = [.. Enumerable.Range(0, idn.Nodes).Select(node => new NodeAscent(SizesOf(idn, node), idn.Budget[node], options))];
        for (var node = 0; node < (before?.nodes.Length ?? 0); node++) nodes[node].Follow(before!.nodes[node], before.Known(node, idn.FreeOf(node)));
        for (var node = 0; node < idn.Nodes; node++) Write(node, nodes[node].Parts, held);
        // What an optimistic learner has seen, without the step for what it expects.
        seen = options.IsOptimistic ? [.. held] : held;
    }

    public Idn Idn { get; }

    public ReadOnlySpan<double> Fractional => held;

    public void Learn(Batch batch)
    {
        Array.Clear(slopes);
        Serving.AddSupergradient(batch, held, slopes);
        Follow(slopes);
    }

    /// <summary>Moves along given slopes, one for each holding.</summary>
    public void Follow(ReadOnlySpan<double> slope)
    {
        Span<double> local = stackalloc double[256];
        for (var node = 0; node < Idn.Nodes; node++)
        {
            var free = Idn.FreeOf(node);
            var mine = free.Length <= local.Length ? local[..free.Length] : new double[free.Length];
            var row = slope.Slice(node * Idn.Pieces, Idn.Pieces);
            var isTouched = false;
            for (var i = 0; i < free.Length; i++)
            {
                mine[i] = row[free[i]];
                isTouched |= mine[i] != 0;
            }
            if (!isTouched && options.Share == 0 && !options.IsOptimistic) continue;
            nodes[node].Step(mine);
            Write(node, nodes[node].Parts, seen);
            if (options.IsOptimistic) Write(node, nodes[node].Expecting(mine), held);
        }
    }

    /// <summary>Parts of pieces at a node; not a number where it could not take one up.</summary>
    private double[] Known(int node, ReadOnlySpan<int> pieces)
    {
        var parts = new double[pieces.Length];
        var free = Idn.FreeOf(node);
        for (var i = 0; i < parts.Length; i++) parts[i] = free.IndexOf(pieces[i]) is >= 0 and var known ? nodes[node].Parts[known] : double.NaN;
        return parts;
    }

    internal static double[] SizesOf(Idn idn, int node)
    {
        var free = idn.FreeOf(node);
        var sizes = new double[free.Length];
        for (var i = 0; i < free.Length; i++) sizes[i] = idn.Size[free[i]];
        return sizes;
    }

    private void Write(int node, ReadOnlySpan<double> parts, double[] target)
    {
        var free = Idn.FreeOf(node);
        for (var i = 0; i < free.Length; i++) target[node * Idn.Pieces + free[i]] = parts[i];
    }
}
