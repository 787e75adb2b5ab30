using Fleet.Contracts;

namespace Fleet.Controller.Placement;

/// <summary>How a piece runs on one class of hardware.</summary>
/// <param name="Delay">Of one request.</param>
/// <param name="PerSlot">Requests it can serve in one slot; infinite where nothing limits it.</param>
public readonly record struct PieceService(Seconds Delay, double PerSlot);

/// <summary>Something that a node holds or does not: a whole model, a head or a tail.</summary>
/// <param name="Name">In tables.</param>
/// <param name="Size">Memory that it takes, and bytes fetched when it is loaded.</param>
/// <param name="On">How it runs on each class of hardware; null where it cannot.</param>
public sealed record Piece(string Name, Bytes Size, IReadOnlyList<PieceService?> On);

/// <summary>One way to answer a task: a piece that does it all, or a head and, further up the path, a tail.</summary>
/// <param name="Task">What is answered, 0 to the catalogue's tasks less one.</param>
/// <param name="Accuracy">From 0 to 1.</param>
/// <param name="First">Index of the piece that takes the input.</param>
/// <param name="Second">Index of the tail; <see cref="Whole"/> when there is none.</param>
/// <param name="Crossing">What goes from the head to the tail.</param>
public sealed record Way(int Task, double Accuracy, int First, int Second = Way.Whole, Bytes Crossing = default)
{
    public const int Whole = -1;

    /// <summary>What it takes besides, wherever the pieces are: on the device, and on the way from it.</summary>
    public Seconds Own { get; init; }

    public bool IsSplit => Second != Whole;
}

/// <summary>
/// What an inference delivery network can serve: tasks, the variants (or splits) that answer each, and the pieces that they are made of.
/// A node can hold a piece once; list a piece twice to allow it a second copy there.
/// </summary>
/// <param name="Inputs">Bytes of one input of each task.</param>
public sealed record Catalogue(IReadOnlyList<Bytes> Inputs, IReadOnlyList<Piece> Pieces, IReadOnlyList<Way> Ways)
{
    public int Tasks => Inputs.Count;

    /// <summary>What is inconsistent, one sentence a fault.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var (way, i) in Ways.Select((way, i) => (way, i)))
        {
            if (way.Task < 0 || way.Task >= Tasks) yield return $"ways[{i}].task is {way.Task}; allowed: 0 to {Tasks - 1}";
            if (!(way.Accuracy is >= 0 and <= 1)) yield return $"ways[{i}].accuracy is {way.Accuracy}; allowed: 0 to 1";
            if (way.First < 0 || way.First >= Pieces.Count) yield return $"ways[{i}].first is {way.First}; allowed: 0 to {Pieces.Count - 1}";
            if (way.IsSplit && (way.Second < 0 || way.Second >= Pieces.Count || way.Second == way.First)) yield return $"ways[{i}].second is {way.Second}; allowed: {Way.Whole}, or 0 to {Pieces.Count - 1} but not first";
        }
        foreach (var piece in Pieces.Where(piece => !(piece.Size.Value > 0))) yield return $"piece {piece.Name} has {piece.Size.Value} bytes; allowed: above 0";
        for (var task = 0; task < Tasks; task++)
            if (Ways.All(way => way.Task != task)) yield return $"task {task} has no way to be answered";
    }
}
