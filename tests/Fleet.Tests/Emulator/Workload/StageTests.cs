using System.Text;
using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Workload;

/// <summary>What comes to devices, and how it changes, in whole runs.</summary>
public sealed class StageTests
{
    [Test]
    public void Stage_Rate_ChangesWhatComesFromThenOn()
    {
        var run = Run(Site() with { Stages = [new StageSpec { At = new Seconds(30), Target = "cameras", Rate = new Hertz(8) }] });
        double Rate(int from, int to) => (double)run.Worlds[0].Ledger.Bins.Skip(from).Take(to - from).Sum(bin => bin.Started) / (to - from);
        Assert.That(Rate(5, 30), Is.EqualTo(2 * 2 + 2 * 2).Within(1.5));
        Assert.That(Rate(30, 60), Is.EqualTo(2 * 8 + 2 * 2).Within(2.5), "the boards beside the cameras go on as before");
    }

    [Test]
    public void Stage_Policy_AnotherPlannerTakesOver()
    {
        var run = Run(Site() with { Control = new ControlSpec { Policy = "local-only" }, Stages = [new StageSpec { At = new Seconds(30), Policy = "offload-all" }] });
        double Offloaded(int from, int to) => (double)run.Worlds[0].Ledger.Bins.Skip(from).Take(to - from).Sum(bin => bin.Edge) / run.Worlds[0].Ledger.Bins.Skip(from).Take(to - from).Sum(bin => bin.Answered);
        Assert.That(Offloaded(5, 30), Is.Zero);
        Assert.That(Offloaded(40, 60), Is.GreaterThan(0.95));
        Assert.That(run.Result().Figures.DesiredEqualsReported, Is.True);
    }

    [Test]
    public void Stage_Link_SlowsItDown()
    {
        var slow = new LinkModel { RoundTrip = new Seconds(0.2) };
        var run = Run(Site() with { Control = new ControlSpec { Policy = "offload-all" }, Stages = [new StageSpec { At = new Seconds(30), Link = slow }] });
        double Latency(int from, int to) => run.Worlds[0].Ledger.Bins.Skip(from).Take(to - from).Sum(bin => bin.Latency.Sum.Value) / run.Worlds[0].Ledger.Bins.Skip(from).Take(to - from).Sum(bin => bin.Answered);
        Assert.That(Latency(40, 60) - Latency(5, 30), Is.EqualTo(0.196).Within(0.02));
    }

    [TestCase("noise-2", InferenceKind.Trace)]
    [TestCase("noise-2", InferenceKind.Onnx)]
    [TestCase("brightness-3", InferenceKind.Onnx)]
    public void Drift_Stepped_CostsAccuracyFromThenOn(string kind, InferenceKind inference)
    {
        var site = Drifting(Site(), new DriftSpec { Kind = kind, At = new Seconds(30) });
        var run = Run(site with { Inference = inference });
        Assert.That(Accuracy(run, 2, 30), Is.GreaterThan(0.88));
        Assert.That(Accuracy(run, 31, 60), Is.LessThan(Accuracy(run, 2, 30) - 0.04));
    }

    /// <summary>Recorded answers of drifted images are those that the networks give on images drifted now.</summary>
    [Test]
    public void Drift_Onnx_AnswersAsTheTraceDoes()
    {
        var site = Drifting(Site(), new DriftSpec { Kind = "blur-1", At = Seconds.Zero }) with { Duration = new Seconds(20) };
        var (traced, computed) = (Run(site).Result().Figures, Run(site with { Inference = InferenceKind.Onnx }).Result().Figures);
        Assert.That(computed.Accuracy, Is.EqualTo(traced.Accuracy).Within(0.02));
        Assert.That(computed.Inferences, Is.EqualTo(traced.Inferences).Within(3));
    }

    [Test]
    public void Drift_Ramped_GrowsAndEnds()
    {
        var site = Drifting(Site(), new DriftSpec { Kind = "contrast-2", At = new Seconds(10), Ramp = new Seconds(20), For = new Seconds(30) });
        var run = Run(site);
        var (early, late, after) = (Accuracy(run, 10, 20), Accuracy(run, 30, 40), Accuracy(run, 40, 60));
        Assert.That(late, Is.LessThan(early - 0.1));
        Assert.That(after, Is.GreaterThan(late + 0.1));
    }

    [Test]
    public void Drift_OfOneGroup_LeavesTheOthersAlone()
    {
        var site = Site();
        var drifted = site with { Sites = [site.Sites[0] with { Devices = [site.Sites[0].Devices[0] with { Drift = [new DriftSpec { Kind = "noise-2" }] }, site.Sites[0].Devices[1]] }] };
        var (plain, changed) = (Run(site), Run(drifted));
        Assert.That(changed.Worlds[0].Ledger.Total.Started, Is.EqualTo(plain.Worlds[0].Ledger.Total.Started).Within(2), "the same inputs at the same times");
        Assert.That(changed.Result().Figures.Accuracy, Is.LessThan(plain.Result().Figures.Accuracy!.Value - 0.02));
    }

    [Test]
    public void Drift_LabelShift_GivesTheClassItsShare()
    {
        var images = World.Stock.Images(ReplaySet.FashionMnist);
        var labels = Samples("label-6-70").ConvertAll(sample => images.Label(sample.Index));
        Assert.That(labels.Count(label => label == 6) / (double)labels.Count, Is.EqualTo(0.7).Within(0.03));
        Assert.That(labels.Distinct().Count(), Is.EqualTo(10));
    }

    [Test]
    public void Drift_LabelShiftAndNoise_DriftedSamplesOfTheClass()
    {
        var images = World.Stock.Images(ReplaySet.FashionMnist);
        var samples = Samples("label-6-70", "noise-1");
        Assert.That(samples.Select(sample => sample.Index), Is.All.InRange(images.Count, images.Count + 1999), "numbered behind the test images");
        Assert.That(samples.Select(sample => sample.Label), Is.EqualTo(samples.Select(sample => images.Label(sample.Index - images.Count))));
        Assert.That(samples.Count(sample => sample.Label == 6) / (double)samples.Count, Is.EqualTo(0.7).Within(0.03));
    }

    [TestCase("\"arrivals\": \"bursty\", \"bursty\": { \"burst_ratio\": 0.5 }", "bursty.burst_ratio is 0.5")]
    [TestCase("\"bursty\": { \"burst_ratio\": 5 }", "bursty is given; it belongs to arrivals \"bursty\", and these are \"poisson\"")]
    [TestCase("\"arrivals\": \"diurnal\", \"diurnal\": { \"depth_ratio\": 2 }", "diurnal.depth_ratio is 2")]
    [TestCase("\"arrivals\": \"event\"", "event.reach is 2; allowed: 0 to 1")]
    [TestCase("\"arrivals\": \"recorded\"", "recorded is missing")]
    [TestCase("\"arrivals\": \"recorded\", \"recorded\": { \"file\": \"nowhere.csv\" }", "recorded.file \"nowhere.csv\"")]
    [TestCase("\"arrivals\": \"sometimes\"", "expected one of poisson, periodic, bursty, diurnal, event, recorded")]
    [TestCase("\"drift\": [{ \"kind\": \"fog-1\" }]", "fog-1")]
    [TestCase("\"drift\": [{ \"kind\": \"brightness-1\" }]", "with traced inference fmnist allows rotation-1")]
    [TestCase("\"drift\": [{ \"kind\": \"label-12-50\" }]", "has classes 0 to 9")]
    [TestCase("\"drift\": [{ \"kind\": \"noise-1\", \"ramp_s\": -1 }]", "ramp_s is -1")]
    [TestCase("\"name\": \"The Cameras\"", "name is \"The Cameras\"")]
    public void DeviceGroup_WithAMistake_IsNamed(string keys, string expected) =>
        Assert.That(FaultsOf($$"""{ "name": "x", "duration_s": 60, "sites": [{ "name": "lab", "edges": [], "devices": [{ "board": "pi-5", "count": 4, {{keys}} }] }] }"""), Has.Some.Contains(expected));

    [TestCase("\"at_s\": 30", "changes nothing")]
    [TestCase("\"at_s\": 60, \"rate_hz\": 1", "at_s is 60")]
    [TestCase("\"at_s\": 30, \"rate_hz\": 0", "makes of pi-5 in site lab: rate_hz is 0")]
    [TestCase("\"at_s\": 30, \"policy\": \"telepathy\"", "policy is \"telepathy\"")]
    [TestCase("\"at_s\": 30, \"policy\": \"greedy\", \"target\": \"pi-5\"", "a controller steers its whole site")]
    [TestCase("\"at_s\": 30, \"rate_hz\": 1, \"target\": \"abacus\"", "target is \"abacus\"")]
    [TestCase("\"at_s\": 30, \"rate_hz\": 1, \"site\": \"moon\"", "site is \"moon\"")]
    [TestCase("\"at_s\": 30, \"link\": {}", "have a radio")]
    public void Stage_WithAMistake_IsNamed(string keys, string expected) => Assert.That(FaultsOf(
        $$"""{ "name": "x", "duration_s": 60, "stages": [{ {{keys}} }], "sites": [{ "name": "lab", "edges": [], "devices": [{ "board": "pi-5", "count": 4, "radio": { "part": "wifi-esp32" } }] }] }"""),
        Has.Some.Contains(expected));

    [Test]
    public void Cloud_AnswersFromAfar()
    {
        var site = Site();
        Scenario With(SiteSpec one) => site with { Sites = [one], Control = new ControlSpec { Policy = "offload-all" } };
        var near = Run(With(site.Sites[0])).Result().Figures;
        var cloud = site.Sites[0].Edges[0] with { Id = "cloud", RoundTrip = new Seconds(0.1) };
        var far = Run(With(site.Sites[0] with { Edges = [], Cloud = [cloud] }));
        far.CheckBooks();
        Assert.That(far.Result().Figures.OffloadRatio, Is.GreaterThan(0.9));
        Assert.That((far.Result().Figures.LatencyP50 - near.LatencyP50)!.Value.Value, Is.EqualTo(0.1).Within(0.01));
        Assert.That(With(site.Sites[0] with { Cloud = [cloud with { RoundTrip = Seconds.Zero }] }).Faults(World.Stock), Has.One.Contains("cloud[0].rtt_s is missing"));
    }

    private static List<Fleet.Models.Sample> Samples(params string[] kinds)
    {
        var group = new DeviceGroup { Board = "pi-5", Count = 1, Rate = new Hertz(100), Drift = [.. kinds.Select(kind => new DriftSpec { Kind = kind })] };
        var scenario = Site() with { Sites = [new SiteSpec { Name = "lab", Devices = [group], Edges = [] }] };
        var seen = World.Stock.Replays(World.Stock.Models["fmnist"].Card, scenario.Drifts, InferenceKind.Trace);
        var clock = new Fleet.Emulator.Simulation.SimClock();
        var workload = new Fleet.Emulator.Workload.DeviceWorkload([(Seconds.Zero, group)], default, seen, name => new(1, name), name => new(1, name), _ => throw new InvalidOperationException());
        var samples = new List<Fleet.Models.Sample>();
        clock.Start(async () =>
        {
            await foreach (var sample in workload.Camera(clock, clock).Samples(CancellationToken.None)) samples.Add(sample);
        });
        clock.Run(TimeSpan.FromSeconds(30));
        return samples;
    }

    private static Scenario Drifting(Scenario scenario, DriftSpec drift) =>
        scenario with { Sites = [scenario.Sites[0] with { Devices = [.. scenario.Sites[0].Devices.Select(group => group with { Rate = new Hertz(10), Drift = [drift] })] }] };

    private static double Accuracy(ScenarioRun run, int from, int to)
    {
        var bins = run.Worlds[0].Ledger.Bins.Skip(from).Take(to - from).ToList();
        return (double)bins.Sum(bin => bin.Correct) / bins.Sum(bin => bin.Labelled);
    }

    private static ScenarioRun Run(Scenario scenario)
    {
        Assert.That(scenario.Faults(World.Stock), Is.Empty);
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        return run;
    }

    private static IReadOnlyList<string> FaultsOf(string text) => Assert.Throws<FaultsException>(() =>
        StrictJson.Parse("test", Encoding.UTF8.GetBytes(text), Json.File.Info<Scenario>(), scenario => scenario.Faults(World.Stock)))!.Faults;

    /// <summary>Two cameras and two boards for a minute.</summary>
    private static Scenario Site() => new()
    {
        Name = "staged",
        Duration = new Seconds(60),
        Sites =
        [
            new SiteSpec
            {
                Name = "lab",
                Devices =
                [
                    new DeviceGroup { Board = "stm32h747i-disco", Name = "cameras", Count = 2, Rate = new Hertz(2) },
                    new DeviceGroup { Board = "pi-4b", Count = 2, Rate = new Hertz(2) },
                ],
                Edges = [new EdgeSpec { Id = "edge-1", Profile = "n5105-mini-pc" }],
            },
        ],
    };
}
