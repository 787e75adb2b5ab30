namespace Fleet.Controller.Planning;

/// <summary>
/// Makes a plan of what devices chose at their prices: first those leave what is overfull who lose least for what they free, then those
/// take what is left who gain most for what they need; on small sites two devices also change places.
/// </summary>
/// <param name="candidates">Of which each device takes one.</param>
/// <param name="prices">At which losses are compared.</param>
/// <param name="fills">How often large sites are looked through for what there is room for.</param>
internal sealed class Repair(Candidates candidates, double[] prices, int fills = 2)
{
    /// <summary>Above so many devices nobody changes places: it costs more than it brings.</summary>
    private const int SwapMax = 2000;

    /// <summary>Above so many candidates of all devices together likewise where more than edge servers is shared: then anybody may have to make room for anybody.</summary>
    private const int SwapSharedMax = 1500;

    private const int TrimRounds = 30;
    private const int FillsOfSmall = 10;
    private readonly int[] choice = new int[candidates.Devices];
    private readonly double[] load = new double[candidates.Capacity.Length];
    private readonly double[] capacity = candidates.Capacity;

    /// <summary>The candidate of each device.</summary>
    public int[] Choice => choice;

    /// <summary>Of the candidates chosen.</summary>
    public double Cost
    {
        get
        {
            var sum = 0.0;
            foreach (var j in choice) sum += candidates.Cost[j];
            return sum;
        }
    }

    /// <summary>Whether every limit is kept.</summary>
    public bool IsFeasible => Enumerable.Range(0, load.Length).All(resource => load[resource] <= Room(resource));

    /// <summary>Sums of rounded numbers may lie a little above.</summary>
    private double Room(int resource) => capacity[resource] * (1 + 1e-9) + 1e-12;

    /// <summary>Largest share by which a limit is overstepped; 0 when all are kept.</summary>
    public double Excess => Enumerable.Range(0, load.Length).Max(resource => load[resource] <= Room(resource) ? 0 : load[resource] / Math.Max(1e-12, capacity[resource]) - 1);

    public void From(ReadOnlySpan<int> start)
    {
        Trimmed(start);
        for (var round = 0; round < (choice.Length > SwapMax ? fills : FillsOfSmall) && Fill() > 0; round++) { }
        if (choice.Length > SwapMax || !candidates.IsEdgesOnly && candidates.Total > SwapSharedMax) return;
        for (var round = 0; round < 10 && (Swap() > 0 || Fill() > 0); round++) { }
    }

    /// <summary>The start with no more changes than its limits need.</summary>
    public void Trimmed(ReadOnlySpan<int> start)
    {
        Take(start);
        Trim();
    }

    /// <summary>The start as it is.</summary>
    public void Take(ReadOnlySpan<int> start)
    {
        start.CopyTo(choice);
        Array.Clear(load);
        for (var device = 0; device < choice.Length; device++) Count(device, choice[device], 1);
    }

    private void Count(int device, int j, int sign)
    {
        if (candidates.IsEdgesOnly)
        {
            if (candidates.Edge[j] < candidates.Edges) load[candidates.Edge[j]] += sign * (double)candidates.Use[j];
            return;
        }
        for (var resource = 0; resource < load.Length; resource++) load[resource] += sign * candidates.Taken(resource, device, j);
    }

    private void Move(int device, int j)
    {
        Count(device, choice[device], -1);
        choice[device] = j;
        Count(device, j, 1);
    }

    /// <summary>Whether everything the device would use more of has room for it.</summary>
    private bool HasRoom(int device, int j)
    {
        if (candidates.IsEdgesOnly)
        {
            var edge = candidates.Edge[j];
            return edge == candidates.Edges || load[edge] + candidates.Use[j] - (candidates.Edge[choice[device]] == edge ? candidates.Use[choice[device]] : 0) <= Room(edge);
        }
        for (var resource = 0; resource < load.Length; resource++)
        {
            var more = candidates.Taken(resource, device, j) - candidates.Taken(resource, device, choice[device]);
            if (more > 0 && load[resource] + more > Room(resource)) return false;
        }
        return true;
    }

    /// <summary>Moves devices off what is overfull, least loss for each unit freed first. Late rounds take only what has room at once.</summary>
    private void Trim()
    {
        var over = new bool[load.Length];
        for (var round = 0; round < TrimRounds; round++)
        {
            for (var resource = 0; resource < load.Length; resource++) over[resource] = load[resource] > Room(resource);
            if (!over.Contains(true)) return;
            var moves = new List<Relief>();
            for (var device = 0; device < choice.Length; device++)
            {
                if (candidates.IsEdgesOnly)
                {
                    var edge = candidates.Edge[choice[device]];
                    if (edge < over.Length && over[edge]) Relieve(moves, edge, device, round);
                }
                else for (var resource = 0; resource < load.Length; resource++)
                    if (over[resource]) Relieve(moves, resource, device, round);
            }
            moves.Sort();
            foreach (var move in moves)
                if (load[move.Resource] > Room(move.Resource) && HasRoom(move.Device, move.To)) Move(move.Device, move.To);
        }
    }

    /// <summary>Notes the cheapest way, at the prices, for a device to take less of a resource.</summary>
    private void Relieve(List<Relief> moves, int resource, int device, int round)
    {
        var taken = candidates.Taken(resource, device, choice[device]);
        if (taken <= 0) return;
        var (best, to) = (double.PositiveInfinity, -1);
        var stays = candidates.Priced(device, choice[device], prices);
        var (from, end) = candidates.Of(device);
        for (var j = from; j < end; j++)
        {
            var freed = taken - candidates.Taken(resource, device, j);
            if (freed <= 0 || round > 0 && !HasRoom(device, j)) continue;
            var loss = (candidates.Priced(device, j, prices) - stays) / freed;
            if (loss < best) (best, to) = (loss, j);
        }
        if (to >= 0) moves.Add(new Relief(best, resource, device, to));
    }

    private readonly record struct Relief(double Loss, int Resource, int Device, int To) : IComparable<Relief>
    {
        public int CompareTo(Relief other) => Loss != other.Loss ? Loss.CompareTo(other.Loss) : Device.CompareTo(other.Device);
    }

    /// <returns>How many moved to something cheaper.</returns>
    private int Fill()
    {
        var moves = new List<(double Gain, int Device, int To)>();
        for (var device = 0; device < choice.Length; device++)
        {
            var (best, to) = (0.0, -1);
            var now = choice[device];
            var (from, end) = candidates.Of(device);
            for (var j = from; j < end; j++)
            {
                double gain = candidates.Cost[now] - candidates.Cost[j];
                if (gain <= best || !HasRoom(device, j)) continue;
                (best, to) = (gain, j);
            }
            if (to >= 0) moves.Add((best / Math.Max(1e-12, Scarce(device, to) - Scarce(device, now)), device, to));
        }
        moves.Sort((a, b) => a.Gain != b.Gain ? b.Gain.CompareTo(a.Gain) : a.Device.CompareTo(b.Device));
        var moved = 0;
        foreach (var (_, device, to) in moves)
        {
            if (!HasRoom(device, to)) continue;
            Move(device, to);
            moved++;
        }
        return moved;
    }

    /// <summary>How much a candidate takes of everything, in shares of capacity.</summary>
    private double Scarce(int device, int j)
    {
        if (candidates.IsEdgesOnly) return candidates.Edge[j] < candidates.Edges ? candidates.Use[j] / capacity[candidates.Edge[j]] : 0;
        var sum = 0.0;
        for (var resource = 0; resource < load.Length; resource++) sum += candidates.Taken(resource, device, j) / capacity[resource];
        return sum;
    }

    /// <summary>One device takes what is dearer to another, which makes room: both together must gain.</summary>
    /// <returns>How many pairs did.</returns>
    private int Swap()
    {
        var swapped = 0;
        for (var device = 0; device < choice.Length; device++)
        {
            var (from, end) = candidates.Of(device);
            for (var j = from; j < end; j++)
            {
                var gain = candidates.Cost[choice[device]] - candidates.Cost[j];
                if (gain <= 0 || HasRoom(device, j)) continue;
                if (MakeRoom(device, j, gain)) swapped++;
            }
        }
        return swapped;
    }

    /// <summary>Moves the device and somebody else, if the gain exceeds what the other loses; else leaves all as it was.</summary>
    private bool MakeRoom(int device, int j, double gain)
    {
        var (edge, before) = (candidates.Edge[j], choice[device]);
        Move(device, j);
        var (least, who, where) = (gain * (1 - 1e-6), -1, -1);
        for (var other = 0; other < choice.Length; other++)
        {
            if (other == device || candidates.IsEdgesOnly && candidates.Edge[choice[other]] != edge) continue;
            var (from, end) = candidates.Of(other);
            for (var k = from; k < end; k++)
            {
                var loss = candidates.Cost[k] - candidates.Cost[choice[other]];
                if (loss >= least || !HasRoom(other, k) || !Relieves(other, k)) continue;
                (least, who, where) = (loss, other, k);
            }
        }
        if (who >= 0) Move(who, where);
        else Move(device, before);
        return who >= 0;
    }

    /// <summary>Whether nothing would be overfull any more.</summary>
    private bool Relieves(int device, int j)
    {
        for (var resource = 0; resource < load.Length; resource++)
        {
            var after = load[resource] - candidates.Taken(resource, device, choice[device]) + candidates.Taken(resource, device, j);
            if (after > Room(resource)) return false;
        }
        return true;
    }
}
