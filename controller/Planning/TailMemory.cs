namespace Fleet.Controller.Planning;

/// <summary>
/// Edge servers that offer more tails than they can hold together. A plan must keep the sizes of the distinct tails that its devices use on such a server within its memory. All
/// sizes are megabytes. A holding is a tail on such a server.
/// </summary>
/// <param name="room">Of each edge server; infinite where it can hold all it offers.</param>
/// <param name="sizes">Of each tail.</param>
/// <param name="tailOf">Of each option, the place of its tail; below 0 for those that need none.</param>
public sealed class TailMemory(IReadOnlyList<double> room, IReadOnlyList<double> sizes, IReadOnlyList<int> tailOf)
{
    /// <summary>Servers with a limit, by their place among all.</summary>
    public IReadOnlyList<int> Servers { get; } = [.. Enumerable.Range(0, room.Count).Where(edge => double.IsFinite(room[edge]))];

    /// <summary>Of each of <see cref="Servers"/>.</summary>
    public IReadOnlyList<double> Room { get; } = [.. room.Where(double.IsFinite)];

    /// <summary>Tails of one server whose sets are few enough to look at one by one.</summary>
    public const int TriedTails = 12;

    public int Tails => sizes.Count;

    public int Holdings => Servers.Count * Tails;

    /// <summary>Place in <see cref="Servers"/> of each edge server; -1: it has no limit.</summary>
    private readonly int[] placeOf = [.. Enumerable.Range(0, room.Count).Select(edge => double.IsFinite(room[edge]) ? Enumerable.Range(0, edge).Count(other => double.IsFinite(room[other])) : -1)];

    public double SizeOf(int holding) => sizes[holding % Tails];

    /// <summary>The place of a holding's server in <see cref="Servers"/>.</summary>
    public int ServerOf(int holding) => holding / Tails;

    /// <summary>What an option needs to be held on an edge server; -1: nothing that is limited.</summary>
    public int HoldingOf(int edge, int option) => edge < placeOf.Length && placeOf[edge] is >= 0 and var place && tailOf[option] is >= 0 and var tail ? place * Tails + tail : -1;

    /// <summary>Whether a server's holdings fit its memory.</summary>
    public bool Fits(bool[] held, int server) => Taken(held, server) <= Room[server] * (1 + 1e-9);

    public double Taken(bool[] held, int server)
    {
        var taken = 0.0;
        for (var holding = server * Tails; holding < (server + 1) * Tails; holding++)
            if (held[holding]) taken += SizeOf(holding);
        return taken;
    }

    /// <summary>All sets of holdings of one server that fit and to which none can be added.</summary>
    /// <param name="isUsed">Of each holding: whether anybody could use it; on one server at most <see cref="TriedTails"/>.</param>
    public IEnumerable<bool[]> Fullest(int server, IReadOnlyList<bool> isUsed)
    {
        var tails = Enumerable.Range(0, Tails).Where(tail => isUsed[server * Tails + tail]).ToList();
        for (var set = 0L; set < 1L << tails.Count; set++)
        {
            var held = new bool[Tails];
            for (var i = 0; i < tails.Count; i++) held[tails[i]] = (set >> i & 1) != 0;
            var left = Room[server] * (1 + 1e-9) - held.Select((holds, tail) => holds ? sizes[tail] : 0).Sum();
            if (left >= 0 && tails.TrueForAll(tail => held[tail] || sizes[tail] > left)) yield return held;
        }
    }
}
