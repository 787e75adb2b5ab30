using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>
/// Adds up sites, one after another in the order of the scenario's file, to a run's result. Sums are taken in that order and no other:
/// the same sites give the same bits, whoever ran them where.
/// </summary>
public sealed class RunSum(Scenario scenario, long seed)
{
    private readonly EventHash hash = new();
    private readonly List<BinSum> bins = [];

    // What the batteries of all sites so far held when each had ended.
    private readonly BinSum atTheirEnds = new();
    private readonly List<Seconds> lifetimes = [];
    private readonly List<Seconds> returns = [];
    private readonly SortedDictionary<string, long> radio = new(StringComparer.Ordinal);
    private readonly MessageTable messages = [];
    private EnergyFlows energy = new();
    private EdgeBin edges = new();
    private TailTraffic? tails;
    private Joules stored;
    private Bytes sent;
    private Watts power;
    private Seconds ended;
    private double expected;
    private long cutOff, inFlight, lost, skipped, malformed, messagesInFlight, events, devices;
    private int sites, struck, devicesOnline, edgesOnline, powerLosses, reboots;
    private bool isAgreed = true, isExpected;

    /// <summary>All sites' bins together.</summary>
    public IReadOnlyList<SiteBin> Bins => [.. bins.Select(bin => bin.Total())];

    public int Sites => sites;

    public Seconds BinLength { get; private set; }

    public void Add(SiteResult site)
    {
        sites++;
        hash.Add(site.Hash);
        BinLength = site.BinLength;
        Add(site.Bins);
        lifetimes.AddRange(site.Lifetimes);
        struck += site.Returns.Count;
        returns.AddRange(site.Returns.Select(device => device.BackAfter).OfType<Seconds>());
        foreach (var (key, count) in site.Radio) radio[key] = radio.GetValueOrDefault(key) + count;
        messages.Add(site.Messages);
        energy += site.Energy;
        foreach (var edge in site.Edges)
        {
            edges = edges.Plus(edge.Total);
            if (edge.Tails is { } moved) tails = (tails ?? new TailTraffic()).Plus(moved);
        }
        stored += site.Stored;
        sent += site.Sent;
        power += site.Energy.Used / site.Reached;
        ended = Seconds.Max(ended, site.Reached);
        expected += (site.AccuracyExpected ?? 0) * site.Bins.Sum(bin => bin.Answered);
        isExpected |= site.AccuracyExpected is not null;
        isAgreed &= site.DesiredEqualsReported;
        (cutOff, inFlight, lost, skipped, malformed) = (cutOff + site.CutOff, inFlight + site.InFlight, lost + site.Lost, skipped + site.Skipped, malformed + site.Malformed);
        (messagesInFlight, events, devices) = (messagesInFlight + site.MessagesInFlight, events + site.Events, devices + site.Devices);
        (devicesOnline, edgesOnline, powerLosses, reboots) = (devicesOnline + site.DevicesOnline, edgesOnline + site.EdgesOnline, powerLosses + site.PowerLosses, reboots + site.Reboots);
    }

    /// <summary>A site that ended before others keeps what its batteries held at its end.</summary>
    private void Add(IReadOnlyList<SiteBin> more)
    {
        var last = more.Count == 0 ? new SiteBin() : new SiteBin { Stored = more[^1].Stored, Batteries = more[^1].Batteries };
        for (var i = 0; i < Math.Max(bins.Count, more.Count); i++)
        {
            if (i == bins.Count)
            {
                bins.Add(new BinSum());
                bins[i].Add(atTheirEnds.Total());
            }
            bins[i].Add(i < more.Count ? more[i] : last);
        }
        atTheirEnds.Add(last);
    }

    public RunResult Result()
    {
        var begun = scenario.FaultList.Count > 0 ? scenario.FaultList.Min(fault => fault.At) : (Seconds?)null;
        var all = Bins;
        var total = SiteBin.Sum(all);
        lifetimes.Sort();
        returns.Sort();
        return new RunResult
        {
            Scenario = scenario.Name,
            Seed = seed,
            Policy = scenario.Control.Policy,
            Duration = scenario.Duration,
            Sites = sites,
            Devices = devices,
            Figures = Figures(total),
            CutOff = cutOff,
            InFlight = inFlight,
            DevicesDied = lifetimes.Count,
            Ended = ended,
            PowerLosses = powerLosses,
            Reboots = reboots,
            LifetimeFirst = Lifetime(0),
            LifetimeMedian = Lifetime(0.5),
            LifetimeAsked = scenario.UntilDead is { } asked ? Lifetime(asked) : null,
            AccuracyBeforeFault = Accuracy(all, from => begun is { } at && from + BinLength <= at),
            AccuracySinceFault = Accuracy(all, from => begun is { } at && from >= at),
            DevicesStruck = struck,
            DevicesBack = returns.Count,
            BackMedian = returns.Count > 0 ? Quantity.Rounded(returns[(returns.Count - 1) / 2]) : null,
            BackMax = returns.Count > 0 ? Quantity.Rounded(returns[^1]) : null,
            LatencyP99 = Rounded(total.Latency.Percentile(0.99)),
            Energy = EnergyRows(),
            EdgeServed = edges.Served,
            EdgeBatchMean = Ratio(edges.Served, edges.Batches),
            EdgeWaitMean = Ratio(edges.Waited.Value, edges.Served) is { } wait ? new Seconds(wait) : null,
            Tails = tails is null ? null : tails with { Loading = Quantity.Rounded(tails.Loading) },
            Messages = MessageRows(),
            MessagesByKind = messages.Copy(),
            Radio = radio,
            Events = events,
            TraceHash = hash.ToString(),
        };
    }

    private FleetFigures Figures(SiteBin total)
    {
        double answered = total.Answered;
        return new FleetFigures
        {
            DevicesOnline = devicesOnline,
            EdgesOnline = edgesOnline,
            DesiredEqualsReported = isAgreed,
            Inferences = total.Answered,
            Lost = lost,
            Accuracy = Ratio(total.Correct, total.Labelled),
            AccuracyExpected = isExpected ? Ratio(expected, answered) : null,
            ExitRatios = new PerExit(total.Exits.Select(exit => Ratio(exit, answered) ?? 0)),
            OffloadRatio = Ratio(total.Offloaded, answered),
            FallbackRatio = Ratio(total.Fallback, answered),
            DeadlineMissedRatio = Ratio(total.DeadlineMissed, answered),
            LatencyP50 = Rounded(total.Latency.Percentile(0.5)),
            LatencyP95 = Rounded(total.Latency.Percentile(0.95)),
            EnergyPerInference = Ratio(energy.Spent.Value, answered) is { } each ? new Joules(each) : null,
            Power = Quantity.Rounded(power),
            BytesPerInference = Ratio(sent.Value, answered) is { } bytes ? new Bytes(bytes) : null,
            Skipped = skipped,
            Malformed = malformed,
        };
    }

    private Dictionary<string, double> EnergyRows()
    {
        (string Name, Joules Energy)[] rows =
        [
            ("initial", energy.Initial), ("harvested", energy.Harvested), ("idle", energy.Idle), ("compute", energy.Compute), ("transmit", energy.Transmit), ("receive", energy.Receive),
            ("boot", energy.Boot), ("sleep", energy.Sleep), ("wake", energy.Wake), ("leaked", energy.Leaked), ("spilled", energy.Spilled), ("stored", stored), ("edge_used", edges.Energy),
        ];
        return rows.ToDictionary(row => row.Name, row => Quantity.Rounded(row.Energy.Value));
    }

    private Dictionary<string, long> MessageRows()
    {
        var all = messages.Total;
        return new Dictionary<string, long> { ["due"] = all.Due, ["duplicated"] = all.Duplicated, ["delivered"] = all.Delivered, ["dropped"] = all.Dropped, ["superseded"] = all.Superseded, ["in_flight"] = messagesInFlight };
    }

    /// <summary>Time by which a share of all devices had died; null when fewer did. Of share 0: the first death.</summary>
    private Seconds? Lifetime(double ratio)
    {
        var needed = Math.Max(1, (int)Math.Ceiling(ratio * devices));
        return lifetimes.Count >= needed ? Quantity.Rounded(lifetimes[needed - 1]) : null;
    }

    /// <summary>Of the stretches of the run that begin at such times.</summary>
    private double? Accuracy(IReadOnlyList<SiteBin> of, Func<Seconds, bool> counts)
    {
        var chosen = of.Where((_, i) => counts(BinLength * i)).ToList();
        return Ratio(chosen.Sum(bin => bin.Correct), chosen.Sum(bin => bin.Labelled));
    }

    private static double? Ratio(double part, double whole) => whole > 0 ? Quantity.Rounded(part / whole) : null;

    private static Seconds? Rounded(Seconds? time) => time is { } value ? Quantity.Rounded(value) : null;
}
