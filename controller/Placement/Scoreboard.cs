namespace Fleet.Controller.Placement;

/// <summary>Costs of given batches as holdings come and go, kept up to date: only types that could use a holding are looked at again.</summary>
public sealed class Scoreboard
{
    private readonly IReadOnlyList<Batch> batches;
    private readonly double[] held;
    private readonly double[] costs;

    /// <param name="batches">At least one, all of one network; their costs are summed.</param>
    /// <param name="held">0 or 1 each; copied.</param>
    public Scoreboard(IReadOnlyList<Batch> batches, ReadOnlySpan<double> held)
    {
        this.batches = batches;
        Idn = batches[0].Idn;
        this.held = held.ToArray();
        costs = new double[Idn.Types.Count];
        for (var type = 0; type < costs.Length; type++) costs[type] = CostOf(type);
    }

    public Idn Idn { get; }

    public ReadOnlySpan<double> Held => held;

    public double Cost => costs.Sum();

    /// <summary>Milliseconds that taking up (or leaving) holdings would save.</summary>
    public double Saving(ReadOnlySpan<int> holdings, double value)
    {
        Span<double> before = stackalloc double[holdings.Length];
        for (var i = 0; i < holdings.Length; i++) (before[i], held[holdings[i]]) = (held[holdings[i]], value);
        var saving = 0.0;
        foreach (var type in Idn.UsersOf(holdings[0])) saving += costs[type] - CostOf(type);
        for (var i = 1; i < holdings.Length; i++)
            foreach (var type in Idn.UsersOf(holdings[i]))
                if (!Idn.UsersOf(holdings[0]).Contains(type)) saving += costs[type] - CostOf(type);
        for (var i = 0; i < holdings.Length; i++) held[holdings[i]] = before[i];
        return saving;
    }

    public void Set(int holding, double value)
    {
        if (held[holding] == value) return;
        held[holding] = value;
        foreach (var type in Idn.UsersOf(holding)) costs[type] = CostOf(type);
    }

    /// <summary>Takes up the given free pieces at a node and leaves all others.</summary>
    public void SetNode(int node, ReadOnlySpan<double> parts)
    {
        var free = Idn.FreeOf(node);
        for (var i = 0; i < free.Length; i++) Set(node * Idn.Pieces + free[i], parts[i]);
    }

    /// <summary>
    /// Fills what memory a node has left, with the piece that saves most for its size first (Minoux' lazy greedy, 1978: what saves little now saves no
    /// more later). Pieces that save nothing stay away.
    /// </summary>
    public void Fill(int node)
    {
        var room = Idn.Budget[node] - Idn.Used(node, held);
        var queue = new PriorityQueue<int, (double, int)>();
        foreach (var piece in Idn.FreeOf(node))
            if (held[node * Idn.Pieces + piece] == 0 && Idn.Size[piece] <= room) Offer(queue, node, piece);
        while (queue.TryDequeue(out var piece, out var old))
        {
            if (Idn.Size[piece] > room + Idn.Size[piece] * 1e-9) continue;
            var saving = Saving([node * Idn.Pieces + piece], 1) / Idn.Size[piece];
            if (saving <= 0) continue;
            if (queue.TryPeek(out _, out var next) && (-saving, piece).CompareTo(next) > 0)
            {
                queue.Enqueue(piece, (-saving, piece));
                continue;
            }
            Set(node * Idn.Pieces + piece, 1);
            room -= Idn.Size[piece];
        }
    }

    private void Offer(PriorityQueue<int, (double, int)> queue, int node, int piece)
    {
        var saving = Saving([node * Idn.Pieces + piece], 1) / Idn.Size[piece];
        if (saving > 0) queue.Enqueue(piece, (-saving, piece));
    }

    private double CostOf(int type)
    {
        var cost = 0.0;
        foreach (var batch in batches)
            if (batch.Count[type] > 0) cost += Serving.CostOf(batch, type, held);
        return cost;
    }
}
