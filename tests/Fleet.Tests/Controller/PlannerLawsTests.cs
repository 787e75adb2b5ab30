using CsCheck;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>What every policy promises, and what some promise besides.</summary>
public sealed class PlannerLawsTests
{
    /// <summary>Of those by which devices decide the first stands for all: the plan is another policy's.</summary>
    private static IEnumerable<string> Policies => Planners.Names.Except(Planners.Deciders.Skip(1));

    [TestCaseSource(nameof(Policies))]
    public void Plan_AnyFleet_IsFeasible(string policy) => FleetBuilder.Any.Sample(
        fleet =>
        {
            var (plan, state) = FleetBuilder.Planner(policy).Plan(fleet, PlannerState.Empty, new Random(1));
            Assert.That(plan.Choices.Keys, Is.SubsetOf(fleet.Devices.Where(device => device.IsOnline).Select(device => device.Id)));
            foreach (var (id, choice) in plan.Choices)
            {
                var device = fleet.Devices.Single(device => device.Id == id);
                var live = fleet.LiveEdges.Where(edge => edge.Profile is not null).Select(edge => edge.Id);
                if (choice.Edge is { } edge) Assert.That(live, Has.Member(edge));
                Assert.That(choice.Option.Route is null, Is.EqualTo(choice.Edge is null));
                Assert.That(Memory(choice.Option), Is.LessThanOrEqualTo(device.Info!.Memory.Value > 0 ? device.Info.Memory.Value : device.Profile!.Memory.Value.Value));
                Assert.That(choice.Option.Assign(choice.Edge, new ControllerOptions(), choice.Reason).Faults(), Is.Empty);
                Assert.That(choice.Reason, Is.Not.Empty);
                Assert.That(choice.Estimate.Latency.Value, Is.GreaterThanOrEqualTo(0).And.LessThan(double.PositiveInfinity));
            }
            Assert.That(state.Last, Is.EquivalentTo(plan.Choices));
        },
        iter: 60, threads: 1);

    [TestCaseSource(nameof(Policies))]
    public void Plan_SameFleetShuffled_IsTheSame(string policy) => Gen.Select(FleetBuilder.Any, Gen.Int[0, 1000]).Sample(
        (fleet, seed) =>
        {
            var planner = FleetBuilder.Planner(policy);
            var plan = planner.Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
            var again = FleetBuilder.Planner(policy).Plan(fleet, PlannerState.Empty, new Random(2)).Plan;
            var (devices, edges) = (fleet.Devices.ToArray(), fleet.Edges.ToArray());
            new Random(seed).Shuffle(devices);
            new Random(seed).Shuffle(edges);
            var shuffled = planner.Plan(fleet with { Devices = devices, Edges = edges }, PlannerState.Empty, new Random(1)).Plan;
            Assert.That(Said(again), Is.EqualTo(Said(plan)));
            Assert.That(Said(shuffled), Is.EqualTo(Said(plan)));
        },
        iter: 40, threads: 1);

    /// <summary>What the devices' tails take of each edge server, a tail once, is what it says it has; whoever asks in another order, or again, gets as lawful a plan.</summary>
    [TestCaseSource(nameof(Policies))]
    public void Plan_EdgeServersThatCannotHoldAllTheyOffer_UsesNoMoreThanTheyHold(string policy) => Gen.Select(Gen.Int[0, 10_000], Gen.Int[1, 25], Gen.Int[1, 3]).Sample(
        (seed, devices, edges) =>
        {
            var fleet = FleetBuilder.WithMemory(FleetBuilder.Crowded(new Random(seed), devices, edges), new Random(seed));
            var planner = FleetBuilder.Planner(policy);
            var (plan, state) = planner.Plan(fleet, PlannerState.Empty, new Random(1));
            if (policy is Dual.PolicyName or Greedy.PolicyName or Neurosurgeon.PolicyName or LocalOnly.PolicyName) Assert.That(plan.Choices.Count, Is.EqualTo(devices), "who may stay alone has something to run");
            AssertHeld(plan, fleet);
            AssertHeld(planner.Plan(fleet, state, new Random(1)).Plan, fleet);
            Assert.That(Said(FleetBuilder.Planner(policy).Plan(fleet, PlannerState.Empty, new Random(2)).Plan), Is.EqualTo(Said(plan)));
            var (others, servers) = (fleet.Devices.ToArray(), fleet.Edges.ToArray());
            new Random(seed).Shuffle(others);
            new Random(seed).Shuffle(servers);
            Assert.That(Said(planner.Plan(fleet with { Devices = others, Edges = servers }, PlannerState.Empty, new Random(1)).Plan), Is.EqualTo(Said(plan)));
        },
        iter: 12, threads: 1);

    private static void AssertHeld(Plan plan, FleetSnapshot fleet)
    {
        foreach (var edge in fleet.Edges)
        {
            var used = plan.Choices.Values.Where(choice => choice.Edge == edge.Id).Select(choice => choice.Option.Route!.Value.Tail).Distinct().Sum(tail => FleetBuilder.Model.Files.Card.Tail(tail).FileBytes);
            Assert.That(used, Is.LessThanOrEqualTo(edge.Info!.TailMemory!.Value.Value));
        }
    }

    [TestCaseSource(nameof(Policies))]
    public void Plan_OfflineDevice_IsLeftAlone(string policy)
    {
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("a", "pi-5", isOnline: false), FleetBuilder.Device("b", "pi-5")], FleetBuilder.Edge("e"));
        Assert.That(FleetBuilder.Planner(policy).Plan(fleet, PlannerState.Empty, new Random(1)).Plan.Choices.Keys, Is.EqualTo((string[])["b"]));
    }

    [Test]
    public void Neurosurgeon_AnyFleet_EqualsBruteForce() => FleetBuilder.Any.Sample(
        fleet =>
        {
            var plan = FleetBuilder.Planner(Neurosurgeon.PolicyName).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
            foreach (var device in fleet.Devices.Where(device => device.IsOnline))
            {
                var all =
                    from option in FleetBuilder.Table.All
                    from edge in option.Route is null ? [null] : fleet.LiveEdges.Cast<EdgeView?>()
                    let estimate = FleetBuilder.Costs.Estimate(option, device, edge)
                    where estimate is not null
                    select (Affordable: CostModel.IsAffordable(estimate.Value, device), Cost: FleetBuilder.Costs.Cost(estimate.Value));
                var best = all.OrderByDescending(found => found.Affordable).ThenBy(found => found.Cost).ToList();
                Assert.That(plan.Choices.ContainsKey(device.Id), Is.EqualTo(best.Count > 0));
                if (best.Count > 0) Assert.That(FleetBuilder.Costs.Cost(plan.Choices[device.Id].Estimate), Is.EqualTo(best[0].Cost));
            }
        },
        iter: 40, threads: 1);

    [TestCase(Greedy.PolicyName)]
    [TestCase(Dual.PolicyName)]
    public void Plan_AnyFleet_KeepsEdgeServersBelowTheirHeadroom(string policy) => Gen.Select(FleetBuilder.Any, Gen.Double[1, 300]).Sample(
        (fleet, factor) =>
        {
            fleet = fleet with { Devices = [.. fleet.Devices.Select(device => device with { Budget = device.Budget is { } budget ? budget with { RequestRate = budget.RequestRate * factor } : null })] };
            var plan = FleetBuilder.Planner(policy).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
            foreach (var edge in fleet.LiveEdges)
            {
                var load = plan.Choices.Where(pair => pair.Value.Edge == edge.Id)
                    .Sum(pair => (fleet.Devices.Single(device => device.Id == pair.Key).Budget?.RequestRate.Value ?? 0) * pair.Value.Estimate.EdgeTime.Value);
                Assert.That(load, Is.LessThanOrEqualTo(0.7 * CostModel.Capacity(edge) * (1 + 1e-6)));
            }
        },
        iter: 60, threads: 1);

    /// <summary>On the objective both estimate alike: the cost of a second, since who asks more counts more.</summary>
    [Test]
    public void Dual_CrowdedFleet_CostsNoMoreThanGreedy() => Gen.Select(Gen.Int[0, 10_000], Gen.Int[1, 40], Gen.Int[1, 4]).Sample(
        (seed, devices, edges) =>
        {
            var fleet = FleetBuilder.Crowded(new Random(seed), devices, edges);
            double Cost(string policy) => FleetBuilder.Planner(policy).Plan(fleet, PlannerState.Empty, new Random(1)).Plan.Choices
                .Sum(pair => fleet.Devices.Single(device => device.Id == pair.Key).Budget!.RequestRate.Value * (FleetBuilder.Costs.Cost(pair.Value.Estimate) + Overdraft(pair)));
            // Of those that can afford nothing `dual` takes what overdraws least.
            double Overdraft(KeyValuePair<string, Choice> pair) => fleet.Devices.Single(device => device.Id == pair.Key).Budget is { EnergyBudget: { } budget } known
                && known.RequestRate.Value * pair.Value.Estimate.Energy.Value / budget.Value is > 1 and var excess ? Pruning.Overdraft * Math.Min(excess, Pruning.OverdraftMax) : 0;
            Assert.That(Cost(Dual.PolicyName), Is.LessThanOrEqualTo(Cost(Greedy.PolicyName) * (1 + 1e-6)));
        },
        iter: 30, threads: 1);

    /// <summary>Whoever keeps to the edge servers' headroom, by luck or by care, is not cheaper than `dual`.</summary>
    [TestCaseSource(nameof(Policies))]
    public void Dual_AnyCapacity_CostsNoMoreThan(string policy)
    {
        var kept = 0;
        Gen.Select(Gen.Int[0, 10_000], Gen.Int[1, 30], Gen.Int[1, 4], Gen.Int[1, 60]).Sample(
            (seed, devices, edges, workers) =>
            {
                var crowded = FleetBuilder.Crowded(new Random(seed), devices, edges);
                var fleet = crowded with
                {
                    Devices = [.. crowded.Devices.Select(device => device with { Budget = device.Budget! with { EnergyBudget = null } })],
                    Edges = [.. crowded.Edges.Select(edge => edge with { Load = edge.Load! with { Workers = workers } })],
                };
                double Rate(string id) => fleet.Devices.Single(device => device.Id == id).Budget!.RequestRate.Value;
                Plan Planned(string name) => FleetBuilder.Planner(name).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
                double Cost(Plan plan) => plan.Choices.Sum(pair => Rate(pair.Key) * FleetBuilder.Costs.Cost(pair.Value.Estimate));
                var rival = Planned(policy);
                bool Keeps(EdgeView edge) => rival.Choices.Where(pair => pair.Value.Edge == edge.Id).Sum(pair => Rate(pair.Key) * pair.Value.Estimate.EdgeTime.Value) <= SiteProblem.Headroom * CostModel.Capacity(edge);
                if (!fleet.Edges.All(Keeps)) return;
                kept++;
                Assert.That(Cost(Planned(Dual.PolicyName)), Is.LessThanOrEqualTo(Cost(rival) + 1e-6 * Math.Abs(Cost(rival))));
            },
            iter: 40, threads: 1);
        Assert.That(kept, Is.GreaterThan(4));
    }

    [Test]
    public void Greedy_CapacityIsAmple_CostsNoMoreThanNeurosurgeon() => FleetBuilder.Any.Sample(
        fleet =>
        {
            fleet = fleet with { Edges = [.. fleet.Edges.Select(edge => edge with { Load = edge.Load! with { Workers = 1000 } })] };
            double Cost(string policy) => FleetBuilder.Planner(policy).Plan(fleet, PlannerState.Empty, new Random(1)).Plan.Choices.Values.Sum(choice => FleetBuilder.Costs.Cost(choice.Estimate));
            Assert.That(Cost(Greedy.PolicyName), Is.EqualTo(Cost(Neurosurgeon.PolicyName)).Within(1e-9));
        },
        iter: 40, threads: 1);

    [Test]
    public void Greedy_RoundTripsThatWobbleALittle_KeepsWhatIsInForce() => Gen.Select(FleetBuilder.Any, Gen.Double[0.97, 1.03].Array[12]).Sample(
        (fleet, noise) =>
        {
            fleet = fleet with { Edges = [.. fleet.Edges.Select(edge => edge with { Load = edge.Load! with { Workers = 1000 } })] };
            var planner = FleetBuilder.Planner(Greedy.PolicyName);
            var (before, state) = planner.Plan(fleet, PlannerState.Empty, new Random(1));
            var noisy = fleet with
            {
                Devices = [.. fleet.Devices.Select((device, i) => device with { Budget = device.Budget is { EnergyBudget: null } budget ? budget with { RoundTrip = budget.RoundTrip is { } time ? time * noise[i] : null } : device.Budget })],
            };
            var after = planner.Plan(noisy, state, new Random(1)).Plan;
            Assert.That(after.Choices.Select(pair => (pair.Key, pair.Value.Option, pair.Value.Edge)), Is.EqualTo(before.Choices.Select(pair => (pair.Key, pair.Value.Option, pair.Value.Edge))));
        },
        iter: 60, threads: 1);

    [Test]
    public void Greedy_SomethingMuchBetter_IsTaken()
    {
        var planner = FleetBuilder.Planner(Greedy.PolicyName);
        var device = FleetBuilder.Device("a", "stm32h747i-disco", roundTrip: 5);
        var (far, state) = planner.Plan(FleetBuilder.Fleet([device], FleetBuilder.Edge("e")), PlannerState.Empty, new Random(1));
        Assert.That(far.Choices["a"].Edge, Is.Null);
        var near = planner.Plan(FleetBuilder.Fleet([FleetBuilder.Device("a", "stm32h747i-disco", roundTrip: 0.0001)], FleetBuilder.Edge("e")), state, new Random(1)).Plan;
        Assert.That(near.Choices["a"].Edge, Is.EqualTo("e"));
    }

    /// <summary>Inputs come as they like: a device that is busy half of its time makes them wait half a run in the mean (M/D/1), and one that hardly runs does not.</summary>
    [TestCase(0.5)]
    [TestCase(0.01)]
    public void CostModel_BusyDevice_InputsWaitAsInAQueue(double busy)
    {
        var option = FleetBuilder.Table.Get(1, OptionTable.DefaultThreshold, route: null);
        var run = FleetBuilder.Costs.Estimate(option, FleetBuilder.Device("a", "pi-zero-2w", rate: null), null)!.Value.Latency.Value;
        var latency = FleetBuilder.Costs.Estimate(option, FleetBuilder.Device("a", "pi-zero-2w", rate: busy / run), null)!.Value.Latency.Value;
        Assert.That(latency, Is.EqualTo(run * (1 + busy / (2 * (1 - busy)))).Within(1e-9));
    }

    [Test]
    public void CostModel_EdgeServerOfAnUnknownProfile_IsNotTakenForFree()
    {
        var option = FleetBuilder.Table.Get(1, OptionTable.DefaultThreshold, new Route(1, FeatureCodec.Int8));
        var (device, edge) = (FleetBuilder.Device("a", "pi-5"), FleetBuilder.Edge("e", "unheard-of"));
        Assert.That(FleetBuilder.Costs.Estimate(option, device, edge), Is.Null);
        var measured = edge with { Load = edge.Load! with { TailSeconds = new PerExit([0.003, 0.002, 0.001]) } };
        Assert.That(FleetBuilder.Costs.Estimate(option, device, measured)!.Value.EdgeTime.Value, Is.EqualTo(0.002 * option.OffloadShare).Within(1e-12));
    }

    [TestCase(StaticSplit.PolicyName)]
    [TestCase(OffloadAll.PolicyName)]
    public void Plan_OneEdgeServerOfAnUnknownProfile_EverybodyGetsTheOther(string policy)
    {
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("a", "pi-5"), FleetBuilder.Device("b", "pi-5")], FleetBuilder.Edge("e"), FleetBuilder.Edge("x", "unheard-of"));
        Assert.That(FleetBuilder.Planner(policy).Plan(fleet, PlannerState.Empty, new Random(1)).Plan.Choices.Values.Select(choice => choice.Edge), Is.EqualTo((string[])["e", "e"]));
    }

    [Test]
    public void Create_UnknownName_IsToldTheOnesThereAre() =>
        Assert.That(() => FleetBuilder.Planner("oracle"), Throws.InstanceOf<FaultsException>().With.Message.Contains("greedy"));

    private static double Memory(Option option)
    {
        var stages = option.Model.Files.Card.Stages.Take(option.Head).ToList();
        return stages.Sum(stage => stage.FileBytes) + stages.Max(stage => stage.PeakActivationBytes);
    }

    private static IEnumerable<string> Said(Plan plan) => plan.Choices.Select(pair => $"{pair.Key} {pair.Value.Option.Head} {pair.Value.Option.Thresholds} {pair.Value.Option.Route} {pair.Value.Edge} {pair.Value.Reason}");
}
