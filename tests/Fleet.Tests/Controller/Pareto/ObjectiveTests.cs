using Fleet.Contracts;
using Fleet.Controller.Pareto;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Emulator.Scenarios;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Pareto;

/// <summary>An operator's objective: read from a file, heeded by the planner, told to a controller that runs.</summary>
public sealed class ObjectiveTests
{
    private const string File = """{ "site": "lab", "points": [ { "name": "quiet", "sent_max_bytes": 0 }, { "name": "knee", "accuracy_min_ratio": 0.93 } ] }""";

    [Test]
    public void Read_FileAndName_GivesThePoint()
    {
        using var file = new TextFile(File);
        Assert.That(Objectives.Read("--objective", $"{file.Path}:knee"), Is.EqualTo(new Objective { Name = "knee", AccuracyMin = 0.93 }));
    }

    [Test]
    public void Read_UnknownName_SaysWhichThereAre()
    {
        using var file = new TextFile(File);
        Assert.That(() => Objectives.Read("--objective", $"{file.Path}:loud"), Throws.InstanceOf<FaultsException>().With.Message.Contains("names \"loud\"").And.Message.Contains("quiet, knee"));
        Assert.That(() => Objectives.Read("--objective", "knee"), Throws.InstanceOf<FaultsException>().With.Message.Contains("allowed: FILE:NAME"));
    }

    [Test]
    public void Read_PointsThatAreNone_TellsAllFaults()
    {
        using var file = new TextFile("""{ "site": "lab", "points": [ { "name": "a", "accuracy_min_ratio": 2 }, { "name": "a", "energy_max_j": 0 } ] }""");
        Assert.That(() => Objectives.Read("--objective", $"{file.Path}:a"), Throws.InstanceOf<FaultsException>()
            .With.Message.Contains("points[0].accuracy_min_ratio is 2").And.Message.Contains("points[1].energy_max_j is 0").And.Message.Contains("\"a\" stands 2 times"));
    }

    [Test]
    public void Dual_NothingMayBeSent_EverybodyStays()
    {
        var fleet = FleetBuilder.Crowded(new Random(1), 20, 2);
        var plan = new Dual(FleetBuilder.Table, new CostModel(new Weights { SentMax = Bytes.Zero })).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
        Assert.That(plan.Choices.Values.Select(choice => choice.Estimate.Offload), Is.All.Zero);
        Assert.That(new Dual(FleetBuilder.Table, FleetBuilder.Costs).Plan(fleet, PlannerState.Empty, new Random(1)).Plan.Choices.Values.Sum(choice => choice.Estimate.Offload), Is.GreaterThan(0), "else nothing was taken away");
    }

    [Test]
    public void Dual_LessEnergyAndFewerBytesThanItWouldTake_KeepsBothLimits()
    {
        var fleet = FleetBuilder.Crowded(new Random(2), 30, 2);
        var free = Means(fleet, new Weights());
        var (energy, sent) = (new Joules(free.Energy * 0.9), new Bytes(free.Sent * 0.8));
        var kept = Means(fleet, new Weights { EnergyMax = energy, SentMax = sent });
        Assert.Multiple(() =>
        {
            Assert.That(kept.Energy, Is.LessThanOrEqualTo(energy.Value * (1 + 1e-5)));
            Assert.That(kept.Sent, Is.LessThanOrEqualTo(sent.Value * (1 + 1e-5)));
        });
    }

    [Test]
    public void Dual_LimitsThatNobodyCanKeep_SaysWhichAndByHowMuch()
    {
        var fleet = FleetBuilder.Crowded(new Random(1), 20, 2);
        var proof = new Dual(FleetBuilder.Table, new CostModel(new Weights { AccuracyMin = 1, SentMax = Bytes.Zero })).Plan(fleet, PlannerState.Empty, new Random(1)).Plan.Proof!;
        Assert.That(proof.Missed, Has.Some.Match(@"^accuracy \d+(\.\d+)? % instead of 100 %$"));
        Assert.That(new Dual(FleetBuilder.Table, new CostModel(new Weights { SentMax = Bytes.Zero })).Plan(fleet, PlannerState.Empty, new Random(1)).Plan.Proof!.Missed, Is.Empty);
    }

    /// <summary>Limits leave no room, and reports are never twice the same: who had to change for each would never stop.</summary>
    [Test]
    public void Dual_LimitsAndReportsThatHardlyDiffer_FewChange()
    {
        var (fleet, random) = (FleetBuilder.Crowded(new Random(2), 30, 2), new Random(5));
        var free = Means(fleet, new Weights());
        var planner = new Dual(FleetBuilder.Table, new CostModel(new Weights { EnergyMax = new Joules(free.Energy * 0.9), SentMax = new Bytes(free.Sent * 0.8) }));
        var (plan, state) = planner.Plan(fleet, PlannerState.Empty, new Random(1));
        var changed = 0;
        for (var report = 0; report < 10; report++)
        {
            var before = plan;
            fleet = fleet with { Devices = [.. fleet.Devices.Select(device => device.Budget is { } said ? device with { Budget = said with { RequestRate = said.RequestRate * (0.99 + 0.02 * random.NextDouble()) } } : device)] };
            (plan, state) = planner.Plan(fleet, state, new Random(1));
            changed += plan.Choices.Count(now => !before.Choices.TryGetValue(now.Key, out var then) || then.Option != now.Value.Option || then.Edge != now.Value.Edge);
        }
        Assert.That(changed, Is.LessThan(30));
    }

    /// <summary>Told over the bus while it runs, whatever policy it was started with.</summary>
    [Test]
    public void Controller_ToldToSendNothing_PlansAnewAndSaysForWhat()
    {
        var scenario = new Scenario
        {
            Name = "told",
            Duration = new Seconds(40),
            Sites = [new SiteSpec { Name = "lab", Devices = [new DeviceGroup { Board = "stm32h747i-disco", Count = 4 }], Edges = [new EdgeSpec { Id = "edge-1", Profile = "n5105-mini-pc" }] }],
            Control = new ControlSpec { Policy = OffloadAll.PolicyName },
        };
        var asItIs = ScenarioRun.Execute(scenario, 1, World.Stock).Worlds[0].LastController;
        Assert.That(asItIs.Plan.Choices.Values.Select(choice => choice.Edge), Is.All.EqualTo("edge-1"));
        var run = ScenarioRun.Execute(scenario, 1, World.Stock, begins: world => world.Bus.Connect("operator").Publish(new Topic(TopicKind.Objective, "lab"), new Objective { Name = "quiet", SentMax = Bytes.Zero }));
        var told = run.Worlds[0];
        run.CheckBooks();
        Assert.That(told.LastController.Plan.Choices, Has.Count.EqualTo(4));
        Assert.That(told.LastController.Plan.Choices.Values.Select(choice => choice.Edge), Is.All.Null);
        Assert.That(told.DesiredEqualsReported, Is.True);
        var said = (PlanReport)told.Bus.Retained.Single(kept => kept.Topic.Kind is TopicKind.Plan).Message;
        Assert.That((said.Policy, said.Reason), Is.EqualTo(("dual", "nothing to change; objective quiet")));
    }

    private static (double Energy, double Sent) Means(Fleet.Controller.FleetSnapshot fleet, Weights weights)
    {
        var plan = new Dual(FleetBuilder.Table, new CostModel(weights)).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
        var all = fleet.Devices.Where(device => plan.Choices.ContainsKey(device.Id)).Select(device => (Rate: SiteProblem.WeightOf(device), Figures: PlanFigures.Of(plan.Choices[device.Id].Option, plan.Choices[device.Id].Estimate, device))).ToList();
        return (all.Sum(one => one.Rate * one.Figures.Energy.Value) / all.Sum(one => one.Rate), all.Sum(one => one.Rate * one.Figures.Sent.Value) / all.Sum(one => one.Rate));
    }
}
