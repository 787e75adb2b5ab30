using Fleet.Controller.Judge;
using Fleet.Controller.Planning;

namespace Fleet.Emulator.Scenarios;

/// <summary>The policies a scenario may be run under: the controller's, and the judge that no controller carries.</summary>
public static class Policies
{
    public static IReadOnlyList<string> Names { get; } = [.. Planners.Names, Milp.PolicyName];

    /// <inheritdoc cref="Planners.Faults"/>
    public static IEnumerable<string> Faults(string text) => text == Milp.PolicyName ? [] : Planners.Faults(text).Select(fault => Planners.Names.Contains(Planners.NameOf(text)) ? fault : $"is \"{text}\"; allowed: {string.Join(", ", Names)}");

    /// <inheritdoc cref="Planners.Create"/>
    public static IPlanner Create(string text, OptionTable options, CostModel costs) => text == Milp.PolicyName ? new Milp(options, costs) : Planners.Create(text, options, costs);
}
