using CsCheck;
using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Batteries that leak and are charged by the sun, and devices that live on them.</summary>
public sealed class PowerTests
{
    [TestCase(1000, 0.1, 1e-5)]
    [TestCase(1000, 0.01, 1e-4)]
    [TestCase(50, 0.001, 1e-5)]
    public void Battery_LeakAndConstantLoad_LastsAsItsClosedFormSays(double capacity, double idle, double leak)
    {
        var (clock, books) = (new SimClock(), new EnergyBooks());
        var battery = new Battery(clock, Charge.Ideal(new Joules(capacity)) with { Leak = new Hertz(leak) }, new Watts(idle), books);
        var emptied = double.NaN;
        battery.Emptied += () => emptied = clock.Since(0).Value;
        clock.Start(async () =>
        {
            while (!battery.IsEmpty)
            {
                await clock.Delay(battery.NextLook!.Value);
                battery.Settle();
            }
        });
        clock.Run(TimeSpan.FromDays(30));
        // dS/dt = -P - l S gives ln(1 + l S0 / P) / l; a look at least every minute is how exactly the moment is found.
        Assert.That(emptied, Is.EqualTo(Math.Log(1 + leak * capacity / idle) / leak).Within(60 * leak * capacity / idle + 0.1));
        Assert.That(books.Leaked.Value, Is.Positive);
        Assert.That(books.Unexplained(battery.Stored).Value, Is.EqualTo(0).Within(1e-9 * capacity));
    }

    [Test]
    public void Battery_AnySunAndDraws_BooksCloseAndChargeStaysInBounds() => Gen.Select(Gen.Double[10, 5000], Gen.Double[0, 0.2], Gen.Double[0, 1e-5], Gen.Select(Gen.Double[0, 20_000], Gen.Double[0, 200]).Array[0, 30], Gen.Int[1, 365]).Sample(
        (capacity, idle, leak, draws, day) =>
        {
            var (clock, books) = (new SimClock(), new EnergyBooks());
            var sky = new Sky(new SkySpec { Latitude = new Degrees(40), DayOfYear = day }, new SeededRandom(day, "sky"));
            var panel = new Panel(World.Stock.Power.Panel("seeed-0w5")!, 1, sky);
            var battery = new Battery(clock, new Charge(new Joules(capacity), new Joules(capacity / 2), new Hertz(leak), new Joules(capacity / 5)), new Watts(idle), books, panel);
            clock.Start(async () =>
            {
                foreach (var (wait, joules) in draws)
                {
                    await clock.Delay(new Seconds(wait));
                    if (battery.IsEmpty && battery.IsCharged) battery.Boot(Watts.Zero);
                    battery.Draw(EnergyUse.Compute, new Joules(joules));
                    Assert.That(battery.Stored.Value, Is.InRange(0, capacity * (1 + 1e-12)));
                }
            });
            clock.Run(TimeSpan.FromDays(7));
            battery.Settle();
            Assert.That(books.Unexplained(battery.Stored).Value, Is.EqualTo(0).Within(1e-7 * (1 + books.Harvested.Value)));
            Assert.That(books.Harvested.Value, Is.EqualTo(Enumerable.Range(0, 7 * 1440).Sum(step => panel.Power(step).Value * 60)).Within(1e-6).Percent);
        },
        iter: 60, threads: 1);

    [Test]
    public void Battery_Emptied_GivesNothingUntilItIsRestarted()
    {
        var (clock, books) = (new SimClock(), new EnergyBooks());
        var sky = new Sky(new SkySpec { Latitude = new Degrees(0), DayOfYear = 81, CloudyRatio = 1 }, new SeededRandom(1, "sky"));
        var battery = new Battery(clock, new Charge(new Joules(100), new Joules(1), Hertz.Zero, new Joules(50)), new Watts(0.01), books, new Panel(World.Stock.Power.Panel("seeed-0w5")!, 1, sky));
        battery.Draw(EnergyUse.Compute, new Joules(2));
        Assert.That(battery.IsEmpty);
        clock.Run(TimeSpan.FromSeconds(60));
        battery.Settle();
        Assert.That(battery.Stored.Value, Is.InRange(20, 40), "half a watt for a minute");
        Assert.That(battery.IsCharged, Is.False);
        battery.Draw(EnergyUse.Compute, new Joules(2));
        Assert.That(books.Used.Value, Is.EqualTo(1), "it is off, whatever it holds");
        clock.Run(TimeSpan.FromSeconds(150));
        battery.Settle();
        Assert.That(battery.IsCharged);
        battery.Boot(Watts.Zero);
        battery.Draw(EnergyUse.Compute, new Joules(2));
        Assert.That(books.Used.Value, Is.EqualTo(3).Within(1e-12));
    }

    /// <summary>0.15 W are above the small panel's mean: they fall in the first night and come back in the morning.</summary>
    [Test]
    public void Devices_OnSunAndSmallCells_FallAtNightAndComeBackByDay()
    {
        var scenario = Solar(days: 3);
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        var result = run.Result();
        Assert.That(result.Figures.Lost, Is.Zero);
        Assert.That(result.DevicesDied, Is.EqualTo(4));
        Assert.That(result.PowerLosses, Is.InRange(8, 24));
        Assert.That(result.Reboots, Is.InRange(result.PowerLosses - 4, result.PowerLosses));
        Assert.That(result.Reboots, Is.GreaterThanOrEqualTo(8));
        Assert.That(result.LifetimeFirst!.Value.Value, Is.InRange(3600, 86_400));
        Assert.That(result.Energy["boot"], Is.EqualTo(result.Reboots * (0.281 - 0.15) * 2).Within(2).Percent);
        var (initial, harvested, stored) = (result.Energy["initial"], result.Energy["harvested"], result.Energy["stored"]);
        var gone = ((string[])["idle", "compute", "transmit", "receive", "boot", "leaked", "spilled"]).Sum(use => result.Energy[use]);
        Assert.That(initial + harvested, Is.EqualTo(gone + stored).Within(1e-5 * harvested));
        var bins = run.Worlds[0].Ledger.Bins;
        Assert.That(bins.Count(bin => bin.Started == 0), Is.InRange(5, 40), "dark nights among the sixtieths of three days");
    }

    [Test]
    public void Devices_OnSun_SameSeedSameHashWhateverTheEncoding()
    {
        var scenario = Solar(days: 2);
        var hash = ScenarioRun.Execute(scenario, 1, World.Stock).Result().TraceHash;
        Assert.That(ScenarioRun.Execute(scenario, 1, World.Stock, throughWire: true).Result().TraceHash, Is.EqualTo(hash));
        Assert.That(ScenarioRun.Execute(scenario, 2, World.Stock).Result().TraceHash, Is.Not.EqualTo(hash));
    }

    [Test]
    public void Run_UntilHalfHaveDied_EndsAtTheMedianLifetime()
    {
        var group = new DeviceGroup { Board = "stm32h747i-disco", Count = 3, Rate = new Hertz(1), Battery = new Joules(13) };
        var scenario = new Scenario
        {
            Name = "until",
            Duration = new Seconds(3600),
            UntilDead = 0.5,
            Sites = [new SiteSpec { Name = "lab", Edges = [], Devices = [group, group with { Battery = new Joules(26) }] }],
        };
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        var result = run.Result();
        Assert.That(result.DevicesDied, Is.EqualTo(3));
        Assert.That(result.LifetimeMedian!.Value.Value, Is.InRange(90, 102.1), "13 J of 0.13 W are gone after 100 s, and up to 2 s pass before they start");
        Assert.That(result.Ended.Value, Is.EqualTo(result.LifetimeMedian.Value.Value).Within(1e-3));
        Assert.That(result.LifetimeAsked, Is.EqualTo(result.LifetimeMedian));
        Assert.That(result.LifetimeFirst!.Value.Value, Is.LessThan(result.Ended.Value));
    }

    [Test]
    public void Sum_OfSitesThatEndAtDifferentTimes_KeepsTheBatteriesOfThoseThatEndedFirst([Values] bool isLongestFirst)
    {
        var group = new DeviceGroup { Board = "stm32h747i-disco", Count = 2, Rate = new Hertz(1), Battery = new Joules(26) };
        SiteSpec[] sites = [new() { Name = "long", Edges = [], Devices = [group] }, new() { Name = "short", Edges = [], Devices = [group with { Battery = new Joules(13) }] }];
        var run = ScenarioRun.Execute(new Scenario { Name = "until", Duration = new Seconds(600), UntilDead = 1, Sites = isLongestFirst ? sites : [.. sites.Reverse()] }, 1, World.Stock);
        var bins = run.Sum().Bins;
        Assert.That(bins.Select(bin => bin.Batteries!.Devices), Has.All.EqualTo(4));
        Assert.That(bins.Select(bin => bin.Batteries!.Empty), Is.Ordered, "the dead stay dead");
        Assert.That(bins[^1].Batteries!.Empty, Is.EqualTo(4));
    }

    [Test]
    public void Parts_AllOfThem_NameTheirSources()
    {
        foreach (var cell in World.Stock.Power.Cells)
            Assert.That(new[] { cell.Capacity.Source, cell.Nominal.Source, cell.Cutoff.Source, cell.Usable.Source, cell.SelfDischarge.Source, cell.CurrentMax.Source, cell.Internal.Source }, Has.All.Length.GreaterThan(3), cell.Id);
        foreach (var panel in World.Stock.Power.Panels)
            Assert.That(new[] { panel.Area.Source, panel.Efficiency.Source, panel.ChargerRatio.Source }, Has.All.Length.GreaterThan(3), panel.Id);
        Assert.That(World.Stock.Power.Cell("li-ion-18650")!.UsableEnergy.Value, Is.EqualTo(3.0 * 3600 * 3.6 * 0.88).Within(1e-9));
    }

    [Test]
    public void Power_ManyMistakes_AreToldAtOnce()
    {
        var power = new PowerSpec { Cell = "potato", Cells = 0, Charged = 2, Panel = "window", Panels = 0, Restart = 0, Boot = Seconds.Zero, Idle = new Watts(-1) };
        var faults = new DeviceGroup { Board = "stm32h747i-disco", Count = 1, Battery = new Joules(5), Power = power }.Faults(Solar(1).Sites[0] with { Sky = null }, Solar(1), World.Stock).ToList();
        foreach (var key in (string[])["battery_j and power", "power.cell ", "power.cells", "power.charged_ratio", "power.restart_ratio", "power.boot_s", "power.idle_w", "power.panels", "power.panel is \"window\"", "needs the site's sky"])
            Assert.That(faults, Has.One.Contains(key));
        Assert.That(faults, Has.Count.EqualTo(10));
    }

    /// <summary>281 mW are 94 mA of a coin cell that gives 3; of 35 cells each gives 2.7 mA.</summary>
    [Test]
    public void Power_CellTooWeakForTheBoard_IsNamed()
    {
        DeviceGroup Group(string cell, int cells) => new() { Board = "stm32h747i-disco", Count = 1, Power = new PowerSpec { Cell = cell, Cells = cells } };
        Assert.That(Group("cr2032", 1).Faults(Solar(1).Sites[0], Solar(1), World.Stock).Single(), Does.Contain("which gives at most 0.003 A"));
        Assert.That(Group("cr2032", 35).Faults(Solar(1).Sites[0], Solar(1), World.Stock), Is.Empty);
        Assert.That((Group("cr2032", 35) with { Power = new PowerSpec { Cell = "cr2032", Cells = 35, Panel = "seeed-0w5" } }).Faults(Solar(1).Sites[0], Solar(1), World.Stock).Single(), Does.Contain("cannot be charged"));
    }

    private static Scenario Solar(int days) => new()
    {
        Name = "solar",
        Duration = ClearSky.Day * days,
        Control = new ControlSpec { Report = new Seconds(300) },
        Sites =
        [
            new SiteSpec
            {
                Name = "meadow",
                Sky = new SkySpec { Latitude = new Degrees(48), DayOfYear = 288 },
                Edges = [new EdgeSpec { Id = "barn", Profile = "orange-pi-5" }],
                Devices = [new DeviceGroup { Board = "stm32h747i-disco", Count = 4, Rate = new Hertz(0.05), Power = new PowerSpec { Cell = "lipo-1000", Charged = 0.1, Panel = "seeed-0w5", Restart = 0.05, Boot = new Seconds(2), Idle = new Watts(0.15) } }],
            },
        ],
    };
}
