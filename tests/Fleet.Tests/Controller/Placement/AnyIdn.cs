using Fleet.Contracts;
using Fleet.Controller.Placement;
using Fleet.Emulator.Simulation;

namespace Fleet.Tests.Controller.Placement;

/// <summary>Small random networks: trees of up to seven nodes, up to three tasks, some pieces pinned, some links that count bytes, splits where wanted.</summary>
internal static class AnyIdn
{
    /// <param name="holdsHeads">Whether every node but the cloud has every head for ever, as devices of Fleet have.</param>
    public static Idn Make(int seed, bool hasSplits, bool holdsHeads = false)
    {
        var random = new SeededRandom(seed, "idn");
        var (tasks, nodes) = (1 + random.Next(3), 2 + random.Next(6));
        var (pieces, ways) = (new List<Piece>(), new List<Way>());
        for (var task = 0; task < tasks; task++)
        {
            for (var variant = 1 + random.Next(3); variant >= 0; variant--) ways.Add(new Way(task, random.NextDouble(), Piece()));
            if (hasSplits && random.Next(3) > 0) ways.Add(new Way(task, random.NextDouble(), Piece(), Piece(), new Bytes(random.Next(2000))));
        }
        List<DeliveryNode> all = [new("cloud", default, 0, IsRepository: true)];
        var links = new List<DeliveryLink>();
        for (var node = 1; node < nodes; node++)
        {
            all.Add(new DeliveryNode($"node-{node}", new Bytes(random.Next(4) * 100e6), 0) { Pinned = Pinned() });
            links.Add(new DeliveryLink(node, random.Next(node), new Seconds(0.001 + 0.03 * random.NextDouble()), new Seconds(1e-6 * random.NextDouble())));
        }
        var network = new DeliveryNetwork(all, links);
        var types = Enumerable.Range(1, nodes - 1).SelectMany(entry => Enumerable.Range(0, tasks).Select(task => new RequestType(task, network.PathToRepository(entry))));
        return Idn.Make(network, new Catalogue([.. Enumerable.Repeat(new Bytes(1000), tasks)], pieces, ways), [.. types], 200 * random.NextDouble());

        List<int> Pinned()
        {
            List<int> pinned = random.Next(4) == 0 ? [random.Next(pieces.Count)] : [];
            return holdsHeads ? [.. ways.Where(way => way.IsSplit).Select(way => way.First).Union(pinned)] : pinned;
        }

        int Piece()
        {
            pieces.Add(new Piece($"piece-{pieces.Count}", new Bytes(1e6 * (10 + random.Next(150))), [new PieceService(new Seconds(0.03 * random.NextDouble()), 1 + random.Next(60))]));
            return pieces.Count - 1;
        }
    }

    public static Batch Batch(Idn idn, Random random) => new(idn, [.. idn.Types.Select(_ => random.Next(4) == 0 ? 0.0 : random.Next(80))]);

    /// <summary>A fractional allocation within every budget.</summary>
    public static double[] Fractional(Idn idn, Random random)
    {
        var held = idn.Minimal();
        for (var node = 0; node < idn.Nodes; node++)
        {
            var free = idn.FreeOf(node);
            if (free.Length == 0) continue;
            var parts = new double[free.Length];
            for (var i = 0; i < parts.Length; i++) parts[i] = 0.01 + random.NextDouble();
            CappedSimplex.Project(parts, Sizes(idn, node), idn.Budget[node]);
            for (var i = 0; i < parts.Length; i++) held[node * idn.Pieces + free[i]] = parts[i];
        }
        return held;
    }

    /// <summary>Rounds every node by <see cref="DepRound"/>.</summary>
    public static double[] Rounded(Idn idn, ReadOnlySpan<double> fractional, Random random)
    {
        var held = fractional.ToArray();
        new Rounding(idn, RoundingOptions.Plain, random).Round(fractional, held, last: null);
        return held;
    }

    public static double[] Sizes(Idn idn, int node) => [.. idn.FreeOf(node).ToArray().Select(piece => idn.Size[piece])];

    /// <summary>Every whole allocation within the budgets.</summary>
    public static IEnumerable<double[]> Whole(Idn idn)
    {
        var held = idn.Minimal();
        return Choose(0, 0, idn.Nodes > 0 ? idn.Budget[0] : 0);

        IEnumerable<double[]> Choose(int node, int i, double room)
        {
            if (node == idn.Nodes)
            {
                yield return [.. held];
                yield break;
            }
            if (i == idn.FreeOf(node).Length)
            {
                foreach (var one in Choose(node + 1, 0, node + 1 < idn.Nodes ? idn.Budget[node + 1] : 0)) yield return one;
                yield break;
            }
            var piece = idn.FreeOf(node)[i];
            foreach (var one in Choose(node, i + 1, room)) yield return one;
            if (idn.Size[piece] > room) yield break;
            held[node * idn.Pieces + piece] = 1;
            foreach (var one in Choose(node, i + 1, room - idn.Size[piece])) yield return one;
            held[node * idn.Pieces + piece] = 0;
        }
    }
}
