using Fleet.Contracts;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Fuzz;

/// <summary>How a scenario went.</summary>
/// <param name="Problem">Books that do not close, something lost, an exception, hashes that differ; null when all is well.</param>
public sealed record Outcome(string? Problem, long Inferences = 0, long Messages = 0);

/// <summary>One random scenario run twice, the second time through the wire encoding.</summary>
public static class Trial
{
    public static Outcome Run(Scenario scenario, long seed, Stock stock)
    {
        try
        {
            var (first, second) = (Once(scenario, seed, stock, throughWire: false), Once(scenario, seed, stock, throughWire: true));
            var problem = first.TraceHash != second.TraceHash ? $"the hash is {first.TraceHash}, and {second.TraceHash} through the wire encoding" : null;
            return new Outcome(problem, first.Figures.Inferences, first.Messages["due"]);
        }
        catch (Exception e) when (e is not FaultsException)
        {
            // Whatever it is, it is what this looks for. A scenario that is not lawful is its maker's own fault.
            return new Outcome($"{e.GetType().Name}: {e.Message}\n{e.StackTrace}");
        }
    }

    private static RunResult Once(Scenario scenario, long seed, Stock stock, bool throughWire)
    {
        var run = ScenarioRun.Execute(scenario, seed, stock, throughWire: throughWire);
        // Lost inferences are a book that does not close.
        run.CheckBooks();
        return run.Result();
    }
}
