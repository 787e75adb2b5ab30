using Fleet.Contracts;
using Fleet.Controller.Planning;
using Fleet.Controller.Tails;
using Fleet.Emulator;
using Fleet.Emulator.Scenarios;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Whole sites in virtual time, shorter and smaller than the scenarios that ship.</summary>
public sealed class ScenarioRunTests
{
    private static readonly Dictionary<string, ScenarioRun> Runs = [];

    [TestCase("bench")]
    [TestCase("edge-outage")]
    [TestCase("link-loss")]
    [TestCase("two-sites")]
    public void Run_EveryScenario_BooksCloseAndNothingIsLost(string name)
    {
        var run = Once(Short(name));
        run.CheckBooks();
        var result = run.Result();
        Assert.That(result.Figures.Lost, Is.Zero);
        Assert.That(result.Figures.Inferences, Is.GreaterThan(500));
        Assert.That(result.Figures.Malformed, Is.Zero);
        Assert.That(result.Figures.DesiredEqualsReported, Is.True);
        Assert.That(result.Figures.Accuracy, Is.EqualTo(result.Figures.AccuracyExpected).Within(0.05));
        var started = run.Worlds.Sum(world => world.Ledger.Total.Started);
        Assert.That(started, Is.EqualTo(result.Figures.Inferences + result.CutOff + result.InFlight));
        Assert.That(result.Messages["due"] + result.Messages["duplicated"], Is.EqualTo(result.Messages["delivered"] + result.Messages["dropped"] + result.Messages["superseded"] + result.Messages["in_flight"]));
        foreach (var world in run.Worlds) Assert.That(world.Ledger.Bins.Sum(bin => bin.Answered), Is.EqualTo(world.Ledger.Total.Answered));
    }

    [TestCase("bench")]
    [TestCase("edge-outage")]
    [TestCase("link-loss")]
    [TestCase("two-sites")]
    [TestCase("placement")]
    public void Run_SameSeed_SameHashWhateverTheThreadsAndTheEncoding(string name)
    {
        var scenario = Short(name);
        var hash = Once(scenario).Result().TraceHash;
        Assert.That(ScenarioRun.Execute(scenario, 1, World.Stock, threads: 2).Result().TraceHash, Is.EqualTo(hash), "two threads");
        Assert.That(ScenarioRun.Execute(scenario, 1, World.Stock, throughWire: true).Result().TraceHash, Is.EqualTo(hash), "through the wire");
        Assert.That(ScenarioRun.Execute(scenario, 2, World.Stock).Result().TraceHash, Is.Not.EqualTo(hash), "another seed");
    }

    [TestCase("edge-outage")]
    [TestCase("two-sites")]
    public void Run_AnyScenario_LeavesOnlyLawfulMessagesBehind(string name)
    {
        foreach (var world in Once(Short(name)).Worlds)
        {
            var retained = world.Bus.Retained.ToList();
            Assert.That(retained.Select(kept => kept.Topic.Kind), Is.SupersetOf(TopicRule.All.Where(rule => rule.Retained).Select(rule => rule.Kind).Except([TopicKind.Command, TopicKind.GatewayState, TopicKind.ControllerState, TopicKind.Prediction, TopicKind.Objective])));
            foreach (var (topic, message) in retained) Assert.That(ProtocolLint.Faults(topic.Path, Wire.Encode(message)), Is.Empty, topic.Path);
        }
    }

    [Test]
    public void Placement_TailsSwapOften_NothingIsLostAndMemoryIsKept([Values] PlacementKind kind)
    {
        var scenario = Short("placement") with { Name = $"placement-{kind}" };
        var surge = new Seconds(25);
        scenario = scenario with
        {
            Control = scenario.Control with { Placement = kind, PlacementPeriod = new Seconds(2), SwapPrice = 0 },
            Stages = [new StageSpec { At = surge, Target = "gate", Rate = new Hertz(0.2) }, new StageSpec { At = surge, Target = "hall", Rate = new Hertz(20) }],
        };
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        var result = run.Result();
        var edge = scenario.Sites[0].Edges[0];
        Assert.That(result.Figures.Lost, Is.Zero);
        Assert.That(result.Figures.EdgesOnline, Is.EqualTo(3));
        Assert.That(result.Tails!.HeldMax, Is.LessThanOrEqualTo(edge.TailMemory!.Value + edge.TailRoom));
        if (kind is PlacementKind.All) Assert.That(result.Tails.Unloads, Is.Zero);
        else Assert.That(result.Tails.Unloads, Is.GreaterThan(0));
        Assert.That(result.Figures.FallbackRatio, Is.LessThan(0.01), "devices are planned away before tails go");
    }

    [Test]
    public void Run_Onnx_AnswersAsTheTraceDoes()
    {
        var scenario = Short("bench") with { Name = "bench-onnx", Duration = new Seconds(20), Inference = InferenceKind.Onnx };
        var (computed, traced) = (ScenarioRun.Execute(scenario, 1, World.Stock), ScenarioRun.Execute(scenario with { Inference = InferenceKind.Trace }, 1, World.Stock));
        computed.CheckBooks();
        var (a, b) = (computed.Result().Figures, traced.Result().Figures);
        Assert.That(a.Inferences, Is.EqualTo(b.Inferences).Within(3));
        Assert.That(a.Accuracy, Is.EqualTo(b.Accuracy).Within(0.02));
        Assert.That(a.OffloadRatio, Is.EqualTo(b.OffloadRatio).Within(0.02));
        Assert.That(ScenarioRun.Execute(scenario, 1, World.Stock).Result().TraceHash, Is.EqualTo(computed.Result().TraceHash));
    }

    [Test]
    public void EdgeOutage_FallbacksCoverItAndOffloadingResumes()
    {
        var scenario = Short("edge-outage");
        var run = Once(scenario);
        var ledger = run.Worlds[0].Ledger;
        var bin = ledger.BinLength;
        LedgerBin At(double seconds) => ledger.Bins[(int)(seconds / bin.Value)];
        double Share(Func<LedgerBin, long> of, double from, double to)
        {
            var bins = Enumerable.Range(0, (int)((to - from) / bin.Value)).Select(i => At(from + (i + 0.5) * bin.Value)).ToList();
            return (double)bins.Sum(of) / bins.Sum(some => some.Answered);
        }
        var fault = scenario.FaultList.Single();
        var (begins, ends) = (fault.At.Value, fault.At.Value + fault.For.Value);
        Assert.That(Share(some => some.Edge, begins - 10, begins), Is.GreaterThan(0.05), "it does offload before");
        Assert.That(Share(some => some.Fallback, begins, begins + 5), Is.GreaterThan(Share(some => some.Fallback, begins - 10, begins) + 0.05));
        Assert.That(Share(some => some.Edge, begins + 3, ends - 1), Is.LessThan(0.01), "nobody is there to answer");
        Assert.That(Share(some => some.Edge, ends + 15, scenario.Duration.Value - 1), Is.GreaterThan(0.05), "it does again after");
        Assert.That(run.Result().Figures.Lost, Is.Zero, "every input is answered, dead server or not");
    }

    [Test]
    public void LinkLoss_OneBoardsDevices_LoseTheirLinkAndComeBack()
    {
        var run = Once(Short("link-loss"));
        Assert.That(run.Worlds[0].Online, Is.EqualTo(run.Worlds[0].Devices.Count));
        Assert.That(run.Worlds[0].Bus.Retained.Where(kept => kept.Topic.Kind is TopicKind.State).Select(kept => kept.Message), Is.All.EqualTo(State.Ready));
    }

    [Test]
    public void TwoSites_WeakBatteries_DieWhenTheirJoulesAreGone()
    {
        var scenario = World.Read("two-sites");
        scenario = scenario with
        {
            Name = "batteries",
            Duration = new Seconds(200),
            Sites = [scenario.Sites[0] with { Devices = [scenario.Sites[0].Devices[1] with { Count = 6 }] }],
        };
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        var result = run.Result();
        Assert.That(result.DevicesDied, Is.EqualTo(6), "20 J of 0.13 W are gone after 154 s at the latest");
        Assert.That(result.Figures.DevicesOnline, Is.Zero);
        Assert.That(result.Energy["stored"], Is.EqualTo(0).Within(1e-6));
        Assert.That(run.Worlds[0].Ledger.Bins, Has.Count.LessThan(160 / run.Worlds[0].Ledger.BinLength.Value), "nothing happens after that");
    }

    /// <summary>A device that is behind with its inputs when its battery dies takes none of them any more.</summary>
    [Test]
    public void Battery_DiesWhileOverloaded_NothingIsLost()
    {
        var scenario = new Scenario
        {
            Name = "overload",
            Duration = new Seconds(120),
            Control = new ControlSpec { Policy = LocalOnly.PolicyName },
            Sites = [new SiteSpec { Name = "lab", Edges = [], Devices = [new DeviceGroup { Board = "stm32h747i-disco", Count = 2, Rate = new Hertz(500), Battery = new Joules(10) }] }],
        };
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        Assert.That(run.Result().DevicesDied, Is.EqualTo(2));
        Assert.That(run.Result().Figures.Skipped, Is.GreaterThan(0), "it was overloaded indeed");
        Assert.That(run.Worlds[0].Ledger.Bins, Has.Count.LessThan(60), "nothing happens after that");
    }

    [Test]
    public void Policies_OnOneBench_DifferAsTheyShould()
    {
        var figures = ((string[])[LocalOnly.PolicyName, OffloadAll.PolicyName, StaticSplit.PolicyName, Greedy.PolicyName]).ToDictionary(policy => policy, policy =>
        {
            var bench = Short("bench");
            return ScenarioRun.Execute(bench with { Control = bench.Control with { Policy = policy } }, 1, World.Stock).Result().Figures;
        });
        var (local, all, split, greedy) = (figures[LocalOnly.PolicyName], figures[OffloadAll.PolicyName], figures[StaticSplit.PolicyName], figures[Greedy.PolicyName]);
        Assert.That(figures.Values.Distinct().Count(), Is.EqualTo(4));
        Assert.That(local.OffloadRatio, Is.Zero);
        Assert.That(all.OffloadRatio, Is.EqualTo(1).Within(0.005));
        Assert.That(split.OffloadRatio, Is.InRange(0.05, 0.95));
        Assert.That(local.BytesPerInference!.Value, Is.LessThan(split.BytesPerInference!.Value).And.LessThan(all.BytesPerInference!.Value));
        Assert.That(figures.Values, Has.All.Property(nameof(FleetFigures.Lost)).Zero);
        // Sending every input costs least computing; computing everything costs most of it.
        Assert.That(all.LatencyP50!.Value, Is.GreaterThan(split.LatencyP50!.Value));
        Assert.That(greedy.Accuracy, Is.GreaterThan(0.85));
    }

    /// <summary>At most sixty seconds of each, a third of the devices, and faults early enough to be seen.</summary>
    private static Scenario Short(string name)
    {
        var scenario = World.Read(name);
        return scenario with
        {
            Duration = new Seconds(60),
            Sites = [.. scenario.Sites.Select(site => site with { Devices = [.. site.Devices.Select(group => group with { Count = (group.Count + 2) / 3 })] })],
            FaultList = [.. scenario.FaultList.Select(fault => fault with { At = new Seconds(20), For = new Seconds(15) })],
        };
    }

    private static ScenarioRun Once(Scenario scenario)
    {
        if (!Runs.TryGetValue(scenario.Name, out var run)) Runs[scenario.Name] = run = ScenarioRun.Execute(scenario, 1, World.Stock);
        return run;
    }
}
