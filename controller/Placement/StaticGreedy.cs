namespace Fleet.Controller.Placement;

/// <summary>
/// Greedy in hindsight: takes up, again and again, what saves most for its size over all given batches and still fits its node, until nothing saves. A lazy heap
/// asks anew only what could be next. A head and its tail are offered together as well, for alone neither saves anything.
/// </summary>
public static class StaticGreedy
{
    public const string PolicyName = "static-greedy";

    /// <returns>0 or 1 for each holding.</returns>
    public static double[] Place(IReadOnlyList<Batch> batches) => Place(batches, batches[0].Idn.Minimal(), new double[batches[0].Idn.Nodes]);

    /// <summary>As without prices, but from what is held on, and a megabyte at a node must save more than its price.</summary>
    public static double[] Place(IReadOnlyList<Batch> batches, double[] held, double[] price)
    {
        var idn = batches[0].Idn;
        var board = new Scoreboard(batches, held);
        var room = Enumerable.Range(0, idn.Nodes).Select(node => idn.Budget[node] - idn.Used(node, held)).ToArray();
        var bundles = Bundles(idn);
        var partners = Partners(idn, bundles);
        var queue = new PriorityQueue<int, (double, int)>();
        for (var i = 0; i < bundles.Count; i++) Offer(i);
        while (queue.TryDequeue(out var bundle, out var old))
        {
            var density = Density(bundle);
            if (!(density > 0)) continue;
            if (-density > old.Item1 && queue.TryPeek(out _, out var next) && (-density, bundle).CompareTo(next) > 0)
            {
                queue.Enqueue(bundle, (-density, bundle));
                continue;
            }
            foreach (var holding in bundles[bundle].Where(holding => board.Held[holding] == 0))
            {
                board.Set(holding, 1);
                room[holding / idn.Pieces] -= idn.Size[holding % idn.Pieces];
                foreach (var partner in partners.GetValueOrDefault(holding, [])) Offer(partner);
            }
        }
        return board.Held.ToArray();

        void Offer(int bundle)
        {
            if (Density(bundle) is > 0 and var density) queue.Enqueue(bundle, (-density, bundle));
        }

        // Not a number above 0: nothing to take up, no room, or no saving.
        double Density(int bundle)
        {
            var (size, cost) = (0.0, 0.0);
            Span<int> missing = stackalloc int[2];
            var count = 0;
            foreach (var holding in bundles[bundle])
            {
                if (board.Held[holding] == 1) continue;
                var (node, megabytes) = (holding / idn.Pieces, idn.Size[holding % idn.Pieces]);
                if (megabytes > room[node] * (1 + 1e-9)) return double.NaN;
                missing[count++] = holding;
                size += megabytes;
                cost += megabytes * price[node];
            }
            return count == 0 ? double.NaN : (board.Saving(missing[..count], 1) - cost) / size;
        }
    }

    /// <summary>Each free holding alone, and each pair that an option needs of which both are free.</summary>
    private static List<int[]> Bundles(Idn idn)
    {
        var bundles = new List<int[]>();
        for (var node = 0; node < idn.Nodes; node++)
            foreach (var piece in idn.FreeOf(node)) bundles.Add([node * idn.Pieces + piece]);
        var pairs = new SortedSet<(int, int)>();
        for (var option = 0; option < idn.Head.Length; option++)
            if (idn.Tail[option] != Idn.None && !idn.Pinned[idn.Head[option]] && !idn.Pinned[idn.Tail[option]]) pairs.Add((idn.Head[option], idn.Tail[option]));
        return [.. bundles, .. pairs.Select(pair => new[] { pair.Item1, pair.Item2 })];
    }

    /// <summary>Of each holding of a split, the bundles that may save more once it is taken up.</summary>
    private static Dictionary<int, List<int>> Partners(Idn idn, List<int[]> bundles)
    {
        var single = new Dictionary<int, int>();
        for (var i = 0; i < bundles.Count; i++)
            if (bundles[i].Length == 1) single[bundles[i][0]] = i;
        var partners = new Dictionary<int, List<int>>();
        foreach (var pair in bundles.Where(bundle => bundle.Length == 2))
        {
            AddTo(pair[0], single[pair[1]]);
            AddTo(pair[1], single[pair[0]]);
        }
        return partners;

        void AddTo(int holding, int bundle)
        {
            if (!partners.TryGetValue(holding, out var list)) partners[holding] = list = [];
            list.Add(bundle);
        }
    }
}
