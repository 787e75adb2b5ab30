using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.EdgeServer;

/// <summary>The tails of one model that an edge server holds: for each cut and bottleneck one instance a worker, and the batch that pays.</summary>
public sealed class TailSet : IDisposable
{
    private readonly Dictionary<TailStart, Tail[]> tails = [];
    private readonly Dictionary<TailStart, (int Batch, Seconds PerFrame)> measured = [];
    private readonly Dictionary<int, Middle[]> middles = [];
    private readonly IReadOnlyList<IDisposable> pieces;
    private int users;
    private bool isRetired;

    /// <param name="byStart">One tail a worker for each cut or bottleneck.</param>
    /// <param name="pieces">Disposed with the set: loaded files that the tails share.</param>
    /// <param name="byCut">For a server that passes on: one middle a worker for each cut before that at which it does.</param>
    public TailSet(ModelCard card, ulong modelHash, IEnumerable<(TailStart Start, Tail[] Workers)> byStart, IReadOnlyList<IDisposable> pieces, IEnumerable<Middle[]>? byCut = null)
    {
        foreach (var workers in byCut ?? []) middles.Add(workers[0].From, workers);
        (Card, ModelHash, this.pieces) = (card, modelHash, pieces);
        foreach (var (start, workers) in byStart)
        {
            tails.Add(start, workers);
            measured.Add(start, (1, Seconds.Zero));
        }
    }

    public ModelCard Card { get; }

    public ulong ModelHash { get; }

    public bool Holds(TailStart start) => tails.ContainsKey(start);

    /// <summary>Whether the frame's model and tail are held.</summary>
    public bool Finishes(TensorFrame frame) => frame.ModelHash == ModelHash && Holds(frame.Route.Tail);

    public Tail Of(TailStart start, int worker) => tails[start][worker];

    public int BatchOf(TailStart start) => measured[start].Batch;

    /// <summary>What runs a frame's stages one by one; null when it does not come at a cut that is passed on behind.</summary>
    public Middle? MiddleOf(TensorFrame frame, int worker) => frame.Bottleneck == 0 && middles.TryGetValue(frame.Cut, out var workers) ? workers[worker] : null;

    /// <summary>Measured time of one frame at each cut; index cut + 1, NaN where no tail is held.</summary>
    public PerExit TailSeconds => new(Enumerable.Range(0, Card.StageCount).Select(cut => PerFrame(cut)));

    /// <summary>Likewise behind each bottleneck, by number; the first eight.</summary>
    public PerExit BottleneckSeconds => new(Card.Bottlenecks.Take(PerExit.Max).Select((bottleneck, i) => PerFrame(new TailStart(bottleneck.Cut, i + 1))));

    public async Task MeasureBatches()
    {
        foreach (var (start, workers) in tails.OrderBy(entry => entry.Key.Cut).ThenBy(entry => entry.Key.Bottleneck)) measured[start] = await BatchCurve.Choose(workers[0]);
    }

    /// <summary>A worker begins to compute with it.</summary>
    public void Enter() => users++;

    /// <summary>A worker is done; the last one out of a retired set disposes it.</summary>
    public void Leave()
    {
        if (--users == 0 && isRetired) Dispose();
    }

    /// <summary>No new work comes: dispose now, or when the last worker leaves.</summary>
    public void Retire()
    {
        isRetired = true;
        if (users == 0) Dispose();
    }

    public void Dispose()
    {
        foreach (var tail in tails.Values.SelectMany(workers => workers)) tail.Dispose();
        foreach (var middle in middles.Values.SelectMany(workers => workers)) middle.Dispose();
        foreach (var piece in pieces) piece.Dispose();
    }

    private double PerFrame(TailStart start) => measured.TryGetValue(start, out var known) ? Quantity.Rounded(known.PerFrame.Value) : double.NaN;
}
