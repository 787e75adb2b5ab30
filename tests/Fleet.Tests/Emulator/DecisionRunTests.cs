using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Scenarios;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Sites whose devices decide for themselves, in virtual time.</summary>
public sealed class DecisionRunTests
{
    /// <summary>An error is worth so little where policies learn that going on costs most of it: else they would explore for the whole run.</summary>
    [TestCase("hierarchical", 1)]
    [TestCase("static-split+hi-lcb", 0.03)]
    [TestCase("static-split+hi-lcb-lite:audit_ratio=0.1", 0.03)]
    [TestCase("neurosurgeon+h2t2", 1)]
    public void Run_DevicesDecide_BooksCloseAndTheWireChangesNothing(string policy, double errorWeight)
    {
        var scenario = Site(policy, duration: 40);
        scenario = scenario with { Control = scenario.Control with { ErrorWeight = errorWeight } };
        Assert.That(scenario.Faults(World.Stock), Is.Empty);
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        var figures = run.Result().Figures;
        Assert.That((figures.Lost, figures.Malformed, figures.DesiredEqualsReported), Is.EqualTo((0L, 0L, true)));
        Assert.That(figures.OffloadRatio, Is.InRange(0.005, 0.995));
        Assert.That(ScenarioRun.Execute(scenario, 1, World.Stock, throughWire: true).Result().TraceHash, Is.EqualTo(run.Result().TraceHash));
        foreach (var (topic, message) in run.Worlds[0].Bus.Retained) Assert.That(ProtocolLint.Faults(topic.Path, Wire.Encode(message)), Is.Empty, topic.Path);
    }

    /// <summary>Device, edge server and cloud, each the production code: all three answer, once the edge server has more to do than it can finish.</summary>
    [Test]
    public void Run_ThreeTiers_EachAnswersSome()
    {
        var scenario = Site("static-split+hierarchical", duration: 12);
        scenario = scenario with { Sites = [scenario.Sites[0] with { Devices = [scenario.Sites[0].Devices[0] with { Count = 40, Rate = new Hertz(100) }], Cloud = [new EdgeSpec { Id = "cloud", Profile = "rtx-3060-ti", RoundTrip = new Seconds(0.01) }] }] };
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        var (edge, cloud) = (run.Sites[0].Edges.Single(server => server.Id == "edge-1").Total.Served, run.Sites[0].Edges.Single(server => server.Id == "cloud").Total.Served);
        Assert.That(run.Worlds[0].Ledger.Total.Exits.Sum(), Is.GreaterThan(0), "devices");
        Assert.That(cloud, Is.GreaterThan(20), "the cloud");
        Assert.That(edge - cloud, Is.GreaterThan(20), "the edge server by itself");
        Assert.That(run.Result().Figures.Lost, Is.Zero);
    }

    /// <summary>Noise sets in after the controller has died: who may decide alone learns that its exit is no longer to be trusted, within bounds; while the controller lives nothing differs.</summary>
    [Test]
    public void Run_ControllerDiesAndImagesChange_DevicesAloneLearnOn()
    {
        Scenario Dying(DecisionKind? alone) => Noisy(alone) with { FaultList = [new FaultSpec { Kind = FaultKind.ControllerRestart, Site = "lab", At = new Seconds(20), For = new Seconds(170) }] };
        var (left, learning) = (ScenarioRun.Execute(Dying(null), 1, World.Stock), ScenarioRun.Execute(Dying(DecisionKind.HiLcb), 1, World.Stock));
        learning.CheckBooks();
        double Late(ScenarioRun run, Func<LedgerBin, double> of) => run.Worlds[0].Ledger.Bins.Skip(36).Sum(of) / run.Worlds[0].Ledger.Bins.Skip(36).Sum(bin => bin.Answered);
        Assert.That(Late(learning, bin => bin.Correct), Is.GreaterThan(Late(left, bin => bin.Correct) + 0.01));
        Assert.That(Late(learning, bin => bin.Edge), Is.GreaterThan(Late(left, bin => bin.Edge)));
        var (told, plain) = (ScenarioRun.Execute(Noisy(DecisionKind.HiLcb), 1, World.Stock), ScenarioRun.Execute(Noisy(null), 1, World.Stock));
        Assert.That(Late(told, bin => bin.Edge), Is.EqualTo(Late(plain, bin => bin.Edge)).Within(0.01), "with a controller thresholds decide");
    }

    private static Scenario Noisy(DecisionKind? alone)
    {
        var site = Site("static-split:threshold_ratio=0.6", duration: 200);
        var devices = site.Sites[0].Devices.Select(group => group with { Drift = [new DriftSpec { Kind = "noise-2", At = new Seconds(40) }] });
        return site with { Sites = [site.Sites[0] with { Devices = [.. devices] }], Control = site.Control with { Alone = alone } };
    }

    private static Scenario Site(string policy, double duration) => new()
    {
        Name = "decisions",
        Duration = new Seconds(duration),
        Sites = [new SiteSpec { Name = "lab", Devices = [new DeviceGroup { Board = "pi-4b", Count = 6, Rate = new Hertz(4) }], Edges = [new EdgeSpec { Id = "edge-1", Profile = "orange-pi-5" }] }],
        Control = new ControlSpec { Policy = policy },
    };
}
