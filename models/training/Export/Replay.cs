using System.Runtime.InteropServices;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>
/// Runs a model as devices and edge servers do: the head stage by stage on one image at a time, the payload in its codec, the tail
/// on batches. All accuracies of a card are taken from here and not from the module that was trained.
/// </summary>
public sealed class Replay : IDisposable
{
    private const int Batch = 100;

    private static readonly Topic Nowhere = new(TopicKind.Reply, "training", "replay");

    private readonly List<OnnxPiece> stages = [];
    private readonly List<EncoderPiece> encoders = [];
    private readonly Dictionary<TailStart, (OnnxPiece Piece, EntropyModel? Tables)> tails = [];

    /// <param name="card">Names the pieces.</param>
    /// <param name="directory">Where they lie.</param>
    /// <exception cref="FaultsException">ONNX Runtime cannot load a file.</exception>
    public Replay(ModelCard card, string directory)
    {
        OnnxPiece Load(ModelPiece piece, bool hasFeatures, bool hasLogits = true)
        {
            var path = Path.Combine(directory, piece.File);
            return OnnxPiece.Load(path, File.ReadAllBytes(path), piece, hasFeatures, hasLogits: hasLogits);
        }
        stages.AddRange(card.Stages.Select(piece => Load(piece, piece.Index < card.StageCount)));
        for (var cut = 0; cut < card.StageCount; cut++) tails[cut] = (Load(card.Tails[cut], hasFeatures: false), null);
        for (var number = 1; number <= card.Bottlenecks.Count; number++)
        {
            var bottleneck = card.Bottleneck(number);
            var tables = bottleneck.Tables is { } file ? EntropyModel.Parse(file.File, File.ReadAllBytes(Path.Combine(directory, file.File))) : null;
            encoders.Add(new EncoderPiece(number, Load(bottleneck.Encoder, hasFeatures: true, hasLogits: false), tables));
            tails[new TailStart(bottleneck.Cut, number)] = (Load(bottleneck.Tail, hasFeatures: false), tables);
        }
    }

    /// <summary>Runs every image through all stages, and over each route through its tail.</summary>
    public async Task<Outcomes> Run(ModelCard card, ImageSet images, IReadOnlyList<Route> routes)
    {
        var classes = card.Classes.Count;
        using var head = Head.Onnx(card, modelHash: 0, stages, encoders: encoders);
        var crossings = routes.Select(route => new Crossing(route, Open(card, route), images.Count, classes)).ToList();
        var exits = stages.Select(_ => new float[images.Count * classes]).ToArray();
        for (var i = 0; i < images.Count; i++)
        {
            head.Load(images.Sample(i));
            for (var stage = 1; stage <= head.Depth; stage++)
            {
                await head.Run(stage);
                head.Logits(stage).CopyTo(exits[stage - 1].AsSpan(i * classes));
            }
            foreach (var crossing in crossings)
            {
                var (frame, _) = await head.Pack(crossing.Route, requestId: 0, new Seconds(1), Nowhere);
                await crossing.Send(frame, isLast: i == images.Count - 1);
            }
        }
        foreach (var crossing in crossings) crossing.Tail.Dispose();
        return new Outcomes(images, classes, exits, [.. crossings.Select(crossing => crossing.Outcome)]);
    }

    /// <summary>The features of every image at cut 1..N-1: [image, element], flattened.</summary>
    public async Task<float[]> Features(ModelCard card, ImageSet images, int cut)
    {
        using var head = Head.Onnx(card, modelHash: 0, stages);
        var elements = card.Cuts[cut].Elements;
        var features = new float[images.Count * elements];
        for (var i = 0; i < images.Count; i++)
        {
            head.Load(images.Sample(i));
            for (var stage = 1; stage <= cut; stage++) await head.Run(stage);
            MemoryMarshal.Cast<byte, float>(head.Payload(new Route(cut, FeatureCodec.Float32)).Span).CopyTo(features.AsSpan(i * elements));
        }
        return features;
    }

    public void Dispose()
    {
        foreach (var piece in stages.Concat(tails.Values.Select(tail => tail.Piece))) piece.Dispose();
        foreach (var encoder in encoders) encoder.Dispose();
    }

    private Tail Open(ModelCard card, Route route)
    {
        var (piece, tables) = tails[route.Tail];
        return Tail.Onnx(card, modelHash: 0, route.Tail, piece, Batch, tables);
    }

    /// <summary>One route, and what came of the images that took it so far.</summary>
    private sealed class Crossing(Route route, Tail tail, int images, int classes)
    {
        private readonly float[] logits = new float[images * classes];
        private readonly int[] payloadBytes = new int[images];
        private int sent;
        private int waiting;

        public Route Route => route;

        public Tail Tail => tail;

        public RouteOutcome Outcome => new(route, logits, payloadBytes);

        /// <summary>Puts the next image's frame into the batch and runs it when it is full.</summary>
        public async ValueTask Send(TensorFrame frame, bool isLast)
        {
            if (!tail.Load(waiting, frame)) throw new InvalidOperationException($"image {sent}: its own payload over {route} cannot be decoded");
            payloadBytes[sent++] = frame.Payload.Length;
            if (++waiting < tail.BatchMax && !isLast) return;
            await tail.Run(waiting);
            for (var row = 0; row < waiting; row++) tail.Logits(row).CopyTo(logits.AsSpan((sent - waiting + row) * classes));
            waiting = 0;
        }
    }
}
