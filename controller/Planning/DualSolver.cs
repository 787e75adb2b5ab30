namespace Fleet.Controller.Planning;

/// <summary>A plan for <see cref="Candidates"/>, what it costs, and what proves how good it is.</summary>
/// <param name="Choice">The candidate of each device.</param>
/// <param name="Cost">Of all devices a second, in the objective's unit.</param>
/// <param name="Bound">No plan within the limits costs less.</param>
/// <param name="Prices">Of every resource, to begin with next time.</param>
/// <param name="IsFeasible">Whether every limit is kept; a least accuracy that nothing reaches is not.</param>
public sealed record SolvedChoice(int[] Choice, double Cost, double Bound, double[] Prices, bool IsFeasible)
{
    /// <summary>Share by which the plan may lie above the best one.</summary>
    public double Gap => Cost <= Bound ? 0 : (Cost - Bound) / Math.Max(Math.Abs(Bound), 1e-12);
}

/// <summary>Prices, then repair; on small sites repair from several prices, of which the cheapest plan stays.</summary>
public static class DualSolver
{
    /// <summary>Up to so many devices a plan is worth hundreds of evaluations.</summary>
    public const int SmallMax = 5000;

    private const int PolishRounds = 200;

    /// <summary>Share by which a plan in force may be dearer than another before that is worth changing for.</summary>
    private const double SteadyTolerance = 0.05;

    /// <param name="warm">The prices of a plan before; null: none.</param>
    /// <param name="polishMax">Of more devices the first plan found stays.</param>
    public static SolvedChoice Solve(Candidates candidates, double[]? warm = null, int polishMax = SmallMax)
    {
        if (candidates.Memory is { } memory) return new HoldingSearch(candidates, memory, polishMax).Solve(warm);
        var search = new PriceSearch(candidates);
        search.Ascend(warm);
        if (candidates.Devices > polishMax) return Repaired(candidates, search.Best, search.Choice, fills: warm is null ? 2 : 1) with { Bound = search.Bound };
        var best = Repaired(candidates, search.Best, search.Choice);
        if (best.IsFeasible && best.Cost <= search.Bound) return best with { Bound = search.Bound };
        best = Better(best, Repaired(candidates, search.Best, Starts.Alone(candidates)));
        best = Better(best, Repaired(candidates, search.Best, Starts.FirstFit(candidates)));
        search.Polish(() => best.Cost, candidates.Devices > SmallMax / 10 ? PolishRounds / 4 : PolishRounds, () => best = Better(best, Repaired(candidates, search.Best, search.Relaxation.Choice)));
        best = best with { Bound = search.Bound, Prices = search.Best };
        return candidates.Devices <= GapSearch.DevicesMax && best.IsFeasible && best.Cost > best.Bound ? Closed(candidates, best) : best;
    }

    /// <summary>
    /// What is in force, with as few changes as the limits need, unless the plan found is cheaper by more than the tolerance. Prices of what a site limits move with every
    /// report, and a plan made anew for each would have devices change for ever.
    /// </summary>
    /// <param name="standing">The candidate that each device runs; -1: none.</param>
    public static SolvedChoice Steady(Candidates candidates, SolvedChoice found, ReadOnlySpan<int> standing)
    {
        var (start, kept, asFound) = (found.Choice.ToArray(), new Repair(candidates, found.Prices), new Repair(candidates, found.Prices));
        for (var device = 0; device < start.Length; device++)
            if (standing[device] >= 0) start[device] = standing[device];
        kept.Trimmed(start);
        asFound.Take(found.Choice);
        // Where nobody can keep all limits, whoever misses them by hardly more is as good.
        var isAsGood = found.IsFeasible ? kept.IsFeasible : kept.Excess <= asFound.Excess * (1 + SteadyTolerance);
        return isAsGood && (candidates.Memory is null || candidates.Keeps(kept.Choice)) && kept.Cost <= found.Cost + SteadyTolerance * Math.Abs(found.Cost) ? found with { Choice = kept.Choice, Cost = kept.Cost, IsFeasible = kept.IsFeasible } : found;
    }

    private static SolvedChoice Closed(Candidates candidates, SolvedChoice best)
    {
        var search = new GapSearch(candidates, best, best.Prices, best.Bound);
        search.Run();
        return best with { Choice = search.Best, Cost = search.BestCost, Bound = search.IsProven ? search.BestCost : best.Bound };
    }

    internal static SolvedChoice Repaired(Candidates candidates, double[] prices, ReadOnlySpan<int> start, int fills = 2)
    {
        var repair = new Repair(candidates, prices, fills);
        repair.From(start);
        return new SolvedChoice(repair.Choice, repair.Cost, double.NegativeInfinity, prices, repair.IsFeasible);
    }

    internal static SolvedChoice Better(SolvedChoice a, SolvedChoice b) => a.IsFeasible != b.IsFeasible ? a.IsFeasible ? a : b : a.Cost <= b.Cost ? a : b;
}
