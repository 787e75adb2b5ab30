using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.EdgeServer;

/// <summary>The tails of one model that an edge server holds: for each cut one instance a worker, and the batch that pays.</summary>
public sealed class TailSet : IDisposable
{
    private readonly Dictionary<int, Tail[]> tails = [];
    private readonly Dictionary<int, (int Batch, Seconds PerFrame)> measured = [];
    private readonly IReadOnlyList<IDisposable> pieces;
    private int users;
    private bool isRetired;

    /// <param name="byCut">One tail a worker for each cut.</param>
    /// <param name="pieces">Disposed with the set: loaded files that the tails share.</param>
    public TailSet(ModelCard card, ulong modelHash, IEnumerable<(int Cut, Tail[] Workers)> byCut, IReadOnlyList<IDisposable> pieces)
    {
        (Card, ModelHash, this.pieces) = (card, modelHash, pieces);
        foreach (var (cut, workers) in byCut)
        {
            tails.Add(cut, workers);
            measured.Add(cut, (1, Seconds.Zero));
        }
    }

    public ModelCard Card { get; }

    public ulong ModelHash { get; }

    public bool Holds(int cut) => tails.ContainsKey(cut);

    /// <summary>Whether the frame's model and cut are held.</summary>
    public bool Finishes(TensorFrame frame) => frame.ModelHash == ModelHash && Holds(frame.Cut);

    public Tail Of(int cut, int worker) => tails[cut][worker];

    public int BatchOf(int cut) => measured[cut].Batch;

    /// <summary>Measured time of one frame at each cut; index cut + 1, NaN where no tail is held.</summary>
    public PerExit TailSeconds => new(Enumerable.Range(0, Card.StageCount).Select(cut => measured.TryGetValue(cut, out var known) ? Quantity.Rounded(known.PerFrame.Value) : double.NaN));

    public async Task MeasureBatches()
    {
        foreach (var (cut, workers) in tails.OrderBy(entry => entry.Key)) measured[cut] = await BatchCurve.Choose(workers[0]);
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
        foreach (var piece in pieces) piece.Dispose();
    }
}
