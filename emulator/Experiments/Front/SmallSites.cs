using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Pareto;
using Fleet.Controller.Planning;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Experiments.Front;

/// <summary>Random sites so small that every plan can be looked at: three or four boards of any type, one or two edge servers that have too little time for all.</summary>
public static class SmallSites
{
    private const string Model = "fmnist";

    /// <param name="plans">About so many of each site are left, at most.</param>
    public static IReadOnlyList<SiteWays> Of(Stock stock, long seed, int count, int plans)
    {
        var planned = Planned.Of(stock, Model);
        string[] boards = [.. stock.Profiles.Values.Where(profile => profile.Role == "device").Select(profile => profile.Id).Order(StringComparer.Ordinal)];
        return [.. Enumerable.Range(0, count).Select(site =>
        {
            var random = new SeededRandom(seed, $"small-site/{site}");
            var devices = 3 + site % 2;
            return SiteWays.Of(Snapshot(stock, planned, random, boards, devices, 1 + site / 2 % 2), planned.Table, new CostModel(new Weights()), (int)Math.Pow(plans, 1.0 / devices));
        })];
    }

    private static FleetSnapshot Snapshot(Stock stock, Planned planned, SeededRandom random, string[] boards, int devices, int edges) => new(
        "small", [.. Enumerable.Range(0, devices).Select(i => Device(stock, random, boards[random.Next(boards.Length)], i))], [.. Enumerable.Range(0, edges).Select(i => Edge(stock, planned, random, i))]);

    private static DeviceView Device(Stock stock, SeededRandom random, string board, int number) => new()
    {
        Id = $"cam-{number}",
        IsOnline = true,
        Profile = stock.Profiles[board],
        Budget = new Budget { Sequence = 0, SentAt = Seconds.Zero, ReportPeriod = new Seconds(5), RequestRate = new Hertz(0.5 + 20 * random.NextDouble()), RoundTrip = new Seconds(0.001 + 0.02 * random.NextDouble()) },
    };

    private static EdgeView Edge(Stock stock, Planned planned, SeededRandom random, int number) => new()
    {
        Id = $"edge-{number}",
        IsOnline = true,
        Profile = stock.Profiles["n5105-mini-pc"],
        Reported = new TailAssignment { Version = 1, Epoch = 1, Model = Model, CardSha256 = planned.Model.Files.CardSha256, Tails = "0,1,2", Bottlenecks = string.Join(',', planned.Table.Bottlenecks) },
        Load = new EdgeLoad { Sequence = 0, SentAt = Seconds.Zero, Window = new Seconds(5), Workers = 1, TailSeconds = new PerExit([.. Enumerable.Range(0, 3).Select(_ => 0.005 + 0.04 * random.NextDouble())]) },
    };
}
