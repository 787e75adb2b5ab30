using Fleet.Contracts;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Emulator.Comparing;
using Fleet.Emulator.Scenarios;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Comparing;

public sealed class PolicyComparisonTests
{
    private static readonly Scenario Scenario = new() { Name = "made", Duration = new Seconds(60), Sites = [], Control = new ControlSpec { Deadline = new Seconds(0.5), ErrorWeight = 1 } };

    private static PolicyRun Run(string policy, long seed, double cost, long answered = 100) => new(policy, seed, answered, cost, cost, 0.9, new Seconds(cost), Joules.Zero, 0.5, 0, "");

    private static string Standing(params double[] rival) =>
        new PolicyComparison(Scenario, [.. Enumerable.Range(0, rival.Length).SelectMany(seed => new[] { Run("first", seed, 0.1 + 0.05 * seed), Run("rival", seed, 0.1 + 0.05 * seed + rival[seed]) })]).Policies[1].Standing;

    /// <summary>Seeds differ far more than policies do: only the paired differences tell.</summary>
    [Test]
    public void Standing_PairedDifferences_DecideIt()
    {
        Assert.That(Standing(0.010, 0.011, 0.012, 0.011), Is.EqualTo("worse"));
        Assert.That(Standing(-0.010, -0.011, -0.012, -0.011), Is.EqualTo("better"));
        Assert.That(Standing(0.0001, -0.0001, 0.0001, -0.0001), Is.EqualTo("tied"));
        Assert.That(Standing(0.03, -0.03, 0.02, -0.02), Is.EqualTo("undecided"));
    }

    [Test]
    public void Verdict_OfOneSeed_SaysThatNothingIsDecided()
    {
        var comparison = new PolicyComparison(Scenario, [Run("first", 1, 0.2), Run("rival", 1, 0.1)]);
        Assert.That(comparison.Verdict, Is.EqualTo("No policy is shown to be better than first by more than 1 %; undecided on so few seeds: rival."));
    }

    [Test]
    public void Charged_InputsThatOnlyAnotherAnswered_CostAnErrorAndTheDeadline()
    {
        var runs = PolicyRun.Charged(Scenario, [Run("a", 1, 0.2, answered: 100), Run("b", 1, 0.2, answered: 80)]).ToList();
        Assert.That(runs[0].CostOfAll, Is.EqualTo(0.2).Within(1e-12));
        Assert.That(runs[1].CostOfAll, Is.EqualTo(0.8 * 0.2 + 0.2 * 1.5).Within(1e-12));
    }

    [Test]
    public void CsvAndPlot_AnyRuns_HoldEveryOne()
    {
        var comparison = new PolicyComparison(Scenario, [Run("a", 1, 0.2), Run("b", 1, 0.3), Run("a", 2, 0.25), Run("b", 2, 0.35)]);
        Assert.That(comparison.Csv().Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(5));
        Assert.That(comparison.Plot(), Does.StartWith("<svg").And.Contain("measured against promised"));
        Assert.That(comparison.Table().Select(row => row.Length), Has.All.EqualTo(13));
    }

    [TestCaseSource(typeof(Policies), nameof(Policies.Names))]
    public void PolicyGrid_AnyPolicy_HoldsLawfulSettingsOfItsOwn(string policy)
    {
        Assert.That(PolicyGrid.Of(policy).SelectMany(Policies.Faults), Is.Empty);
        Assert.That(PolicyGrid.Of(policy).Select(Planners.NameOf), Has.All.EqualTo(policy));
    }

    [Test]
    public void Tune_PolicyWithSettings_TakesThoseThatCostLeast()
    {
        var scenario = new Scenario
        {
            Name = "few",
            Duration = new Seconds(12),
            Sites = [new SiteSpec { Name = "lab", Devices = [new DeviceGroup { Board = "pi-zero-2w", Count = 3, Rate = new Hertz(2) }], Edges = [new EdgeSpec { Id = "edge-1", Profile = "n5105-mini-pc" }] }],
        };
        var comparison = new Comparison(scenario, firstSeed: 1, World.Stock, threads: 1);
        var tuned = comparison.Tune(["greedy", "ddnn"], seeds: 1, _ => { });
        var grid = comparison.Run(PolicyGrid.Of("ddnn"), seeds: 1, _ => { });
        Assert.That(tuned, Is.EqualTo((string[])["greedy", PolicyRun.Charged(scenario, grid).MinBy(run => run.CostOfAll)!.Policy]));
    }

    [Test]
    public void Page_Comparison_NamesTheCommandAndHoldsTheTable()
    {
        var page = ComparisonPage.Of([new PolicyComparison(Scenario, [Run("first", 1, 0.2), Run("rival", 1, 0.1), Run("first", 2, 0.21), Run("rival", 2, 0.11)])], "fleet compare made.json", seeds: 2, tuneSeeds: 0);
        Assert.That(page, Does.Contain("fleet compare made.json").And.Contain("| rival |").And.Contain("Better than first: rival.").And.Contain("](made.svg)"));
    }
}
