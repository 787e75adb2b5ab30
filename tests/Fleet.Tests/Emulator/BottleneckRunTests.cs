using Fleet.Contracts;
using Fleet.Controller.Planning;
using Fleet.DeviceAgent;
using Fleet.DeviceAgent.Sensing;
using Fleet.EdgeServer;
using Fleet.Emulator;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using Fleet.Models;
using Fleet.Tests.DeviceAgent;
using Fleet.Tests.Models;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Production agents and edge servers run bottlenecks from real files, through the wire's encoding, and the books close.</summary>
public sealed class BottleneckRunTests
{
    private NarrowModel narrow = null!;

    [OneTimeSetUp]
    public void Make() => narrow = new NarrowModel();

    [OneTimeTearDown]
    public void Remove() => narrow.Dispose();

    [Test]
    public void AgentAndEdgeServer_OverACodedBottleneck_AnswerAsThePiecesDo()
    {
        using var world = new TwoEnds(narrow.Files, narrow);
        world.Run(Bottleneck());
        Assert.That(world.Answers, Has.Count.EqualTo(NarrowModel.Samples));
        foreach (var answer in world.Answers)
            Assert.That((answer.By, answer.Label), Is.EqualTo((AnsweredBy.Edge, Confidence.ArgMax(narrow.Direct(narrow.Files, answer.Sample, NarrowModel.Coded)))), $"image {answer.Sample}");
        Assert.That(world.Frames.Select(frame => frame.Route).Distinct(), Is.EqualTo(new[] { NarrowModel.Coded }));
        Assert.That(world.Said.OfType<EdgeLoad>().Last().BottleneckSeconds.Find(1), Is.GreaterThan(0));
        Assert.That(world.Said.OfType<Budget>().Last().EncoderTime!.Value.Value, Is.GreaterThan(0));
        Assert.That(world.Reported.Last() is { Bottleneck: "narrow", Error: "" }, Is.True);
    }

    [TestCase("wide", 1, FeatureCodec.Int8, "bottleneck is \"wide\"; tiny-narrow has narrow, plain")]
    [TestCase("plain", 1, FeatureCodec.Coded, "bottleneck \"plain\" of tiny-narrow has no tables")]
    [TestCase("narrow", 2, FeatureCodec.Int8, "bottleneck \"narrow\" of tiny-narrow is at cut 1")]
    public void Agent_DesiredThatTheCardCannotGive_KeepsWhatItRunsAndSaysWhy(string bottleneck, int cut, FeatureCodec codec, string fault)
    {
        using var world = new TwoEnds(narrow.Files, narrow);
        world.DesireAt(2, Bottleneck() with { Version = 5, Head = 2, Thresholds = new PerExit([2, 2]), Temperatures = new PerExit([1, 1]), Cut = cut, Bottleneck = bottleneck, FeatureDType = codec });
        world.Run(Bottleneck());
        Assert.That(world.Reported.Last().Error, Does.Contain(fault));
        Assert.That(world.Reported.Last() is { Version: 1, Bottleneck: "narrow" }, Is.True);
        Assert.That(world.Answers.Select(answer => answer.By), Is.All.EqualTo(AnsweredBy.Edge));
    }

    [Test]
    public void Agent_AnotherBottleneckDesired_LoadsItsEncoder()
    {
        using var world = new TwoEnds(narrow.Files, narrow);
        world.DesireAt(3, Bottleneck() with { Version = 2, Bottleneck = "plain", FeatureDType = FeatureCodec.Int8 });
        world.DesireAt(5, Bottleneck() with { Version = 3, Bottleneck = "", FeatureDType = FeatureCodec.Int8 });
        world.Run(Bottleneck());
        Assert.That(world.Frames.Select(frame => frame.Route).Distinct(), Is.EqualTo(new Route[] { NarrowModel.Coded, new(1, FeatureCodec.Int8, 2), new(1, FeatureCodec.Int8) }));
        Assert.That(world.Installs, Is.EqualTo(new[] { "narrow", "plain" }), "whoever holds a head needs no other to send its cut");
        Assert.That(world.Answers.Select(answer => answer.By), Is.All.EqualTo(AnsweredBy.Edge));
    }

    /// <summary>The network computes. Tails come and go beside the one that the camera sends to, then that one goes, too.</summary>
    [Test]
    public void EdgeServer_TailsComeAndGo_EveryImageIsAnswered()
    {
        const int SentBefore = 37;
        using var world = new TwoEnds(narrow.Files, narrow);
        world.EdgeDesireAt(3, TwoEnds.Tails("", "narrow") with { Version = 2 });
        world.EdgeDesireAt(4, TwoEnds.Tails("1", "narrow,plain") with { Version = 3 });
        world.EdgeDesireAt(5.75, TwoEnds.Tails("0", "plain") with { Version = 4 });
        world.Run(Bottleneck());
        Assert.That(world.Answers, Has.Count.EqualTo(NarrowModel.Samples));
        Assert.That(world.Said.OfType<TailAssignment>().Select(tails => tails.Error), Is.All.Empty);
        foreach (var (answer, i) in world.Answers.Select((answer, i) => (answer, i)))
        {
            Assert.That(answer.By, Is.EqualTo(i < SentBefore ? AnsweredBy.Edge : AnsweredBy.Fallback), $"image {i}");
            if (i < SentBefore) Assert.That(answer.Label, Is.EqualTo(Confidence.ArgMax(narrow.Direct(narrow.Files, answer.Sample, NarrowModel.Coded))));
        }
    }

    [Test]
    public void EdgeServer_FramesItCannotFinish_AreAnsweredSo()
    {
        using var world = new TwoEnds(narrow.Files, narrow);
        var frame = world.Frame();
        world.AskAt(1, frame with { RequestId = 901, Shape = [2, 2, 1] });
        world.AskAt(1, frame with { RequestId = 902, Payload = new byte[500] });
        world.AskAt(1, frame with { RequestId = 903, Bottleneck = 9 });
        world.AskAt(1, frame with { RequestId = 904 });
        world.Run(Bottleneck());
        Assert.That(world.Replies.Where(reply => reply.RequestId > 900).OrderBy(reply => reply.RequestId).Select(reply => reply.Status),
            Is.EqualTo(new[] { OffloadStatus.Refused, OffloadStatus.Refused, OffloadStatus.NotHeld, OffloadStatus.Ok }));
    }

    [Test]
    public void Scenario_OfBoardsThatSendLatents_IsTheSameTracedAndThroughTheWire()
    {
        var scenario = Offloading(InferenceKind.Trace);
        var traced = ScenarioRun.Execute(scenario, 1, narrow.Stock);
        traced.CheckBooks();
        var figures = traced.Result().Figures;
        Assert.That((figures.Lost, figures.Malformed, figures.DesiredEqualsReported), Is.EqualTo((0L, 0L, true)));
        Assert.That(figures.OffloadRatio, Is.GreaterThan(0.5));
        Assert.That(Said<Assignment>(traced, TopicKind.Reported).Select(reported => (reported.Bottleneck, reported.FeatureDType)), Is.EqualTo(Enumerable.Repeat(("narrow", FeatureCodec.Coded), 4)));
        Assert.That(Said<TailAssignment>(traced, TopicKind.EdgeReported).Single() is { Bottlenecks: "narrow", Error: "" }, Is.True);
        Assert.That(ScenarioRun.Execute(scenario, 1, narrow.Stock, throughWire: true).Result().TraceHash, Is.EqualTo(traced.Result().TraceHash));
        foreach (var kept in traced.Worlds[0].Bus.Retained) Assert.That(ProtocolLint.Faults(kept.Topic.Path, Wire.Encode(kept.Message)), Is.Empty, kept.Topic.Path);
    }

    [Test]
    public void Scenario_Computed_AnswersAndSpendsAsTheTracedOne()
    {
        var traced = ScenarioRun.Execute(Offloading(InferenceKind.Trace), 1, narrow.Stock);
        var computed = ScenarioRun.Execute(Offloading(InferenceKind.Onnx), 1, narrow.Stock);
        computed.CheckBooks();
        var (a, b) = (computed.Result().Figures, traced.Result().Figures);
        Assert.That((a.Inferences, a.Accuracy, a.OffloadRatio), Is.EqualTo((b.Inferences, b.Accuracy, b.OffloadRatio)));
        // Halves make other confidences, and with them reports and replies of another length.
        Assert.That(a.BytesPerInference!.Value.Value, Is.EqualTo(b.BytesPerInference!.Value.Value).Within(0.1).Percent);
        Assert.That(a.EnergyPerInference!.Value.Value, Is.EqualTo(b.EnergyPerInference!.Value.Value).Within(0.1).Percent);
    }

    [Test]
    public void Scenario_EncoderOfMoreWork_TakesMoreEnergy()
    {
        var card = narrow.Files.Card;
        using var heavy = new NarrowModel();
        heavy.Write(card with { Bottlenecks = [card.Bottlenecks[0] with { Encoder = card.Bottlenecks[0].Encoder with { Work = new KernelWork { Conv = new Macs(300_000) } } }, card.Bottlenecks[1]] });
        Joules Each(NarrowModel of) => ScenarioRun.Execute(Offloading(InferenceKind.Trace), 1, of.Stock).Result().Figures.EnergyPerInference!.Value;
        Assert.That(Each(heavy), Is.GreaterThan(Each(narrow)));
    }

    private static IEnumerable<T> Said<T>(ScenarioRun run, TopicKind kind) where T : Message => run.Worlds[0].Bus.Retained.Where(kept => kept.Topic.Kind == kind).Select(kept => (T)kept.Message);

    /// <summary>Wrong answers are dear and only latents lead to right ones.</summary>
    private static Scenario Offloading(InferenceKind inference) => new()
    {
        Name = "narrow",
        Duration = new Seconds(30),
        Model = "tiny-narrow",
        Inference = inference,
        Control = new ControlSpec { ErrorWeight = 1000, Policy = Neurosurgeon.PolicyName },
        Sites = [new SiteSpec { Name = "lab", Devices = [new DeviceGroup { Board = "pi-zero-2w", Count = 4, Rate = new Hertz(4) }], Edges = [new EdgeSpec { Id = "edge-1", Profile = "n5105-mini-pc" }] }],
    };

    private Assignment Bottleneck() => new()
    {
        Version = 1,
        Epoch = 1,
        Model = "tiny-narrow",
        CardSha256 = narrow.Files.CardSha256,
        Head = 1,
        Cut = 1,
        Bottleneck = "narrow",
        FeatureDType = FeatureCodec.Coded,
        Thresholds = new PerExit([2]),
        Temperatures = new PerExit([1]),
        OffloadTo = "edge-1",
        Deadline = new Seconds(2),
        ReportPeriod = new Seconds(1),
    };

    /// <summary>One agent and one edge server with the model's files, on a bus that encodes everything.</summary>
    private sealed class TwoEnds : IDisposable
    {
        private readonly BusWorld world = new(throughWire: true);
        private readonly CancellationTokenSource stop = new();
        private readonly ModelFiles model;
        private readonly NarrowModel narrow;
        private readonly SimBus.Connection device;
        private readonly List<(double At, Action Act)> later = [];

        public TwoEnds(ModelFiles model, NarrowModel narrow)
        {
            (this.model, this.narrow) = (model, narrow);
            device = world.Bus.Connect("cam-1");
            var listener = world.Bus.Connect("listener");
            listener.Subscribe("fleet/v1/lab/#", (_, message) => Said.Add(message));
            listener.Subscribe(new Topic(TopicKind.Offload, "lab", "edge-1").Path, (_, message) => Frames.Add((TensorFrame)message));
            listener.Subscribe(new Topic(TopicKind.Reply, "lab", "cam-1").Path, (_, message) => Replies.Add((Reply)message));
            listener.Subscribe(new Topic(TopicKind.Reported, "lab", "cam-1").Path, (_, message) => Reported.Add((Assignment)message));
        }

        public List<Answer> Answers { get; } = [];

        public List<TensorFrame> Frames { get; } = [];

        public List<Reply> Replies { get; } = [];

        public List<Message> Said { get; } = [];

        public List<Assignment> Reported { get; } = [];

        /// <summary>Bottlenecks of the heads that were made.</summary>
        public List<string> Installs { get; } = [];

        public TensorFrame Frame()
        {
            using var pieces = new Loaded(model);
            pieces.RunHead(narrow.Sample(0));
            return pieces.Send(NarrowModel.Coded, out _);
        }

        public void DesireAt(double at, Assignment desired) => later.Add((at, () => world.Bus.Connect("controller").Publish(new Topic(TopicKind.Desired, "lab", "cam-1"), desired)));

        /// <summary>The card's hash stands for any until it is published.</summary>
        public static TailAssignment Tails(string cuts, string bottlenecks) => new() { Version = 1, Epoch = 1, Model = "tiny-narrow", CardSha256 = "", Tails = cuts, Bottlenecks = bottlenecks, ReportPeriod = new Seconds(1) };

        public void EdgeDesireAt(double at, TailAssignment tails) => later.Add((at, () => world.Bus.Connect("controller").Publish(new Topic(TopicKind.EdgeDesired, "lab", "edge-1"), tails with { CardSha256 = model.CardSha256 })));

        public void AskAt(double at, TensorFrame frame) => later.Add((at, () => world.Bus.Connect("stranger").Publish(new Topic(TopicKind.Offload, "lab", "edge-1"), frame)));

        /// <summary>Every image once, ten a second, from 2 s on.</summary>
        public void Run(Assignment byDefault)
        {
            var info = new Info { Board = "b", Stack = "s", Profile = AgentWorld.Profile.Id, AgentVersion = "1", Os = "test", Emulated = true };
            var agent = new Agent(
                new AgentOptions { Site = "lab", Id = "cam-1", Profile = AgentWorld.Profile, Default = byDefault, MeasureRuns = 1, Info = info },
                device, world.Clock, new SeededRandom(1, "agent"), new SensorSuite([]), (wanted, _) => new(Install(wanted)));
            agent.Answered += Answers.Add;
            var edge = new Fleet.EdgeServer.EdgeServer(new EdgeOptions { Site = "lab", Id = "edge-1", Info = info }, world.Bus.Connect("edge-1"), world.Clock, (wanted, choose, _) => Task.FromResult(Install(choose)));
            world.Bus.Connect("controller").Publish(new Topic(TopicKind.EdgeDesired, "lab", "edge-1"),
                Tails("0,1", "narrow,plain") with { CardSha256 = model.CardSha256 });
            world.Clock.Start(() => edge.Run(stop.Token));
            world.Clock.Start(() => agent.Run(new Camera(Images(), null, world.Clock), stop.Token).AsTask());
            foreach (var (at, act) in later) world.Clock.Start(() => Later(at, act));
            world.Run(12);
            world.Clock.Soon(stop.Cancel);
            world.Run(25);
            if (world.Books.Unexplained(world.Bus.InFlight) is var missing and not 0) throw new InvalidOperationException($"{missing} messages unexplained");
        }

        public void Dispose() => stop.Dispose();

        private Head Install(Assignment wanted)
        {
            Installs.Add(wanted.Bottleneck);
            FaultsException.ThrowIfAny("assignment", wanted.FaultsWith(model.Card));
            var number = model.Card.NumberOf(wanted.Bottleneck)!.Value;
            return Head.Onnx(model.Card, model.Hash, [.. Enumerable.Range(1, wanted.Head).Select(stage => model.LoadStage(stage))], ownsPieces: true, number == 0 ? [] : [model.LoadEncoder(number)]);
        }

        private TailSet Install(Func<ModelCard, IReadOnlyList<TailStart>> choose) => new(model.Card, model.Hash, choose(model.Card).Select(start =>
        {
            var piece = model.LoadTail(start);
            return new LoadedTail(start, [Tail.Onnx(model.Card, model.Hash, start, piece, 4, model.ReadTables(start.Bottleneck))], piece);
        }));

        private async Task Later(double at, Action act)
        {
            await world.Clock.Delay(new Seconds(at));
            act();
        }

        private async IAsyncEnumerable<Sample> Images()
        {
            await world.Clock.Delay(new Seconds(2));
            for (var i = 0; i < NarrowModel.Samples; i++)
            {
                await world.Clock.Delay(new Seconds(0.1));
                yield return narrow.Sample(i);
            }
            await new TaskCompletionSource().Task.WaitAsync(stop.Token);
        }
    }
}
