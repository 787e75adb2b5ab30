using System.Globalization;
using System.Text;
using Fleet.Emulator.Plots;
using Fleet.Emulator.Reporting;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Comparing;

/// <summary>One policy over all seeds.</summary>
/// <param name="Cost">Measured, unanswered inputs included, milliseconds an inference.</param>
/// <param name="Promised">What plans said, milliseconds an inference; null when nothing was planned.</param>
/// <param name="Difference">To the first policy, paired by seed; milliseconds.</param>
/// <param name="Standing">Against the first policy.</param>
public sealed record ComparedPolicy(string Policy, Estimate Cost, double? Promised, double Accuracy, double Latency, double Energy, double Offloaded, double Answered, double Died, Estimate Difference, string Standing);

/// <summary>Policies against the first of them, on the same seeds.</summary>
public sealed class PolicyComparison
{
    /// <summary>Share of the first's cost within which a difference is a tie.</summary>
    private const double TieShare = 0.01;

    public PolicyComparison(Scenario scenario, IReadOnlyList<PolicyRun> runs)
    {
        Scenario = scenario;
        Runs = [.. runs.GroupBy(run => run.Seed).SelectMany(seed => PolicyRun.Charged(scenario, [.. seed]))];
        var byPolicy = Runs.GroupBy(run => run.Policy).ToList();
        var first = Costs(byPolicy[0]);
        Policies = [.. byPolicy.Select(policy => Compare(policy, first))];
    }

    public Scenario Scenario { get; }

    public IReadOnlyList<PolicyRun> Runs { get; }

    public IReadOnlyList<ComparedPolicy> Policies { get; }

    /// <summary>Whether nobody is better than the first by more than a tie.</summary>
    public bool IsFirstBestOrTied => Policies.Skip(1).All(policy => policy.Standing is not Better);

    /// <summary>Who is better than the first, in a sentence.</summary>
    public string Verdict => Policies.Count == 1 ? "" : (IsFirstBestOrTied, Those(Undecided)) switch
    {
        (true, "") => $"No policy is better than {Policies[0].Policy} by more than 1 %.",
        (true, var open) => $"No policy is shown to be better than {Policies[0].Policy} by more than 1 %; undecided on so few seeds: {open}.",
        (false, var open) => $"Better than {Policies[0].Policy}: {Those(Better)}.{(open.Length > 0 ? $" Undecided on so few seeds: {open}." : "")}",
    };

    private const string Better = "better";
    private const string Undecided = "undecided";

    private string Those(string standing) => string.Join(", ", Policies.Where(policy => policy.Standing == standing).Select(policy => policy.Policy));

    /// <summary>The table's cells, a heading first.</summary>
    public IReadOnlyList<string[]> Table() =>
    [
        ["policy", "cost ms", "+-", "promised ms", "to " + Policies[0].Policy, "+-", "", "accuracy", "latency ms", "energy mJ", "edge", "answered", "died"],
        .. Policies.Select((policy, i) => new[]
        {
            policy.Policy, Number(policy.Cost.Mean), Half(policy.Cost), policy.Promised is { } promised ? Number(promised) : "-",
            i == 0 ? "" : Signed(policy.Difference.Mean), i == 0 ? "" : Half(policy.Difference), policy.Standing,
            Percent(policy.Accuracy), Number(policy.Latency), Number(policy.Energy), Percent(policy.Offloaded), policy.Answered.ToString("F0", CultureInfo.InvariantCulture), policy.Died.ToString("0.#", CultureInfo.InvariantCulture),
        }),
    ];

    /// <summary>Every run in a line.</summary>
    public string Csv()
    {
        var csv = new StringBuilder("scenario,policy,seed,cost_ms,cost_of_answered_ms,promised_ms,accuracy_ratio,latency_mean_ms,energy_mj,offload_ratio,answered,devices_died,trace_hash\n");
        foreach (var run in Runs)
            csv.AppendLine(CultureInfo.InvariantCulture, $"{Scenario.Name},{run.Policy},{run.Seed},{run.CostOfAll * 1e3:G8},{run.Cost * 1e3:G8},{run.Promised * 1e3:G8},{run.Accuracy:G8},{run.Latency.Value * 1e3:G8},{run.Energy.Value * 1e3:G8},{run.Offloaded:G6},{run.Answered},{run.DevicesDied},{run.TraceHash}");
        return csv.ToString();
    }

    /// <summary>Measured against promised cost, and accuracy against latency; a mark a seed.</summary>
    public string Plot()
    {
        var planned = Runs.Where(run => run.Promised is not null).ToList();
        var panels = new List<Panel>();
        if (planned.Count > 0)
            panels.Add(new Panel($"{Scenario.Name}: measured against promised", Axis("promised cost, ms", planned.Select(run => run.Promised!.Value * 1e3)), Axis("measured cost, ms", planned.Select(run => run.CostOfAll * 1e3)),
                [.. planned.GroupBy(run => run.Policy).Select(policy => new Series(policy.Key, [.. policy.Select(run => new PlotPoint(run.Promised!.Value * 1e3, run.CostOfAll * 1e3))], Joint.None))])
            {
                HasDiagonal = true,
            });
        panels.Add(new Panel("accuracy against latency", Axis("mean latency, ms", Runs.Select(run => run.Latency.Value * 1e3)), Scale.Linear("accuracy", Runs.Select(run => run.Accuracy), Scale.Percent),
            [.. Runs.GroupBy(run => run.Policy).Select(policy => new Series(policy.Key, [.. policy.Select(run => new PlotPoint(run.Latency.Value * 1e3, run.Accuracy))], Joint.None))]));
        return SvgPlot.Draw($"{Scenario.Name}: policies compared on the same seeds", panels, width: 440, height: 340);
    }

    private static Scale Axis(string title, IEnumerable<double> values)
    {
        var all = values.ToList();
        return all.Min() > 0 && all.Max() > 5 * all.Min() ? Scale.Logarithmic(title, all, Scale.Number) : Scale.Linear(title, all, Scale.Number);
    }

    private static double[] Costs(IEnumerable<PolicyRun> runs) => [.. runs.OrderBy(run => run.Seed).Select(run => run.CostOfAll * 1e3)];

    private static ComparedPolicy Compare(IGrouping<string, PolicyRun> runs, double[] first)
    {
        var costs = Costs(runs);
        var difference = Statistics.OfDifferences(first, costs);
        var tie = TieShare * first.Average();
        var standing = costs.AsSpan().SequenceEqual(first) ? "" : difference.High < -tie ? Better : difference.Low > tie ? "worse" : difference.Low >= -tie && difference.High <= tie ? "tied" : Undecided;
        var promised = runs.Where(run => run.Promised is not null).Select(run => run.Promised!.Value * 1e3).ToList();
        return new ComparedPolicy(runs.Key, Statistics.Of(costs), promised.Count == 0 ? null : promised.Average(), runs.Average(run => run.Accuracy), runs.Average(run => run.Latency.Value) * 1e3, runs.Average(run => run.Energy.Value) * 1e3, runs.Average(run => run.Offloaded), runs.Average(run => run.Answered), runs.Average(run => run.DevicesDied), difference, standing);
    }

    private static string Half(Estimate estimate) => estimate.HalfWidth is { } half ? Number(half) : "-";

    private static string Number(double value) => value.ToString(Math.Abs(value) < 1 ? "F4" : "F3", CultureInfo.InvariantCulture);

    private static string Signed(double value) => (value > 0 ? "+" : "") + Number(value);

    private static string Percent(double ratio) => (ratio * 100).ToString("F2", CultureInfo.InvariantCulture) + " %";
}
