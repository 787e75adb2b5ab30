using BenchmarkDotNet.Attributes;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Emulator.Simulation;

namespace Fleet.Benchmarks;

/// <summary>One plan of `greedy` for a site with two edge servers.</summary>
public class PlanGreedy
{
    private static readonly string[] Boards = ["pi-zero-2w", "pi-4b", "pi-5", "orange-pi-5"];

    private IPlanner planner = null!;
    private FleetSnapshot fleet = null!;
    private PlannerState last = PlannerState.Empty;

    [Params(100, 1000)]
    public int Devices { get; set; }

    [GlobalSetup]
    public void Make()
    {
        var stock = new Stock();
        var planned = Planned.Of(stock, "fmnist");
        var random = new SeededRandom(1, "bench");
        planner = Planners.Create(Greedy.PolicyName, planned.Table, new CostModel(new Weights()));
        fleet = new FleetSnapshot("bench",
            [.. Enumerable.Range(0, Devices).Select(i => Device($"device-{i:D4}", stock.Profiles[Boards[i % Boards.Length]], random))],
            [.. Enumerable.Range(0, 2).Select(i => Edge($"edge-{i}", stock.Profiles["n5105-mini-pc"], planned.Model))]);
        last = planner.Plan(fleet, PlannerState.Empty, random).State;
    }

    [Benchmark]
    public Plan First() => planner.Plan(fleet, PlannerState.Empty, new SeededRandom(1, "bench")).Plan;

    /// <summary>With a plan in force, whose choices are kept unless others are clearly better.</summary>
    [Benchmark]
    public Plan Again() => planner.Plan(fleet, last, new SeededRandom(1, "bench")).Plan;

    private static DeviceView Device(string id, HardwareProfile profile, SeededRandom random) => new()
    {
        Id = id,
        IsOnline = true,
        Profile = profile,
        Budget = new Budget
        {
            Sequence = 1,
            SentAt = new Seconds(1),
            ReportPeriod = new Seconds(5),
            RequestRate = new Hertz(1 + 9 * random.NextDouble()),
            RoundTrip = new Seconds(0.001 + 0.02 * random.NextDouble()),
            EnergyBudget = new Watts(0.05 + 0.5 * random.NextDouble()),
        },
    };

    private static EdgeView Edge(string id, HardwareProfile profile, PlannedModel model) => new()
    {
        Id = id,
        IsOnline = true,
        Profile = profile,
        Load = new EdgeLoad { Sequence = 1, SentAt = new Seconds(1), Window = new Seconds(5), Workers = 2 },
        Reported = new TailAssignment { Version = 1, Epoch = 1, Model = model.Files.Card.Name, CardSha256 = model.Files.CardSha256, Tails = "0,1,2" },
    };
}
