using System.Globalization;

namespace Fleet.Controller.Planning;

/// <summary>
/// Prices on the edge servers' time and on the air of cells that devices share (and on the site's errors, joules and bytes and on edge servers' memory where they are limited) under which every device chooses
/// for itself, then a repair that keeps every limit. Each plan comes with a bound that no plan can go below.
/// </summary>
public sealed class Dual(OptionTable table, CostModel costs) : IPlanner
{
    public const string PolicyName = "dual";

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var problem = SiteProblem.Of(fleet, table, costs, last.Last);
        var solved = DualSolver.Solve(problem.Candidates, Warm(problem, last));
        if (problem.Candidates.Limits.Any()) solved = DualSolver.Steady(problem.Candidates, solved, [.. Enumerable.Range(0, problem.Devices.Count).Select(problem.Standing)]);
        var choices = problem.Choices(solved.Choice, costs, last.Last, (device, j) => Explain(problem, solved, device, j));
        var prices = problem.Edges.Select((edge, i) => (edge.Id, Price: solved.Prices[i])).ToDictionary(pair => pair.Id, pair => pair.Price, StringComparer.Ordinal);
        var air = problem.Cells.Select((cell, i) => (cell, Price: solved.Prices[problem.Edges.Count + i])).ToDictionary(pair => pair.cell, pair => pair.Price, StringComparer.Ordinal);
        var memory = problem.LimitedServers.Select((server, i) => (server.Id, Price: solved.Prices[problem.Candidates.MemoryAt + i])).ToDictionary(pair => pair.Id, pair => pair.Price, StringComparer.Ordinal);
        return (new Plan(choices) { Proof = Proof.Of(problem, solved, prices) }, new PlannerState(choices) { Prices = prices, AirPrices = air, LimitPrices = solved.Prices[problem.Candidates.ErrorsAt..problem.Candidates.MemoryAt], MemoryPrices = memory });
    }

    /// <summary>The last prices of edge servers and cells that are still there; null when there are none to begin with.</summary>
    private static double[]? Warm(SiteProblem problem, PlannerState last) => last.LimitPrices.Concat(last.Prices.Values).Concat(last.AirPrices.Values).Concat(last.MemoryPrices.Values).All(price => price == 0) ? null
        : [.. problem.Edges.Select(edge => last.Prices.GetValueOrDefault(edge.Id)), .. problem.Cells.Select(cell => last.AirPrices.GetValueOrDefault(cell)), .. Enumerable.Range(0, problem.Candidates.MemoryAt - problem.Candidates.ErrorsAt).Select(last.LimitPrices.ElementAtOrDefault),
            .. problem.LimitedServers.Select(edge => last.MemoryPrices.GetValueOrDefault(edge.Id))];

    private static string Explain(SiteProblem problem, SolvedChoice solved, int device, int chosen)
    {
        var candidates = problem.Candidates;
        var rate = SiteProblem.WeightOf(problem.Devices[device]);
        var (from, end) = candidates.Of(device);
        var isAlone = candidates.Edge[chosen] == candidates.Edges;
        var rival = -1;
        for (var j = from; j < end; j++)
            if (candidates.Edge[j] == candidates.Edges != isAlone && (rival < 0 || candidates.Cost[j] < candidates.Cost[rival])) rival = j;
        var said = string.Create(CultureInfo.InvariantCulture, $"cost {candidates.Cost[chosen] / rate * 1e3:F2} ms");
        if (rival < 0) return said + ", nothing else is possible";
        var (plain, price) = (candidates.Cost[rival] / rate * 1e3, (candidates.Priced(device, rival, solved.Prices) - candidates.Cost[rival]) / rate * 1e3);
        return said + (isAlone
            ? string.Create(CultureInfo.InvariantCulture, $", best with an edge server {plain:F2} ms and {price:F2} ms for its time and the air")
            : string.Create(CultureInfo.InvariantCulture, $", best alone {plain:F2} ms; {(candidates.Priced(device, chosen, solved.Prices) - candidates.Cost[chosen]) / rate * 1e3:F2} ms for the edge server's time and the air"));
    }
}
