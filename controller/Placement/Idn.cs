using Fleet.Contracts;

namespace Fleet.Controller.Placement;

/// <summary>
/// An inference delivery network as arrays (Si Salem, Castellano, Neglia, Pianese, Araldo: "Towards inference delivery networks", MedComNet 2021;
/// formulas reconstructed, and checked numerically by the tests). A holding is a piece on a node, at index node * Pieces + piece; what is held is a
/// number from 0 to 1 for each. A request of a type is served by the cheapest option on its path that is held and has capacity left:
/// cost = round trips to the node + bytes on the links + delay + alpha (1 - accuracy), in milliseconds.
/// An option that is split needs its head and its tail, and has of each what both have: min(head, tail).
/// </summary>
public sealed class Idn
{
    /// <summary>In <see cref="Tail"/>: the option is not split.</summary>
    public const int None = -1;

    private Idn(DeliveryNetwork network, Catalogue catalogue, IReadOnlyList<RequestType> types, double alpha)
    {
        (Network, Catalogue, Types, Alpha) = (network, catalogue, types, alpha);
        (Nodes, Pieces) = (network.Nodes.Count, catalogue.Pieces.Count);
        Size = [.. catalogue.Pieces.Select(piece => piece.Size.Value / BytesInMegabyte)];
        Budget = [.. network.Nodes.Select(node => node.IsRepository ? 0 : node.Budget.Value / BytesInMegabyte)];
        Pinned = new bool[Nodes * Pieces];
        PerSlot = new double[Nodes * Pieces];
        for (var node = 0; node < Nodes; node++)
        {
            foreach (var piece in network.Nodes[node].Pinned) Pinned[node * Pieces + piece] = true;
            for (var piece = 0; piece < Pieces; piece++)
            {
                if (network.Nodes[node].IsRepository) Pinned[node * Pieces + piece] = true;
                PerSlot[node * Pieces + piece] = network.Nodes[node].IsRepository ? double.PositiveInfinity : ServiceOn(node, piece)?.PerSlot ?? 0;
            }
        }
        (Start, Head, Tail, Cost) = Options();
        (FreeStart, Free) = FreePieces();
        (UserStart, Users) = HoldingUsers();
    }

    private const double BytesInMegabyte = 1e6;

    public DeliveryNetwork Network { get; }

    public Catalogue Catalogue { get; }

    public IReadOnlyList<RequestType> Types { get; }

    /// <summary>Milliseconds that a unit of inaccuracy counts as.</summary>
    public double Alpha { get; }

    public int Nodes { get; }

    public int Pieces { get; }

    /// <summary>Megabytes of each piece.</summary>
    public double[] Size { get; }

    /// <summary>Megabytes of each node for what is not pinned.</summary>
    public double[] Budget { get; }

    /// <summary>Of each holding: always there. The minimal allocation.</summary>
    public bool[] Pinned { get; }

    /// <summary>Of each holding: requests it can serve in a slot.</summary>
    public double[] PerSlot { get; }

    /// <summary>Options of type i are Start[i] to Start[i + 1] - 1, from the cheapest to the first that is pinned and serves any number.</summary>
    public int[] Start { get; }

    /// <summary>Of each option: the holding that takes the input.</summary>
    public int[] Head { get; }

    /// <summary>Of each option: the holding that finishes, or <see cref="None"/>.</summary>
    public int[] Tail { get; }

    /// <summary>Of each option, in milliseconds.</summary>
    public double[] Cost { get; }

    /// <summary>Pieces that node v may take up or leave are Free[FreeStart[v]] to Free[FreeStart[v + 1] - 1].</summary>
    public int[] FreeStart { get; }

    public int[] Free { get; }

    /// <summary>Request types with an option on holding h are Users[UserStart[h]] to Users[UserStart[h + 1] - 1].</summary>
    public int[] UserStart { get; }

    public int[] Users { get; }

    public int Holdings => Nodes * Pieces;

    /// <summary>Throws <see cref="FaultsException"/> that lists all that is wrong with the parts.</summary>
    public static Idn Make(DeliveryNetwork network, Catalogue catalogue, IReadOnlyList<RequestType> types, double alpha)
    {
        FaultsException.ThrowIfAny("inference delivery network",
        [
            .. catalogue.Faults(),
            .. double.IsFinite(alpha) && alpha >= 0 ? Array.Empty<string>() : [$"alpha is {alpha}; allowed: 0 or more"],
            .. types.SelectMany((type, i) => PathFaults(network, catalogue, type, i)),
        ]);
        return new Idn(network, catalogue, types, alpha);
    }

    /// <summary>What every node always holds, as a fresh array of all holdings.</summary>
    public double[] Minimal() => Array.ConvertAll(Pinned, pinned => pinned ? 1.0 : 0.0);

    public ReadOnlySpan<int> FreeOf(int node) => Free.AsSpan(FreeStart[node]..FreeStart[node + 1]);

    public ReadOnlySpan<int> UsersOf(int holding) => Users.AsSpan(UserStart[holding]..UserStart[holding + 1]);

    /// <summary>Megabytes of a node that its free pieces take.</summary>
    public double Used(int node, ReadOnlySpan<double> held)
    {
        var used = 0.0;
        foreach (var piece in FreeOf(node)) used += Size[piece] * held[node * Pieces + piece];
        return used;
    }

    private static IEnumerable<string> PathFaults(DeliveryNetwork network, Catalogue catalogue, RequestType type, int i)
    {
        if (type.Task < 0 || type.Task >= catalogue.Tasks) yield return $"types[{i}].task is {type.Task}; allowed: 0 to {catalogue.Tasks - 1}";
        if (type.Path.Count == 0 || !network.Nodes[type.Path[^1]].IsRepository) yield return $"types[{i}].path does not end in a repository";
        if (type.Path.Distinct().Count() != type.Path.Count) yield return $"types[{i}].path visits a node twice";
    }

    private PieceService? ServiceOn(int node, int piece) => Catalogue.Pieces[piece].On[Network.Nodes[node].Hardware];

    private (int[] Start, int[] Head, int[] Tail, double[] Cost) Options()
    {
        var ways = Enumerable.Range(0, Catalogue.Tasks).Select(task => Catalogue.Ways.Where(way => way.Task == task).ToList()).ToList();
        var (start, head, tail, cost) = (new List<int> { 0 }, new List<int>(), new List<int>(), new List<double>());
        foreach (var type in Types)
        {
            foreach (var option in OptionsOf(type, ways[type.Task]).OrderBy(option => option.Cost))
            {
                head.Add(option.Head);
                tail.Add(option.Tail);
                cost.Add(option.Cost);
                if (IsAlways(option.Head) && (option.Tail == None || IsAlways(option.Tail))) break;
            }
            if (head.Count == start[^1] || !IsAlways(head[^1])) throw new FaultsException("inference delivery network", $"the repository of request type {start.Count - 1} cannot serve it");
            start.Add(head.Count);
        }
        return ([.. start], [.. head], [.. tail], [.. cost]);
    }

    private bool IsAlways(int holding) => Pinned[holding] && double.IsPositiveInfinity(PerSlot[holding]);

    private IEnumerable<(double Cost, int Head, int Tail)> OptionsOf(RequestType type, List<Way> ways)
    {
        var (path, trip, perByte) = (type.Path, new double[type.Path.Count], new double[type.Path.Count]);
        for (var j = 1; j < path.Count; j++)
        {
            var link = Network.Between(path[j - 1], path[j]);
            trip[j] = trip[j - 1] + link.RoundTrip.Value * 1e3;
            perByte[j] = perByte[j - 1] + link.PerByte.Value * 1e3;
        }
        foreach (var way in ways)
            for (var j = 0; j < path.Count; j++)
            {
                if (!CanHold(path[j], way.First) || ServiceOn(path[j], way.First) is not { } first) continue;
                var sofar = Alpha * (1 - way.Accuracy) + way.Own.Value * 1e3 + Catalogue.Inputs[type.Task].Value * perByte[j] + first.Delay.Value * 1e3;
                if (!way.IsSplit) yield return (sofar + trip[j], path[j] * Pieces + way.First, None);
                else
                    for (var k = j + 1; k < path.Count; k++)
                        if (CanHold(path[k], way.Second) && ServiceOn(path[k], way.Second) is { } second)
                            yield return (sofar + trip[k] + way.Crossing.Value * (perByte[k] - perByte[j]) + second.Delay.Value * 1e3, path[j] * Pieces + way.First, path[k] * Pieces + way.Second);
            }
    }

    private bool CanHold(int node, int piece) => Pinned[node * Pieces + piece] || Size[piece] <= Budget[node];

    private (int[] Start, int[] Free) FreePieces()
    {
        var isUsed = new bool[Holdings];
        foreach (var holding in Head) isUsed[holding] = true;
        foreach (var holding in Tail.Where(holding => holding != None)) isUsed[holding] = true;
        var (start, free) = (new List<int> { 0 }, new List<int>());
        for (var node = 0; node < Nodes; node++)
        {
            for (var piece = 0; piece < Pieces; piece++)
                if (isUsed[node * Pieces + piece] && !Pinned[node * Pieces + piece] && CanHold(node, piece)) free.Add(piece);
            start.Add(free.Count);
        }
        return ([.. start], [.. free]);
    }

    private (int[] Start, int[] Users) HoldingUsers()
    {
        // Each type once for each holding, however many of its options use it.
        var pairs = new List<(int Holding, int Type)>();
        for (var type = 0; type < Types.Count; type++)
            for (var option = Start[type]; option < Start[type + 1]; option++)
            {
                pairs.Add((Head[option], type));
                if (Tail[option] != None) pairs.Add((Tail[option], type));
            }
        var start = new int[Holdings + 1];
        var users = pairs.Distinct().OrderBy(pair => pair.Holding).ThenBy(pair => pair.Type).ToList();
        foreach (var (holding, _) in users) start[holding + 1]++;
        for (var holding = 0; holding < Holdings; holding++) start[holding + 1] += start[holding];
        return (start, [.. users.Select(pair => pair.Type)]);
    }
}
