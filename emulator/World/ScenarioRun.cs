using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>Runs every site of a scenario in virtual time, on as many threads as asked for, and adds them up in the order of the file.</summary>
public sealed class ScenarioRun
{
    private readonly Scenario scenario;
    private readonly long seed;
    private readonly SiteWorld[] worlds;

    private ScenarioRun(Scenario scenario, long seed, SiteWorld[] worlds) => (this.scenario, this.seed, this.worlds) = (scenario, seed, worlds);

    public IReadOnlyList<SiteWorld> Worlds => worlds;

    /// <param name="threads">Sites that run at once; changes nothing but the time it takes.</param>
    /// <param name="progress">Told the share of the work done, 0 to 1, from any thread.</param>
    public static ScenarioRun Execute(Scenario scenario, long seed, Stock stock, int threads = 1, bool throughWire = false, Action<double>? progress = null)
    {
        var planned = Planned.Of(stock, scenario.Model);
        var worlds = new SiteWorld[scenario.Sites.Count];
        var done = new double[worlds.Length];
        void RunSite(int i)
        {
            worlds[i] = new SiteWorld(scenario, scenario.Sites[i], seed, stock, planned, throughWire);
            worlds[i].Run(reached =>
            {
                done[i] = reached / scenario.Duration;
                progress?.Invoke(done.Sum() / done.Length);
            });
        }
        if (threads == 1) for (var i = 0; i < worlds.Length; i++) RunSite(i);
        else Parallel.For(0, worlds.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, RunSite);
        return new ScenarioRun(scenario, seed, worlds);
    }

    public RunResult Result()
    {
        var ledgers = worlds.Select(world => world.Ledger).ToList();
        return new RunResult
        {
            Scenario = scenario.Name,
            Seed = seed,
            Policy = scenario.Control.Policy,
            Duration = scenario.Duration,
            Figures = Figures(),
            CutOff = ledgers.Sum(ledger => ledger.CutOff),
            InFlight = worlds.Sum(world => (long)world.Devices.Sum(device => device.InFlight)),
            DevicesDied = ledgers.Sum(ledger => ledger.Lifetimes.Count),
            Ended = worlds.Max(world => world.Reached),
            PowerLosses = ledgers.Sum(ledger => ledger.PowerLosses),
            Reboots = ledgers.Sum(ledger => ledger.Reboots),
            LifetimeFirst = Lifetime(0),
            LifetimeMedian = Lifetime(0.5),
            LifetimeAsked = scenario.UntilDead is { } asked ? Lifetime(asked) : null,
            AccuracyBeforeFault = Accuracy((from, length) => scenario.FaultList.Count > 0 && from + length <= scenario.FaultList.Min(fault => fault.At)),
            AccuracySinceFault = Accuracy((from, _) => scenario.FaultList.Count > 0 && from >= scenario.FaultList.Min(fault => fault.At)),
            Energy = EnergyRows(ledgers),
            Messages = new Dictionary<string, long>
            {
                ["due"] = ledgers.Sum(ledger => ledger.Messages.DueTotal),
                ["duplicated"] = ledgers.Sum(ledger => ledger.Messages.DuplicatedTotal),
                ["delivered"] = ledgers.Sum(ledger => ledger.Messages.DeliveredTotal),
                ["dropped"] = ledgers.Sum(ledger => ledger.Messages.DroppedTotal),
                ["in_flight"] = worlds.Sum(world => world.MessagesInFlight),
            },
            Radio = RadioRows(),
            Events = worlds.Sum(world => world.Events),
            TraceHash = Hash(),
        };
    }

    /// <summary>Throws when a book does not close: a bug in the emulator, never a property of the scenario.</summary>
    public void CheckBooks()
    {
        foreach (var world in worlds)
        {
            var ledger = world.Ledger;
            var lost = ledger.Lost(world.Devices.Sum(device => device.InFlight));
            if (lost != 0) throw new InvalidOperationException($"inference book: {lost} of {ledger.Total.Started} unexplained");
            if (ledger.Messages.Unexplained(world.MessagesInFlight) is var missing and not 0) throw new InvalidOperationException($"message book: {missing} of {ledger.Messages.DueTotal} unexplained");
            var stored = new Joules(world.Devices.Sum(device => device.Stored.Value));
            var unexplained = ledger.Energy.Unexplained(stored);
            if (Math.Abs(unexplained.Value) > 1e-6 * (1 + ledger.Energy.Used.Value + ledger.Energy.Harvested.Value)) throw new InvalidOperationException($"energy book: {unexplained} unexplained");
        }
    }

    /// <summary>Time by which a share of all devices had died; null when fewer did. Of share 0: the first death.</summary>
    private Seconds? Lifetime(double ratio)
    {
        var lifetimes = worlds.SelectMany(world => world.Ledger.Lifetimes).Order().ToList();
        var needed = Math.Max(1, (int)Math.Ceiling(ratio * worlds.Sum(world => world.Devices.Count)));
        return lifetimes.Count >= needed ? Quantity.Rounded(lifetimes[needed - 1]) : null;
    }

    /// <summary>Of the stretches of the run that begin at such a time and are so long.</summary>
    private double? Accuracy(Func<Seconds, Seconds, bool> counts)
    {
        var bins = worlds.SelectMany(world => world.Ledger.Bins.Where((_, i) => counts(world.Ledger.BinLength * i, world.Ledger.BinLength))).ToList();
        double labelled = bins.Sum(bin => bin.Labelled);
        return labelled > 0 ? Quantity.Rounded(bins.Sum(bin => bin.Correct) / labelled) : null;
    }

    private FleetFigures Figures()
    {
        var ledgers = worlds.Select(world => world.Ledger).ToList();
        var totals = ledgers.Select(ledger => ledger.Total).ToList();
        var latency = new Histogram();
        foreach (var ledger in ledgers) latency.Add(ledger.Latency);
        double answered = totals.Sum(total => total.Answered);
        double? Ratio(double part, double whole) => whole > 0 ? Quantity.Rounded(part / whole) : null;
        var exits = Enumerable.Range(0, PerExit.Max).Select(exit => (double)totals.Sum(total => total.Exits[exit])).ToArray();
        var spent = ledgers.Sum(ledger => (ledger.Energy.Compute + ledger.Energy.Transmit + ledger.Energy.Receive).Value);
        return new FleetFigures
        {
            DevicesOnline = worlds.Sum(world => world.Online),
            EdgesOnline = worlds.Sum(world => world.EdgesOnline),
            DesiredEqualsReported = worlds.All(world => world.DesiredEqualsReported),
            Inferences = (long)answered,
            Lost = worlds.Sum(world => world.Ledger.Lost(world.Devices.Sum(device => device.InFlight))),
            Accuracy = Ratio(totals.Sum(total => total.Correct), totals.Sum(total => total.Labelled)),
            AccuracyExpected = worlds.All(world => world.ExpectedAccuracy is null) ? null : Ratio(worlds.Sum(world => (world.ExpectedAccuracy ?? 0) * world.Ledger.Total.Answered), answered),
            ExitRatios = new PerExit(exits.Take(Array.FindLastIndex(exits, exit => exit > 0) + 1).Select(exit => Ratio(exit, answered) ?? 0)),
            OffloadRatio = Ratio(totals.Sum(total => total.Edge), answered),
            FallbackRatio = Ratio(totals.Sum(total => total.Fallback), answered),
            DeadlineMissedRatio = Ratio(totals.Sum(total => total.DeadlineMissed), answered),
            LatencyP50 = latency.Percentile(0.5) is { } p50 ? Quantity.Rounded(p50) : null,
            LatencyP95 = latency.Percentile(0.95) is { } p95 ? Quantity.Rounded(p95) : null,
            EnergyPerInference = Ratio(spent, answered) is { } each ? new Joules(each) : null,
            Power = Quantity.Rounded(new Watts(worlds.Sum(world => world.Ledger.Energy.Used.Value / world.Reached.Value))),
            BytesPerInference = Ratio(worlds.Sum(world => world.Devices.Sum(device => device.BytesSent.Value)), answered) is { } bytes ? new Bytes(bytes) : null,
            Skipped = worlds.Sum(world => world.Devices.Sum(device => device.Skipped)),
            Malformed = worlds.Sum(world => world.Devices.Sum(device => device.Malformed)),
        };
    }

    private Dictionary<string, double> EnergyRows(IReadOnlyList<Ledger> ledgers)
    {
        double Sum(Func<EnergyBooks, Joules> of) => Quantity.Rounded(ledgers.Sum(ledger => of(ledger.Energy).Value));
        return new Dictionary<string, double>
        {
            ["initial"] = Sum(books => books.Initial),
            ["harvested"] = Sum(books => books.Harvested),
            ["idle"] = Sum(books => books.Idle),
            ["compute"] = Sum(books => books.Compute),
            ["transmit"] = Sum(books => books.Transmit),
            ["receive"] = Sum(books => books.Receive),
            ["boot"] = Sum(books => books.Boot),
            ["leaked"] = Sum(books => books.Leaked),
            ["spilled"] = Sum(books => books.Spilled),
            ["stored"] = Quantity.Rounded(worlds.Sum(world => world.Devices.Sum(device => device.Stored.Value))),
            ["edge_used"] = Quantity.Rounded(ledgers.Sum(ledger => ledger.EdgeEnergy.Used.Value)),
        };
    }

    /// <summary>What the cells and gateways of all sites saw; nothing when all links are simple.</summary>
    private Dictionary<string, long> RadioRows()
    {
        var rows = new Dictionary<string, long>();
        void Add(string key, long count) => rows[key] = rows.GetValueOrDefault(key) + count;
        foreach (var medium in worlds.SelectMany(world => world.Airspace.Media.Values))
        {
            Add("bursts_sent", medium.Sent);
            Add("bursts_collided", medium.Collided);
            Add("bursts_without_access", medium.Refused);
        }
        foreach (var gateway in worlds.SelectMany(world => world.Airspace.Gateways.Values))
        {
            Add("lora_frames_sent", gateway.FramesSent);
            Add("lora_frames_collided", gateway.FramesCollided);
            Add("lora_frames_unheard", gateway.FramesUnheard);
            Add("lora_messages_refused", gateway.MessagesRefused);
        }
        return rows;
    }

    private string Hash()
    {
        var hash = new EventHash();
        foreach (var world in worlds) hash.Add(world.Ledger.Hash.ToString());
        return hash.ToString();
    }
}
