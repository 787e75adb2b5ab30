using System.Globalization;
using System.Text;

namespace Fleet.Emulator.Comparing;

/// <summary>The page that `fleet compare --out` leaves beside its tables and plots: what was compared, by which command, and what came out.</summary>
public static class ComparisonPage
{
    /// <param name="command">That makes it anew.</param>
    /// <param name="tuneSeeds">On how many seeds settings were tuned; 0: none were.</param>
    public static string Of(IReadOnlyList<PolicyComparison> comparisons, string command, int seeds, int tuneSeeds)
    {
        var page = new StringBuilder("# Policies on the same seeds\n\n");
        page.AppendLine(CultureInfo.InvariantCulture, $"Made by\n\n```sh\n{command}\n```\n");
        page.AppendLine(CultureInfo.InvariantCulture, $"Every policy sees the same inputs at the same times, {seeds} seed{(seeds == 1 ? "" : "s")} each. **cost** is what was measured, in the scenario's own weights: mean latency + energy of computing and radio x joule_weight + share of wrong answers x error_weight, milliseconds an inference; an input left unanswered that another policy answered costs an error and the deadline. **promised** is what the plans had estimated of the same answers when they were made: other code, which knows reports and profiles only. The difference to {comparisons[0].Policies[0].Policy} is paired by seed; +- is half of a 95 % interval, and a difference within 1 % is a tie.\n");
        if (tuneSeeds > 0)
            page.AppendLine(CultureInfo.InvariantCulture, $"Settings of rivals were tuned in hindsight, each scenario for itself, on {tuneSeeds} of the same seeds: the cheapest of {string.Join(", ", comparisons[0].Policies.Select(policy => Controller.Planning.Planners.NameOf(policy.Policy)).Where(name => PolicyGrid.Of(name).Count > 1).Select(name => $"{PolicyGrid.Of(name).Count} for {name}"))}. What was taken stands behind the name.\n");
        foreach (var comparison in comparisons) Add(page, comparison);
        return page.ToString();
    }

    private static void Add(StringBuilder page, PolicyComparison comparison)
    {
        var (scenario, rows) = (comparison.Scenario, comparison.Table());
        page.AppendLine(CultureInfo.InvariantCulture, $"## {scenario.Name}\n\n{scenario.Description}. Weights: {scenario.Control.JouleWeight} s a joule, {scenario.Control.ErrorWeight} s an error; deadline {scenario.Control.Deadline}.\n");
        foreach (var (row, i) in rows.Select((row, i) => (row, i)))
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |");
            if (i == 0) page.AppendLine(CultureInfo.InvariantCulture, $"|---|{string.Concat(Enumerable.Repeat("---:|", row.Length - 1))}");
        }
        page.AppendLine(CultureInfo.InvariantCulture, $"\n{comparison.Verdict}\n\n![measured against promised cost, and accuracy against latency]({scenario.Name}.svg)\n\nEvery run: [{scenario.Name}.csv]({scenario.Name}.csv)\n");
    }
}
