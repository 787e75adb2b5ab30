using Google.OrTools.LinearSolver;

namespace Fleet.Controller.Judge;

/// <summary>
/// The most inputs that a device on a battery could have served, had it known the sun beforehand, by linear programming (GLOP):
/// <code>
/// max sum_t s_t    0 &lt;= s_t &lt;= arrivals_t    B_{t+1} = (1 - leak) B_t + harvest_t - standing - e s_t - spill_t    0 &lt;= B_t &lt;= capacity    spill_t &gt;= 0
/// </code>
/// Nothing has to be left at the end. It bounds every policy that draws at least e for an input, since a policy's own course is a feasible one.
/// </summary>
public static class SunniestPlan
{
    /// <param name="arrivals">Inputs that come in each step.</param>
    /// <param name="harvest">Joules from the sun in each step, as many steps.</param>
    /// <param name="standing">Joules drawn in a step whatever is served.</param>
    /// <param name="each">Joules that serving one input draws; above 0.</param>
    /// <param name="leak">Share of the charge that is lost in a step.</param>
    /// <returns>Inputs served; null when not even waiting is possible to the end.</returns>
    public static double? Served(IReadOnlyList<double> arrivals, IReadOnlyList<double> harvest, double standing, double each, double charged, double capacity, double leak = 0)
    {
        if (arrivals.Count != harvest.Count) throw new ArgumentException($"{harvest.Count} steps of sun for {arrivals.Count} steps of arrivals; as many are needed", nameof(harvest));
        using var solver = Solver.CreateSolver("GLOP");
        var before = (Variable?)null;
        for (var step = 0; step < arrivals.Count; step++)
        {
            var (served, spilled, stored) = (solver.MakeNumVar(0, arrivals[step], ""), solver.MakeNumVar(0, double.PositiveInfinity, ""), solver.MakeNumVar(0, capacity, ""));
            var gain = harvest[step] - standing + (before is null ? (1 - leak) * charged : 0);
            var balance = solver.MakeConstraint(gain, gain);
            balance.SetCoefficient(stored, 1);
            balance.SetCoefficient(served, each);
            balance.SetCoefficient(spilled, 1);
            if (before is not null) balance.SetCoefficient(before, leak - 1);
            solver.Objective().SetCoefficient(served, 1);
            before = stored;
        }
        solver.Objective().SetMaximization();
        return solver.Solve() switch
        {
            Solver.ResultStatus.OPTIMAL => solver.Objective().Value(),
            Solver.ResultStatus.INFEASIBLE => null,
            var status => throw new InvalidOperationException($"GLOP ended with {status}"),
        };
    }
}
