using System.Text.Json;
using Fleet.Contracts;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>What a card may say of its bottlenecks, and what an assignment may ask of it.</summary>
public sealed class BottleneckCardTests
{
    private static readonly BottleneckCard Narrow = new()
    {
        Name = "narrow",
        Cut = 1,
        Shape = [2, 1, 1],
        Scale = 0.5f,
        Encoder = Piece("narrow-encoder.onnx"),
        Tail = Piece("narrow-tail.onnx") with { Precision = Precision.Int8 },
        Tables = new StoredFile { File = "narrow.tables", Sha256 = "t", FileBytes = 40 },
        TrainedBy = "bottlefit",
    };

    private static readonly ModelCard Card = TinyModel.Card with
    {
        Bottlenecks = [Narrow],
        Routes = [.. TinyModel.Card.Routes, Line(FeatureCodec.Coded), Line(FeatureCodec.Int8)],
        DriftTraces = [new DriftTrace { Drift = "noise-2", Set = TraceSet.Test, File = "d.trace", Sha256 = "", Samples = 3 }],
    };

    [Test]
    public void Card_WithABottleneck_IsSoundAndReadsBackAsItWas()
    {
        Assert.That(Card.Faults(), Is.Empty);
        var read = StrictJson.Parse("card", JsonSerializer.SerializeToUtf8Bytes(Card, Json.File.Info<ModelCard>()), Json.File.Info<ModelCard>(), card => card.Faults());
        Assert.That(read.Bottlenecks.Single() with { Shape = Narrow.Shape }, Is.EqualTo(Narrow));
        Assert.That(read.Routes, Is.EqualTo(Card.Routes));
        Assert.That(read.DriftTraces, Is.EqualTo(Card.DriftTraces));
    }

    [Test]
    public void Card_BeforeThereWereBottlenecks_StillReads()
    {
        var old = JsonSerializer.SerializeToNode(TinyModel.Card, Json.File.Info<ModelCard>())!.AsObject();
        foreach (var key in (string[])["bottlenecks", "drift_traces", "replays"]) Assert.That(old.Remove(key), Is.True, key);
        var read = StrictJson.Parse("card", JsonSerializer.SerializeToUtf8Bytes(old), Json.File.Info<ModelCard>(), card => card.Faults());
        Assert.That((read.Bottlenecks.Count, read.DriftTraces.Count, read.Replays), Is.EqualTo((0, 0, ReplaySet.FashionMnist)));
    }

    [Test]
    public void Numbers_OfRoutesAndTails_AreThoseOfTheCard()
    {
        Assert.That(Card.Routes.TakeLast(2).Select(Card.RouteOf), Is.EqualTo(new Route[] { new(1, FeatureCodec.Coded, 1), new(1, FeatureCodec.Int8, 1) }));
        Assert.That((Card.NumberOf(""), Card.NumberOf("narrow"), Card.NumberOf("wide")), Is.EqualTo(((int?)0, (int?)1, (int?)null)));
        Assert.That(Card.Crossing(new TailStart(1, 1)).Shape, Is.EqualTo(new[] { 2, 1, 1 }));
        Assert.That(Card.Crossing(new TailStart(1)).Shape, Is.EqualTo(Card.Cuts[1].Shape));
        Assert.That((Card.Tail(new TailStart(1, 1)).File, Card.Tail(new TailStart(1)).File), Is.EqualTo(("narrow-tail.onnx", "tail-1.onnx")));
        Assert.That(() => Card.RouteOf(Line(FeatureCodec.Int8) with { Bottleneck = "wide" }), Throws.TypeOf<FaultsException>().With.Message.Contains("bottleneck is \"wide\"; tiny has narrow"));
    }

    [Test]
    public void Files_OfABottleneck_AreAmongThoseOfTheCard() =>
        Assert.That(Card.StoredFiles.Select(file => file.File), Is.SupersetOf((string[])["stage-3.onnx", "tail-0.onnx", "narrow-encoder.onnx", "narrow-tail.onnx", "narrow.tables"]));

    private static IEnumerable<TestCaseData> Wrong()
    {
        TestCaseData Of(Func<BottleneckCard, BottleneckCard> change, string fault) => new(Card with { Bottlenecks = [change(Narrow)] }, fault);
        yield return Of(narrow => narrow with { Name = "No" }, "bottlenecks[0].name is \"No\"");
        yield return Of(narrow => narrow with { Cut = 0 }, "bottlenecks[0].cut is 0; allowed: 1 to 2");
        yield return Of(narrow => narrow with { Cut = 3 }, "bottlenecks[0].cut is 3; allowed: 1 to 2");
        yield return Of(narrow => narrow with { Cut = 2 }, "route cut 1 bottleneck 1 coded: bottleneck \"narrow\" is at cut 2");
        yield return Of(narrow => narrow with { Shape = [2, 0, 1] }, "bottlenecks[0].shape is [2,0,1]");
        yield return Of(narrow => narrow with { Shape = [2, 70_000, 1] }, "bottlenecks[0].shape is [2,70000,1]");
        yield return Of(narrow => narrow with { Scale = 0 }, "bottlenecks[0].scale is 0");
        yield return Of(narrow => narrow with { Scale = float.PositiveInfinity }, "bottlenecks[0].scale is");
        yield return Of(narrow => narrow with { ZeroPoint = 128 }, "bottlenecks[0].zero_point is 128");
        yield return Of(narrow => narrow with { Encoder = Narrow.Encoder with { Index = 2 } }, "bottlenecks[0].encoder.index is 2; it must be 1");
        yield return Of(narrow => narrow with { Tail = Narrow.Tail with { Index = 0 } }, "bottlenecks[0].tail.index is 0; it must be 1");
        yield return Of(narrow => narrow with { Tables = null }, "bottleneck \"narrow\" has no tables to code with");
        yield return Of(narrow => narrow with { Tables = narrow.Tables! with { File = "../t" } }, "file \"../t\" must be a plain name");
        yield return Of(narrow => narrow with { TrainedBy = "" }, "bottlenecks[0].trained_by is \"\"");
        yield return Of(narrow => narrow with { Name = "other" }, "routes: bottleneck is \"narrow\"; tiny has other");
        yield return new(Card with { Bottlenecks = [Narrow, Narrow] }, "bottlenecks: \"narrow\" stands 2 times");
        yield return new(Card with { Bottlenecks = [Narrow, .. Enumerable.Range(0, 9).Select(i => Narrow with { Name = new string((char)('a' + i), 64) })] }, "the names of all bottlenecks have");
        yield return new(Card with { Routes = [.. Card.Routes, Line(FeatureCodec.Int8)] }, "routes: cut 1 int8 \"narrow\" stands 2 times");
        yield return new(Card with { Routes = [Line(FeatureCodec.Coded) with { Bottleneck = "" }] }, "route cut 1 coded does not exist");
        yield return new(Card with { Routes = [Line(FeatureCodec.Raw) with { Cut = 0 }] }, "route cut 0 bottleneck 1 raw does not exist");
        yield return new(Card with { DriftTraces = [.. Card.DriftTraces, Card.DriftTraces[0] with { File = "e" }] }, "drift_traces: noise-2 of the Test set stands 2 times");
        yield return new(Card with { DriftTraces = [Card.DriftTraces[0] with { Drift = "" }] }, "drift is \"\"");
    }

    [TestCaseSource(nameof(Wrong))]
    public void Faults_OfAWrongCard_NameIt(ModelCard card, string fault) => Assert.That(card.Faults(), Has.Some.Contains(fault));

    [TestCase(1, "narrow", FeatureCodec.Coded, null)]
    [TestCase(1, "wide", FeatureCodec.Coded, "bottleneck is \"wide\"; tiny has narrow")]
    [TestCase(2, "narrow", FeatureCodec.Int8, "cut is 2; bottleneck \"narrow\" of tiny is at cut 1")]
    [TestCase(3, "", FeatureCodec.Int8, "cut is 3; tiny can be cut at 0 to 2")]
    public void Assignment_WithACard_SaysWhatTheCardLacks(int cut, string bottleneck, FeatureCodec codec, string? fault)
    {
        var assignment = TinyModel.Assign(3, "edge-1", cut) with { Bottleneck = bottleneck, FeatureDType = codec };
        Assert.That(assignment.Faults(), Is.Empty);
        Assert.That(assignment.FaultsWith(Card), fault is null ? Is.Empty : Is.EqualTo(new[] { fault }));
        if (fault is null) Assert.That(assignment.RouteIn(Card), Is.EqualTo(new Route(1, FeatureCodec.Coded, 1)));
    }

    [Test]
    public void Tails_OfAnEdgeServer_AreNumberedByTheCard()
    {
        var wanted = new TailAssignment { Version = 1, Epoch = 1, Model = "tiny", CardSha256 = "", Tails = "2,0", Bottlenecks = "narrow" };
        Assert.That(wanted.StartsIn(Card), Is.EqualTo(new TailStart[] { new(2), new(0), new(1, 1) }));
        Assert.That(() => (wanted with { Tails = "0,3", Bottlenecks = "wide" }).StartsIn(Card), Throws.TypeOf<FaultsException>().With.Message.Contains("tiny has cuts 0 to 2").And.Message.Contains("\"wide\""));
    }

    private static ModelPiece Piece(string file) => new() { Index = 1, File = file, Sha256 = file, FileBytes = 100, Parameters = 1, PeakActivationBytes = 100, Work = new KernelWork() };

    private static RouteCard Line(FeatureCodec codec) => new() { Cut = 1, Codec = codec, Bottleneck = "narrow", Accuracy = 0.5, Payload = new Bytes(2) };
}
