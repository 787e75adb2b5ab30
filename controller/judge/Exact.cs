using Fleet.Controller.Planning;
using Google.OrTools.LinearSolver;

namespace Fleet.Controller.Judge;

/// <summary>
/// The planning problem as OR-Tools' solvers see it, to judge all others by: a variable a candidate, one candidate a device, the limits of
/// <see cref="Candidates.Capacity"/>; where memory is limited a variable for each tail on a server besides, without which no candidate may use it.
/// </summary>
public static class Exact
{
    /// <summary>SCIP lets a limit be passed by a millionth.</summary>
    private const double Tolerance = 2e-6;

    /// <summary>The best plan, by SCIP to a millionth; null when it gave up within the time or no plan keeps the limits.</summary>
    /// <param name="timeLimit">Of the solver's own clock; it changes no answer but whether there is one.</param>
    public static SolvedChoice? Solve(Candidates candidates, TimeSpan timeLimit)
    {
        var best = Solve(candidates, timeLimit, slack: 0);
        return best is null || Keeps(candidates, best.Choice) ? best : Solve(candidates, timeLimit, Tolerance);
    }

    /// <summary>Whether a plan keeps every limit, but for rounding.</summary>
    public static bool Keeps(Candidates candidates, IReadOnlyList<int> choice) => candidates.Keeps(choice);

    private static SolvedChoice? Solve(Candidates candidates, TimeSpan timeLimit, double slack)
    {
        using var program = new Program(candidates, "SCIP", isInteger: true, slack);
        program.Solver.SetTimeLimit((long)timeLimit.TotalMilliseconds);
        using var parameters = new MPSolverParameters();
        parameters.SetDoubleParam(MPSolverParameters.DoubleParam.RELATIVE_MIP_GAP, 1e-6);
        if (program.Solver.Solve(parameters) is not Solver.ResultStatus.OPTIMAL) return null;
        var choice = new int[candidates.Devices];
        var cost = 0.0;
        for (var device = 0; device < choice.Length; device++)
        {
            var (from, end) = candidates.Of(device);
            choice[device] = Enumerable.Range(from, end - from).MaxBy(j => program.Variables[j].SolutionValue());
            cost += candidates.At(choice[device]).Cost;
        }
        return new SolvedChoice(choice, cost, program.Solver.Objective().BestBound(), new double[candidates.Capacity.Length], IsFeasible: true);
    }

    /// <summary>The value and prices of the linear relaxation, by GLOP: no bound from prices can be higher. Null when it failed, or gave up within the time: on a degenerate programme it may go round for ever.</summary>
    /// <param name="timeLimit">As that of <see cref="Solve(Candidates, TimeSpan)"/>.</param>
    public static PricedBound? LinearBound(Candidates candidates, TimeSpan timeLimit)
    {
        using var program = new Program(candidates, "GLOP", isInteger: false);
        program.Solver.SetTimeLimit((long)timeLimit.TotalMilliseconds);
        if (program.Solver.Solve() is not Solver.ResultStatus.OPTIMAL) return null;
        return new PricedBound([.. program.Limits.Select(limit => -limit.DualValue())], program.Solver.Objective().Value());
    }

    private sealed class Program : IDisposable
    {
        public Program(Candidates candidates, string solver, bool isInteger, double slack = 0)
        {
            Solver = Solver.CreateSolver(solver) ?? throw new InvalidOperationException($"OR-Tools has no {solver}");
            Limits = [.. candidates.Capacity.Select((room, i) => Solver.MakeConstraint(double.NegativeInfinity, room * (1 - slack), $"limit{i}"))];
            var objective = Solver.Objective();
            for (var device = 0; device < candidates.Devices; device++)
            {
                var one = Solver.MakeConstraint(1, 1, $"device{device}");
                var (from, end) = candidates.Of(device);
                for (var j = from; j < end; j++)
                {
                    var taken = isInteger ? Solver.MakeBoolVar($"x{j}") : Solver.MakeNumVar(0, double.PositiveInfinity, $"x{j}");
                    Variables.Add(j, taken);
                    one.SetCoefficient(taken, 1);
                    objective.SetCoefficient(taken, candidates.At(j).Cost);
                    SetLimits(candidates, device, j, taken);
                }
            }
            if (isInteger && candidates.Memory is { } memory) Hold(candidates, memory, slack);
            objective.SetMinimization();
        }

        public Solver Solver { get; }

        public Dictionary<int, Variable> Variables { get; } = [];

        public Constraint[] Limits { get; }

        public void Dispose() => Solver.Dispose();

        /// <summary>sum of size x held within memory, and what a device takes of one holding at most held.</summary>
        private void Hold(Candidates candidates, TailMemory memory, double slack)
        {
            var rooms = memory.Room.Select((room, server) => Solver.MakeConstraint(double.NegativeInfinity, room * (1 - slack), $"memory{server}")).ToList();
            var held = Enumerable.Range(0, memory.Holdings).Select(holding => Solver.MakeBoolVar($"held{holding}")).ToList();
            for (var holding = 0; holding < held.Count; holding++) rooms[memory.ServerOf(holding)].SetCoefficient(held[holding], memory.SizeOf(holding));
            for (var device = 0; device < candidates.Devices; device++)
            {
                var (from, end) = candidates.Of(device);
                foreach (var ways in Enumerable.Range(from, end - from).Where(j => candidates.HoldingOf(j) >= 0).GroupBy(candidates.HoldingOf))
                {
                    var needs = Solver.MakeConstraint(double.NegativeInfinity, 0, $"needs{device}.{ways.Key}");
                    needs.SetCoefficient(held[ways.Key], -1);
                    foreach (var j in ways) needs.SetCoefficient(Variables[j], 1);
                }
            }
        }

        private void SetLimits(Candidates candidates, int device, int j, Variable taken)
        {
            for (var resource = 0; resource < Limits.Length; resource++)
                if (candidates.Taken(resource, device, j) is > 0 and var use) Limits[resource].SetCoefficient(taken, use);
        }
    }
}
