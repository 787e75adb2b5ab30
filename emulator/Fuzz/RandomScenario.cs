using Fleet.Contracts;
using Fleet.Controller.Planning;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Fuzz;

/// <summary>
/// A small random scenario from a seed: few sites, few devices, any links, radios, batteries, workloads, faults and stages. Whatever it draws is
/// lawful; a test holds that.
/// </summary>
public sealed class RandomScenario
{
    private static readonly string[] Boards = ["pi-zero-2w", "pi-4b", "pi-5", "stm32h747i-disco"];
    private static readonly string[] Profiles = ["n5105-mini-pc", "orange-pi-5", "jetson-nano"];
    private static readonly string[] ImageDrifts = ["noise-1", "noise-2", "blur-1", "blur-2", "rotation-1", "contrast-2"];

    private readonly SeededRandom random;
    private readonly Stock stock;
    private readonly Seconds duration;

    private RandomScenario(long seed, Stock stock)
    {
        (random, this.stock) = (new SeededRandom(seed, "fuzz"), stock);
        duration = new Seconds(random.Next(10, 41));
    }

    public static Scenario Of(long seed, Stock stock) => new RandomScenario(seed, stock).Make(seed);

    private Scenario Make(long seed)
    {
        var sites = Some(1, 2, i => Site($"site-{i + 1}"));
        var dead = Chance(0.1) ? Between(0.2, 1) : (double?)null;
        var scenario = new Scenario
        {
            Name = $"fuzz-{seed}",
            Description = $"made by fleet fuzz from seed {seed}",
            Duration = duration,
            Sites = sites,
            Control = new ControlSpec
            {
                Policy = Any(Planners.Names.ToArray()),
                Deadline = new Seconds(Any(0.05, 0.2, 0.5, 2)),
                Report = new Seconds(Any(1, 2, 5)),
                JouleWeight = Any(0, 0.1, 1, 10),
                ErrorWeight = Any(0, 0.1, 1),
            },
        };
        scenario = scenario with { Stages = Some(0, 2, _ => Stage(scenario)) };
        // Drawn one by one, and left out when it could not be told apart from an earlier one of its kind.
        foreach (var fault in Some(0, 6, _ => Fault(Any(sites.ToArray()))))
        {
            var more = scenario with { FaultList = [.. scenario.FaultList, fault] };
            if (!more.Faults(stock).Any()) scenario = more;
        }
        if (Chance(0.3)) scenario = scenario with { Control = scenario.Control with { BudgetPeriod = scenario.Control.Report * Any(1, 2, 6) } };
        return scenario.MayDie ? scenario with { UntilDead = dead } : scenario;
    }

    private SiteSpec Site(string name) => new()
    {
        Name = name,
        Sky = new SkySpec { Latitude = new Degrees(Between(-60, 60)), DayOfYear = random.Next(1, 366), Start = new Seconds(Between(0, 86_399)) },
        Devices = Some(1, 3, i => Group($"group-{i + 1}")),
        Edges = Some(0, 2, i => Server($"edge-{i + 1}")),
        Cloud = Some(0, 1, _ => Server("cloud") with { RoundTrip = new Seconds(Between(0.02, 0.2)), Jitter = new Seconds(Between(0, 0.02)) }),
    };

    private EdgeSpec Server(string id) => new() { Id = id, Profile = Any(Profiles), Workers = random.Next(1, 4), QueueMax = Any(1, 4, 256) };

    private DeviceGroup Group(string name)
    {
        var count = random.Next(1, 5);
        var group = new DeviceGroup
        {
            Board = Any(Boards),
            Name = name,
            Count = count,
            Rate = new Hertz(Any(0.2, 1, 4, 20)),
            Link = new LinkModel { RoundTrip = new Seconds(Between(0, 0.3)), Jitter = new Seconds(Between(0, 0.05)), Loss = Any(0, 0.01, 0.3), Rate = Between(0.01, 1) },
            Radio = Chance(0.3) ? Radio() : null,
            Drift = Some(0, 2, _ => Drift()),
        };
        group = group with { Arrivals = Arrivals(count, out var bursty, out var diurnal, out var happening), Bursty = bursty, Diurnal = diurnal, Event = happening };
        return Powered(group);
    }

    private Arrivals Arrivals(int count, out BurstySpec? bursty, out DiurnalSpec? diurnal, out EventSpec? happening)
    {
        var kind = Any(Scenarios.Arrivals.Poisson, Scenarios.Arrivals.Periodic, Scenarios.Arrivals.Bursty, Scenarios.Arrivals.Diurnal, Scenarios.Arrivals.Event);
        bursty = kind is Scenarios.Arrivals.Bursty ? new BurstySpec { Ratio = Between(1, 50), CalmMean = new Seconds(Between(1, 10)), BurstMean = new Seconds(Between(0.1, 3)) } : null;
        diurnal = kind is Scenarios.Arrivals.Diurnal ? new DiurnalSpec { Depth = Between(0, 1), Day = duration, Peak = duration * random.NextDouble() } : null;
        happening = kind is Scenarios.Arrivals.Event ? new EventSpec { Reach = random.Next(0, (count - 1) / 2 + 1), Within = new Seconds(Between(0, 2)) } : null;
        return kind;
    }

    /// <summary>On the mains, on a few joules, or on cells and perhaps the sun; what its board could not be fed by is left to the mains.</summary>
    private DeviceGroup Powered(DeviceGroup group)
    {
        if (Chance(0.25)) return group with { Battery = new Joules(Between(1, 200)), Lifetime = Chance(0.5) ? duration * Between(0.5, 5) : null };
        if (!Chance(0.25)) return group;
        var power = new PowerSpec
        {
            Cell = Any(stock.Power.Cells.Select(cell => cell.Id).ToArray()),
            Cells = random.Next(1, 5),
            Charged = Any(0.0001, 0.001, 0.5),
            Panel = Chance(0.6) ? Any(stock.Power.Panels.Select(panel => panel.Id).ToArray()) : null,
            Panels = random.Next(1, 5),
            Restart = Between(0.0001, 0.001),
            Boot = new Seconds(Between(0.5, 5)),
        };
        var site = new SiteSpec { Name = "any", Devices = [], Edges = [], Sky = new SkySpec { Latitude = new Degrees(0), DayOfYear = 1 } };
        return power.Faults(site, stock.Power, stock.Profiles[group.Board]).Any() ? group : group with { Power = power };
    }

    private RadioSpec Radio()
    {
        var part = Any(stock.Radios.Radios.ToArray());
        return new RadioSpec
        {
            Part = part.Id,
            // Radios of two kinds do not share a cell.
            Cell = $"cell-{part.Kind}".ToLowerInvariant(),
            Loss = new LossSpec { Bad = Between(0, 0.9), BadMean = new Seconds(Between(0.1, 5)) },
            Lora = part.Kind is RadioKind.Lorawan ? new LoraSpec { DistanceMin = 100, DistanceMax = 3000, Oversize = Any(Oversize.Split, Oversize.Refuse) } : null,
        };
    }

    private DriftSpec Drift() => new()
    {
        Kind = Chance(0.3) ? $"label-{random.Next(10)}-{random.Next(1, 100)}" : Any(ImageDrifts),
        At = duration * random.NextDouble(),
        Ramp = Chance(0.5) ? Seconds.Zero : duration * random.NextDouble(),
        For = Chance(0.5) ? null : duration * Between(0.1, 1),
    };

    private StageSpec Stage(Scenario scenario)
    {
        var stage = new StageSpec { At = duration * Between(0.05, 0.95) };
        return random.Next(4) switch
        {
            0 => stage with { Rate = new Hertz(Between(0.1, 20)) },
            1 => stage with { Policy = Any(Planners.Names.ToArray()) },
            2 => stage with { Arrivals = Scenarios.Arrivals.Poisson, Site = Any(scenario.Sites.ToArray()).Name },
            _ => stage with { Drift = [Drift()] },
        };
    }

    private FaultSpec Fault(SiteSpec site)
    {
        var kind = Any(Enum.GetValues<FaultKind>());
        var at = duration * Between(0, 0.9);
        var servers = site.Servers.Select(server => server.Id).Append(FaultSpec.Controller).ToArray();
        var fault = new FaultSpec { Kind = kind, Site = site.Name, At = at, For = kind is FaultKind.DeviceCrash ? duration : duration * Between(0.01, 0.5) };
        if (fault.IsOfDevices && Chance(0.7)) fault = fault with { Target = Target(site) };
        return kind switch
        {
            FaultKind.EdgeCrash => fault with { Target = servers[0] },
            FaultKind.DeviceCrash => fault with { Target = Any(SiteWorld.Names(site).Select(device => device.Id).ToArray()) },
            FaultKind.BrokerRestart => fault with { Retained = Any(RetainedMemory.Kept, RetainedMemory.Lost) },
            FaultKind.Partition => fault with { From = Any(servers) },
            FaultKind.ClockDrift => fault with { DriftPpm = Between(-50_000, 50_000), Offset = new Seconds(Between(-100, 100)) },
            FaultKind.BrownOut => fault with { Boot = new Seconds(Between(0.5, 5)) },
            FaultKind.SlowConsumer => fault with { Target = Any(servers), Rate = new Hertz(Between(0.5, 100)), QueueMax = random.Next(1, 50) },
            FaultKind.Duplicate => fault with { Ratio = Between(0.01, 1) },
            FaultKind.Reorder => fault with { Ratio = Between(0.01, 1), Delay = new Seconds(Between(0.01, 5)) },
            _ => fault,
        };
    }

    private string Target(SiteSpec site) => random.Next(3) switch
    {
        0 => Any(site.Devices.ToArray()).Board,
        1 => Any(site.Devices.ToArray()).Name,
        _ => Any(SiteWorld.Names(site).Select(device => device.Id).ToArray()),
    };

    private List<T> Some<T>(int least, int most, Func<int, T> make) => [.. Enumerable.Range(0, random.Next(least, most + 1)).Select(make)];

    private T Any<T>(params T[] choices) => choices[random.Next(choices.Length)];

    private bool Chance(double share) => random.NextDouble() < share;

    /// <summary>To three digits, so that a scenario that fails can be read.</summary>
    private double Between(double least, double most) => Math.Round(least + (most - least) * random.NextDouble(), 3);
}
