using System.Globalization;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Judge;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Emulator.Simulation;

namespace Fleet.Benchmarks;

/// <summary>`-- judge`: `dual` against the best plan there is, on 200 random sites whose edge servers are asked for more than they have.</summary>
internal static class PlanJudge
{
    private const int Sites = 200;
    private const int DevicesMax = 200;
    private const int EdgesMax = 5;

    // With a variable for each tail on a server the exact solver is slower by orders of magnitude: fewer and smaller ones.
    private const int LimitedSites = 60;
    private const int LimitedDevicesMax = 60;
    private const int LimitedEdgesMax = 3;
    private const double MeanMax = 0.005;
    private const double WorstMax = 0.02;

    /// <returns>0 when within every bar, else 1.</returns>
    public static int Run(TextWriter output) => Judge(output, "judge", Sites, DevicesMax, EdgesMax, isLimited: false) | Judge(output, "judge/memory", LimitedSites, LimitedDevicesMax, LimitedEdgesMax, isLimited: true);

    /// <param name="stream">Of the random sites.</param>
    /// <param name="isLimited">Whether edge servers have not memory for all tails that they offer.</param>
    private static int Judge(TextWriter output, string stream, int sites, int devicesMax, int edgesMax, bool isLimited)
    {
        var stock = new Stock();
        var planned = new[] { Planned.Of(stock, "fmnist"), Planned.Of(stock, "scenes") };
        var (boards, servers) = (stock.Profiles.Values.Where(profile => profile.Role == "device").ToList(), stock.Profiles.Values.Where(profile => profile.Role == "edge").ToList());
        var random = new SeededRandom(1, stream);
        var (gaps, proven, broken, unsolved, cramped) = (new List<double>(), new List<double>(), 0, 0, 0);
        var (dualTime, exactTime) = (TimeSpan.Zero, TimeSpan.Zero);
        for (var site = 0; site < sites; site++)
        {
            var (model, costs) = (planned[site % 2], new CostModel(new Weights { ErrorWeight = 0.2 + 2 * random.NextDouble(), JouleWeight = 4 * random.NextDouble() }));
            var fleet = Site(random, boards, servers, model, devicesMax, edgesMax);
            if (isLimited) fleet = Limited(fleet, model.Model, random);
            var problem = SiteProblem.Of(fleet, model.Table, costs, PlannerState.Empty.Last);
            var began = Environment.CpuUsage.TotalTime;
            var solved = DualSolver.Solve(problem.Candidates);
            var planning = Environment.CpuUsage.TotalTime;
            var exact = Exact.Solve(problem.Candidates, TimeSpan.FromMinutes(5));
            (dualTime, exactTime) = (dualTime + (planning - began), exactTime + (Environment.CpuUsage.TotalTime - planning));
            if (exact is null)
            {
                unsolved++;
                continue;
            }
            gaps.Add(solved.Cost / exact.Cost - 1);
            proven.Add(solved.Gap);
            if (isLimited && DualSolver.Solve(problem.Candidates.WithoutMemory()).Cost < exact.Cost * (1 - 1e-6)) cramped++;
            if (solved.Bound > exact.Cost * (1 + 1e-9) || !Exact.Keeps(problem.Candidates, solved.Choice)) broken++;
        }
        output.WriteLine(Text($"{sites} random sites of 10 to {devicesMax} devices and 1 to {edgesMax} edge servers{(isLimited ? ", which cannot hold all tails they offer" : "")}, fmnist and scenes in turn; milp solved {gaps.Count}, gave up {unsolved}{(isLimited ? string.Create(CultureInfo.InvariantCulture, $"; {cramped} would be cheaper with memory for all") : "")}"));
        output.WriteLine(Text($"dual above the best plan: mean {gaps.Average() * 100:F4} %, worst {gaps.Max() * 100:F4} %; above its own bound: mean {proven.Average() * 100:F4} %, worst {proven.Max() * 100:F4} %; bounds above the best plan, or plans beyond a limit: {broken}"));
        output.WriteLine(Text($"processor time a site: dual {dualTime.TotalMilliseconds / sites:F1} ms, milp {exactTime.TotalMilliseconds / sites:F1} ms"));
        // Sites that crowd nothing judge nothing.
        var isWithin = unsolved == 0 && broken == 0 && (!isLimited || cramped > 0) && gaps.Average() <= MeanMax && gaps.Max() <= WorstMax;
        output.WriteLine(Text($"bars: mean {MeanMax * 100} %, worst {WorstMax * 100} %, no bound above the best plan: {(isWithin ? "within" : "NOT within")}"));
        return isWithin ? 0 : 1;
    }

    private static FleetSnapshot Site(SeededRandom random, IReadOnlyList<HardwareProfile> boards, IReadOnlyList<HardwareProfile> servers, Planned model, int devicesMax, int edgesMax)
    {
        var crowding = 0.5 + 4 * random.NextDouble();
        // Whoever runs nothing yet begins alone, and nobody would crowd a server.
        var runs = model.Table.Get(head: 1, OptionTable.DefaultThreshold, route: null).Assign(edge: null, new ControllerOptions(), "runs since long");
        return new FleetSnapshot("judge",
            [.. Enumerable.Range(0, 10 + random.Next(devicesMax - 9)).Select(i => Device($"device-{i:D3}", boards[random.Next(boards.Count)], crowding, runs, random))],
            [.. Enumerable.Range(0, 1 + random.Next(edgesMax)).Select(i => Edge($"edge-{i}", servers[random.Next(servers.Count)], model.Model, random))]);
    }

    /// <summary>Memory for the smallest tail at least, and seldom for two large ones.</summary>
    private static FleetSnapshot Limited(FleetSnapshot fleet, PlannedModel model, SeededRandom random)
    {
        var sizes = model.Files.Card.Tails.Concat(model.Files.Card.Bottlenecks.Select(bottleneck => bottleneck.Tail)).Select(tail => tail.FileBytes).ToList();
        Bytes Memory() => new(Math.Round(sizes.Min() + 2 * (sizes.Max() - sizes.Min()) * random.NextDouble() * random.NextDouble()));
        return fleet with { Edges = [.. fleet.Edges.Select(edge => edge with { Info = new Info { Board = "b", Stack = "s", Profile = edge.Profile!.Id, AgentVersion = "1", Os = "judge", Emulated = true, TailMemory = Memory() } })] };
    }

    private static DeviceView Device(string id, HardwareProfile profile, double crowding, Assignment runs, SeededRandom random) => new()
    {
        Id = id,
        IsOnline = true,
        Profile = profile,
        Reported = runs,
        Budget = new Budget
        {
            Sequence = 1,
            SentAt = new Seconds(1),
            ReportPeriod = new Seconds(5),
            RequestRate = new Hertz(crowding * (0.2 + 10 * random.NextDouble() * random.NextDouble())),
            RoundTrip = new Seconds(0.001 + 0.03 * random.NextDouble()),
            EnergyBudget = random.Next(4) == 0 ? new Watts(0.5 * random.NextDouble()) : null,
        },
    };

    /// <summary>Its tails are measured to be slower than its profile claims, so that few devices fill it.</summary>
    private static EdgeView Edge(string id, HardwareProfile profile, PlannedModel model, SeededRandom random)
    {
        var card = model.Files.Card;
        var slowness = 1 + 9 * random.NextDouble();
        return new EdgeView
        {
            Id = id,
            IsOnline = true,
            Profile = profile,
            Load = new EdgeLoad
            {
                Sequence = 1,
                SentAt = new Seconds(1),
                Window = new Seconds(5),
                Workers = 1 + random.Next(4),
                QueueMean = new Seconds(0.01 * random.NextDouble()),
                TailSeconds = new PerExit(card.Tails.Select(tail => slowness * profile.NominalTime(tail).Value)),
                BottleneckSeconds = new PerExit(card.Bottlenecks.Select(bottleneck => slowness * profile.NominalTime(bottleneck.Tail).Value)),
            },
            Reported = new TailAssignment { Version = 1, Epoch = 1, Model = card.Name, CardSha256 = model.Files.CardSha256, Tails = "0,1,2", Bottlenecks = string.Join(',', card.Bottlenecks.Select(bottleneck => bottleneck.Name)) },
        };
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
