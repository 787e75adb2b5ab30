using CsCheck;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Tests.Emulator;

namespace Fleet.Tests.Controller;

/// <summary>Snapshots made by hand or at random, on the model and the profiles that ship.</summary>
internal static class FleetBuilder
{
    private static readonly Lazy<Planned> Lazy = new(() => Planned.Of(World.Stock, "fmnist"));

    public static readonly string[] Boards = [.. World.Stock.Profiles.Values.Where(profile => profile.Role == "device").Select(profile => profile.Id)];

    public static readonly string[] EdgeProfiles = [.. World.Stock.Profiles.Values.Where(profile => profile.Role == "edge").Select(profile => profile.Id)];

    public static PlannedModel Model => Lazy.Value.Model;

    public static OptionTable Table => Lazy.Value.Table;

    public static CostModel Costs { get; } = new(new Weights());

    public static IPlanner Planner(string name) => Planners.Create(name, Table, Costs);

    public static Info Info(string profile) => new() { Board = "b", Stack = "s", Profile = profile, AgentVersion = "1", Os = "test", Emulated = true };

    public static DeviceView Device(string id, string board, double? rate = 1, bool isOnline = true, double? roundTrip = null, double? budgetWatts = null, double? memory = null) => new()
    {
        Id = id,
        IsOnline = isOnline,
        Profile = World.Stock.Profiles.GetValueOrDefault(board),
        Info = Info(board) with { Memory = new Bytes(memory ?? 0) },
        Reported = Table.Get(head: 1, OptionTable.DefaultThreshold, route: null).Assign(edge: null, new ControllerOptions(), "runs since long"),
        Budget = rate is null ? null : new Budget
        {
            Sequence = 0,
            SentAt = Seconds.Zero,
            ReportPeriod = new Seconds(5),
            RequestRate = new Hertz(rate.Value),
            RoundTrip = roundTrip is { } time ? new Seconds(time) : null,
            EnergyBudget = budgetWatts is { } watts ? new Watts(watts) : null,
        },
    };

    public static EdgeView Edge(string id, string profile = "n5105-mini-pc", bool isOnline = true, bool hasTails = true, int workers = 1) => new()
    {
        Id = id,
        IsOnline = isOnline,
        Profile = World.Stock.Profiles.GetValueOrDefault(profile),
        Info = Info(profile),
        Reported = hasTails ? new TailAssignment { Version = 1, Epoch = 1, Model = "fmnist", CardSha256 = Model.Files.CardSha256, Tails = "0,1,2" } : null,
        Load = new EdgeLoad { Sequence = 0, SentAt = Seconds.Zero, Window = new Seconds(5), Workers = workers },
    };

    public static FleetSnapshot Fleet(IEnumerable<DeviceView> devices, params EdgeView[] edges) => new("lab", [.. devices], edges);

    /// <summary>A site whose edge servers are asked for more than they have.</summary>
    public static FleetSnapshot Crowded(Random random, int devices, int edges) => Fleet(
        Enumerable.Range(0, devices).Select(i => Device(
            $"cam-{i:D3}", Boards[random.Next(Boards.Length)], rate: 0.2 + 20 * random.NextDouble() * random.NextDouble(), roundTrip: 0.001 + 0.03 * random.NextDouble(), budgetWatts: random.Next(4) == 0 ? 0.5 * random.NextDouble() : null)),
        [.. Enumerable.Range(0, edges).Select(i => Slow(Edge($"edge-{i}", EdgeProfiles[random.Next(EdgeProfiles.Length)]), random))]);

    private static EdgeView Slow(EdgeView edge, Random random) => edge with { Load = edge.Load! with { TailSeconds = new PerExit([.. Enumerable.Range(0, 3).Select(_ => 0.002 + 0.03 * random.NextDouble())]) } };

    /// <summary>All ways to finish, on edge servers whose memory is for some of them only.</summary>
    public static FleetSnapshot WithMemory(FleetSnapshot fleet, Random random)
    {
        var card = Model.Files.Card;
        var sizes = card.Tails.Concat(card.Bottlenecks.Select(bottleneck => bottleneck.Tail)).Select(tail => tail.FileBytes).ToList();
        return fleet with
        {
            Edges = [.. fleet.Edges.Select(edge => edge with
            {
                Reported = edge.Reported! with { Bottlenecks = string.Join(',', card.Bottlenecks.Select(bottleneck => bottleneck.Name)) },
                Info = edge.Info! with { TailMemory = new Bytes(Math.Round(0.5 * sizes.Min() + random.NextDouble() * sizes.Sum())) },
            })],
        };
    }

    public static readonly Gen<FleetSnapshot> Any =
        from devices in Gen.Select(Gen.Int[0, Boards.Length - 1], Gen.Double[0, 20], Gen.Int[0, 9], Gen.Double[0, 0.2], Gen.Double[0, 0.5]).Array[0, 12]
        from edges in Gen.Select(Gen.Int[0, EdgeProfiles.Length - 1], Gen.Int[0, 9], Gen.Int[1, 4]).Array[0, 3]
        select Fleet(
            devices.Select((device, i) => Device(
                $"cam-{i:D2}", device.Item3 == 9 ? "unheard-of" : Boards[device.Item1], device.Item3 == 0 ? null : device.Item2, isOnline: device.Item3 != 1,
                roundTrip: device.Item3 % 2 == 0 ? device.Item4 : null, budgetWatts: device.Item3 % 3 == 0 ? device.Item5 : null, memory: device.Item3 == 5 ? 200_000 : null)),
            [.. edges.Select((edge, i) => Edge($"edge-{i}", edge.Item2 == 9 ? "unheard-of" : EdgeProfiles[edge.Item1], isOnline: edge.Item2 != 0, hasTails: edge.Item2 != 1, workers: edge.Item3))]);
}
