namespace Fleet.Controller.Placement;

/// <summary>How fractional allocations become whole ones. Each ingredient can be had alone.</summary>
public sealed record RoundingOptions
{
    /// <summary>Independent <see cref="DepRound"/> at every refresh, for which the regret bound holds.</summary>
    public static readonly RoundingOptions Plain = new();

    /// <summary>All ingredients; no theorem, less traffic and more gain.</summary>
    public static readonly RoundingOptions Practical = new() { Repairs = true, Fills = true, Draws = 8, KeepsIncumbent = true, IsCoupled = true, Margin = 0.2 };

    /// <summary>Whether a node that would hold more than its memory drops the pieces with the least y.</summary>
    public bool Repairs { get; init; }

    /// <summary>Whether memory left over is filled, with what would have saved most in the last slot.</summary>
    public bool Fills { get; init; }

    /// <summary>Draws for each node in turn, the others as they are: the one that would have cost least in the last slot is taken.</summary>
    public int Draws { get; init; } = 1;

    /// <summary>Whether what a node holds is among the candidates.</summary>
    public bool KeepsIncumbent { get; init; }

    /// <summary>
    /// Whether draws start from what is held: a piece whose part fell is left, one whose part rose is taken up, with just the probability that gives the new mean.
    /// Of several draws every second is coupled.
    /// </summary>
    public bool IsCoupled { get; init; }

    /// <summary>Share of a node's gain that a change of all its memory must add; less for lesser changes. Only where the incumbent is kept.</summary>
    public double Margin { get; init; }

    /// <summary>Slots from one rounding to the next.</summary>
    public int Refresh { get; init; } = 1;
}

/// <summary>Rounds one node after the other.</summary>
public sealed class Rounding(Idn idn, RoundingOptions options, Random random)
{
    private readonly double[][] drawnFrom = new double[idn.Nodes][];

    /// <summary>The next whole allocation.</summary>
    /// <param name="fractional">y.</param>
    /// <param name="held">x so far; overwritten.</param>
    /// <param name="last">The slot that candidates are judged by; needed for whatever judges.</param>
    public void Round(ReadOnlySpan<double> fractional, double[] held, Batch? last)
    {
        var isJudged = last is not null && (options.Fills || options.KeepsIncumbent || options.Draws > 1);
        var board = isJudged ? new Scoreboard([last!], held) : null;
        for (var node = 0; node < idn.Nodes; node++)
        {
            var parts = Gather(node, fractional);
            if (parts.Length == 0) continue;
            var incumbent = Gather(node, held);
            var row = board is null ? Draw(node, parts, incumbent, isFirst: true) : Judged(node, parts, incumbent, board);
            drawnFrom[node] = parts;
            var free = idn.FreeOf(node);
            for (var i = 0; i < free.Length; i++) held[node * idn.Pieces + free[i]] = row[i];
        }
    }

    private double[] Judged(int node, double[] parts, double[] incumbent, Scoreboard board)
    {
        var (best, bestCost) = (incumbent, double.PositiveInfinity);
        var margin = 0.0;
        if (options.KeepsIncumbent)
        {
            bestCost = board.Cost;
            board.SetNode(node, new double[parts.Length]);
            margin = options.Margin * (board.Cost - bestCost) / idn.Budget[node];
        }
        for (var draw = 0; draw < options.Draws; draw++)
        {
            var row = Draw(node, parts, incumbent, draw % 2 == 0);
            board.SetNode(node, row);
            if (options.Fills) board.Fill(node);
            row = Gather(node, board.Held);
            var cost = board.Cost + margin * Fetched(node, incumbent, row);
            if (cost < bestCost) (best, bestCost) = (row, cost);
        }
        board.SetNode(node, best);
        return best;
    }

    private double[] Draw(int node, double[] parts, double[] incumbent, bool isFirst)
    {
        var row = options.IsCoupled && isFirst && drawnFrom[node] is { } before ? Coupled(parts, before, incumbent) : Independent(node, parts);
        if (options.Repairs) Repair(node, parts, row);
        return row;
    }

    private double[] Independent(int node, double[] parts)
    {
        var row = (double[])parts.Clone();
        DepRound.Round(row, MirrorAscent.SizesOf(idn, node), random);
        return row;
    }

    /// <summary>P(x' = 1) is y' when P(x = 1) was y, and P(x' != x) is |y' - y|: no coupling changes less.</summary>
    private double[] Coupled(double[] parts, double[] before, double[] incumbent)
    {
        var row = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            var luck = random.NextDouble();
            row[i] = incumbent[i] == 1 ? (luck * before[i] < before[i] - parts[i] ? 0 : 1) : luck * (1 - before[i]) < parts[i] - before[i] ? 1 : 0;
        }
        return row;
    }

    private void Repair(int node, double[] parts, double[] row)
    {
        var free = idn.FreeOf(node);
        var used = 0.0;
        for (var i = 0; i < row.Length; i++) used += row[i] * idn.Size[free[i]];
        while (used > idn.Budget[node] * (1 + 1e-9))
        {
            var least = -1;
            for (var i = 0; i < row.Length; i++)
                if (row[i] == 1 && (least < 0 || parts[i] < parts[least])) least = i;
            row[least] = 0;
            used -= idn.Size[free[least]];
        }
    }

    private double Fetched(int node, double[] before, double[] after)
    {
        var fetched = 0.0;
        var free = idn.FreeOf(node);
        for (var i = 0; i < before.Length; i++)
            if (after[i] > before[i]) fetched += idn.Size[free[i]];
        return fetched;
    }

    private double[] Gather(int node, ReadOnlySpan<double> from)
    {
        var free = idn.FreeOf(node);
        var parts = new double[free.Length];
        for (var i = 0; i < free.Length; i++) parts[i] = from[node * idn.Pieces + free[i]];
        return parts;
    }
}
