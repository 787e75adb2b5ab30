using CsCheck;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>What planners remember of those who have not changed saves time and alters nothing.</summary>
public sealed class PlannerMemoryTests
{
    private const string Full = "edge servers are full: next best";

    private static IEnumerable<string> Policies => Planners.Names;

    [TestCaseSource(nameof(Policies))]
    public void Plan_FleetThatChangesLittleByLittle_IsAsWithoutMemory(string policy) => Gen.Select(FleetBuilder.Any, Gen.Int[0, 10_000]).Sample(
        (fleet, seed) =>
        {
            var (random, planner, state) = (new Random(seed), FleetBuilder.Planner(policy), PlannerState.Empty);
            for (var step = 0; step < 5; step++)
            {
                var bare = new PlannerState(state.Last) { Prices = state.Prices, AirPrices = state.AirPrices, LimitPrices = state.LimitPrices, Averages = state.Averages };
                var anew = FleetBuilder.Planner(policy).Plan(fleet, bare, new Random(step)).Plan;
                (var plan, state) = planner.Plan(fleet, state, new Random(step));
                Assert.That(plan.Choices.Select(Said), Is.EqualTo(anew.Choices.Select(Said)));
                fleet = Changed(fleet, random);
            }
        },
        iter: policy is Dual.PolicyName ? 8 : 25, threads: 1);

    [Test]
    public void Plan_OneDeviceReports_OthersKeepTheirChoicesThemselves()
    {
        var planner = FleetBuilder.Planner(StaticSplit.PolicyName);
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("a", "pi-5"), FleetBuilder.Device("b", "pi-5")], FleetBuilder.Edge("e"));
        var (before, state) = planner.Plan(fleet, PlannerState.Empty, new Random(1));
        var after = planner.Plan(fleet with { Devices = [fleet.Devices[0], FleetBuilder.Device("b", "pi-5", roundTrip: 0.1)] }, state, new Random(1)).Plan;
        Assert.That(after.Choices["a"], Is.SameAs(before.Choices["a"]));
        Assert.That(after.Choices["b"].Estimate.Latency, Is.GreaterThan(before.Choices["b"].Estimate.Latency));
    }

    /// <summary>Against the ranking of everything that each device could do.</summary>
    [Test]
    public void Greedy_CrowdedFleet_TakesTheFirstOfTheWholeRankingThatFits() => Gen.Select(Gen.Int[0, 10_000], Gen.Int[1, 25], Gen.Int[0, 3]).Sample(
        (seed, devices, edges) =>
        {
            var random = new Random(seed);
            var (fleet, state) = (FleetBuilder.Crowded(random, devices, edges), PlannerState.Empty);
            for (var step = 0; step < 3; step++)
            {
                var expected = Ranked(fleet, state);
                (var plan, state) = FleetBuilder.Planner(Greedy.PolicyName).Plan(fleet, state, random);
                Assert.That(plan.Choices.Select(pair => (pair.Key, pair.Value.Option, pair.Value.Edge, pair.Value.Estimate, pair.Value.Reason == Full)), Is.EqualTo(expected.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value.Option, pair.Value.Edge, pair.Value.Estimate, pair.Value.Reason == Full))));
                fleet = Changed(Changed(fleet, random), random);
            }
        },
        iter: 25, threads: 1);

    // Options made for a choice are alike, not the same.
    private static (string, string?, Estimate, string, int, PerExit, Route?) Said(KeyValuePair<string, Choice> pair) =>
        (pair.Key, pair.Value.Edge, pair.Value.Estimate, pair.Value.Reason, pair.Value.Option.Head, pair.Value.Option.Thresholds, pair.Value.Option.Route);

    private static FleetSnapshot Changed(FleetSnapshot fleet, Random random)
    {
        var (devices, edges) = (fleet.Devices.ToList(), fleet.Edges.ToList());
        if (random.Next(5) == 0) devices.Add(FleetBuilder.Device($"new-{random.Next(1000)}", FleetBuilder.Boards[random.Next(FleetBuilder.Boards.Length)]));
        else if (devices.Count > 0)
        {
            var at = random.Next(devices.Count);
            devices[at] = random.Next(4) switch
            {
                0 => devices[at] with { IsOnline = !devices[at].IsOnline },
                1 => FleetBuilder.Device(devices[at].Id, FleetBuilder.Boards[random.Next(FleetBuilder.Boards.Length)], rate: 3),
                _ => devices[at] with { Budget = devices[at].Budget is { } budget ? budget with { RoundTrip = new Seconds(0.05 * random.NextDouble()), RequestRate = budget.RequestRate * (2 * random.NextDouble()) } : null },
            };
        }
        if (edges.Count > 0 && random.Next(4) == 0)
        {
            var at = random.Next(edges.Count);
            edges[at] = edges[at] with { Load = edges[at].Load! with { QueueMean = new Seconds(0.01 * random.NextDouble()) }, IsOnline = random.Next(4) > 0 };
        }
        return fleet with { Devices = [.. devices.DistinctBy(device => device.Id)], Edges = edges };
    }

    private static Dictionary<string, Choice> Ranked(FleetSnapshot fleet, PlannerState last)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        var room = edges.ToDictionary(edge => edge.Id, edge => 0.7 * CostModel.Capacity(edge));
        var wishes =
            from device in fleet.Devices
            where device.IsOnline
            let ranked = WithHysteresis(device, Everything(device, edges), last)
            where ranked.Count > 0
            orderby Gain(ranked) descending, device.Id
            select (Device: device, Ranked: ranked);
        return wishes.ToDictionary(wish => wish.Device.Id, wish =>
        {
            var rate = wish.Device.Budget?.RequestRate.Value ?? 0;
            var taken = wish.Ranked.FindIndex(way => way.Edge is not { } edge || rate * way.Estimate.EdgeTime.Value <= room[edge]);
            var choice = wish.Ranked[Math.Max(0, taken)];
            if (taken >= 0 && choice.Edge is { } used) room[used] -= rate * choice.Estimate.EdgeTime.Value;
            return choice with { Reason = taken > 0 ? Full : "first" };
        });
    }

    private static List<Choice> Everything(DeviceView device, IReadOnlyList<EdgeView> edges)
    {
        var all =
            from option in FleetBuilder.Table.All
            from edge in option.Route is null ? [null] : edges.Cast<EdgeView?>()
            let estimate = FleetBuilder.Costs.Estimate(option, device, edge)
            where estimate is not null
            select new Choice(option, edge?.Id, estimate.Value, "");
        return [.. all.OrderBy(way => !CostModel.IsAffordable(way.Estimate, device)).ThenBy(way => FleetBuilder.Costs.Cost(way.Estimate))];
    }

    private static List<Choice> WithHysteresis(DeviceView device, List<Choice> ranked, PlannerState last)
    {
        if (!last.Last.TryGetValue(device.Id, out var old) || ranked.FindIndex(way => way.Option == old.Option && way.Edge == old.Edge) is not (> 0 and var kept)) return ranked;
        var (best, cost) = (FleetBuilder.Costs.Cost(ranked[0].Estimate), FleetBuilder.Costs.Cost(ranked[kept].Estimate));
        if (cost > best + 0.2 * Math.Abs(best)) return ranked;
        if (!CostModel.IsAffordable(ranked[kept].Estimate, device) && CostModel.IsAffordable(ranked[0].Estimate, device)) return ranked;
        return [ranked[kept], .. ranked.Where((_, i) => i != kept)];
    }

    private static double Gain(List<Choice> ranked)
    {
        if (ranked[0].Edge is null || ranked.Find(way => way.Edge is null) is not { } alone || ranked[0].Estimate.EdgeTime.Value <= 0) return double.PositiveInfinity;
        return (FleetBuilder.Costs.Cost(alone.Estimate) - FleetBuilder.Costs.Cost(ranked[0].Estimate)) / ranked[0].Estimate.EdgeTime.Value;
    }
}
