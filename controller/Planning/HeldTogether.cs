using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// A policy that asks each device for itself, on sites where edge servers offer more tails than they hold together: it sees of each what comes first in the card and fits, as much as a server is told to hold when
/// nobody places tails. `dual` and `milp` choose among all of them.
/// </summary>
public sealed class HeldTogether(IPlanner planner, OptionTable table) : IPlanner
{
    public string Name => planner.Name;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random) => planner.Plan(Of(fleet, table), last, random);

    /// <summary>The same fleet where every edge server can hold together what it offers.</summary>
    public static FleetSnapshot Of(FleetSnapshot fleet, OptionTable table) =>
        fleet.Edges.Any(edge => IsLimited(edge, table)) ? fleet with { Edges = [.. fleet.Edges.Select(edge => IsLimited(edge, table) ? First(edge, table) : edge)] } : fleet;

    private static bool IsLimited(EdgeView edge, OptionTable table) => edge.Info?.TailMemory is { } memory && Offered(edge, table).Sum(tail => table.Model.Files.Card.Tail(tail).FileBytes) > memory.Value;

    private static EdgeView First(EdgeView edge, OptionTable table)
    {
        var left = edge.Info!.TailMemory!.Value.Value;
        var held = new List<TailStart>();
        foreach (var tail in Offered(edge, table))
        {
            var size = table.Model.Files.Card.Tail(tail).FileBytes;
            if (size > left) continue;
            left -= size;
            held.Add(tail);
        }
        return edge with { Reported = edge.Reported!.Naming(held, table.Model.Files.Card) };
    }

    /// <summary>In the card's order.</summary>
    private static IEnumerable<TailStart> Offered(EdgeView edge, OptionTable table)
    {
        var card = table.Model.Files.Card;
        if (edge.Reported is not { } reported) return [];
        return Enumerable.Range(0, card.StageCount).Select(cut => new TailStart(cut))
            .Concat(table.Bottlenecks.Select(name => card.NumberOf(name)!.Value).Select(number => new TailStart(card.Bottleneck(number).Cut, number)))
            .Where(tail => reported.Finishes(tail.Cut, card.NameOf(tail.Bottleneck)));
    }
}
