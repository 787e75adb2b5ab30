using System.Runtime.InteropServices;
using Fleet.Contracts;

namespace Fleet.Models.Replaying;

/// <summary>
/// Runs a model over a set of images as devices and edge servers do: the head stage by stage on one image at a time, the payload in its
/// codec, the tail on batches. Whatever a card or a trace says of a model comes from here, and is checked here.
/// </summary>
public sealed class ModelReplay : IDisposable
{
    private const int Batch = 100;

    private static readonly Topic Nowhere = new(TopicKind.Reply, "replay", "replay");

    private readonly IReadOnlyList<OnnxPiece> stages;
    private readonly IReadOnlyList<EncoderPiece> encoders;
    private readonly IReadOnlyDictionary<TailStart, OnnxPiece> tails;

    /// <param name="stages">1..N; they and all other pieces become the replay's.</param>
    /// <param name="encoders">Of bottlenecks 1.., with their tables.</param>
    /// <param name="tails">From every cut and every latent.</param>
    public ModelReplay(IReadOnlyList<OnnxPiece> stages, IReadOnlyList<EncoderPiece> encoders, IReadOnlyDictionary<TailStart, OnnxPiece> tails) =>
        (this.stages, this.encoders, this.tails) = (stages, encoders, tails);

    /// <param name="card">Names the pieces; what it says of them besides is not needed yet.</param>
    /// <param name="directory">Where they lie.</param>
    /// <exception cref="FaultsException">A file is missing, is not what the card says, or ONNX Runtime cannot load it.</exception>
    public static ModelReplay Open(ModelCard card, string directory)
    {
        var opened = new List<IDisposable>();
        OnnxPiece Load(ModelPiece piece, bool hasFeatures, bool hasLogits = true)
        {
            var loaded = OnnxPiece.Load(Path.Combine(directory, piece.File), ModelFiles.ReadChecked(directory, piece.File, piece.Sha256), piece, hasFeatures, hasLogits: hasLogits);
            opened.Add(loaded);
            return loaded;
        }
        EntropyModel? Tables(BottleneckCard bottleneck) =>
            bottleneck.Tables is { } file ? EntropyModel.Parse(file.File, ModelFiles.ReadChecked(directory, file.File, file.Sha256)) : null;
        try
        {
            var stages = card.Stages.Select(piece => Load(piece, hasFeatures: piece.Index < card.StageCount)).ToList();
            var tails = Enumerable.Range(0, card.StageCount).ToDictionary(cut => (TailStart)cut, cut => Load(card.Tails[cut], hasFeatures: false));
            var encoders = new List<EncoderPiece>();
            foreach (var (bottleneck, number) in card.Bottlenecks.Select((bottleneck, i) => (bottleneck, i + 1)))
            {
                encoders.Add(new EncoderPiece(number, Load(bottleneck.Encoder, hasFeatures: true, hasLogits: false), Tables(bottleneck)));
                tails[new TailStart(bottleneck.Cut, number)] = Load(bottleneck.Tail, hasFeatures: false);
            }
            return new ModelReplay(stages, encoders, tails);
        }
        catch
        {
            foreach (var piece in opened) piece.Dispose();
            throw;
        }
    }

    /// <summary>Runs every image through all stages, and over each route through its tail.</summary>
    /// <param name="card">Of these pieces.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <exception cref="FaultsException">It was stopped, or the model cannot decode what it packs.</exception>
    public async Task<Outcomes> Run(ModelCard card, ImageRun images, IEnumerable<Route> routes, Action<double>? progress = null, CancellationToken stop = default)
    {
        var classes = card.Classes.Count;
        using var head = Head.Onnx(card, modelHash: 0, stages, encoders: encoders);
        var crossings = routes.Select(route => new Crossing(route, Open(card, route), images.Count, classes)).ToList();
        try
        {
            var exits = stages.Select(_ => new float[images.Count * classes]).ToArray();
            for (var i = 0; i < images.Count; i++)
            {
                head.Load(images.Sample(i));
                for (var stage = 1; stage <= head.Depth; stage++)
                {
                    await head.Run(stage);
                    head.Logits(stage).CopyTo(exits[stage - 1].AsSpan(i * classes));
                }
                foreach (var crossing in crossings) await crossing.Send((await head.Pack(crossing.Route, requestId: 0, new Seconds(1), Nowhere)).Frame, isLast: i == images.Count - 1);
                if (i % Batch != Batch - 1) continue;
                progress?.Invoke((i + 1.0) / images.Count);
                if (stop.IsCancellationRequested) throw new FaultsException(card.Name, $"stopped after {i + 1} of {images.Count} images");
            }
            return new Outcomes(images.Labels(), classes, exits, [.. crossings.Select(crossing => crossing.Outcome)]);
        }
        finally
        {
            foreach (var crossing in crossings) crossing.Tail.Dispose();
        }
    }

    /// <summary>The features of every image at cut 1..N-1: [image, element], flattened.</summary>
    public async Task<float[]> Features(ModelCard card, ImageRun images, int cut)
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
        foreach (var piece in stages.Concat(tails.Values)) piece.Dispose();
        foreach (var encoder in encoders) encoder.Dispose();
    }

    private Tail Open(ModelCard card, Route route) =>
        Tail.Onnx(card, modelHash: 0, route.Tail, tails[route.Tail], Batch, encoders.FirstOrDefault(encoder => encoder.Bottleneck == route.Bottleneck)?.Tables);

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
            if (!tail.Load(waiting, frame)) throw new FaultsException($"{route}", $"the payload of image {sent} cannot be decoded");
            payloadBytes[sent++] = frame.Payload.Length;
            if (++waiting < tail.BatchMax && !isLast) return;
            await tail.Run(waiting);
            for (var row = 0; row < waiting; row++) tail.Logits(row).CopyTo(logits.AsSpan((sent - waiting + row) * classes));
            waiting = 0;
        }
    }
}
