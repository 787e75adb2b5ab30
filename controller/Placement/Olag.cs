namespace Fleet.Controller.Placement;

/// <summary>
/// Online load-aware greedy (the rival of INFIDA's authors; reconstructed). Each node counts, for each piece that it may hold, requests that passed and would have been served
/// cheaper by it, weighs a piece by what it would save for its size, and takes the heaviest until its memory is full; requests covered by one
/// piece no longer weigh for others. What a node holds is credited with what it serves: savings are counted against the network without that node.
/// </summary>
public sealed class Olag : IPlacement
{
    public const string PolicyName = "olag";

    /// <summary>How much of its counts a node keeps from slot to slot. K: a memory of some ten slots.</summary>
    private const double Memory = 0.9;

    private readonly Idn idn;
    private readonly double[] held, passed;
    private readonly (int Option, int Type)[][] ofNode;

    public Olag(Idn idn)
    {
        this.idn = idn;
        held = idn.Minimal();
        passed = new double[idn.Head.Length];
        var options = Enumerable.Range(0, idn.Types.Count).SelectMany(type => Enumerable.Range(idn.Start[type], idn.Start[type + 1] - idn.Start[type]).Select(option => (Option: option, Type: type))).ToList();
        ofNode = [.. Enumerable.Range(0, idn.Nodes).Select(node => options.Where(pair => HoldingAt(node, pair.Option) >= 0).ToArray())];
    }

    public string Name => PolicyName;

    public ReadOnlySpan<double> Held => held;

    public void Learn(Batch batch)
    {
        for (var type = 0; type < idn.Types.Count; type++)
            for (var option = idn.Start[type]; option < idn.Start[type + 1]; option++)
                passed[option] = Memory * passed[option] + (1 - Memory) * (batch.Count[type] > 0 ? batch.Capacity[option] : 0);
        // One node after the other, each by itself: all at once they would all take up the same and all drop it again.
        for (var node = 0; node < idn.Nodes; node++) Refresh(node, batch);
    }

    private void Refresh(int node, Batch batch)
    {
        foreach (var piece in idn.FreeOf(node)) held[node * idn.Pieces + piece] = 0;
        var offers = new List<(int Holding, int Type, double Saved, double Requests)>();
        var left = new Dictionary<int, double>();
        foreach (var group in ofNode[node].GroupBy(pair => pair.Type))
        {
            if (batch.Count[group.Key] <= 0) continue;
            var served = Serving.CostOf(batch, group.Key, held) / batch.Count[group.Key];
            foreach (var (option, type) in group)
            {
                if (served <= idn.Cost[option] || !IsPartnerHeld(node, option)) continue;
                offers.Add((HoldingAt(node, option), type, served - idn.Cost[option], passed[option]));
                left[type] = Math.Max(left.GetValueOrDefault(type), passed[option]);
            }
        }
        Take(node, offers.GroupBy(offer => offer.Holding).ToDictionary(group => group.Key, group => group.ToList()), left);
    }

    private void Take(int node, Dictionary<int, List<(int Holding, int Type, double Saved, double Requests)>> offers, Dictionary<int, double> left)
    {
        for (var room = idn.Budget[node]; ;)
        {
            var (best, heaviest) = (-1, 0.0);
            foreach (var (holding, mine) in offers)
            {
                if (held[holding] == 1 || idn.Size[holding % idn.Pieces] > room) continue;
                var weight = mine.Sum(offer => offer.Saved * Math.Min(offer.Requests, left[offer.Type])) / idn.Size[holding % idn.Pieces];
                if (weight > heaviest) (best, heaviest) = (holding, weight);
            }
            if (best < 0) return;
            held[best] = 1;
            room -= idn.Size[best % idn.Pieces];
            foreach (var offer in offers[best]) left[offer.Type] -= Math.Min(offer.Requests, left[offer.Type]);
        }
    }

    /// <summary>The free holding of an option at a node; -1 when it has none there.</summary>
    private int HoldingAt(int node, int option)
    {
        if (idn.Head[option] / idn.Pieces == node && !idn.Pinned[idn.Head[option]]) return idn.Head[option];
        return idn.Tail[option] != Idn.None && idn.Tail[option] / idn.Pieces == node && !idn.Pinned[idn.Tail[option]] ? idn.Tail[option] : -1;
    }

    /// <summary>A split needs its other half, somewhere else on the path.</summary>
    private bool IsPartnerHeld(int node, int option)
    {
        if (idn.Tail[option] == Idn.None) return true;
        var partner = idn.Head[option] / idn.Pieces == node ? idn.Tail[option] : idn.Head[option];
        return held[partner] == 1;
    }
}
