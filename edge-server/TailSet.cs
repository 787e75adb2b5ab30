using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.EdgeServer;

/// <summary>One tail that is loaded.</summary>
/// <param name="Workers">One instance a worker.</param>
/// <param name="File">Disposed with it: the loaded file that the instances share; null when they have none.</param>
public sealed record LoadedTail(TailStart Start, IReadOnlyList<Tail> Workers, IDisposable? File = null) : IDisposable
{
    public void Dispose()
    {
        foreach (var tail in Workers) tail.Dispose();
        File?.Dispose();
    }
}

/// <summary>
/// The tails of one model that an edge server holds, and the batch that pays for each. Tails may come and go one by one: one that leaves takes no new
/// frames, finishes those that wait for it, and only then gives back its memory.
/// </summary>
public sealed class TailSet : IDisposable
{
    private readonly SortedDictionary<TailStart, Held> tails = new(Comparer<TailStart>.Create((a, b) => (a.Bottleneck, a.Cut).CompareTo((b.Bottleneck, b.Cut))));
    private readonly Dictionary<int, Middle[]> middles = [];
    private readonly IReadOnlyList<IDisposable> stages;
    private TaskCompletionSource? emptied;
    private int users;
    private bool isRetired;

    /// <param name="stages">Disposed with the set: loaded files that middles share.</param>
    /// <param name="byCut">For a server that passes on: one middle a worker for each cut before that at which it does.</param>
    public TailSet(ModelCard card, ulong modelHash, IEnumerable<LoadedTail> loaded, IReadOnlyList<IDisposable>? stages = null, IEnumerable<Middle[]>? byCut = null)
    {
        foreach (var workers in byCut ?? []) middles.Add(workers[0].From, workers);
        (Card, ModelHash, this.stages) = (card, modelHash, stages ?? []);
        foreach (var tail in loaded) tails.Add(tail.Start, new Held(tail));
    }

    public ModelCard Card { get; }

    public ulong ModelHash { get; }

    /// <summary>Those that do not leave: cuts in order, then bottlenecks.</summary>
    public IEnumerable<TailStart> Starts => tails.Where(entry => !entry.Value.IsLeaving).Select(entry => entry.Key);

    /// <summary>Memory of all that is loaded, by the lengths of the files; what leaves is still there.</summary>
    public Bytes Size => SizeOf(Card, tails.Keys);

    public static Bytes SizeOf(ModelCard card, IEnumerable<TailStart> starts) => new(starts.Sum(start => card.Tail(start).FileBytes));

    /// <summary>Whether a tail is loaded, be it that it leaves.</summary>
    public bool Holds(TailStart start) => tails.ContainsKey(start);

    /// <summary>Whether the frame's model and tail are held.</summary>
    public bool Finishes(TensorFrame frame) => frame.ModelHash == ModelHash && Holds(frame.Route.Tail);

    /// <summary>Whether new frames for the tail are taken.</summary>
    public bool Takes(TensorFrame frame) => frame.ModelHash == ModelHash && tails.TryGetValue(frame.Route.Tail, out var held) && !held.IsLeaving;

    public Tail Of(TailStart start, int worker) => tails[start].Loaded.Workers[worker];

    public int BatchOf(TailStart start) => tails[start].Batch;

    /// <summary>What runs a frame's stages one by one; null when it does not come at a cut that is passed on behind.</summary>
    public Middle? MiddleOf(TensorFrame frame, int worker) => frame.Bottleneck == 0 && middles.TryGetValue(frame.Cut, out var workers) ? workers[worker] : null;

    /// <summary>Measured time of one frame at each cut; index cut + 1, NaN where no tail is held.</summary>
    public PerExit TailSeconds => new(Enumerable.Range(0, Card.StageCount).Select(cut => PerFrame(new TailStart(cut))));

    /// <summary>Likewise behind each bottleneck, by number; the first eight.</summary>
    public PerExit BottleneckSeconds => new(Card.Bottlenecks.Take(PerExit.Max).Select((bottleneck, i) => PerFrame(new TailStart(bottleneck.Cut, i + 1))));

    public async Task MeasureBatches()
    {
        foreach (var (start, held) in tails.OrderBy(entry => entry.Key.Cut).ThenBy(entry => entry.Key.Bottleneck).ToList()) (held.Batch, held.PerFrame) = await BatchCurve.Choose(held.Loaded.Workers[0]);
    }

    /// <summary>Takes over all that another set of the same model holds; that set is empty afterwards.</summary>
    public void Add(TailSet more)
    {
        foreach (var (start, held) in more.tails) tails.Add(start, held);
        more.tails.Clear();
    }

    /// <summary>These and no others are to stay: what had begun to leave and is among them stays after all.</summary>
    public void Keep(IReadOnlyCollection<TailStart> starts)
    {
        foreach (var (start, held) in tails) held.IsLeaving = !starts.Contains(start);
        IsLeaving = tails.Values.Any(held => held.IsLeaving);
    }

    /// <summary>Gives back the memory of tails that leave and that nobody needs any more.</summary>
    /// <param name="waits">Whether a frame waits for a tail.</param>
    /// <returns>How many went.</returns>
    public int Release(Func<TailStart, bool> waits)
    {
        var gone = tails.Where(entry => entry.Value is { IsLeaving: true, Users: 0 } && !waits(entry.Key)).Select(entry => entry.Key).ToList();
        foreach (var start in gone)
        {
            tails[start].Loaded.Dispose();
            tails.Remove(start);
        }
        IsLeaving = tails.Values.Any(held => held.IsLeaving);
        if (!IsLeaving) emptied?.TrySetResult();
        return gone.Count;
    }

    /// <summary>Whether some tail has yet to go.</summary>
    public bool IsLeaving { get; private set; }

    /// <summary>Completes when all that leaves has gone; somebody must go on to <see cref="Release"/>.</summary>
    public Task Emptied()
    {
        if (!IsLeaving) return Task.CompletedTask;
        if (emptied is null || emptied.Task.IsCompleted) emptied = new TaskCompletionSource();
        return emptied.Task;
    }

    /// <summary>A worker begins to compute what waits for a tail; false: it is not held, only the set is.</summary>
    public bool Enter(TailStart start)
    {
        users++;
        if (!tails.TryGetValue(start, out var held)) return false;
        held.Users++;
        return true;
    }

    /// <summary>A worker is done; the last one out of a retired set disposes it.</summary>
    /// <param name="held">What <see cref="Enter"/> gave.</param>
    public void Leave(TailStart start, bool held)
    {
        if (held) tails[start].Users--;
        if (--users == 0 && isRetired) Dispose();
    }

    /// <summary>No new work comes: dispose now, or when the last worker leaves.</summary>
    public void Retire()
    {
        isRetired = true;
        emptied?.TrySetResult();
        if (users == 0) Dispose();
    }

    public void Dispose()
    {
        foreach (var held in tails.Values) held.Loaded.Dispose();
        foreach (var middle in middles.Values.SelectMany(workers => workers)) middle.Dispose();
        foreach (var stage in stages) stage.Dispose();
    }

    private double PerFrame(TailStart start) => tails.TryGetValue(start, out var known) ? Quantity.Rounded(known.PerFrame.Value) : double.NaN;

    private sealed class Held(LoadedTail loaded)
    {
        public LoadedTail Loaded => loaded;

        public int Batch { get; set; } = 1;

        public Seconds PerFrame { get; set; }

        public int Users { get; set; }

        public bool IsLeaving { get; set; }
    }
}
