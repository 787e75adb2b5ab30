using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Scenarios;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Six devices and an edge server in virtual time, with the real networks; one device crashes half way.</summary>
public sealed class GroupScenarioTests
{
    private static readonly Seconds Length = new(60);
    private static readonly Lazy<ScenarioRun> Run = new(() => ScenarioRun.Execute(Short(), 1, World.Stock));

    [Test]
    public void Run_OneDeviceCrashes_InferenceGoesOnWithinTheDeadline()
    {
        Run.Value.CheckBooks();
        var result = Run.Value.Result();
        Assert.Multiple(() =>
        {
            Assert.That(result.Figures.Lost, Is.Zero);
            Assert.That(result.DevicesDied, Is.EqualTo(1));
            Assert.That(result.Figures.DevicesOnline, Is.EqualTo(5));
            Assert.That(result.Figures.DesiredEqualsReported, Is.True);
            Assert.That(result.Figures.DeadlineMissedRatio, Is.Zero);
            Assert.That(result.Figures.OffloadRatio, Is.GreaterThan(0.99));
            Assert.That(result.Figures.LatencyP95?.Value, Is.LessThan(Short().Control.Deadline.Value));
            Assert.That(result.AccuracyBeforeFault - result.AccuracySinceFault, Is.LessThan(0.1));
            Assert.That(result.AccuracySinceFault, Is.GreaterThan(0.7));
        });
        var bins = Run.Value.Worlds[0].Ledger.Bins;
        Assert.That(bins.Skip(5).Take(20).Select(bin => bin.Answered), Is.All.EqualTo(24), "six devices, four samples a second, a second a bin");
        Assert.That(bins.Skip(35).Take(20).Select(bin => bin.Answered), Is.All.EqualTo(20));
    }

    [Test]
    public void Run_SameSeed_SameHashWhateverTheEncoding()
    {
        var hash = Run.Value.Result().TraceHash;
        Assert.That(ScenarioRun.Execute(Short(), 1, World.Stock, throughWire: true).Result().TraceHash, Is.EqualTo(hash), "through the wire");
        Assert.That(ScenarioRun.Execute(Short(), 2, World.Stock).Result().TraceHash, Is.Not.EqualTo(hash), "another seed");
    }

    [Test]
    public void Run_Group_LeavesOnlyLawfulMessagesBehind()
    {
        var retained = Run.Value.Worlds[0].Bus.Retained.ToList();
        Assert.That(retained.Select(kept => kept.Message).OfType<Assignment>().Select(assignment => assignment.View).Distinct().Order(), Is.EqualTo([1, 2, 3, 4, 5, 6]));
        Assert.That(retained.Select(kept => kept.Message).OfType<TailAssignment>().Select(tails => tails.Gather?.Value), Is.All.EqualTo(0.1));
        foreach (var (topic, message) in retained) Assert.That(ProtocolLint.Faults(topic.Path, Wire.Encode(message)), Is.Empty, topic.Path);
    }

    [Test]
    public void Run_BesidePlannedDevices_LeavesThemAndTheirEdgeServerToThePlanner()
    {
        var site = Short().Sites[0];
        var mixed = Short() with
        {
            Duration = new Seconds(20),
            FaultList = [],
            Sites = [site with { Devices = [new DeviceGroup { Board = "pi-zero-2w", Count = 4 }], Edges = [.. site.Edges, site.Edges[0] with { Id = "edge-2" }] }],
        };
        Assert.That(mixed.Faults(World.Stock), Is.Empty);
        var run = ScenarioRun.Execute(mixed, 1, World.Stock);
        run.CheckBooks();
        var retained = run.Worlds[0].Bus.Retained.ToList();
        string ModelOf(TopicKind kind, string id) => retained.Single(kept => kept.Topic.Kind == kind && kept.Topic.Id == id).Message switch
        {
            Assignment assignment => assignment.Model,
            TailAssignment tails => tails.Model,
            _ => "",
        };
        Assert.That(Enumerable.Range(1, 6).Select(view => ModelOf(TopicKind.Reported, $"gate-{view}")), Is.All.EqualTo("ddnn"));
        Assert.That(Enumerable.Range(1, 4).Select(number => ModelOf(TopicKind.Reported, $"pi-zero-2w-{number:D3}")), Is.All.EqualTo("fmnist"));
        Assert.That((ModelOf(TopicKind.EdgeReported, "edge-1"), ModelOf(TopicKind.EdgeReported, "edge-2")), Is.EqualTo(("ddnn", "fmnist")));
    }

    [Test]
    public void Run_EdgeServerCrashes_EveryDeviceAnswersAloneAndThenTogetherAgain()
    {
        var scenario = Short() with { FaultList = [new FaultSpec { Kind = FaultKind.EdgeCrash, Site = "lab", Target = "edge-1", At = new Seconds(20), For = new Seconds(15) }] };
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        var bins = run.Worlds[0].Ledger.Bins;
        Assert.That(run.Result().Figures.Lost, Is.Zero);
        Assert.That(bins.Skip(25).Take(8).Sum(bin => bin.Edge), Is.Zero);
        Assert.That(bins.Skip(25).Take(8).Select(bin => bin.Fallback), Is.All.EqualTo(24));
        Assert.That(bins.Skip(50).Take(8).Select(bin => bin.Edge), Is.All.EqualTo(24));
    }

    [TestCase("\"edge\": \"nowhere\"", "edge is \"nowhere\"")]
    [TestCase("\"edge\": \"edge-1\", \"model\": \"fmnist\"", "model is \"fmnist\"; allowed: ddnn")]
    [TestCase("\"edge\": \"edge-1\", \"board\": \"abacus\"", "board is \"abacus\"")]
    [TestCase("\"edge\": \"edge-1\", \"gather_s\": 0", "gather_s is 0")]
    [TestCase("\"edge\": \"edge-1\", \"rate_hz\": 0", "rate_hz is 0")]
    public void Scenario_GroupWithAMistake_IsNamed(string keys, string expected)
    {
        var board = keys.Contains("board", StringComparison.Ordinal) ? "" : ", \"board\": \"pi-5\"";
        var text = $$"""
            { "name": "x", "duration_s": 60, "sites": [{ "name": "lab", "devices": [], "edges": [{ "id": "edge-1", "profile": "n5105-mini-pc" }],
              "groups": [{ "name": "gate", {{keys}}{{board}} }] }] }
            """;
        var failure = Assert.Throws<FaultsException>(() => StrictJson.Parse("test", System.Text.Encoding.UTF8.GetBytes(text), Json.File.Info<Scenario>(),
            scenario => scenario.Faults(World.Stock)))!;
        Assert.That(failure.Faults.Single(), Does.Contain(expected));
    }

    [TestCase("gate-7", 30.0, "no such device")]
    [TestCase("gate-1", 10.0, "does not come back")]
    public void Scenario_CrashOfADevice_MustBeOfOneThatIsThereAndForGood(string target, double length, string expected)
    {
        var scenario = Short() with { FaultList = [new FaultSpec { Kind = FaultKind.DeviceCrash, Site = "lab", Target = target, At = new Seconds(30), For = new Seconds(length) }] };
        Assert.That(scenario.Faults(World.Stock).Single(), Does.Contain(expected));
    }

    /// <summary>The scenario that ships, a minute long.</summary>
    private static Scenario Short()
    {
        var scenario = World.Read("ddnn");
        return scenario with { Duration = Length, FaultList = [scenario.FaultList[0] with { At = Length / 2, For = Length / 2 }] };
    }
}
