namespace Fleet.Controller.Planning;

/// <summary>
/// Plans for sites whose edge servers offer more tails than they hold together. A plan's cost is bounded by the relaxation, in which each of a tail's possible users pays for its part of it
/// (sum of size x users / possible users within memory: every plan keeps that, since no tail has more users than possible ones). Which tails are held is chosen first, what saves most for its size, and then
/// exchanged one by one as long as that helps; where there are few ways to fill the servers, all are tried, and the least of their bounds is a bound as well. With tails chosen a site is planned like any other.
/// </summary>
internal sealed class HoldingSearch(Candidates candidates, TailMemory memory, int polishMax)
{
    /// <summary>Ways to fill servers x devices up to which all are tried.</summary>
    private const int TriedMax = 1000;

    /// <summary>Exchanges looked at, at most.</summary>
    private const int ExchangesMax = 400;

    private const int PolishRounds = 200;
    private readonly PriceSearch search = new(candidates);

    /// <param name="warm">The prices of a plan before; null: none.</param>
    public SolvedChoice Solve(double[]? warm)
    {
        search.Ascend(warm);
        if (Ways() is { } ways)
        {
            var solved = ways.Select(Planned).ToList();
            var bound = Math.Max(search.Bound, solved.Min(plan => plan.Bound));
            return solved.Aggregate(DualSolver.Better) with { Bound = bound, Prices = search.Best };
        }
        var held = Filled(new bool[memory.Holdings]);
        if (candidates.Devices > polishMax) return Planned(held) with { Bound = search.Bound, Prices = search.Best };
        var best = Planned(Exchanged(held));
        search.Polish(() => best.Cost, PolishRounds, () => { });
        return best with { Bound = search.Bound, Prices = search.Best };
    }

    /// <summary>All ways to fill the servers; null when they are too many to try.</summary>
    private List<bool[]>? Ways()
    {
        var isUsed = new bool[memory.Holdings];
        for (var device = 0; device < candidates.Devices; device++)
        {
            var (from, end) = candidates.Of(device);
            for (var j = from; j < end; j++)
                if (candidates.HoldingOf(j) is >= 0 and var holding) isUsed[holding] = true;
        }
        var ways = new List<bool[]> { Array.Empty<bool>() };
        for (var server = 0; server < memory.Servers.Count; server++)
        {
            if (isUsed.AsSpan(server * memory.Tails, memory.Tails).Count(true) > TailMemory.TriedTails) return null;
            ways = [.. ways.SelectMany(way => memory.Fullest(server, isUsed), (way, more) => (bool[])[.. way, .. more])];
            if (ways.Count * (long)candidates.Devices > TriedMax) return null;
        }
        return ways;
    }

    /// <summary>Adds what saves most for its size, at the prices, until nothing fits or helps.</summary>
    private bool[] Filled(bool[] start)
    {
        var held = (bool[])start.Clone();
        while (true)
        {
            var saved = Saved(held);
            var best = -1;
            for (var holding = 0; holding < held.Length; holding++)
                if (!held[holding] && saved[holding] > 0 && HasRoom(held, holding) && (best < 0 || saved[holding] / memory.SizeOf(holding) > saved[best] / memory.SizeOf(best))) best = holding;
            if (best < 0) return held;
            held[best] = true;
        }
    }

    private bool HasRoom(bool[] held, int holding) => memory.Taken(held, memory.ServerOf(holding)) + memory.SizeOf(holding) <= memory.Room[memory.ServerOf(holding)] * (1 + 1e-9);

    /// <summary>What all devices would save, each choosing for itself at the prices, if one holding more were there; or, of one that is, what they would lose without it.</summary>
    private double[] Saved(bool[] held)
    {
        var (saved, least) = (new double[held.Length], new double[held.Length]);
        for (var device = 0; device < candidates.Devices; device++)
        {
            var (from, end) = candidates.Of(device);
            var (best, second, by) = (double.PositiveInfinity, double.PositiveInfinity, -1);
            Array.Fill(least, double.PositiveInfinity);
            for (var j = from; j < end; j++)
            {
                var (holding, priced) = (candidates.HoldingOf(j), PricedOf(device, j));
                if (holding >= 0 && !held[holding])
                {
                    least[holding] = Math.Min(least[holding], priced);
                    continue;
                }
                if (priced < best) (second, best, by) = (by == holding ? second : best, priced, holding);
                else if (holding != by) second = Math.Min(second, priced);
            }
            if (double.IsPositiveInfinity(best)) continue;
            for (var holding = 0; holding < held.Length; holding++)
                if (least[holding] < best) saved[holding] += best - least[holding];
            if (by >= 0 && double.IsFinite(second)) saved[by] += second - best;
        }
        return saved;
    }

    /// <summary>At the prices of everything but memory: what is held has no price any more.</summary>
    private double PricedOf(int device, int j)
    {
        var priced = candidates.Priced(device, j, search.Best);
        for (var resource = candidates.MemoryAt; resource < candidates.Capacity.Length; resource++) priced -= search.Best[resource] * candidates.Taken(resource, device, j);
        return priced;
    }

    /// <summary>Takes up one holding more and gives up those of its server that are missed least, as long as the plan gets cheaper.</summary>
    private bool[] Exchanged(bool[] held)
    {
        var (best, looked, isBetter) = (Sketched(held), 0, true);
        while (isBetter)
        {
            isBetter = false;
            for (var holding = 0; holding < held.Length && looked < ExchangesMax; holding++)
            {
                if (held[holding] || memory.SizeOf(holding) > memory.Room[memory.ServerOf(holding)]) continue;
                looked++;
                var next = With(held, holding);
                var plan = Sketched(next);
                if (DualSolver.Better(best, plan) == best || !(plan.Cost < best.Cost * (1 - 1e-9)) && plan.IsFeasible == best.IsFeasible) continue;
                (held, best, isBetter) = (next, plan, true);
            }
        }
        return held;
    }

    private bool[] With(bool[] held, int holding)
    {
        var next = (bool[])held.Clone();
        next[holding] = true;
        var server = memory.ServerOf(holding);
        while (!memory.Fits(next, server))
        {
            var saved = Saved(next);
            var leaves = Enumerable.Range(server * memory.Tails, memory.Tails).Where(other => next[other] && other != holding).MinBy(other => saved[other] / memory.SizeOf(other));
            next[leaves] = false;
        }
        return Filled(next);
    }

    /// <summary>The plan that the prices and one repair give.</summary>
    private SolvedChoice Sketched(bool[] held)
    {
        var allowed = Allowed(held);
        var prices = search.Best[..candidates.MemoryAt];
        var relaxed = new Relaxation(allowed);
        relaxed.At(prices);
        return DualSolver.Repaired(allowed, prices, relaxed.Choice);
    }

    private SolvedChoice Planned(bool[] held)
    {
        var allowed = Allowed(held);
        var solved = DualSolver.Solve(allowed, search.Best.Take(candidates.MemoryAt).All(price => price == 0) ? null : search.Best[..candidates.MemoryAt], polishMax);
        var choice = solved.Choice.Select((j, device) => Original(device, allowed.At(j))).ToArray();
        return solved with { Choice = choice, IsFeasible = solved.IsFeasible && candidates.Keeps(choice) };
    }

    private Candidates Allowed(bool[] held) => candidates.Where(j => candidates.HoldingOf(j) is not (>= 0 and var holding) || held[holding]);

    private int Original(int device, Candidate candidate)
    {
        var (from, end) = candidates.Of(device);
        for (var j = from; j < end; j++)
            if (candidates.Option[j] == candidate.Option && candidates.Edge[j] == candidate.Edge) return j;
        throw new InvalidOperationException($"device {device} has no candidate of option {candidate.Option} on edge server {candidate.Edge}");
    }
}
