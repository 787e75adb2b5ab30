using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>
/// What runs behind the devices of a group: the local exit over their class vectors, the edge and the cloud exit over their sign
/// maps, on up to <see cref="BatchMax"/> samples at once. The part of a device that is not there is zeros.
/// </summary>
public sealed class GroupTail : IDisposable
{
    private readonly IReadOnlyList<IEngine> engines;
    private readonly IReadOnlyList<IDisposable> owned;

    private GroupTail(GroupCard card, ulong modelHash, IReadOnlyList<IEngine> engines, IReadOnlyList<IDisposable> owned) =>
        (Card, ModelHash, this.engines, this.owned) = (card, modelHash, engines, owned);

    public GroupCard Card { get; }

    public ulong ModelHash { get; }

    public int BatchMax => engines[0].Rows.Capacity;

    private Activations Local => engines[0].Rows;

    private Activations Edge => engines[1].Rows;

    /// <param name="card">Of the group.</param>
    /// <param name="modelHash">First bytes of its hash.</param>
    /// <param name="pieces">Local, edge, cloud.</param>
    /// <param name="batchMax">Samples at once.</param>
    /// <param name="ownsPieces">Whether the pieces go with it; shared ones stay the caller's.</param>
    public static GroupTail Onnx(GroupCard card, ulong modelHash, IReadOnlyList<OnnxPiece> pieces, int batchMax, bool ownsPieces = false)
    {
        var (views, classes) = (card.Views.Count, card.Classes.Count);
        int[] vectors = [views * classes, 1, 1];
        int[] maps = [views * card.MapShape[0], .. card.MapShape.Skip(1)];
        var local = new Activations(batchMax, Activations.Pinned(batchMax * views * classes), 0, classes);
        var edge = new Activations(batchMax, Activations.Pinned(batchMax * views * card.MapElements), Product(card.EdgeFeaturesShape), classes);
        var cloud = new Activations(batchMax, edge.Features, 0, classes);
        return new GroupTail(card, modelHash,
        [
            new OnnxEngine(pieces[0], local, vectors, featureShape: null),
            new OnnxEngine(pieces[1], edge, maps, card.EdgeFeaturesShape),
            new OnnxEngine(pieces[2], cloud, card.EdgeFeaturesShape, featureShape: null),
        ], ownsPieces ? pieces : []);
    }

    /// <summary>The same with every engine wrapped, as an emulated server or a worker thread does.</summary>
    public GroupTail Wrap(Func<GroupPiece, IEngine, IEngine> wrap) =>
        new(Card, ModelHash, [.. Card.Upper.Zip(engines, wrap)], owned);

    /// <summary>Empties a row: no device is there.</summary>
    public void Clear(int row)
    {
        Row(Local.Input, row).Clear();
        Row(Edge.Input, row).Clear();
    }

    /// <summary>Where the class vector of view 1.. goes: [classes].</summary>
    public Span<float> Vector(int row, int view) => Part(Local.Input, row, view);

    /// <summary>Where the signs of view 1.. go: [filters, height, width].</summary>
    public Span<float> Map(int row, int view) => Part(Edge.Input, row, view);

    /// <summary>Runs the local exit on the first <paramref name="count"/> rows; gives the time it took.</summary>
    public ValueTask<Seconds> RunLocal(int count) => Run(0, count);

    /// <inheritdoc cref="RunLocal"/>
    public ValueTask<Seconds> RunEdge(int count) => Run(1, count);

    /// <summary>Goes on from where the edge exit stands; as <see cref="RunLocal"/>.</summary>
    public ValueTask<Seconds> RunCloud(int count) => Run(2, count);

    public ReadOnlySpan<float> LocalLogits(int row) => engines[0].Rows.LogitsOf(row);

    public ReadOnlySpan<float> EdgeLogits(int row) => engines[1].Rows.LogitsOf(row);

    public ReadOnlySpan<float> CloudLogits(int row) => engines[2].Rows.LogitsOf(row);

    public void Dispose()
    {
        foreach (var engine in engines) engine.Dispose();
        foreach (var piece in owned) piece.Dispose();
    }

    private ValueTask<Seconds> Run(int engine, int count)
    {
        engines[engine].Rows.Count = count;
        return engines[engine].Run();
    }

    private Span<float> Row(float[] input, int row) => input.AsSpan(row * (input.Length / BatchMax), input.Length / BatchMax);

    private Span<float> Part(float[] input, int row, int view)
    {
        var part = input.Length / BatchMax / Card.Views.Count;
        return Row(input, row).Slice((view - 1) * part, part);
    }

    private static int Product(IReadOnlyList<int> shape) => shape.Aggregate(1, (product, extent) => product * extent);
}
