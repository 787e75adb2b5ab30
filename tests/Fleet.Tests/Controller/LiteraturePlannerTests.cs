using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>What each policy from the literature promises by its paper, besides the laws of all planners.</summary>
public sealed class LiteraturePlannerTests
{
    private static readonly FleetSnapshot Fleet = FleetBuilder.Fleet(
        [FleetBuilder.Device("fast", "pi-5", roundTrip: 0.03), FleetBuilder.Device("slow", "stm32h747i-disco", roundTrip: 0.01), FleetBuilder.Device("near", "pi-zero-2w", roundTrip: 0.001)], FleetBuilder.Edge("e", workers: 8));

    private static IReadOnlyDictionary<string, Choice> Planned(string policy) => FleetBuilder.Planner(policy).Plan(Fleet, PlannerState.Empty, new Random(1)).Plan.Choices;

    [TestCase(0.001)]
    [TestCase(0.02)]
    [TestCase(0.5)]
    public void Edgent_AnyDeadline_TakesTheDeepestExitThatKeepsIt(double deadline)
    {
        var splits = FleetBuilder.Model.Files.Card.StageCount;
        foreach (var (id, choice) in Planned($"edgent:deadline_s={deadline}"))
        {
            var device = Fleet.Devices.Single(device => device.Id == id);
            if (FleetBuilder.Costs.Estimate(FleetBuilder.Table.Count(splits, [2, 2, 0], null), device, null) is { } deepest && deepest.Latency.Value <= deadline) Assert.That(choice.Estimate.Accuracy, Is.EqualTo(FleetBuilder.Model.FullAccuracy).Within(0.005), "the whole network keeps the deadline somewhere");
            if (choice.Reason.Contains("keeps", StringComparison.Ordinal) && !choice.Reason.Contains("nothing", StringComparison.Ordinal)) Assert.That(choice.Estimate.Latency.Value, Is.LessThanOrEqualTo(deadline));
        }
    }

    [Test]
    public void Edgent_LooserDeadline_IsNoLessAccurate()
    {
        var (tight, loose) = (Planned("edgent:deadline_s=0.003"), Planned("edgent:deadline_s=0.3"));
        foreach (var id in tight.Keys) Assert.That(loose[id].Estimate.Accuracy, Is.GreaterThanOrEqualTo(tight[id].Estimate.Accuracy - 0.005));
    }

    [Test]
    public void Spinn_Deadline_IsKeptByTheMostAccurateOfItsWays()
    {
        foreach (var (id, choice) in Planned("spinn:deadline_s=0.02"))
        {
            var device = Fleet.Devices.Single(device => device.Id == id);
            var within =
                (from option in FleetBuilder.Table.All
                 where option.Route is not { Bottleneck: > 0 } and not { Codec: FeatureCodec.Float16 or FeatureCodec.Float32 }
                 let estimate = FleetBuilder.Costs.Estimate(option, device, option.Route is null ? null : Fleet.Edges[0])
                 where estimate is { } known && known.Latency.Value <= 0.02
                 select estimate.Value.Accuracy).ToList();
            if (within.Count > 0) Assert.That((choice.Estimate.Accuracy, choice.Estimate.Latency.Value <= 0.02), Is.EqualTo((within.Max(), true)));
        }
    }

    /// <summary>Levels of latency make the path cautious; among ways well within the deadline it is the one of least energy.</summary>
    [Test]
    public void Fin_AmpleDeadline_EqualsTheLeastEnergyOfAllWays()
    {
        const double Deadline = 30;
        foreach (var (id, choice) in Planned($"fin:deadline_s={Deadline}:loss_ratio=0.02"))
        {
            var device = Fleet.Devices.Single(device => device.Id == id);
            double Energy(Option option, Estimate estimate) => estimate.Energy.Value + (option.Route is null ? 0 : (Fleet.Edges[0].Profile!.Power.Active.Value * estimate.EdgeTime).Value);
            var all =
                from option in FleetBuilder.Table.All
                where option.SendsAll || option.Head == 1 && option.Route is null || option.Thresholds.Of(1) == OptionTable.DefaultThreshold
                let estimate = FleetBuilder.Costs.Estimate(option, device, option.Route is null ? null : Fleet.Edges[0])
                where estimate is { } known && known.Accuracy >= FleetBuilder.Model.FullAccuracy - 0.02 && (option.SendsAll || option.Route is not { Cut: 0 }) && (option.Route is not { Bottleneck: > 0 })
                select Energy(option, estimate.Value);
            Assert.That(Energy(choice.Option, choice.Estimate), Is.EqualTo(all.Min()).Within(1e-6).Percent);
        }
    }

    [Test]
    public void Fin_Deadline_IsNeverPassedByAPathThatKeepsIt()
    {
        foreach (var deadline in (double[])[0.005, 0.02, 0.1])
            foreach (var choice in Planned($"fin:deadline_s={deadline}").Values.Where(choice => choice.Reason.Contains("least energy", StringComparison.Ordinal)))
                Assert.That(choice.Estimate.Latency.Value, Is.LessThanOrEqualTo(deadline * (1 + 1e-9)));
    }

    [TestCase(1.05, false)]
    [TestCase(3000.0, true)]
    public void Sciot_RoundTripThatMoves_IsPlannedAnewBeyondFifteenPercent(double factor, bool isMoved)
    {
        var planner = FleetBuilder.Planner(Sciot.PolicyName);
        FleetSnapshot At(double roundTrip) => FleetBuilder.Fleet([FleetBuilder.Device("a", "pi-zero-2w", roundTrip: roundTrip)], FleetBuilder.Edge("e"));
        var (before, state) = planner.Plan(At(0.001), PlannerState.Empty, new Random(1));
        var (after, next) = planner.Plan(At(0.001 * factor), state, new Random(1));
        Assert.That(before.Choices["a"].Edge, Is.EqualTo("e"));
        Assert.That(after.Choices["a"].Edge is null, Is.EqualTo(isMoved));
        Assert.That(next.Averages["a"].Now[^1], Is.EqualTo(0.001 + 0.2 * (0.001 * factor - 0.001)).Within(1e-9), "the average moves by a fifth of the way");
    }

    [Test]
    public void Ddnn_LowerEntropyAllowed_SendsMoreOn()
    {
        var (strict, lax) = (Planned("ddnn:entropy_ratio=0.1")["near"], Planned("ddnn")["near"]);
        Assert.That(strict.Estimate.Offload, Is.GreaterThan(lax.Estimate.Offload));
        Assert.That(lax.Option.Route, Is.EqualTo(new Route(1, FeatureCodec.Int8)));
    }

    [TestCase("edgent:deadline=1", "no setting \"deadline\"; allowed: deadline_s")]
    [TestCase("spinn:deadline_s=soon", "allowed: 1E-06 to 3600")]
    [TestCase("greedy:x=1", "allowed: none")]
    [TestCase("fin:loss_ratio=0.1:loss_ratio=0.2", "stands 2 times")]
    public void Create_SettingThatIsWrong_IsToldWhatIsAllowed(string policy, string said) =>
        Assert.That(() => FleetBuilder.Planner(policy), Throws.InstanceOf<FaultsException>().With.Message.Contains(said));

    [Test]
    public void Explanation_AnyPlan_NamesEveryWayAndMarksTheOneThatRuns()
    {
        foreach (var device in Fleet.Devices)
        {
            var plan = FleetBuilder.Planner(Dual.PolicyName).Plan(Fleet, PlannerState.Empty, new Random(1)).Plan;
            var ways = Explanation.Of(Fleet, device, FleetBuilder.Table, FleetBuilder.Costs, plan.Choices[device.Id], plan.Proof!.Prices);
            Assert.That(ways.Count(way => way.IsStanding), Is.EqualTo(1));
            Assert.That(ways.Single(way => way.IsStanding).Verdict, Is.EqualTo("runs"));
            Assert.That(ways[0].IsStanding, "nothing is limited here: the cheapest runs");
            Assert.That(ways.Select(way => way.Verdict), Has.All.Not.Empty);
            Assert.That(ways.Select(way => way.Way), Is.Unique);
        }
    }

    [Test]
    public void Explanation_FullEdgeServer_SaysThatItsTimePricedTheWayOut()
    {
        var devices = Enumerable.Range(0, 40).Select(i => FleetBuilder.Device($"cam-{i:D2}", "stm32h747i-disco", rate: 20 + i, roundTrip: 0.002 + 0.0004 * i));
        var fleet = FleetBuilder.Fleet(devices, FleetBuilder.Edge("e"));
        var plan = FleetBuilder.Planner(Dual.PolicyName).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
        Assert.That(plan.Proof!.Prices["e"], Is.GreaterThan(0));
        var said = fleet.Devices.SelectMany(device => Explanation.Of(fleet, device, FleetBuilder.Table, FleetBuilder.Costs, plan.Choices[device.Id], plan.Proof.Prices)).Select(way => way.Verdict).ToList();
        Assert.That(said, Has.Some.Contains("priced out"));
    }
}
