using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Controller.Tails;
using Fleet.Emulator.Faults;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using Fleet.Emulator.Workload;
using Fleet.Models;

namespace Fleet.Emulator;

/// <summary>
/// One site in virtual time: its own clock, bus, controller, edge servers and devices. Sites share nothing that changes, so any
/// number of them may run side by side without changing a result.
/// </summary>
public sealed class SiteWorld
{
    /// <summary>Devices come up within this time, one after another.</summary>
    private static readonly Seconds RampUp = new(2);

    /// <summary>Stretches of equal length that the ledger divides a run into.</summary>
    public const int Bins = 60;

    /// <summary>Progress is told so often in each.</summary>
    private const int StepsOfABin = 4;

    private readonly Scenario scenario;
    private readonly SiteSpec site;
    private readonly long seed;
    private readonly Stock stock;
    private readonly SimClock clock = new();
    private readonly SimBus bus;
    private readonly List<EmulatedDevice> devices = [];
    private readonly Dictionary<string, Line> lines = [];
    private readonly Sky? sky;
    private readonly SiteServers servers;
    private readonly SiteControl control;
    private readonly SiteFaults faults;
    private readonly SiteSamples samples;
    private readonly ReplayImages seen;
    private readonly FaultSpec[] siteFaults;

    // Of each group of devices, by reference: as the scenario's stages have it.
    private readonly Dictionary<DeviceGroup, IReadOnlyList<(Seconds From, DeviceGroup Group)>> through = new(ReferenceEqualityComparer.Instance);
    private ControlSpec steering;

    public SiteWorld(Scenario scenario, SiteSpec site, long seed, Stock stock, Planned planned, bool throughWire = false)
    {
        (this.scenario, this.site, this.seed, this.stock, steering) = (scenario, site, seed, stock, scenario.Control);
        seen = stock.Replays(stock.Models[scenario.Model].Card, scenario.Drifts, scenario.Inference);
        siteFaults = [.. scenario.FaultList.Where(fault => site.IsMeantBy(fault.Site))];
        Ledger = new Ledger(clock, scenario.Duration / Bins, Bins);
        samples = new SiteSamples(Ledger, devices);
        Ledger.Died += () =>
        {
            if (scenario.UntilDead is { } ratio && Ledger.Lifetimes.Count >= ratio * devices.Count) clock.Stop();
        };
        Airspace = new Airspace(site.Name, seed, stock.Radios, clock);
        sky = site.Sky is { } spec ? new Sky(spec, new SeededRandom(seed, $"{site.Name}/sky")) : null;
        var disturbances = new Disturbances(clock, new SeededRandom(seed, $"{site.Name}/disturbances"));
        bus = new SimBus(clock, Ledger.Hash, Ledger.Messages, throughWire) { Disturbances = disturbances };
        servers = new SiteServers(site, bus, clock, (spec, connection) => new EmulatedEdge(site.Name, spec, stock, scenario.Inference, connection, clock, Ledger, seed, seen.Drifts));
        control = new SiteControl(site.Name, bus, clock, scenario.LetsDevicesDecide, (life, connection) => Controller(life, connection, planned));
        faults = new SiteFaults(site, seed, clock, Ledger, bus, disturbances, devices, lines, servers, control);
    }

    public string Name => site.Name;

    public Ledger Ledger { get; }

    /// <summary>What was used, sent and stored up to the end of each bin.</summary>
    public IReadOnlyList<SiteSample> Samples => samples.Taken;

    public SimBus Bus => bus;

    /// <summary>The site's cells and gateways.</summary>
    public Airspace Airspace { get; }

    public long Events => clock.Fired;

    /// <summary>Virtual time reached: the scenario's, or earlier when enough devices have died.</summary>
    public Seconds Reached => clock.Since(0);

    /// <summary>Messages that somebody holds: the bus or a radio.</summary>
    public long MessagesInFlight => bus.InFlight + servers.MessagesInFlight + devices.Sum(device => (long)device.MessagesInFlight);

    public IReadOnlyList<EmulatedDevice> Devices => devices;

    /// <inheritdoc cref="SiteFaults.Recoveries"/>
    public IReadOnlyList<Recovery> Recoveries => faults.Recoveries;

    public double? ExpectedAccuracy => control.ExpectedAccuracy;

    /// <summary>What sees, plans and has promised; the last one, when its process has died.</summary>
    public SiteController LastController => control.Last;

    public int Online => bus.RetainedOf<State>(TopicKind.State).Count(pair => pair.Value.Presence is Presence.Ready or Presence.Sleeping);

    public int EdgesOnline => bus.RetainedOf<State>(TopicKind.EdgeState).Count(pair => pair.Value.Presence is Presence.Ready);

    /// <summary>Whether every live device reports what it is desired to run.</summary>
    public bool DesiredEqualsReported
    {
        get
        {
            var (desired, reported) = (bus.RetainedOf<Assignment>(TopicKind.Desired), bus.RetainedOf<Assignment>(TopicKind.Reported));
            return bus.RetainedOf<State>(TopicKind.State).Where(pair => pair.Value.Presence is Presence.Ready or Presence.Sleeping)
                .All(pair => desired.TryGetValue(pair.Key, out var wanted) && reported.TryGetValue(pair.Key, out var has) && has.Error.Length == 0 && has.RunsAs(wanted));
        }
    }

    /// <summary>Runs the whole scenario on the calling thread.</summary>
    /// <param name="progress">Told the virtual time reached, a few hundred times.</param>
    public void Run(Action<Seconds>? progress = null)
    {
        var random = new SeededRandom(seed, $"{site.Name}/ramp");
        control.Start();
        foreach (var server in site.Servers) servers.Start(server);
        foreach (var ((group, id), place) in Names(site).Zip(Places(site))) StartDevice(group, id, RampUp * random.NextDouble(), place);
        foreach (var (together, id) in Members(site, stock.Groups)) StartDevice(together.Group.Member, id, RampUp * random.NextDouble(), together: together);
        foreach (var fault in siteFaults) clock.Start(() => faults.Suffer(fault));
        foreach (var stage in scenario.Stages.Where(stage => stage.Steers && stage.Concerns(site))) clock.Start(() => Steer(stage));
        const int Steps = Bins * StepsOfABin;
        for (var step = 1; step <= Steps; step++)
        {
            var until = scenario.Duration * (step / (double)Steps);
            clock.Run(until.Span);
            if (step % StepsOfABin == 0 && step < Steps && !clock.IsStopped) samples.Take();
            progress?.Invoke(until);
        }
        foreach (var device in devices) device.Battery.Settle();
        foreach (var edge in Ledger.Edges) edge.Settle();
        samples.Take();
    }

    private SiteController Controller(int life, IBus connection, Planned planned)
    {
        var costs = new CostModel(steering.Weights);
        var options = new ControllerOptions { Deadline = steering.Deadline, ReportPeriod = steering.Report, BudgetPeriod = steering.BudgetPeriod, PlanPeriod = steering.Plan, ChangesPerMinute = steering.ChangesPerMinute, Quality = steering.Quality, Energy = steering.Energy, Groups = [.. site.Groups.Select(group => group.In(stock.Groups))], Clouds = [.. site.Cloud.Select(cloud => cloud.Id)], CloudDistance = steering.CloudDistance, Placement = Placement(life), Alone = steering.Alone, Weights = steering.Weights };
        var random = new SeededRandom(seed, life == 1 ? $"{site.Name}/planner" : $"{site.Name}/planner/{life}");
        return new SiteController(site.Name, connection, clock, options, Policies.Create(steering.Policy, planned.Table, costs), planned.Table, planned.Model, stock.Profiles, random);
    }

    private PlacementOptions Placement(int life) => new()
    {
        Kind = steering.Placement,
        Period = steering.PlacementPeriod,
        SwapPrice = new Seconds(steering.SwapPrice),
        Seed = new SeededRandom(seed, $"{site.Name}/placement/{life}").Next(),
    };

    /// <summary>Every device of a site with its name: the boards of one type are numbered through all groups.</summary>
    public static IEnumerable<(DeviceGroup Group, string Id)> Names(SiteSpec site)
    {
        var numbers = new Dictionary<string, int>();
        foreach (var group in site.Devices)
            for (var i = 0; i < group.Count; i++)
                yield return (group, $"{group.Board}-{numbers[group.Board] = numbers.GetValueOrDefault(group.Board) + 1:D3}");
    }

    private static IEnumerable<Place> Places(SiteSpec site) =>
        site.Devices.SelectMany((group, number) => Enumerable.Range(0, group.Count).Select(index => new Place(number, index)));

    /// <summary>Every device of a site's groups with its name.</summary>
    public static IEnumerable<(GroupView Together, string Id)> Members(SiteSpec site, IReadOnlyDictionary<string, GroupFiles> groups) =>
        from spec in site.Groups
        where groups.ContainsKey(spec.Model)
        from view in Enumerable.Range(1, groups[spec.Model].Card.Views.Count)
        select (new GroupView(spec, view), spec.DeviceOf(view));

    /// <summary>Another controller takes over, as after an update of its configuration; if none runs now, the next one to start will know.</summary>
    private async Task Steer(StageSpec stage)
    {
        await clock.Delay(stage.At);
        steering = stage.Change(steering);
        if (!control.IsUp) return;
        control.Crash();
        control.Start();
    }

    private IReadOnlyList<(Seconds From, DeviceGroup Group)> Through(DeviceGroup group)
    {
        if (!through.TryGetValue(group, out var stages)) through[group] = stages = scenario.Through(site, group);
        return stages;
    }

    private void StartDevice(DeviceGroup group, string id, Seconds after, Place place = default, GroupView? together = null)
    {
        var spec = new DeviceSpec(site.Name, id, group, group.Outfit(stock.Profiles[group.Board], stock.Radios), seed)
        {
            Together = together,
            Stages = together is null ? Through(group) : [],
            Place = place,
            Seen = seen,
            Directory = scenario.Directory,
            Faults = siteFaults.Length == 0 ? [] : [.. siteFaults.Where(fault => fault.Strikes(id, group.Board, together?.Group.Name ?? group.Name))],
        };
        var line = lines[id] = new Line(bus, id, (new Topic(TopicKind.State, site.Name, id), State.Lost));
        var device = new EmulatedDevice(spec, stock, scenario.Inference, line, clock, Ledger, sky, Airspace);
        devices.Add(device);
        clock.Soon(() => _ = Live(device, after));
    }

    private async Unawaited Live(EmulatedDevice device, Seconds after)
    {
        await clock.Delay(after);
        await device.Run(CancellationToken.None);
    }
}

/// <summary>A model and its option table: counted once, shared by all sites.</summary>
public sealed record Planned(PlannedModel Model, OptionTable Table)
{
    /// <param name="exitRisk">See <see cref="ControlSpec.ExitRisk"/>.</param>
    public static Planned Of(Stock stock, string model, double? exitRisk = null)
    {
        var planned = stock.Planned(stock.Models[model]);
        return new Planned(planned, new OptionTable(planned, exitRisk));
    }
}
