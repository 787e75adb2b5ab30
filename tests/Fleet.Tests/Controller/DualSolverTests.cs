using CsCheck;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Judge;
using Fleet.Controller.Planning;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>`dual` and `milp` against all plans there are, and against each other.</summary>
public sealed class DualSolverTests
{
    /// <summary>A knapsack of a few devices, edge servers, and perhaps a cell, a limit on errors, and memory for some of two tails of 1 and 1.5 MB; candidate 0 needs nobody.</summary>
    private static readonly Gen<Candidates> Tiny =
        from edges in Gen.Double[0.5, 2].Array[1, 3]
        from isShared in Gen.Bool
        from memory in Gen.Double[1, 4].Array[0, 3]
        from devices in Gen.Select(Gen.Float[1, 10], Gen.Select(Gen.Float[0, 9], Gen.Float[0.05f, 1.2f], Gen.Int[0, 2], Gen.Float[0, 1]).Array[0, 4]).Array[1, 6]
        select Made(edges, isShared, memory, devices);

    [Test]
    public void Exact_TinyProblem_EqualsBruteForce() => Tiny.Sample(
        candidates =>
        {
            var best = BruteForce(candidates);
            var exact = Exact.Solve(candidates, TimeSpan.FromMinutes(10));
            Assert.That(exact is null, Is.EqualTo(best is null));
            if (best is { } cost) Assert.That(exact!.Cost, Is.EqualTo(cost).Within(1e-3).Percent.Or.EqualTo(cost).Within(1e-6));
        },
        iter: 60, threads: 1);

    [Test]
    public void Dual_TinyProblem_IsFeasibleAndItsBoundHolds() => Tiny.Sample(
        candidates =>
        {
            var solved = DualSolver.Solve(candidates);
            if (BruteForce(candidates) is not { } best) return;
            // Of costs of order one: they may add up to nearly nothing, but not their rounding.
            Assert.That(solved.Bound, Is.LessThanOrEqualTo(best + 1e-9 * Math.Max(1, Math.Abs(best))));
            Assert.That(Exact.Keeps(candidates, solved.Choice), Is.EqualTo(solved.IsFeasible));
            if (solved.IsFeasible) Assert.That(solved.Cost, Is.EqualTo(best).Within(1e-6 * Math.Max(1, Math.Abs(best))), "so small a site is searched to the end");
        },
        iter: 300, threads: 1);

    /// <summary>No prices prove more than the linear programme's, and those prove as much (strong duality).</summary>
    [Test]
    public void Relaxation_AtTheLinearProgrammesPrices_IsItsBound()
    {
        var solved = 0;
        Gen.Select(Tiny, Gen.Double[0, 20].Array[8]).Sample(
            (candidates, other) =>
            {
                if (Exact.LinearBound(candidates, TimeSpan.FromSeconds(5)) is not { } linear) return;
                solved++;
                var tolerance = 1e-5 * Math.Max(1, Math.Abs(linear.Bound));
                Assert.That(new Relaxation(candidates).At([.. linear.Prices.Select(price => Math.Max(0, price))]), Is.EqualTo(linear.Bound).Within(tolerance));
                Assert.That(new Relaxation(candidates).At(other.AsSpan(0, candidates.Capacity.Length)), Is.LessThanOrEqualTo(linear.Bound + tolerance));
            },
            iter: 60, threads: 1);
        Assert.That(solved, Is.GreaterThan(0), "programmes without a solution prove nothing");
    }

    /// <summary>The short version of `-- judge` in Fleet.Benchmarks.</summary>
    [Test]
    public void Dual_RandomSites_IsNearTheBestPlan()
    {
        var random = new Random(1);
        var gaps = new List<double>();
        for (var site = 0; site < 8; site++)
        {
            var problem = SiteProblem.Of(FleetBuilder.Crowded(random, devices: 15 + random.Next(31), edges: 1 + random.Next(4)), FleetBuilder.Table, FleetBuilder.Costs, PlannerState.Empty.Last);
            var exact = Exact.Solve(problem.Candidates, TimeSpan.FromMinutes(10))!;
            var solved = DualSolver.Solve(problem.Candidates);
            Assert.That(solved.IsFeasible && Exact.Keeps(problem.Candidates, solved.Choice));
            Assert.That(solved.Bound, Is.LessThanOrEqualTo(exact.Cost * (1 + 1e-9)));
            gaps.Add(solved.Cost / exact.Cost - 1);
        }
        Assert.That(gaps.Average(), Is.LessThan(0.005));
        Assert.That(gaps.Max(), Is.LessThan(0.02));
    }

    /// <summary>The same where edge servers offer more tails than they hold together: `milp` has a variable for each tail on a server.</summary>
    [Test]
    public void Dual_RandomSitesWithoutMemoryForAll_IsNearTheBestPlan()
    {
        var random = new Random(1);
        var gaps = new List<double>();
        var (isLimited, isCramped) = (false, false);
        for (var site = 0; site < 8; site++)
        {
            var fleet = FleetBuilder.WithMemory(FleetBuilder.Crowded(random, devices: 15 + random.Next(31), edges: 1 + random.Next(4)), random);
            var problem = SiteProblem.Of(fleet, FleetBuilder.Table, FleetBuilder.Costs, PlannerState.Empty.Last);
            isLimited |= problem.LimitedServers.Any();
            var exact = Exact.Solve(problem.Candidates, TimeSpan.FromMinutes(10))!;
            var solved = DualSolver.Solve(problem.Candidates);
            Assert.That(Exact.Keeps(problem.Candidates, exact.Choice));
            Assert.That(solved.IsFeasible && Exact.Keeps(problem.Candidates, solved.Choice));
            Assert.That(solved.Bound, Is.LessThanOrEqualTo(exact.Cost * (1 + 1e-9)));
            isCramped |= DualSolver.Solve(problem.Candidates.WithoutMemory()).Cost < exact.Cost * (1 - 1e-6);
            gaps.Add(solved.Cost / exact.Cost - 1);
        }
        Assert.That(isLimited && isCramped, "somewhere memory is short");
        Assert.That(gaps.Average(), Is.LessThan(0.005));
        Assert.That(gaps.Max(), Is.LessThan(0.02));
    }

    /// <summary>Two tails of 1 MB, memory for one, and each device can use one only: whoever gains more has it, and a megabyte costs what keeps the other away.</summary>
    [Test]
    public void Dual_MemoryForOneOfTwoTails_HasAPriceAndGoesToWhoGainsMore()
    {
        var candidates = new Candidates(2, [1.0], memory: new TailMemory([1], [1, 1], [-1, 0, 1]));
        candidates.Put(0, [new Candidate(10, 0, 1, 0, 0, 0), new Candidate(1, 0.1f, 0, 1, 0, 0)]);
        candidates.Put(1, [new Candidate(8, 0, 1, 0, 0, 0), new Candidate(1, 0.1f, 0, 2, 0, 0)]);
        var solved = DualSolver.Solve(candidates);
        Assert.That(solved.Choice, Is.EqualTo(new[] { candidates.Of(0).Start + 1, candidates.Of(1).Start }));
        Assert.That((solved.Cost, solved.Bound), Is.EqualTo((9.0, 9.0)));
        Assert.That(solved.Prices[candidates.MemoryAt], Is.InRange(6.9, 9.1));
        Assert.That(Exact.Solve(candidates, TimeSpan.FromMinutes(10))!.Cost, Is.EqualTo(9).Within(1e-6));
    }

    /// <summary>Too many devices to look at plans again and again.</summary>
    [Test]
    public void Dual_LargeSiteWithoutMemoryForAll_KeepsItAndItsBoundHolds()
    {
        var random = new Random(1);
        var candidates = new Candidates(6000, [40.0, 40.0], memory: new TailMemory([2.5, double.PositiveInfinity], [1, 1.5, 2], [-1, 0, 1, 2]));
        for (var device = 0; device < candidates.Devices; device++)
            candidates.Put(device, [new Candidate(2 + random.NextSingle(), 0, 2, 0, 0, 0), .. Enumerable.Range(0, 6).Select(way => new Candidate(2 * random.NextSingle(), 0.02f * random.NextSingle(), (short)(way / 3), (ushort)(way % 3 + 1), 0, 0))]);
        var solved = DualSolver.Solve(candidates);
        Assert.That(solved.IsFeasible && candidates.Keeps(solved.Choice));
        Assert.That(solved.Choice.Select(candidates.HoldingOf).Where(holding => holding >= 0).Distinct().Count(), Is.LessThan(3), "not all three fit");
        Assert.That(solved.Bound, Is.LessThanOrEqualTo(solved.Cost));
        // It holds the third tail, or the first two: there is nothing else to try.
        foreach (var held in (int[][])[[0, 1], [2]]) Assert.That(solved.Cost, Is.LessThanOrEqualTo(DualSolver.Solve(candidates.Where(j => candidates.HoldingOf(j) < 0 || held.Contains(candidates.HoldingOf(j)))).Cost * 1.001));
    }

    /// <summary>Where everything fits there is nothing to price, and nothing is different.</summary>
    [Test]
    public void SiteProblem_MemoryForAllThatIsOffered_HasNoSuchLimit()
    {
        var fleet = FleetBuilder.Crowded(new Random(3), devices: 10, edges: 2);
        var roomy = fleet with { Edges = [.. fleet.Edges.Select(edge => edge with { Info = edge.Info! with { TailMemory = new Bytes(1e9) } })] };
        var (free, stated) = (SiteProblem.Of(fleet, FleetBuilder.Table, FleetBuilder.Costs, PlannerState.Empty.Last), SiteProblem.Of(roomy, FleetBuilder.Table, FleetBuilder.Costs, PlannerState.Empty.Last));
        Assert.That(stated.Candidates.Memory, Is.Null);
        Assert.That(DualSolver.Solve(stated.Candidates).Choice, Is.EqualTo(DualSolver.Solve(free.Candidates).Choice));
        Assert.That(HeldTogether.Of(roomy, FleetBuilder.Table), Is.SameAs(roomy));
    }

    /// <summary>What the columns say of a choice is what the cost model says.</summary>
    [Test]
    public void SiteProblem_AnyFleet_CostsWhatTheCostModelEstimates() => FleetBuilder.Any.Sample(
        fleet =>
        {
            var problem = SiteProblem.Of(fleet, FleetBuilder.Table, FleetBuilder.Costs, PlannerState.Empty.Last);
            var candidates = problem.Candidates;
            for (var device = 0; device < problem.Devices.Count; device++)
            {
                var rate = Math.Max(1e-3, problem.Devices[device].Budget?.RequestRate.Value ?? 0);
                var (from, end) = candidates.Of(device);
                Assert.That(end, Is.GreaterThan(from));
                for (var j = from; j < end; j++)
                {
                    var candidate = candidates.At(j);
                    var edge = candidate.Edge < problem.Edges.Count ? problem.Edges[candidate.Edge] : null;
                    var estimate = FleetBuilder.Costs.Estimate(problem.Columns.Options[candidate.Option], problem.Devices[device], edge)!.Value;
                    if (CostModel.IsAffordable(estimate, problem.Devices[device])) Assert.That(candidate.Cost / rate, Is.EqualTo(FleetBuilder.Costs.Cost(estimate)).Within(1e-3).Percent.Or.EqualTo(FleetBuilder.Costs.Cost(estimate)).Within(1e-6));
                    else Assert.That(candidate.Cost / rate, Is.GreaterThan(Pruning.Overdraft));
                    Assert.That(candidate.Use, Is.EqualTo((problem.Devices[device].Budget?.RequestRate.Value ?? 0) * estimate.EdgeTime.Value).Within(1e-4).Percent.Or.LessThan(1e-12));
                }
            }
        },
        iter: 40, threads: 1);

    /// <summary>No option of the front or the grid that pruning left out would be cheaper at any price of edge time.</summary>
    [Test]
    public void Pruning_AnyDevice_LeavesOutOnlyWhatIsBeaten() => Gen.Select(FleetBuilder.Any, Gen.Double[0, 20]).Sample(
        (fleet, price) =>
        {
            var problem = SiteProblem.Of(fleet, FleetBuilder.Table, FleetBuilder.Costs, PlannerState.Empty.Last);
            foreach (var (device, i) in problem.Devices.Select((device, i) => (device, i)))
            {
                var all =
                    from option in FleetBuilder.Table.Front.Concat(FleetBuilder.Table.All)
                    from edge in option.Route is null ? [null] : problem.Edges.Cast<EdgeView?>()
                    let estimate = FleetBuilder.Costs.Estimate(option, device, edge)
                    where estimate is { } known && CostModel.IsAffordable(known, device)
                    select (IsAlone: edge is null, Cost: FleetBuilder.Costs.Cost(estimate.Value) + price * estimate.Value.EdgeTime.Value);
                var lawful = all.ToList();
                if (!lawful.Any(option => option.IsAlone)) continue;
                var prices = Enumerable.Repeat(price, problem.Edges.Count).ToArray();
                var (from, end) = problem.Candidates.Of(i);
                // A device that asks next to nothing uses nothing: no price reaches it.
                if (device.Budget?.RequestRate.Value is not (> 1e-3 and var rate)) continue;
                var kept = Enumerable.Range(from, end - from).Min(j => problem.Candidates.Priced(i, j, prices)) / rate;
                Assert.That(kept, Is.EqualTo(lawful.Min(option => option.Cost)).Within(1e-3).Percent.Or.EqualTo(lawful.Min(option => option.Cost)).Within(1e-6));
            }
        },
        iter: 25, threads: 1);

    [Test]
    public void Dual_LeastAccuracyAsked_IsKeptAtTheLeastCost()
    {
        var fleet = FleetBuilder.Fleet([.. Enumerable.Range(0, 8).Select(i => FleetBuilder.Device($"cam-{i}", i % 2 == 0 ? "pi-5" : "pi-zero-2w", rate: 1 + i, roundTrip: 0.01))], FleetBuilder.Edge("e", workers: 8));
        double Accuracy(Plan plan) => plan.Choices.Sum(pair => Rate(pair.Key) * pair.Value.Estimate.Accuracy) / plan.Choices.Sum(pair => Rate(pair.Key));
        double Rate(string id) => fleet.Devices.Single(device => device.Id == id).Budget!.RequestRate.Value;
        var hasty = new Weights { ErrorWeight = 0.01 };
        var free = new Dual(FleetBuilder.Table, new CostModel(hasty)).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
        var least = (Accuracy(free) + FleetBuilder.Model.FullAccuracy) / 2;
        var (bound, state) = new Dual(FleetBuilder.Table, new CostModel(hasty with { AccuracyMin = least })).Plan(fleet, PlannerState.Empty, new Random(1));
        Assert.That(Accuracy(free), Is.LessThan(least));
        Assert.That(Accuracy(bound), Is.GreaterThanOrEqualTo(least - 1e-6));
        Assert.That(state.LimitPrices.Single(), Is.GreaterThan(0));
        Assert.That(bound.Proof!.Gap, Is.LessThan(0.02));
    }

    [Test]
    public void Dual_LongestLatencyAsked_IsKeptWhereItCanBe()
    {
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("far", "pi-zero-2w", roundTrip: 0.2)], FleetBuilder.Edge("e", workers: 8));
        var careful = new Weights { ErrorWeight = 100 };
        Plan Planned(Weights weights) => new Dual(FleetBuilder.Table, new CostModel(weights)).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
        var free = Planned(careful).Choices["far"].Estimate.Latency.Value;
        var shorter = free / 2;
        Assert.That(Planned(careful with { LatencyMax = new Seconds(shorter) }).Choices["far"].Estimate.Latency.Value, Is.LessThanOrEqualTo(shorter));
        Assert.That(Planned(careful with { LatencyMax = new Seconds(1e-9) }).Choices, Has.Count.EqualTo(1), "what nobody can keep does not leave a device without a plan");
    }

    /// <summary>Who shares an access point's air leaves room in it, and air that is scarce has a price.</summary>
    [Test]
    public void Dual_DevicesOfOneCell_KeepItsAirBelowTheHeadroom()
    {
        DeviceView Cam(int i, string cell) => FleetBuilder.Device($"cam-{i:D2}", "stm32h747i-disco", rate: 8, roundTrip: 0.005) is var cam
            ? cam with { Info = cam.Info! with { Cell = cell }, Budget = cam.Budget! with { Uplink = new BytesPerSecond(50_000) } } : cam;
        FleetSnapshot Fleet(Func<int, string> cell) => FleetBuilder.Fleet(Enumerable.Range(0, 30).Select(i => Cam(i, cell(i))), FleetBuilder.Edge("e", workers: 100));
        double Sent(Plan plan) => plan.Choices.Values.Sum(choice => choice.Estimate.Offload * choice.Option.Payload.Value);
        var (shared, state) = FleetBuilder.Planner(Dual.PolicyName).Plan(Fleet(_ => "hall"), PlannerState.Empty, new Random(1));
        var own = FleetBuilder.Planner(Dual.PolicyName).Plan(Fleet(i => $"own-{i}"), PlannerState.Empty, new Random(1)).Plan;
        var problem = SiteProblem.Of(Fleet(_ => "hall"), FleetBuilder.Table, FleetBuilder.Costs, PlannerState.Empty.Last);
        Assert.That(problem.Cells, Is.EqualTo((string[])["hall"]));
        Assert.That(Exact.Keeps(problem.Candidates, DualSolver.Solve(problem.Candidates).Choice));
        Assert.That(Sent(shared), Is.LessThan(Sent(own)).And.GreaterThan(0));
        Assert.That(state.AirPrices["hall"], Is.GreaterThan(0));
    }

    /// <summary>Until its first files are there it answers nothing; what is better follows while the first head answers.</summary>
    [Test]
    public void Dual_DeviceThatRunsNothing_BeginsWithTheFilesThatComeSoonest()
    {
        var planner = new Dual(FleetBuilder.Table, new CostModel(new Weights { ErrorWeight = 100 }));
        var running = FleetBuilder.Device("cam", "pi-5", budgetWatts: 5);
        var empty = running with { Reported = null, Budget = running.Budget! with { Uplink = new BytesPerSecond(20_000) } };
        var (first, state) = planner.Plan(FleetBuilder.Fleet([empty]), PlannerState.Empty, new Random(1));
        var then = planner.Plan(FleetBuilder.Fleet([running]), state, new Random(1)).Plan;
        Assert.That((first.Choices["cam"].Option.Head, then.Choices["cam"].Option.Head), Is.EqualTo((1, FleetBuilder.Model.Files.Card.StageCount)));
    }

    /// <summary>Its profile claims the radio of its board, which need not be the one that it hangs on.</summary>
    [Test]
    public void Dual_DeviceThatRunsNothingAndHasNotSaidWhatItsLinkCarries_SendsNothing()
    {
        var told = FleetBuilder.Device("cam", "stm32h747i-disco") with { Reported = null };
        string? Edge(DeviceView device) => FleetBuilder.Planner(Dual.PolicyName).Plan(FleetBuilder.Fleet([device], FleetBuilder.Edge("e")), PlannerState.Empty, new Random(1)).Plan.Choices["cam"].Edge;
        Assert.That((Edge(told with { Budget = null }), Edge(told)), Is.EqualTo(((string?)null, "e")));
    }

    [Test]
    public void Dual_PlannedAgainWithoutAChange_ChangesNothing() => Gen.Int[1, 1000].Sample(
        seed =>
        {
            var planner = FleetBuilder.Planner(Dual.PolicyName);
            var fleet = FleetBuilder.Crowded(new Random(seed), devices: 30, edges: 2);
            var (before, state) = planner.Plan(fleet, PlannerState.Empty, new Random(1));
            var after = planner.Plan(fleet, state, new Random(1)).Plan;
            var changed = after.Choices.Count(pair => pair.Value.Option != before.Choices[pair.Key].Option || pair.Value.Edge != before.Choices[pair.Key].Edge);
            // The price of switching lets a plan only be left for a better one of all devices together.
            Assert.That(changed, Is.LessThanOrEqualTo(3));
        },
        iter: 10, threads: 1);

    private static Candidates Made(double[] edges, bool isShared, double[] memory, (float Alone, (float, float, int, float)[] Ways)[] devices)
    {
        var candidates = new Candidates(devices.Length, edges, isShared ? [0.8] : null, isShared ? [.. devices.Select((_, i) => i % 3 == 0 ? -1 : 0)] : null, isShared ? 0.5 * devices.Length : null,
            memory: memory.Any(room => room < 2.5) ? new TailMemory([.. edges.Select((_, i) => i < memory.Length && memory[i] < 2.5 ? memory[i] : double.PositiveInfinity)], [1, 1.5], [-1, 0, 1, 0, 1]) : null);
        for (var device = 0; device < devices.Length; device++)
            candidates.Put(device,
            [
                new Candidate(devices[device].Alone, 0, (short)edges.Length, 0, 0, 0.5f),
                .. devices[device].Ways.Select((way, i) => new Candidate(way.Item1, way.Item2, (short)(way.Item3 % edges.Length), (ushort)(i + 1), way.Item2 / 2, way.Item4)),
            ]);
        return candidates;
    }

    private static double? BruteForce(Candidates candidates)
    {
        double? best = null;
        var choice = new int[candidates.Devices];
        void Visit(int device, double cost)
        {
            if (cost >= best) return;
            if (device == choice.Length)
            {
                if (Exact.Keeps(candidates, choice)) best = cost;
                return;
            }
            var (from, end) = candidates.Of(device);
            for (var j = from; j < end; j++)
            {
                choice[device] = j;
                Visit(device + 1, cost + candidates.At(j).Cost);
            }
        }
        Visit(0, 0);
        return best;
    }
}
