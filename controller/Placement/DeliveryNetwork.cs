using Fleet.Contracts;

namespace Fleet.Controller.Placement;

/// <summary>A node that may hold pieces.</summary>
/// <param name="Budget">Memory for pieces, besides what is pinned.</param>
/// <param name="Hardware">Index into <see cref="Piece.On"/>.</param>
/// <param name="IsRepository">Holds every piece for ever and serves any number of requests.</param>
public sealed record DeliveryNode(string Name, Bytes Budget, int Hardware, bool IsRepository = false)
{
    /// <summary>Pieces that are always there.</summary>
    public IReadOnlyList<int> Pinned { get; init; } = [];
}

/// <summary>A link, alike in both directions.</summary>
/// <param name="PerByte">Time each byte takes besides the round trip; zero where only round trips count.</param>
public readonly record struct DeliveryLink(int From, int To, Seconds RoundTrip, Seconds PerByte = default);

/// <summary>Requests of one task that enter at one node: they follow a path without loops that ends in a repository, and are served on it.</summary>
public sealed record RequestType(int Task, IReadOnlyList<int> Path);

/// <summary>The graph of an inference delivery network.</summary>
public sealed record DeliveryNetwork(IReadOnlyList<DeliveryNode> Nodes, IReadOnlyList<DeliveryLink> Links)
{
    /// <summary>The link between two nodes. Throws <see cref="FaultsException"/> when there is none.</summary>
    public DeliveryLink Between(int from, int to)
    {
        foreach (var link in Links)
            if ((link.From, link.To) == (from, to) || (link.From, link.To) == (to, from)) return link;
        throw new FaultsException("path", $"goes from {Nodes[from].Name} to {Nodes[to].Name}, which no link joins");
    }

    /// <summary>The path of least round-trip time from a node to the nearest repository (E. W. Dijkstra, 1959); ties go to the lower node. Throws <see cref="FaultsException"/> when none can be reached.</summary>
    public IReadOnlyList<int> PathToRepository(int from)
    {
        var far = Enumerable.Repeat(double.PositiveInfinity, Nodes.Count).ToArray();
        var before = Enumerable.Repeat(-1, Nodes.Count).ToArray();
        var queue = new PriorityQueue<int, (double, int)>();
        far[from] = 0;
        queue.Enqueue(from, (0, from));
        while (queue.TryDequeue(out var node, out var at))
        {
            if (at.Item1 > far[node]) continue;
            if (Nodes[node].IsRepository) return Trace(node, before);
            foreach (var link in Links.Where(link => link.From == node || link.To == node))
            {
                var next = link.From == node ? link.To : link.From;
                var distance = far[node] + link.RoundTrip.Value;
                if (distance >= far[next]) continue;
                (far[next], before[next]) = (distance, node);
                queue.Enqueue(next, (distance, next));
            }
        }
        throw new FaultsException("network", $"{Nodes[from].Name} reaches no repository");
    }

    private static List<int> Trace(int node, int[] before)
    {
        var path = new List<int>();
        for (; node >= 0; node = before[node]) path.Add(node);
        path.Reverse();
        return path;
    }
}
