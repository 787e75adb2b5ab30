using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>A network cut in two answers as the whole one; a recorded one as the computed one.</summary>
public sealed class HeadAndTailTests
{
    private readonly List<IDisposable> owned = [];
    private OnnxPiece[] stages = [];
    private EncoderPiece[] encoders = [];

    private static ModelCard Card => Zoo.Card;

    [OneTimeSetUp]
    public void Load()
    {
        stages = [.. Enumerable.Range(1, Card.StageCount).Select(stage => Own(Zoo.Model.LoadStage(stage)))];
        encoders = [.. Enumerable.Range(1, Card.Bottlenecks.Count).Select(bottleneck => Own(Zoo.Model.LoadEncoder(bottleneck)))];
    }

    [OneTimeTearDown]
    public void Unload()
    {
        owned.Reverse();
        foreach (var piece in owned) piece.Dispose();
    }

    /// <summary>Some pieces are int8: two ways through the network then differ a little, and rarely in their answer.</summary>
    [Test]
    public void HeadAndTail_AtEveryCutWithoutLoss_AnswerAsTheWholeNetwork()
    {
        const int Images = 200;
        var head = Computed(Card.StageCount);
        for (var cut = 0; cut < Card.StageCount; cut++)
        {
            var (tail, alike) = (Computed(cut, batchMax: 1), 0);
            for (var i = 0; i < Images; i++)
            {
                Run(head, i);
                Assert.That(tail.Load(0, Zoo.Frame(head, Plain(cut), i)), Is.True);
                tail.Run(1).AsTask().Wait();
                if (Confidence.ArgMax(tail.Logits(0)) == Confidence.ArgMax(head.Logits(Card.StageCount))) alike++;
            }
            Assert.That(alike, Is.GreaterThanOrEqualTo(0.97 * Images), $"cut {cut}");
        }
    }

    /// <summary>An edge server's stages behind a cut say at each exit what the whole network says, and what they pass on a cloud can finish.</summary>
    [TestCase(0)]
    [TestCase(1)]
    public void Middle_BehindACut_AnswersAtEachExitAndPassesOn(int from)
    {
        const int Images = 50;
        var head = Computed(Card.StageCount);
        using var middle = Middle.Onnx(Card, Zoo.Model.Hash, from, to: 2, [.. stages.Skip(from)]);
        var (cloud, alike, finished) = (Computed(2, batchMax: 1), 0, 0);
        for (var i = 0; i < Images; i++)
        {
            Run(head, i);
            Assert.That(middle.Load(Zoo.Frame(head, Plain(from), i)), Is.True);
            for (var stage = from + 1; stage <= 2; stage++)
            {
                middle.Run(stage).AsTask().Wait();
                if (Confidence.ArgMax(middle.Logits(stage)) == Confidence.ArgMax(head.Logits(stage))) alike++;
            }
            var frame = middle.Pack(7, new Seconds(1), new Topic(TopicKind.EdgeReply, "lab", "edge-1"));
            Assert.That(cloud.Refuses(frame), Is.Null);
            cloud.Load(0, frame);
            cloud.Run(1).AsTask().Wait();
            middle.Run(3).AsTask().Wait();
            foreach (var label in new[] { Confidence.ArgMax(cloud.Logits(0)), Confidence.ArgMax(middle.Logits(3)) })
                if (label == Confidence.ArgMax(head.Logits(3))) finished++;
        }
        Assert.That(alike, Is.GreaterThanOrEqualTo(0.97 * Images * (2 - from)));
        Assert.That(finished, Is.GreaterThanOrEqualTo(0.94 * 2 * Images));
    }

    [Test]
    public void TracedHead_OnTwoHundredImages_GivesTheComputedLogitsInHalfPrecision()
    {
        var computed = Computed(Card.StageCount);
        using var traced = Head.Traced(Card, Zoo.Model.Hash, Zoo.TestTrace, Card.StageCount);
        for (var i = 0; i < 200; i++)
        {
            Run(computed, i);
            Run(traced, i);
            for (var stage = 1; stage <= Card.StageCount; stage++)
            {
                Assert.That(traced.Logits(stage).ToArray(), Is.EqualTo(Array.ConvertAll(Zoo.TestTrace.ExitLogits(stage, i).ToArray(), logit => (float)logit)));
                AssertHalf(traced.Logits(stage), computed.Logits(stage), $"image {i}, exit {stage}");
            }
        }
    }

    [Test]
    public void TracedTail_OverEveryRouteOfTheCard_GivesTheComputedLogitsInHalfPrecision()
    {
        var head = Computed(Card.StageCount);
        foreach (var route in Card.Routes.Select(Card.RouteOf))
        {
            var computed = Computed(route.Tail, batchMax: 1);
            using var traced = Tail.Traced(Card, Zoo.Model.Hash, route.Tail, Zoo.TestTrace, batchMax: 1);
            for (var i = 0; i < 40; i++)
            {
                Run(head, i * 250);
                var frame = Zoo.Frame(head, route, i * 250);
                Assert.That(computed.Load(0, frame) && traced.Load(0, frame), Is.True);
                computed.Run(1).AsTask().Wait();
                traced.Run(1).AsTask().Wait();
                AssertHalf(traced.Logits(0), computed.Logits(0), $"image {i * 250}, {route}");
                if (Zoo.TestTrace.PayloadBytes(route, i * 250) is { } recorded) AssertLength(frame.Payload.Length, recorded, route);
            }
        }
    }

    [Test]
    public void TracedHead_Payload_HasTheLengthOfTheComputedOne()
    {
        var computed = Computed(Card.StageCount);
        using var traced = Head.Traced(Card, Zoo.Model.Hash, Zoo.TestTrace, Card.StageCount, [.. Enumerable.Range(1, encoders.Length)]);
        foreach (var route in Card.Routes.Select(Card.RouteOf))
            for (var i = 0; i < 20; i++)
            {
                Run(computed, i);
                Run(traced, i);
                computed.Encode(route.Bottleneck).AsTask().Wait();
                AssertLength(computed.Payload(route).Length, traced.Payload(route).Length, route);
            }
    }

    [Test]
    public void Tail_BatchOfEight_AnswersAsOneByOne()
    {
        var head = Computed(Card.StageCount);
        for (var cut = 0; cut < Card.StageCount; cut++)
        {
            var (together, alone) = (Computed(cut, batchMax: 8), Computed(cut, batchMax: 1));
            var route = new Route(cut, cut == 0 ? FeatureCodec.Png : FeatureCodec.Int8);
            var frames = new List<TensorFrame>();
            for (var i = 0; i < 8; i++)
            {
                Run(head, 100 + i);
                frames.Add(Zoo.Frame(head, route, 100 + i));
                Assert.That(together.Load(i, frames[i]), Is.True);
            }
            together.Run(8).AsTask().Wait();
            for (var i = 0; i < 8; i++)
            {
                alone.Load(0, frames[i]);
                alone.Run(1).AsTask().Wait();
                Assert.That(Distance(together.Logits(i), alone.Logits(0)), Is.LessThan(1e-4f), $"row {i} at cut {cut}");
            }
        }
    }

    [Test]
    public void Tail_SmallerBatchAfterALargerOne_AnswersItsOwnRows()
    {
        var (head, tail, alone) = (Computed(Card.StageCount), Computed(1, batchMax: 4), Computed(1, batchMax: 1));
        void Put(Tail into, int row, int sample)
        {
            Run(head, sample);
            into.Load(row, Zoo.Frame(head, Plain(1), sample));
        }
        for (var row = 0; row < 4; row++) Put(tail, row, row);
        tail.Run(4).AsTask().Wait();
        Put(tail, 0, 77);
        tail.Run(1).AsTask().Wait();
        Put(alone, 0, 77);
        alone.Run(1).AsTask().Wait();
        Assert.That(Distance(tail.Logits(0), alone.Logits(0)), Is.LessThan(1e-4f));
    }

    [Test]
    public void Refuses_FrameOfAnotherCutOrShape_SaysWhatIsNeeded()
    {
        var (head, tail) = (Computed(1), Computed(1, batchMax: 1));
        Run(head, 0);
        var frame = Zoo.Frame(head, new Route(1, FeatureCodec.Int8), 0);
        Assert.That(tail.Refuses(frame), Is.Null);
        Assert.That(tail.Refuses(frame with { Cut = 2 }), Is.EqualTo("cut 2; this tail starts at cut 1"));
        Assert.That(tail.Refuses(frame with { Shape = [64, 7, 7] }), Is.EqualTo("shape [64,7,7]; fmnist needs [48,14,14] at cut 1"));
        Assert.That(tail.Refuses(frame with { Shape = [48, 14] }), Is.Not.Null);
        Assert.That(tail.Refuses(frame with { Shape = [1, 48, 14, 14] }), Is.Not.Null);
    }

    [Test]
    public void Load_PayloadThatIsNoImage_IsRefused()
    {
        var (head, tail) = (Computed(0), Computed(0, batchMax: 1));
        head.Load(Zoo.Images.Sample(0));
        var frame = Zoo.Frame(head, new Route(0, FeatureCodec.Png), 0);
        Assert.That(tail.Load(0, frame), Is.True);
        Assert.That(tail.Load(0, frame with { Payload = new byte[50] }), Is.False);
        Assert.That(tail.Load(0, frame with { Codec = FeatureCodec.Webp }), Is.False);
        Assert.That(tail.Load(0, frame with { Codec = FeatureCodec.Raw }), Is.False);
    }

    [Test]
    public void Load_ImageOfAnotherSize_Throws() =>
        Assert.That(() => Computed(1).Load(new Sample(0, -1, new byte[10])), Throws.ArgumentException.With.Message.Contains("10 pixels; fmnist needs 784"));

    [Test]
    public void TracedHead_InputThatIsNotInTheTrace_Throws()
    {
        using var traced = Head.Traced(Card, Zoo.Model.Hash, Zoo.TestTrace, 1);
        foreach (var index in (int[])[-1, Zoo.TestTrace.Samples])
        {
            traced.Load(new Sample(index, -1, default));
            Assert.That(() => traced.Run(1).AsTask(), Throws.InvalidOperationException.With.Message.Contains("replayed inputs"));
        }
    }

    [Test]
    public void LocalInference_OnceWarm_AllocatesNothing()
    {
        var head = Computed(Card.StageCount);
        var sum = 0.0;
        void Infer(int sample)
        {
            head.Load(Zoo.Images.Sample(sample));
            for (var stage = 1; stage <= Card.StageCount; stage++)
            {
                var run = head.Run(stage);
                if (!run.IsCompletedSuccessfully) throw new InvalidOperationException("a stage computes inline");
                sum += run.Result.Value + Confidence.MaxProbability(head.Logits(stage), Card.Exit(stage).Temperature, out _);
            }
        }
        for (var i = 0; i < 50; i++) Infer(i);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Infer(i);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(sum, Is.GreaterThan(0));
    }

    [Test]
    public void Wrap_Head_RunsThroughTheWrappers()
    {
        var ran = new List<int>();
        var head = Computed(2).Wrap((piece, engine) => new Listening(engine, () => ran.Add(piece.Index)));
        Run(head, 0);
        Assert.That(ran, Is.EqualTo(new[] { 1, 2 }));
        Assert.That(head.Depth, Is.EqualTo(2));
    }

    private static void Run(Head head, int sample)
    {
        head.Load(Zoo.Images.Sample(sample));
        for (var stage = 1; stage <= head.Depth; stage++) head.Run(stage).AsTask().Wait();
    }

    private static float Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var largest = 0f;
        for (var i = 0; i < a.Length; i++) largest = MathF.Max(largest, MathF.Abs(a[i] - b[i]));
        return largest;
    }

    /// <summary>A half has 11 significant bits; the computed value may differ by rounding on another processor.</summary>
    private static void AssertHalf(ReadOnlySpan<float> recorded, ReadOnlySpan<float> computed, string what)
    {
        for (var i = 0; i < computed.Length; i++)
            if (!(MathF.Abs(recorded[i] - computed[i]) <= MathF.Abs(computed[i]) / 2048 + 1e-4f)) Assert.Fail($"{what}, class {i}: recorded {recorded[i]}, computed {computed[i]}");
    }

    /// <summary>A tensor's length is fixed; an image's may differ by a few bytes where another version of the image library wrote the trace.</summary>
    private static void AssertLength(int computed, int recorded, Route route) => Assert.That(computed, Is.EqualTo(recorded).Within(route.Cut > 0 || route.Codec is FeatureCodec.Raw ? 0 : 2).Percent, route.ToString());

    /// <summary>What crosses at a cut as it is.</summary>
    private static Route Plain(int cut) => new(cut, cut == 0 ? FeatureCodec.Raw : FeatureCodec.Float32);

    private Head Computed(int depth) => Own(Head.Onnx(Card, Zoo.Model.Hash, stages[..depth], encoders: [.. encoders.Where(_ => depth > 0)]));

    private Tail Computed(TailStart start, int batchMax) => Own(Tail.Onnx(Card, Zoo.Model.Hash, start, Own(Zoo.Model.LoadTail(start)), batchMax, Zoo.Model.ReadTables(start.Bottleneck)));

    private T Own<T>(T disposable) where T : IDisposable
    {
        owned.Add(disposable);
        return disposable;
    }

    private sealed class Listening(IEngine inner, Action ran) : IEngine
    {
        public Activations Rows => inner.Rows;

        public ValueTask<Seconds> Run()
        {
            ran();
            return inner.Run();
        }

        public void Dispose() => inner.Dispose();
    }
}
