using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>A bottleneck of real files answers over every route of its card as its pieces do one after another, or is refused.</summary>
public sealed class BottleneckTests
{
    private NarrowModel narrow = null!;

    [SetUp]
    public void Make() => narrow = new NarrowModel();

    [TearDown]
    public void Remove() => narrow.Dispose();

    [Test]
    public void Send_OverEveryRouteOfABottleneck_AnswersAsItsPiecesDo()
    {
        var model = narrow.Files;
        using var pieces = new Loaded(model);
        var routes = model.Card.Routes.Select(model.Card.RouteOf).Where(route => route.Bottleneck > 0).Append(NarrowModel.Coded with { Codec = FeatureCodec.Float32 }).ToList();
        Assert.That(routes, Has.Count.EqualTo(4));
        for (var i = 0; i < 20; i++)
        {
            pieces.RunHead(narrow.Sample(i));
            foreach (var route in routes)
            {
                var frame = pieces.Send(route, out var logits);
                Assert.That(logits, Is.EqualTo(narrow.Direct(model, i, route)).Within(1e-5f), $"image {i} over {route}");
                Assert.That((frame.Bottleneck, frame.Shape), Is.EqualTo((route.Bottleneck, model.Card.Bottleneck(route.Bottleneck).Shape)));
            }
        }
    }

    [Test]
    public void Traced_HeadAndTail_SendAndAnswerWhatWasRecorded()
    {
        var model = narrow.Files;
        var trace = model.ReadTestTrace();
        using var pieces = new Loaded(model);
        using var head = Head.Traced(model.Card, model.Hash, trace, 1, [1, 2]);
        using var tail = Tail.Traced(model.Card, model.Hash, NarrowModel.Coded.Tail, trace, batchMax: 2);
        for (var i = 0; i < 20; i++)
        {
            pieces.RunHead(narrow.Sample(i));
            head.Load(narrow.Sample(i));
            var sent = pieces.Send(NarrowModel.Coded, out var logits);
            var traced = head.Pack(NarrowModel.Coded, 1, new Seconds(1), sent.ReplyTo).AsTask().Result.Frame;
            Assert.That(traced.Payload.Length, Is.EqualTo(sent.Payload.Length));
            Assert.That((tail.Refuses(traced), tail.Load(0, traced)), Is.EqualTo(((string?)null, true)));
            tail.Run(1).AsTask().Wait();
            Assert.That(tail.Logits(0).ToArray(), Is.EqualTo(Array.ConvertAll(logits, logit => (float)(Half)logit)));
        }
        tail.LoadBlank(2);
        Assert.That(tail.Run(2).AsTask().Result, Is.EqualTo(Seconds.Zero), "what an edge server measures with is in the trace");
    }

    [Test]
    public void Coded_Payloads_AreSmallerThanTheLatentsInt8()
    {
        var trace = narrow.Files.ReadTestTrace();
        Assert.That(Enumerable.Range(0, trace.Samples).Average(i => trace.PayloadBytes(NarrowModel.Coded, i)), Is.GreaterThan(0).And.LessThan(8));
    }

    [Test]
    public void Refuses_FrameOfAnotherTailOrLatentShape_SaysWhatIsNeeded()
    {
        using var pieces = new Loaded(narrow.Files);
        pieces.RunHead(narrow.Sample(0));
        var frame = pieces.Send(NarrowModel.Coded, out _);
        var tail = pieces.Tail(NarrowModel.Coded.Tail);
        Assert.That(tail.Refuses(frame with { Shape = [2, 2, 3] }), Is.EqualTo("shape [2,2,3]; tiny-narrow needs [2,2,2] at cut 1 bottleneck 1"));
        Assert.That(tail.Refuses(frame with { Bottleneck = 2 }), Is.EqualTo("cut 1 bottleneck 2; this tail starts at cut 1 bottleneck 1"));
        Assert.That(tail.Refuses(frame with { Bottleneck = 0 }), Is.EqualTo("cut 1; this tail starts at cut 1 bottleneck 1"));
    }

    [Test]
    public void Load_CodedPayloadThatIsNone_IsRefused()
    {
        using var pieces = new Loaded(narrow.Files);
        pieces.RunHead(narrow.Sample(0));
        var frame = pieces.Send(NarrowModel.Coded, out _);
        var tail = pieces.Tail(NarrowModel.Coded.Tail);
        Assert.That(tail.Load(0, frame with { Payload = new byte[2000] }), Is.False);
        Assert.That(tail.Load(0, frame with { Payload = Enumerable.Repeat((byte)0xff, 40).ToArray() }), Is.False);
        Assert.That(tail.Load(0, frame), Is.True);
        // This bottleneck has no tables: nobody can know what it would mean.
        Assert.That(pieces.Tail(new TailStart(1, 2)).Load(0, frame with { Bottleneck = 2 }), Is.False);
    }

    [Test]
    public void Head_BottleneckBehindIt_SaysWhere() =>
        Assert.That(() => Head.Traced(narrow.Files.Card, 1, narrow.Files.ReadTestTrace(), 0, [1]), Throws.TypeOf<FaultsException>().With.Message.Contains("is \"narrow\" at cut 1; the head has 0 stages"));

    [Test]
    public void Head_EncoderThatItDoesNotHold_SaysWhichItDoes()
    {
        using var head = Head.Traced(narrow.Files.Card, 1, narrow.Files.ReadTestTrace(), 1, [1]);
        Assert.That(() => head.Encode(2).AsTask(), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("the encoders of [1]"));
    }

    [Test]
    public void LoadEncoder_TamperedTables_NamesTheFile()
    {
        var bytes = File.ReadAllBytes(narrow.At("narrow.tables"));
        bytes[20] ^= 1;
        File.WriteAllBytes(narrow.At("narrow.tables"), bytes);
        Assert.That(() => narrow.Files.LoadEncoder(1), Throws.TypeOf<FaultsException>().With.Message.Contains("narrow.tables").And.Message.Contains("tampered"));
        // Whoever also signs the card is told by the file's own checksum.
        narrow.Write(WithTables(bytes));
        Assert.That(() => narrow.Files.LoadEncoder(1), Throws.TypeOf<FaultsException>().With.Message.Contains("narrow.tables").And.Message.Contains("CRC-32"));
    }

    [Test]
    public void LoadEncoder_TablesOfAnotherLatent_SaysSo()
    {
        var bytes = EntropyModel.FromCounts([[1], [1], [1]], [0, 0, 0]).ToBytes();
        File.WriteAllBytes(narrow.At("narrow.tables"), bytes);
        narrow.Write(WithTables(bytes));
        Assert.That(() => narrow.Files.LoadEncoder(1), Throws.TypeOf<FaultsException>().With.Message.Contains("tables for 3 channels; the latent of narrow has 2"));
    }

    [Test]
    public void Onnx_FilesOfAnotherLatentThanTheCards_AreRefused()
    {
        var card = narrow.Files.Card;
        narrow.Write(card with { Bottlenecks = [card.Bottlenecks[0] with { Shape = [2, 2, 1] }, card.Bottlenecks[1]] });
        Assert.That(() => new Loaded(narrow.Files), Throws.TypeOf<FaultsException>().With.Message.Contains("narrow-encoder.onnx: features is [-1,2,2,2]; the card says [N,2,2,1]"));
        var model = narrow.Files;
        using var piece = model.LoadTail(NarrowModel.Coded.Tail);
        Assert.That(() => Tail.Onnx(model.Card, 1, NarrowModel.Coded.Tail, piece, 1), Throws.TypeOf<FaultsException>().With.Message.Contains("narrow-tail.onnx: x is [-1,2,2,2]; the card says [N,2,2,1]"));
    }

    [Test]
    public void ReadTrace_OfADrift_IsThatOfTheCardOrRefused()
    {
        var model = narrow.Files;
        Assert.That(model.ReadTrace(model.Card.DriftTraces.Single()).Drift, Is.EqualTo("noise-2"));
        Assert.That(() => model.ReadTrace(model.Card.DriftTraces.Single() with { Drift = "blur-1" }), Throws.TypeOf<FaultsException>().With.Message.Contains("is of drift \"noise-2\"; the card says \"blur-1\""));
    }

    [Test]
    public void ReadTestTrace_AfterAnEncoderChanged_IsOfAnotherNetwork()
    {
        var card = narrow.Files.Card;
        narrow.Write(card with { Bottlenecks = [card.Bottlenecks[0] with { Encoder = card.Bottlenecks[1].Encoder with { Index = 1 } }, card.Bottlenecks[1]] });
        Assert.That(() => narrow.Files.ReadTestTrace(), Throws.TypeOf<FaultsException>().With.Message.Contains("another network"));
    }

    private ModelCard WithTables(byte[] bytes)
    {
        var card = narrow.Files.Card;
        var tables = new StoredFile { File = "narrow.tables", Sha256 = ModelFiles.Sha256(bytes), FileBytes = bytes.Length };
        return card with { Bottlenecks = [card.Bottlenecks[0] with { Tables = tables }, card.Bottlenecks[1]] };
    }
}
