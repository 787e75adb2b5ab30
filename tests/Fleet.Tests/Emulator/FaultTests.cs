using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Scenarios;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Each kind of fault on a small site: nothing is lost, the books close, and everybody is back in service soon after.</summary>
public sealed class FaultTests
{
    private static readonly Seconds ReportPeriod = new(5);
    private static readonly Dictionary<FaultKind, ScenarioRun> Runs = [];

    private static readonly FaultSpec[] Each =
    [
        Fault(FaultKind.EdgeCrash) with { Target = "edge-1" },
        Fault(FaultKind.LinkLoss),
        Fault(FaultKind.ReconnectStorm),
        Fault(FaultKind.BrokerRestart) with { Retained = RetainedMemory.Lost },
        Fault(FaultKind.ControllerRestart),
        Fault(FaultKind.Partition) with { From = "edge-1", Target = "cameras" },
        Fault(FaultKind.ClockDrift) with { DriftPpm = 20_000, Offset = new Seconds(-30) },
        Fault(FaultKind.BrownOut) with { Target = "cameras", Boot = new Seconds(2) },
        Fault(FaultKind.SlowConsumer) with { Target = "edge-1", Rate = new Hertz(2), QueueMax = 5 },
        Fault(FaultKind.Duplicate) with { Ratio = 0.3 },
        Fault(FaultKind.Reorder) with { Ratio = 0.3, Delay = new Seconds(2) },
    ];

    [TestCaseSource(nameof(Each))]
    public void Fault_OfEachKind_LosesNothingAndDevicesAreSoonBack(FaultSpec fault)
    {
        var run = Run(fault);
        run.CheckBooks();
        var result = run.Result();
        Assert.That(result.Figures.Lost, Is.Zero);
        Assert.That(result.Figures.DevicesOnline, Is.EqualTo(6));
        Assert.That(result.Figures.DesiredEqualsReported, Is.True);
        var recoveries = run.Worlds[0].Recoveries;
        Assert.That(recoveries, Has.Count.EqualTo(fault.Target == "cameras" ? 4 : 6));
        Assert.That(recoveries.Select(recovery => recovery.After?.Value), Is.All.LessThanOrEqualTo(2 * ReportPeriod.Value), "two report periods");
    }

    [TestCaseSource(nameof(Each))]
    public void Fault_OfEachKind_SameHashThroughTheWire(FaultSpec fault) =>
        Assert.That(ScenarioRun.Execute(Site(fault), 1, World.Stock, throughWire: true).Result().TraceHash, Is.EqualTo(Run(fault).Result().TraceHash));

    [Test]
    public void Duplicate_SomeMessages_AreCountedInTheBooks()
    {
        var messages = Run(Of(FaultKind.Duplicate)).Result().Messages;
        Assert.That(messages["duplicated"], Is.InRange(0.01 * messages["due"], 0.3 * messages["due"]));
    }

    [Test]
    public void Partition_DevicesOfOneGroup_AnswerAloneWhileItLasts()
    {
        var bins = Run(Of(FaultKind.Partition)).Worlds[0].Ledger.Bins;
        var others = 2.0 / 6;
        long Edge(int from, int to) => bins.Skip(from).Take(to - from).Sum(bin => bin.Edge);
        Assert.That(Edge(24, 34), Is.LessThan(2 * others * Edge(9, 19)), "only the boards beside the cameras are served");
        Assert.That(Edge(45, 55), Is.GreaterThan(0.6 * Edge(9, 19)), "and then all again");
        Assert.That(Run(Of(FaultKind.Partition)).Result().Messages["dropped"], Is.GreaterThan(0));
    }

    [Test]
    public void BrownOut_Cameras_AreCutOffAndBootAgain()
    {
        var result = Run(Of(FaultKind.BrownOut)).Result();
        Assert.That((result.PowerLosses, result.Reboots, result.DevicesDied), Is.EqualTo((4, 4, 0)));
        Assert.That(result.Energy["boot"], Is.GreaterThan(0));
        var bins = Run(Of(FaultKind.BrownOut)).Worlds[0].Ledger.Bins;
        Assert.That(bins.Skip(22).Take(10).Sum(bin => bin.Started), Is.EqualTo(bins.Skip(8).Take(10).Sum(bin => bin.Started) / 3.0).Within(20), "a third of the devices goes on");
    }

    [Test]
    public void BrownOut_OfADeviceThatCrashesMeanwhile_DoesNotBootItAgain()
    {
        var camera = "stm32h747i-disco-001";
        var scenario = Site(Fault(FaultKind.BrownOut) with { Boot = new Seconds(2) }) with { Duration = new Seconds(50) };
        scenario = scenario with { FaultList = [scenario.FaultList[0], new FaultSpec { Kind = FaultKind.DeviceCrash, Site = "lab", Target = camera, At = new Seconds(25), For = new Seconds(25) }] };
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        Assert.That(run.Worlds[0].Devices.Where(device => device.Account.Energy.Boot == Joules.Zero).Select(device => device.Id), Is.EqualTo(new[] { camera }));
    }

    [Test]
    public void BrownOut_InTheMiddleOfBooting_BootsAnewAsTheSecondSays()
    {
        var first = Fault(FaultKind.BrownOut) with { Target = "cameras", Boot = new Seconds(10) };
        var scenario = Site(first) with { FaultList = [first, first with { At = first.End + new Seconds(5), For = new Seconds(5), Boot = new Seconds(3) }] };
        var power = World.Stock.Profiles["stm32h747i-disco"].Power;
        foreach (var device in ScenarioRun.Execute(scenario, 1, World.Stock).Worlds[0].Devices.Take(4))
            Assert.That(device.Account.Energy.Boot.Value, Is.EqualTo((power.Active.Value - power.Idle.Value).Value * 8).Within(1e-9), "five seconds of the first and all three of the second");
    }

    [Test]
    public void DeviceCrash_ACamera_DrawsNothingFromThenOn()
    {
        var camera = "stm32h747i-disco-001";
        var scenario = Site(Fault(FaultKind.DeviceCrash) with { Target = camera, At = new Seconds(20), For = new Seconds(40) }) with { Duration = new Seconds(60) };
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        var idle = World.Stock.Profiles["stm32h747i-disco"].Power.Idle.Value;
        Assert.That(run.Worlds[0].Devices.Take(2).Select(device => (device.Id, device.Account.Energy.Idle / idle)), Is.EqualTo(new[] { (camera, new Seconds(20)), ("stm32h747i-disco-002", new Seconds(60)) }).Using<(string Id, Seconds Time)>((a, b) => a.Id == b.Id && Math.Abs((a.Time - b.Time).Value) < 1e-6));
    }

    [Test]
    public void SlowConsumer_EdgeServer_QueueIsBoundedAndTheRestDropped()
    {
        var result = Run(Of(FaultKind.SlowConsumer)).Result();
        Assert.That(result.Messages["dropped"], Is.GreaterThan(5));
        Assert.That(result.Figures.FallbackRatio, Is.GreaterThan(0.02));
    }

    [Test]
    public void BrokerRestart_RetainedLost_EverythingIsSaidAgain()
    {
        var kinds = Run(Of(FaultKind.BrokerRestart)).Worlds[0].Bus.Retained.Select(kept => kept.Topic.Kind).Distinct();
        Assert.That(kinds, Is.SupersetOf(TopicRule.All.Where(rule => rule.Retained).Select(rule => rule.Kind).Except([TopicKind.Command, TopicKind.GatewayState, TopicKind.Prediction, TopicKind.Objective, TopicKind.ControllerState])));
    }

    [Test]
    public void ClockDrift_FastClock_TakesMoreInputsOfAPeriodicCamera()
    {
        var straight = Run(Of(FaultKind.ControllerRestart)).Worlds[0].Ledger.Bins;
        var drifted = Run(Of(FaultKind.ClockDrift)).Worlds[0].Ledger.Bins;
        long Started(IReadOnlyList<LedgerBin> bins) => bins.Skip(20).Take(15).Sum(bin => bin.Started);
        Assert.That(Started(drifted), Is.EqualTo(1.02 * Started(straight)).Within(4));
    }

    [TestCase(FaultKind.Partition, null, null, "from is")]
    [TestCase(FaultKind.ClockDrift, null, null, "drift_ppm and .offset_s are missing")]
    [TestCase(FaultKind.SlowConsumer, "cameras", null, "target is \"cameras\"; allowed: edge-1, controller")]
    [TestCase(FaultKind.BrokerRestart, "edge-1", null, "strikes the whole site")]
    [TestCase(FaultKind.BrownOut, "abacus", null, "target is \"abacus\"")]
    [TestCase(FaultKind.LinkLoss, null, 0.5, "ratio is given; it belongs to duplicate, reorder")]
    [TestCase(FaultKind.Duplicate, null, 1.5, "ratio is 1.5")]
    public void Fault_WithAMistake_IsNamed(FaultKind kind, string? target, double? ratio, string expected) =>
        Assert.That(Site(Fault(kind) with { Target = target, Ratio = ratio }).Faults(World.Stock).Single(), Does.Contain(expected));

    [Test]
    public void Fault_TwoOfOneKindOnOneDevice_IsNamed()
    {
        var twice = Site(Fault(FaultKind.BrownOut) with { Target = "cameras" }) with { FaultList = [Fault(FaultKind.BrownOut) with { Target = "cameras" }, Fault(FaultKind.BrownOut) with { Target = "stm32h747i-disco-001" }] };
        Assert.That(twice.Faults(World.Stock).Single(), Does.Contain("strikes the same target"));
    }

    [Test]
    public void FaultAndStage_OfARepeatedSite_StrikeEachCopyAndThoseOfACopyItAlone()
    {
        var scenario = Copies(Fault(FaultKind.LinkLoss), Fault(FaultKind.BrownOut) with { Site = "lab-0002", Boot = new Seconds(2) }) with { Stages = [new StageSpec { At = new Seconds(40), Site = "lab-0002", Rate = new Hertz(20) }] };
        Assert.That(scenario.Faults(World.Stock).Concat(scenario.Expanded().Faults(World.Stock)), Is.Empty);
        var run = ScenarioRun.Execute(scenario.Expanded(), 1, World.Stock);
        Assert.That(run.Worlds.Select(world => world.Ledger.PowerLosses), Is.EqualTo(new[] { 0, 6 }));
        Assert.That(run.Worlds.Select(world => world.Recoveries.Count), Is.EqualTo(new[] { 6, 12 }), "once for each fault");
        var started = run.Worlds.Select(world => world.Ledger.Bins.Skip(41).Sum(bin => bin.Started)).ToList();
        Assert.That(started[1], Is.GreaterThan(3 * started[0]));
    }

    [TestCase("lab", "lab-0002", true)]
    [TestCase("lab-0002", "lab", true)]
    [TestCase("lab-0002", "lab-0002", true)]
    [TestCase("lab-0001", "lab-0002", false)]
    public void Fault_TwiceOnACopyOfARepeatedSite_IsNamed(string first, string second, bool isTwice)
    {
        var scenario = Copies(Fault(FaultKind.LinkLoss) with { Site = first }, Fault(FaultKind.LinkLoss) with { Site = second });
        Assert.That(scenario.Faults(World.Stock).Count(fault => fault.Contains("strikes the same target", StringComparison.Ordinal)), Is.EqualTo(isTwice ? 1 : 0));
    }

    [Test]
    public void Fault_OfASiteBeyondTheLastCopy_IsNamed() =>
        Assert.That(Copies(Fault(FaultKind.LinkLoss) with { Site = "lab-0003" }).Faults(World.Stock).Single(), Does.Contain("site is \"lab-0003\"; allowed: lab"));

    [Test]
    public void Server_CalledController_IsNamed()
    {
        var site = Site(Of(FaultKind.LinkLoss));
        site = site with { Sites = [site.Sites[0] with { Edges = [site.Sites[0].Edges[0] with { Id = "controller" }] }] };
        Assert.That(site.Faults(World.Stock), Has.One.Contains("cannot be called \"controller\""));
    }

    /// <summary>The scenario that ships, as it ships.</summary>
    [Test]
    public void AllFaults_AtOnce_NothingIsLostAndEveryDeviceIsBackWithinTwoReportPeriods()
    {
        var scenario = World.Read("all-faults");
        Assert.That(scenario.FaultList.Select(fault => fault.Kind), Is.EquivalentTo(Enum.GetValues<FaultKind>()), "every kind");
        foreach (var seed in (long[])[1, 2, 3])
        {
            var run = ScenarioRun.Execute(scenario, seed, World.Stock);
            run.CheckBooks();
            var result = run.Result();
            Assert.That(result.Figures.Lost, Is.Zero);
            Assert.That(result.Messages["duplicated"], Is.GreaterThan(0));
            Assert.That((result.DevicesBack, result.Figures.DevicesOnline), Is.EqualTo((result.DevicesStruck, 45)), "all but the one that crashed");
            Assert.That(run.Worlds[0].Recoveries.Select(recovery => recovery.Device).Distinct().Count(), Is.EqualTo(45));
            Assert.That(result.BackMax!.Value.Value, Is.GreaterThan(0).And.LessThanOrEqualTo(2 * scenario.Control.Report.Value));
            Assert.That((Served(run, "edge-2", 0, 24), Served(run, "edge-1", 24, 34)), Is.EqualTo((true, true)), "a fault of a server that nobody asks is none");
        }
    }

    /// <summary>Whether an edge server of the first site answered more than a few inputs in these stretches.</summary>
    private static bool Served(ScenarioRun run, string edge, int from, int to) =>
        run.Sites[0].Edges.Single(known => known.Id == edge).Bins.Skip(from).Take(to - from).Sum(bin => bin.Served) > 100;

    /// <summary>The same site twice.</summary>
    private static Scenario Copies(params FaultSpec[] faults)
    {
        var scenario = Site(faults[0]);
        return scenario with { Sites = [scenario.Sites[0] with { Repeat = 2 }], FaultList = faults };
    }

    private static FaultSpec Of(FaultKind kind) => Each.Single(fault => fault.Kind == kind);

    private static FaultSpec Fault(FaultKind kind) => new() { Kind = kind, Site = "lab", At = new Seconds(20), For = new Seconds(15) };

    private static ScenarioRun Run(FaultSpec fault)
    {
        if (!Runs.TryGetValue(fault.Kind, out var run)) Runs[fault.Kind] = run = ScenarioRun.Execute(Site(fault), 1, World.Stock);
        return run;
    }

    /// <summary>Four cameras that send every input, and two boards beside them.</summary>
    private static Scenario Site(FaultSpec fault) => new()
    {
        Name = "faulty",
        Duration = new Seconds(60),
        Control = new ControlSpec { Policy = "offload-all", Report = ReportPeriod },
        Sites =
        [
            new SiteSpec
            {
                Name = "lab",
                Devices =
                [
                    new DeviceGroup { Board = "stm32h747i-disco", Name = "cameras", Count = 4, Rate = new Hertz(4), Arrivals = Arrivals.Periodic },
                    new DeviceGroup { Board = "pi-4b", Count = 2, Rate = new Hertz(4), Arrivals = Arrivals.Periodic },
                ],
                Edges = [new EdgeSpec { Id = "edge-1", Profile = "n5105-mini-pc" }],
            },
        ],
        FaultList = [fault],
    };
}
