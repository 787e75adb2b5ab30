namespace Fleet.Controller.Planning;

/// <summary>
/// Closes the gap of small sites. A plan costs at least the bound and, above that, what each device's candidate costs at the prices more than its cheapest one does; so a plan better than
/// the best one known takes candidates only whose excess, all together, stays below the gap (reduced-cost fixing; Nemhauser and Wolsey, "Integer and combinatorial optimization", 1988,
/// II.5.2). These few are tried depth first. When all were, the best plan is proven.
/// </summary>
internal sealed class GapSearch
{
    /// <summary>Beyond so many devices too many candidates are left.</summary>
    public const int DevicesMax = 100;

    private const int VisitsMax = 40_000;
    private readonly Candidates candidates;
    private readonly double bound;
    private readonly (int Device, (double Excess, int Candidate)[] Left)[] open;
    private readonly double[] load;
    private readonly int[] choice;
    private double gap;
    private int visits;

    /// <param name="known">A plan within the limits.</param>
    /// <param name="prices">That prove the bound.</param>
    public GapSearch(Candidates candidates, SolvedChoice known, double[] prices, double bound)
    {
        (this.candidates, this.bound, gap) = (candidates, bound, known.Cost - bound);
        (Best, BestCost, choice, load) = ([.. known.Choice], known.Cost, [.. known.Choice], new double[candidates.Capacity.Length]);
        open = [.. Enumerable.Range(0, candidates.Devices).Select(device => (Device: device, Left: Left(device, prices))).OrderBy(entry => entry.Left.Length).ThenBy(entry => entry.Device)];
    }

    /// <summary>The cheapest plan known, a candidate a device.</summary>
    public int[] Best { get; private set; }

    public double BestCost { get; private set; }

    /// <summary>Whether nothing better is left.</summary>
    public bool IsProven => visits <= VisitsMax;

    public void Run() => Visit(0, 0, 0);

    private (double Excess, int Candidate)[] Left(int device, double[] prices)
    {
        var (from, end) = candidates.Of(device);
        var all = Enumerable.Range(from, end - from).Select(j => (Priced: candidates.Priced(device, j, prices), Candidate: j)).ToList();
        var least = all.Min(entry => entry.Priced);
        return [.. all.Select(entry => (Excess: entry.Priced - least, entry.Candidate)).Where(entry => entry.Excess < gap).OrderBy(entry => entry.Excess).ThenBy(entry => entry.Candidate)];
    }

    private void Visit(int depth, double excess, double cost)
    {
        if (depth == open.Length)
        {
            if (!(cost < BestCost)) return;
            (Best, BestCost, gap) = ([.. choice], cost, cost - bound);
            return;
        }
        var (device, left) = open[depth];
        foreach (var (more, j) in left)
        {
            if (++visits > VisitsMax || excess + more >= gap) return;
            if (!HasRoom(device, j)) continue;
            Count(device, j, 1);
            choice[device] = j;
            Visit(depth + 1, excess + more, cost + candidates.Cost[j]);
            Count(device, j, -1);
        }
    }

    private bool HasRoom(int device, int j)
    {
        for (var resource = 0; resource < load.Length; resource++)
            if (candidates.Taken(resource, device, j) is > 0 and var taken && load[resource] + taken > candidates.Capacity[resource] * (1 + 1e-9) + 1e-12) return false;
        return true;
    }

    private void Count(int device, int j, int sign)
    {
        for (var resource = 0; resource < load.Length; resource++) load[resource] += sign * candidates.Taken(resource, device, j);
    }
}
