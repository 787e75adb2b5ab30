using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>What one device gets, and why.</summary>
public sealed record Choice(Option Option, string? Edge, Estimate Estimate, string Reason);

/// <summary>A decision for a whole site. Devices for which nothing fits are absent: they keep what they run.</summary>
public sealed record Plan(IReadOnlyDictionary<string, Choice> Choices)
{
    public static readonly Plan Empty = new(new Dictionary<string, Choice>());
}

/// <summary>What a planner remembers from one plan to the next: its last choices.</summary>
public sealed record PlannerState(IReadOnlyDictionary<string, Choice> Last)
{
    public static readonly PlannerState Empty = new(new Dictionary<string, Choice>());
}

/// <summary>
/// A placement policy: a pure function, without clock, bus, log or hidden state. The result does not depend on the order of devices
/// in the snapshot.
/// </summary>
public interface IPlanner
{
    /// <summary>The name users say.</summary>
    string Name { get; }

    (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random);
}

/// <summary>The policies by name.</summary>
public static class Planners
{
    public const string Default = Greedy.PolicyName;

    public static readonly IReadOnlyList<string> Names = [LocalOnly.PolicyName, OffloadAll.PolicyName, StaticSplit.PolicyName, Neurosurgeon.PolicyName, Greedy.PolicyName];

    /// <summary>Throws <see cref="FaultsException"/> that lists the names there are.</summary>
    public static IPlanner Create(string name, OptionTable options, CostModel costs) => name switch
    {
        LocalOnly.PolicyName => new LocalOnly(options, costs),
        OffloadAll.PolicyName => new OffloadAll(options, costs),
        StaticSplit.PolicyName => new StaticSplit(options, costs),
        Neurosurgeon.PolicyName => new Neurosurgeon(options, costs),
        Greedy.PolicyName => new Greedy(options, costs),
        _ => throw new FaultsException("policy", $"is \"{name}\"; allowed: {string.Join(", ", Names)}"),
    };
}
