using Fleet.Controller.Placement;
using Google.OrTools.LinearSolver;

namespace Fleet.Controller.Judge;

/// <summary>
/// The best fixed fractional allocation, by linear programming (GLOP): max sum of f (cost of the repository - cost of the option), requests served f of each
/// option at most capacity times what is held of it, of each type at most its requests, sizes times parts within each budget. No whole allocation gains more.
/// </summary>
/// <param name="Gain">Milliseconds, summed over the batches, that it saves against what is pinned alone.</param>
/// <param name="Parts">y.</param>
/// <param name="Prices">Milliseconds that a megabyte more at each node would save.</param>
public sealed record FractionalOptimum(double Gain, double[] Parts, double[] Prices)
{
    /// <param name="batches">Each with how often it occurs.</param>
    public static FractionalOptimum Of(IReadOnlyList<(Batch Batch, double Times)> batches)
    {
        var idn = batches[0].Batch.Idn;
        using var solver = Solver.CreateSolver("GLOP");
        var parts = new Variable?[idn.Holdings];
        var budgets = new Constraint?[idn.Nodes];
        for (var node = 0; node < idn.Nodes; node++)
        {
            if (idn.FreeOf(node).Length == 0) continue;
            budgets[node] = solver.MakeConstraint(0, idn.Budget[node]);
            foreach (var piece in idn.FreeOf(node))
            {
                parts[node * idn.Pieces + piece] = solver.MakeNumVar(0, 1, "");
                budgets[node]!.SetCoefficient(parts[node * idn.Pieces + piece], idn.Size[piece]);
            }
        }
        var constant = 0.0;
        var minimal = idn.Minimal();
        foreach (var (batch, times) in batches)
            foreach (var type in batch.Active)
                constant += times * (Add(solver, batch, times, type, parts) - Serving.CostOf(batch, type, minimal));
        solver.Objective().SetMaximization();
        var status = solver.Solve();
        // Nothing held is always feasible, and gains are bounded: anything else is a bug.
        if (status != Solver.ResultStatus.OPTIMAL) throw new InvalidOperationException($"GLOP ended with {status}");
        return new FractionalOptimum(
            solver.Objective().Value() - constant,
            [.. parts.Select((part, holding) => part?.SolutionValue() ?? minimal[holding])],
            [.. budgets.Select(budget => budget?.DualValue() ?? 0)]);
    }

    /// <summary>What one type can be served by.</summary>
    /// <returns>The cost of serving all of it in the repository.</returns>
    private static double Add(Solver solver, Batch batch, double times, int type, Variable?[] parts)
    {
        var idn = batch.Idn;
        var repository = idn.Start[type + 1] - 1;
        var all = solver.MakeConstraint(0, batch.Count[type]);
        for (var option = idn.Start[type]; option < repository; option++)
        {
            var saved = idn.Cost[repository] - idn.Cost[option];
            if (saved <= 0) continue;
            var served = solver.MakeNumVar(0, batch.Capacity[option], "");
            all.SetCoefficient(served, 1);
            solver.Objective().SetCoefficient(served, times * saved);
            Limit(idn.Head[option], served, batch.Capacity[option]);
            if (idn.Tail[option] != Idn.None) Limit(idn.Tail[option], served, batch.Capacity[option]);
        }
        return batch.Count[type] * idn.Cost[repository];

        void Limit(int holding, Variable served, double capacity)
        {
            if (parts[holding] is not { } part) return;
            var limit = solver.MakeConstraint(double.NegativeInfinity, 0);
            limit.SetCoefficient(served, 1);
            limit.SetCoefficient(part, -capacity);
        }
    }
}
