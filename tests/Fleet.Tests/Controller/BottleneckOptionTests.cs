using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Models;
using Fleet.Tests.Models;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>What planners are offered of bottlenecks, and what they think it costs.</summary>
public sealed class BottleneckOptionTests
{
    private NarrowModel narrow = null!;
    private OptionTable table = null!;

    [OneTimeSetUp]
    public void Make()
    {
        narrow = new NarrowModel();
        table = new OptionTable(new PlannedModel(narrow.Files, narrow.Files.ReadCalibrationTrace()));
    }

    [OneTimeTearDown]
    public void Remove() => narrow.Dispose();

    /// <summary>The law: of the routes that lose something, those that beat the deepest exit are offered and no others.</summary>
    [Test]
    public void Table_OfAnyModel_OffersNoOffloadThatIsWorseThanStaying()
    {
        foreach (var known in (OptionTable[])[table, FleetBuilder.Table])
        {
            var (card, trace) = (known.Model.Files.Card, known.Model.Calibration);
            var offered = known.All.Where(option => option.Route is not null).Select(option => (option.Head, option.Route!.Value)).ToHashSet();
            var tried = 0;
            for (var head = 1; head < card.StageCount; head++)
                foreach (var route in card.Routes.Select(card.RouteOf).Where(route => route.Cut == 0 || route.Cut == head || route.Bottleneck > 0 && route.Cut < head))
                {
                    tried++;
                    var isBetter = Right(trace, sample => trace.RouteLogits(route, sample)) > Right(trace, sample => trace.ExitLogits(head, sample));
                    Assert.That(offered.Contains((head, route)), Is.EqualTo(isBetter || route.IsLossless), $"{card.Name} head {head}, {route}");
                }
            Assert.That(offered, Has.Count.LessThanOrEqualTo(tried).And.Count.GreaterThan(0));
        }
    }

    [Test]
    public void Table_RouteThatIsWorseThanTheExit_OffersItToNobody()
    {
        var trace = narrow.Files.ReadCalibrationTrace();
        // The same answers, but the exit's are the truth: now every route only loses.
        var truth = new byte[trace.Samples];
        for (var i = 0; i < truth.Length; i++) truth[i] = (byte)Confidence.ArgMax(Floats(trace.ExitLogits(1, i)));
        var turned = new Trace("", trace.NetworkHash, 0, truth, trace.Classes,
            Enumerable.Range(1, 2).Select(exit => All(trace, sample => trace.ExitLogits(exit, sample))), trace.Routes, trace.Routes.Select(route => All(trace, sample => trace.RouteLogits(route, sample))),
            trace.Routes.Select(route => Enumerable.Range(0, trace.Samples).Select(sample => trace.PayloadBytes(route, sample)!.Value).ToArray()));
        var poor = new OptionTable(new PlannedModel(narrow.Files, turned));
        Assert.That(poor.All.Select(option => option.Route).Where(route => route is { IsLossless: false }), Is.Empty);
        Assert.That(poor.Bottlenecks, Is.Empty);
        Assert.That(table.Bottlenecks, Has.Member("narrow"));
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("a", "pi-5")], Edge("narrow"));
        var split = new StaticSplit(poor, FleetBuilder.Costs).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
        Assert.That(split.Choices["a"].Edge, Is.Null, "nothing crosses cut 1: everybody stays");
    }

    [Test]
    public void Assign_EveryOption_NamesItsBottleneckAndIsFoundAgain()
    {
        foreach (var option in table.All)
        {
            var assignment = option.Assign(option.Route is null ? null : "edge-1", new ControllerOptions(), "");
            Assert.That(assignment.Faults().Concat(assignment.FaultsWith(narrow.Files.Card)), Is.Empty);
            if (option.Route is { } route) Assert.That(assignment.RouteIn(narrow.Files.Card), Is.EqualTo(route));
            Assert.That(table.Find(assignment), Is.SameAs(option));
        }
        Assert.That(table.Find(table.All[0].Assign("e", new ControllerOptions { Deadline = new Seconds(1) }, "") with { Cut = 1, Bottleneck = "unheard-of", FeatureDType = FeatureCodec.Coded }), Is.Null);
    }

    [Test]
    public void Payload_OfACodedRoute_IsItsMeanOnTheCalibrationSet()
    {
        var trace = narrow.Files.ReadCalibrationTrace();
        Assert.That(Coded().Payload.Value, Is.EqualTo(Enumerable.Range(0, trace.Samples).Average(sample => trace.PayloadBytes(NarrowModel.Coded, sample)!.Value)).Within(1e-9));
    }

    [Test]
    public void Estimate_OfABottleneck_CountsItsEncoderAndItsOwnTail()
    {
        var (option, device) = (Coded(), FleetBuilder.Device("a", "pi-zero-2w", roundTrip: 0.01));
        var bottleneck = narrow.Files.Card.Bottleneck(1);
        var edge = Edge("narrow,plain");
        var profile = device.Profile!;
        var estimate = FleetBuilder.Costs.Estimate(option, device, edge)!.Value;
        var (encoder, tail) = (profile.NominalTime(bottleneck.Encoder), edge.Profile!.NominalTime(bottleneck.Tail));
        // 40 bytes of MQTT around a frame, 140 of its answer.
        var onAir = profile.OnAir((long)option.Payload.Value + TensorFrame.HeaderBytes + 40);
        var stage = profile.NominalTime(narrow.Files.Card.Stage(1));
        Assert.That(estimate.Latency.Value, Is.EqualTo((stage + encoder + onAir / profile.Radio.Goodput.Value + new Seconds(0.01) + tail).Value + Waiting(stage + encoder)).Within(1e-12));
        Assert.That(estimate.Energy.Value, Is.EqualTo(((profile.Power.Active.Value - profile.Power.Idle.Value) * (stage + encoder) + onAir * profile.Radio.TxPerByte.Value + profile.OnAir(140) * profile.Radio.RxPerByte.Value).Value).Within(1e-12));
        Assert.That(estimate.EdgeTime, Is.EqualTo(tail));
        var measured = FleetBuilder.Costs.Estimate(
            option,
            device with { Budget = device.Budget! with { EncoderTime = new Seconds(0.5) }, Reported = option.Assign("e", new ControllerOptions { Deadline = new Seconds(1) }, "") },
            edge with { Load = edge.Load! with { BottleneckSeconds = new PerExit([0.25]) } })!.Value;
        Assert.That((measured.Latency - estimate.Latency).Value, Is.EqualTo(0.5 - encoder.Value + 0.25 - tail.Value + Waiting(stage + new Seconds(0.5)) - Waiting(stage + encoder)).Within(1e-9));

        // For the input before, at one input a second and equal runs.
        static double Waiting(Seconds run) => run.Value * run.Value / 2 / (1 - run.Value);
    }

    /// <summary>On the way and on the server: every piece at what its own file's precision takes.</summary>
    [Test]
    public void Estimate_Int8Pieces_CostWhatInt8Takes()
    {
        var card = FleetBuilder.Model.Files.Card;
        Assert.That((card.Stage(1).Precision, card.Stage(2).Precision, card.Tails[2].Precision), Is.EqualTo((Precision.Float32, Precision.Int8, Precision.Int8)));
        var (device, edge) = (FleetBuilder.Device("a", "pi-4b", rate: 0, roundTrip: 0), FleetBuilder.Edge("e"));
        var sends = FleetBuilder.Table.All.First(option => option is { Head: 2, Route: { Cut: 2, Bottleneck: 0 } }) with { OffloadShare = 1, StageShares = [1, 1] };
        Seconds Claim(HardwareProfile profile, ModelPiece piece, double ratio) => profile.Compute.Overhead.Value + (profile.NominalTime(piece.Work, Precision.Float32) - profile.Compute.Overhead.Value) * ratio;
        var estimate = FleetBuilder.Costs.Estimate(sends, device, edge)!.Value;
        var air = device.Profile!.OnAir((long)sends.Payload.Value + TensorFrame.HeaderBytes + 40) / device.Profile.Radio.Goodput.Value;
        Assert.That(estimate.EdgeTime.Value, Is.EqualTo(Claim(edge.Profile!, card.Tails[2], 0.59).Value).Within(1e-12), "n5105-mini-pc: 0.59, a stand-in");
        Assert.That((estimate.Latency - estimate.EdgeTime - air).Value, Is.EqualTo((Claim(device.Profile, card.Stage(1), 1) + Claim(device.Profile, card.Stage(2), 0.684)).Value).Within(1e-9), "pi-4b: 0.684, of its rows");
    }

    [TestCase("")]
    [TestCase("plain")]
    [TestCase("narrower")]
    public void Estimate_EdgeServerThatDoesNotHoldTheBottleneck_IsNoOption(string held) =>
        Assert.That(FleetBuilder.Costs.Estimate(Coded(), FleetBuilder.Device("a", "pi-5"), Edge(held)), Is.Null);

    [Test]
    public void Estimate_EncoderThatDoesNotFit_IsNoOption()
    {
        var stage = narrow.Files.Card.Stage(1);
        var device = FleetBuilder.Device("a", "pi-5", memory: stage.FileBytes + stage.PeakActivationBytes);
        Assert.That(FleetBuilder.Costs.Estimate(Coded(), device, Edge("narrow")), Is.Null);
        Assert.That(FleetBuilder.Costs.Estimate(table.Get(1, OptionTable.DefaultThreshold, null), device, null), Is.Not.Null);
    }

    private Option Coded() => table.All.Single(option => option.Route == NarrowModel.Coded && option.Thresholds.Of(1) == 0.99) with { OffloadShare = 1, StageShares = [1] };

    private EdgeView Edge(string bottlenecks)
    {
        var edge = FleetBuilder.Edge("e");
        return edge with { Reported = edge.Reported! with { Model = "tiny-narrow", CardSha256 = narrow.Files.CardSha256, Tails = "0,1", Bottlenecks = bottlenecks } };
    }

    private delegate ReadOnlySpan<Half> Rows(int sample);

    private static float[] Floats(ReadOnlySpan<Half> logits) => Array.ConvertAll(logits.ToArray(), logit => (float)logit);

    private static float[] All(Trace trace, Rows rows) => [.. Enumerable.Range(0, trace.Samples).SelectMany(sample => Floats(rows(sample)))];

    private static int Right(Trace trace, Rows rows) => Enumerable.Range(0, trace.Samples).Count(sample => Confidence.ArgMax(Floats(rows(sample))) == trace.Label(sample));
}
