using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Models;
using Fleet.Onnx;

namespace Fleet.Tests.Models;

/// <summary>
/// A model on disk that has what the zoo has not yet: two bottlenecks at cut 1 of a random network of two stages for 8x8 images in
/// three classes. "narrow" is coded, "plain" crosses as int8 only. The true class of each image is the answer over narrow's coded
/// route, so that sending a latent is right always and everything else by chance.
/// </summary>
internal sealed class NarrowModel : IDisposable
{
    public const int Samples = 60;
    private const int Side = 8;
    private const int Classes = 3;
    private readonly Random random = new(11);
    private readonly string root = Directory.CreateTempSubdirectory("fleet-narrow-").FullName;
    private readonly byte[] pixels = new byte[Samples * Side * Side];

    public NarrowModel()
    {
        Directory.CreateDirectory(Folder);
        random.NextBytes(pixels);
        WritePieces();
        var card = Describe();
        File.WriteAllBytes(At("narrow.tables"), EntropyModel.FromCounts([Histogram(card, 0), Histogram(card, 1)], [-Reach, -Reach]).ToBytes());
        card = WithTables(card);
        var labels = LabelsOver(card);
        var answers = Evaluate(card);
        card = answers.Judge(card, labels);
        card = card with { CalibrationTrace = Record(card, answers, labels, "calibration.trace", ""), TestTrace = Record(card, answers, labels, "test.trace", "") };
        var drifted = Record(card, answers, labels, "noise.trace", "noise-2");
        Write(card with { DriftTraces = [new DriftTrace { Drift = "noise-2", Set = TraceSet.Test, File = drifted.File, Sha256 = drifted.Sha256, Samples = drifted.Samples }] });
        WriteImages(labels);
    }

    /// <summary>Integers that the tables list reach so far from 0.</summary>
    private const int Reach = 12;

    public static Route Coded { get; } = new(1, FeatureCodec.Coded, Bottleneck: 1);

    public string Zoo => Path.Combine(root, "zoo");

    public string Folder => Path.Combine(Zoo, "tiny-narrow");

    public string Data => Path.Combine(root, "data");

    public ModelFiles Files => ModelFiles.Open(Folder);

    public Stock Stock => new(Zoo, data: Data);

    public string At(string file) => Path.Combine(Folder, file);

    public Sample Sample(int i) => new(i, -1, pixels.AsMemory(i * Side * Side, Side * Side));

    /// <summary>Writes the card anew.</summary>
    public void Write(ModelCard card) => File.WriteAllText(At(ModelFiles.CardName), JsonSerializer.Serialize(card, Json.File.Info<ModelCard>()));

    /// <summary>A card whose work is that of the files; the model's own says more, so that planners have something to weigh.</summary>
    public ModelCard Counted(ModelCard card)
    {
        ModelPiece Count(ModelPiece piece)
        {
            var model = OnnxFile.Read(At(piece.File));
            long[] shape = [1, .. model.Graph.Input[0].Type.TensorType.Shape.Dim.Skip(1).Select(extent => extent.DimValue)];
            var cost = GraphCost.Of(model, OnnxShapes.Of(model, new float[shape.Aggregate((a, b) => a * b)], shape));
            return piece with
            {
                Parameters = cost.Parameters,
                PeakActivationBytes = cost.LayerActivationBytes,
                Work = new KernelWork { FirstConv = new(cost.FirstConvMacs), Conv = new(cost.ConvMacs), Pointwise = new(cost.PointwiseMacs), Depthwise = new(cost.DepthwiseMacs), Dense = new(cost.DenseMacs), OutputElements = cost.OutputElements, Layers = cost.Layers },
            };
        }
        var stages = card.Stages.Select(Count).ToList();
        return card with
        {
            Stages = stages,
            Parameters = stages.Sum(stage => stage.Parameters),
            Tails = [.. card.Tails.Select(Count)],
            Bottlenecks = [.. card.Bottlenecks.Select(bottleneck => bottleneck with { Encoder = Count(bottleneck.Encoder), Tail = Count(bottleneck.Tail) })],
        };
    }

    /// <summary>What the files say of an image over a route, one after another and without any codec but the rounding itself.</summary>
    public float[] Direct(ModelFiles model, int sample, Route route)
    {
        var card = model.Card;
        float[] x = [.. Sample(sample).Pixels.ToArray().Select(p => (float)((p / 255.0 - card.InputMean) / card.InputStd))];
        var features = Run(model.LoadStage(1), OnnxPiece.FeaturesName, x, card.Cuts[0].Shape, card.Cuts[1].Shape);
        if (route.Bottleneck == 0) return Run(model.LoadTail(1), OnnxPiece.LogitsName, features, card.Cuts[1].Shape, [Classes]);
        var bottleneck = card.Bottleneck(route.Bottleneck);
        var latent = Run(model.LoadEncoder(route.Bottleneck).Piece, OnnxPiece.FeaturesName, features, card.Cuts[1].Shape, bottleneck.Shape);
        float[] crossed = route.Codec switch
        {
            FeatureCodec.Coded => [.. latent.Select(y => MathF.Round(y / bottleneck.Scale) * bottleneck.Scale)],
            FeatureCodec.Int8 => [.. latent.Select(y => (Math.Clamp(MathF.Round(y / bottleneck.Scale) + bottleneck.ZeroPoint, -128, 127) - bottleneck.ZeroPoint) * bottleneck.Scale)],
            FeatureCodec.Float16 => [.. latent.Select(y => (float)(Half)y)],
            _ => latent,
        };
        return Run(model.LoadTail(route.Tail), OnnxPiece.LogitsName, crossed, bottleneck.Shape, [Classes]);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static float[] Run(OnnxPiece piece, string output, float[] x, IReadOnlyList<int> from, IReadOnlyList<int> to)
    {
        var hasFeatures = output == OnnxPiece.FeaturesName;
        var rows = new Activations(1, Activations.Pinned(x.Length), hasFeatures ? to.Aggregate(1, (a, b) => a * b) : 0, piece.Piece.File.Contains("encoder", StringComparison.Ordinal) ? 0 : Classes);
        x.CopyTo(rows.Input, 0);
        using (piece)
        using (var engine = new OnnxEngine(piece, rows, from, hasFeatures ? to : null)) engine.Run().AsTask().Wait();
        return hasFeatures ? rows.Features : rows.Logits;
    }

    private void WritePieces()
    {
        var (first, second) = ((Weights(4 * 9), Weights(4)), (Weights(8 * 4 * 9), Weights(8)));
        var (early, late) = ((Weights(Classes * 64), Weights(Classes)), (Weights(Classes * 32), Weights(Classes)));
        Build("stage-1", [1, Side, Side], graph =>
        {
            graph.Relu(graph.Conv("x", "c1", first.Item1, first.Item2, new Window(3, 2, 1)), "features");
            graph.Output("features", 4, 4, 4);
            return graph.Gemm(graph.Flatten("features", "flat"), "logits", early.Item1, early.Item2);
        });
        string Rest(GraphBuilder graph, string features) =>
            graph.Gemm(graph.Flatten(graph.Relu(graph.Conv(features, "c2", second.Item1, second.Item2, new Window(3, 2, 1)), "r2"), "flat"), "logits", late.Item1, late.Item2);
        foreach (var file in (string[])["stage-2", "tail-1"]) Build(file, [4, 4, 4], graph => Rest(graph, "x"));
        Build("tail-0", [1, Side, Side], graph => Rest(graph, graph.Relu(graph.Conv("x", "c1", first.Item1, first.Item2, new Window(3, 2, 1)), "r1")));
        foreach (var name in (string[])["narrow", "plain"])
        {
            Build($"{name}-encoder", [4, 4, 4], graph =>
            {
                graph.Conv("x", "features", Weights(2 * 4), Weights(2), new Window(1, 2));
                graph.Output("features", 2, 2, 2);
                return null;
            });
            Build($"{name}-tail", [2, 2, 2], graph => graph.Gemm(graph.Flatten(graph.Relu(graph.Conv("x", "c", Weights(8 * 2), Weights(8), new Window(1)), "r"), "flat"), "logits", Weights(Classes * 32), Weights(Classes)));
        }
    }

    private void Build(string name, int[] input, Func<GraphBuilder, string?> build)
    {
        var graph = new GraphBuilder(name);
        graph.Input("x", input);
        if (build(graph) is { } logits) graph.Output(logits, Classes);
        OnnxFile.Write(graph.Build("tests"), At(name + ".onnx"));
    }

    private float[] Weights(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(2 * random.NextDouble() - 1))];

    private ModelCard Describe() => new()
    {
        Name = "tiny-narrow",
        Task = "test",
        Classes = ["a", "b", "c"],
        InputMean = 0.5,
        InputStd = 0.3,
        Parameters = 1,
        Cuts = [new CutPoint { Cut = 0, Shape = [1, Side, Side] }, new CutPoint { Cut = 1, Shape = [4, 4, 4], Scale = 0.05f, ZeroPoint = -128 }],
        Stages = [Piece(1, "stage-1", 20_000), Piece(2, "stage-2", 30_000)],
        Tails = [Piece(0, "tail-0", 50_000), Piece(1, "tail-1", 30_000)],
        Bottlenecks =
        [
            new BottleneckCard { Name = "narrow", Cut = 1, Shape = [2, 2, 2], Scale = 0.25f, Encoder = Piece(1, "narrow-encoder", 5_000), Tail = Piece(1, "narrow-tail", 10_000), FrozenEncoder = true, TrainedBy = "entropic" },
            new BottleneckCard { Name = "plain", Cut = 1, Shape = [2, 2, 2], Scale = 0.05f, ZeroPoint = 3, Encoder = Piece(2, "plain-encoder", 5_000), Tail = Piece(2, "plain-tail", 10_000), TrainedBy = "ce" },
        ],
        Exits = [],
        Routes = [],
        CalibrationTrace = new CardFile { File = "calibration.trace", Sha256 = "", Samples = 0 },
        TestTrace = new CardFile { File = "test.trace", Sha256 = "", Samples = 0 },
        Provenance = new Provenance { Command = "", Data = "", Seed = 11, Epochs = 0, TrainedAccuracy = [] },
    };

    private ModelPiece Piece(int index, string file, double macs)
    {
        var bytes = File.ReadAllBytes(At(file + ".onnx"));
        return new ModelPiece { Index = index, File = file + ".onnx", Sha256 = ModelFiles.Sha256(bytes), FileBytes = bytes.Length, Parameters = 1, PeakActivationBytes = 1000, Work = new KernelWork { Conv = new Macs(macs), OutputElements = 100, Layers = 2 } };
    }

    /// <summary>How often each integer of one channel of narrow's latent comes, over all images.</summary>
    private long[] Histogram(ModelCard card, int channel)
    {
        Write(Complete(card));
        var counts = new long[2 * Reach + 1];
        using var pieces = new Loaded(Files);
        for (var i = 0; i < Samples; i++)
        {
            pieces.RunHead(Sample(i));
            pieces.Head.Encode(1).AsTask().Wait();
            var latent = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(pieces.Head.Payload(Coded with { Codec = FeatureCodec.Float32 }).Span);
            foreach (var y in latent.Slice(4 * channel, 4))
                if (Math.Abs(Math.Round(y / card.Bottlenecks[0].Scale)) <= Reach) counts[(int)Math.Round(y / card.Bottlenecks[0].Scale) + Reach]++;
        }
        return counts;
    }

    private ModelCard WithTables(ModelCard card)
    {
        var bytes = File.ReadAllBytes(At("narrow.tables"));
        var tables = new StoredFile { File = "narrow.tables", Sha256 = ModelFiles.Sha256(bytes), FileBytes = bytes.Length };
        RouteCard Line(FeatureCodec codec, string bottleneck, int cut = 1) => new() { Cut = cut, Codec = codec, Bottleneck = bottleneck, Accuracy = 0, Payload = Bytes.Zero };
        card = card with
        {
            Bottlenecks = [card.Bottlenecks[0] with { Tables = tables }, card.Bottlenecks[1]],
            Routes = [Line(FeatureCodec.Raw, "", cut: 0), Line(FeatureCodec.Int8, ""), Line(FeatureCodec.Coded, "narrow"), Line(FeatureCodec.Float16, "narrow"), Line(FeatureCodec.Int8, "plain")],
        };
        card = Complete(card);
        Write(card);
        return card;
    }

    private byte[] LabelsOver(ModelCard card) => [.. Enumerable.Range(0, Samples).Select(i => (byte)Confidence.ArgMax(Direct(Files, i, Coded)))];

    /// <summary>With exits, whose figures are filled in once there are labels.</summary>
    private static ModelCard Complete(ModelCard card) => card with
    {
        Exits = [.. card.Stages.Select(stage => new ExitCard { Exit = stage.Index, Temperature = 1, Accuracy = 0, CalibrationAccuracy = 0, EceBefore = 0, EceAfter = 0 })],
    };

    private Answers Evaluate(ModelCard card)
    {
        using var pieces = new Loaded(Files);
        var answers = new Answers([.. card.Routes.Select(card.RouteOf)]);
        for (var i = 0; i < Samples; i++)
        {
            pieces.RunHead(Sample(i));
            for (var stage = 1; stage <= 2; stage++) pieces.Head.Logits(stage).CopyTo(answers.Exits[stage - 1].AsSpan(i * Classes));
            for (var r = 0; r < answers.Routes.Count; r++)
            {
                answers.Sizes[r][i] = pieces.Send(answers.Routes[r], out var logits).Payload.Length;
                logits.CopyTo(answers.Logits[r].AsSpan(i * Classes));
            }
        }
        return answers;
    }

    private CardFile Record(ModelCard card, Answers answers, byte[] labels, string file, string drift)
    {
        new Trace("tests", ModelFiles.NetworkHash(card), 0, labels, Classes, answers.Exits, answers.Routes.Skip(1), answers.Logits.Skip(1), answers.Sizes.Skip(1), drift).Write(At(file));
        return new CardFile { File = file, Sha256 = ModelFiles.Sha256(File.ReadAllBytes(At(file))), Samples = Samples };
    }

    /// <summary>What the files say of every image by both exits and over every route of the card, the raw one first.</summary>
    private sealed record Answers(IReadOnlyList<Route> Routes)
    {
        public float[][] Exits { get; } = [new float[Samples * Classes], new float[Samples * Classes]];

        public float[][] Logits { get; } = [.. Routes.Select(_ => new float[Samples * Classes])];

        public int[][] Sizes { get; } = [.. Routes.Select(_ => new int[Samples])];

        public ModelCard Judge(ModelCard card, byte[] labels) => card with
        {
            Exits = [.. card.Exits.Select(exit => Judge(exit, Exits[exit.Exit - 1], labels))],
            Routes = [.. card.Routes.Select((route, r) => route with { Accuracy = Calibration.Accuracy(Logits[r], labels, Classes), Payload = new Bytes(Sizes[r].Average()) })],
        };

        private static ExitCard Judge(ExitCard exit, float[] logits, byte[] labels)
        {
            // Fitted on what the trace keeps: so few images leave the temperature loose.
            var kept = Array.ConvertAll(logits, logit => (float)(Half)logit);
            var (temperature, accuracy) = (Calibration.FitTemperature(kept, labels, Classes), Calibration.Accuracy(logits, labels, Classes));
            return exit with
            {
                Temperature = temperature,
                Accuracy = accuracy,
                CalibrationAccuracy = accuracy,
                EceBefore = Calibration.Ece(logits, labels, Classes, 1),
                EceAfter = Calibration.Ece(logits, labels, Classes, temperature),
            };
        }
    }

    private void WriteImages(byte[] labels)
    {
        Directory.CreateDirectory(Data);
        Idx("t10k-images-idx3-ubyte.gz", pixels, Samples, Side, Side);
        Idx("t10k-labels-idx1-ubyte.gz", labels, Samples);
    }

    private void Idx(string file, byte[] data, params int[] extents)
    {
        using var gzip = new GZipStream(File.Create(Path.Combine(Data, file)), CompressionLevel.Fastest);
        var header = new byte[4 + 4 * extents.Length];
        (header[2], header[3]) = (8, (byte)extents.Length);
        for (var i = 0; i < extents.Length; i++) BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + 4 * i), extents[i]);
        gzip.Write(header);
        gzip.Write(data);
    }
}
