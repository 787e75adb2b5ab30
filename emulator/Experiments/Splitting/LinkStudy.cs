using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Experiments.Splitting;

/// <summary>A model on a board whose link to an edge server is as wide as asked.</summary>
public sealed record LinkCase(string Model, string Board)
{
    public string Name => $"{Model} on {Board}";
}

/// <summary>What one way gave over one link, measured in virtual time.</summary>
/// <param name="BytesPerSecond">Of the link.</param>
/// <param name="Latency">Mean, in seconds, and <paramref name="Energy"/> of computing and radio in joules, an inference; null where the way does not fit the board.</param>
/// <param name="Sent">Bytes on the air an inference: payload, frame, packets, reports.</param>
public sealed record LinkOutcome(LinkCase Case, SplitWay Way, double BytesPerSecond, double? Latency, double? Energy, double? Sent);

/// <summary>
/// Every way over every link: one site a link rate, a few devices in each, an edge server that has nothing else to do, so that
/// what is seen is the way's own latency. The production agents, edge servers and controller run in virtual time.
/// </summary>
public static class LinkStudy
{
    /// <summary>From a slow cellular uplink to Wi-Fi next to the access point.</summary>
    public static readonly double[] Rates = [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6];

    /// <summary>For plots.</summary>
    public static Plots.Scale Axis => Plots.Scale.Logarithmic("link, kB/s", Rates.Select(rate => rate / 1e3), Plots.Scale.Number) with { At = [.. Rates.Select(rate => rate / 1e3)] };

    public const string Edge = "n5105-mini-pc";
    private const int Devices = 3;

    /// <summary>Stretches at the start in which devices fetch what they run.</summary>
    private const int Warming = 6;

    private static readonly Seconds Length = new(6000);
    private static readonly Hertz Rate = new(0.05);

    /// <summary>What a slow link needs for a large input.</summary>
    private static readonly Seconds Patience = new(120);

    public static IReadOnlyList<LinkOutcome> Of(Stock stock, LinkCase at, IReadOnlyList<SplitWay> ways, long seed, Action<double> progress) => [.. ways.SelectMany((way, i) =>
    {
        var goodput = stock.Profiles[at.Board].Radio.Goodput.Value.Value;
        var rates = Rates.Where(rate => rate <= goodput).ToList();
        var run = ScenarioRun.Execute(Scenario(at, way, rates, goodput), seed, stock);
        run.CheckBooks();
        progress((i + 1.0) / ways.Count);
        return run.Sites.Zip(rates, (site, rate) => Outcome(at, way, rate, site));
    })];

    private static LinkOutcome Outcome(LinkCase at, SplitWay way, double rate, SiteResult site)
    {
        var bins = site.Bins.Skip(Warming).ToList();
        double answered = bins.Sum(bin => bin.Answered);
        if (answered == 0) return new LinkOutcome(at, way, rate, null, null, null);
        return new LinkOutcome(at, way, rate, bins.Sum(bin => bin.LatencySum.Value) / answered, bins.Sum(bin => bin.Energy.Spent.Value) / answered, bins.Sum(bin => bin.Sent.Value) / answered);
    }

    private static Scenario Scenario(LinkCase at, SplitWay way, IReadOnlyList<double> rates, double goodput) => new()
    {
        Name = "link-study",
        Duration = Length,
        Model = at.Model,
        Sites = [.. rates.Select(rate => new SiteSpec
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"at-{rate:0}"),
            Devices = [new DeviceGroup { Board = at.Board, Count = Devices, Rate = Rate, Arrivals = Arrivals.Periodic, Link = new LinkModel { Rate = rate / goodput, Loss = 0 } }],
            Edges = [new EdgeSpec { Id = "edge-1", Profile = Edge }],
        })],
        Control = new ControlSpec { Policy = way.Policy, Deadline = Patience, Report = new Seconds(300) },
    };
}
