using Fleet.Controller.Planning;

namespace Fleet.Controller.Judge;

/// <summary>The best plan there is, by mixed-integer programming: for small sites, and to judge other policies by.</summary>
public sealed class Milp(OptionTable table, CostModel costs) : IPlanner
{
    public const string PolicyName = "milp";

    /// <summary>Far more than a site of hundreds takes; what takes longer is planned by `dual`.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var problem = SiteProblem.Of(fleet, table, costs, last.Last);
        if (problem.Devices.Count == 0) return (Planning.Plan.Empty, PlannerState.Empty);
        if (Exact.Solve(problem.Candidates, Patience) is not { } solved) return new Dual(table, costs).Plan(fleet, last, random);
        var choices = problem.Choices(solved.Choice, costs, last.Last, (_, _) => $"best of all plans for {problem.Devices.Count} devices together");
        return (new Plan(choices) { Proof = Proof.Of(problem, solved, new Dictionary<string, double>()) }, new PlannerState(choices));
    }
}
