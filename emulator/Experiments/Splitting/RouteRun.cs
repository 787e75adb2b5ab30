using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Experiments.Splitting;

/// <summary>
/// Test images over one route, computed and not replayed: the head's stages and encoder on ONNX Runtime, the payload as the range coder or
/// the image codec writes it, the frame decoded and finished by the tail.
/// </summary>
/// <param name="Bytes">Payload of each image.</param>
/// <param name="Correct">Whether the tail's answer is right; empty when it was not asked.</param>
public sealed record RouteRun(ModelFiles Model, Route Route, int[] Bytes, bool[] Correct)
{
    private static readonly Topic Nobody = new(TopicKind.State, "experiment", "device");

    public double MeanBytes => Bytes.Average();

    public double Accuracy => (double)Correct.Count(right => right) / Correct.Length;

    /// <param name="count">The first so many images of the test set.</param>
    /// <param name="finishes">Whether tails run, too.</param>
    /// <param name="sees">Told every image's number and payload.</param>
    public static RouteRun Of(Stock stock, ModelFiles model, Route route, int count, bool finishes = true, Action<int, ReadOnlyMemory<byte>>? sees = null)
    {
        var (card, images) = (model.Card, stock.Images(model.Card.Replays));
        IReadOnlyList<EncoderPiece> encoders = route.Bottleneck > 0 ? [stock.Encoder(model, route.Bottleneck)] : [];
        using var head = Head.Onnx(card, model.Hash, [.. Enumerable.Range(1, Math.Max(1, route.Cut)).Select(stage => stock.Stage(model, stage))], encoders: encoders);
        using var tail = finishes ? Tail.Onnx(card, model.Hash, route.Tail, stock.Tail(model, route.Tail), batchMax: 1, model.ReadTables(route.Bottleneck)) : null;
        var (bytes, correct) = (new int[count], new bool[finishes ? count : 0]);
        for (var i = 0; i < count; i++)
        {
            head.Load(new Sample(i, images.Label(i), images.Image(i)));
            // Engines over ONNX files complete before they return.
            for (var stage = 1; stage <= route.Cut; stage++) head.Run(stage).AsTask().GetAwaiter().GetResult();
            var (frame, _) = head.Pack(route, (ulong)i, Seconds.Zero, Nobody).AsTask().GetAwaiter().GetResult();
            bytes[i] = frame.Payload.Length;
            sees?.Invoke(i, frame.Payload);
            if (tail is null) continue;
            if (!tail.Load(0, frame)) throw new InvalidOperationException($"{card.Name}: the tail of {route} cannot read what the head of image {i} wrote");
            tail.Run(1).AsTask().GetAwaiter().GetResult();
            correct[i] = Confidence.ArgMax(tail.Logits(0)) == images.Label(i);
        }
        return new RouteRun(model, route, bytes, correct);
    }
}
