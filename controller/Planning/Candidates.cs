namespace Fleet.Controller.Planning;

/// <summary>
/// What each device may choose, in flat columns: the multiple-choice knapsack that `dual` and `milp` solve. Device d takes one of its
/// candidates j; the sum of Cost[j] is to be least while on each edge server the sum of Use[j] stays within its capacity. More may be
/// limited: the air of the cell that a device is in, errors, energy and bytes on the network of the whole site, and the memory of edge servers for the
/// tails they are asked for.
/// </summary>
public sealed class Candidates
{
    private int[] start;
    private ushort[] count;
    private int filled;
    private double[]? tailShares;

    /// <param name="devices">How many.</param>
    /// <param name="edgeCapacity">Seconds of work a second that each edge server may be given.</param>
    /// <param name="airCapacity">Seconds of air a second of each cell.</param>
    /// <param name="cellOf">The cell of each device, or -1; null when no cells are known.</param>
    /// <param name="errorCapacity">Errors a second that all devices together may make; null: as many as there are.</param>
    /// <param name="expected">Candidates a device, to begin with.</param>
    /// <param name="energyCapacity">Watts that all devices together may take; null: as many as there are.</param>
    /// <param name="sentCapacity">Bytes a second that all devices together may send; null: as many as there are.</param>
    /// <param name="memory">Of edge servers that cannot hold all they offer; null: all can.</param>
    public Candidates(
        int devices, IReadOnlyList<double> edgeCapacity, IReadOnlyList<double>? airCapacity = null, int[]? cellOf = null, double? errorCapacity = null, int expected = 16, double? energyCapacity = null, double? sentCapacity = null,
        TailMemory? memory = null)
    {
        Memory = memory;
        (start, count) = (new int[devices], new ushort[devices]);
        (Edges, Cells, CellOf) = (edgeCapacity.Count, airCapacity?.Count ?? 0, cellOf);
        (HasErrors, HasEnergy, HasSent) = (errorCapacity is not null, energyCapacity is not null, sentCapacity is not null);
        Capacity = [.. edgeCapacity, .. airCapacity ?? [], .. ((double?[])[errorCapacity, energyCapacity, sentCapacity]).OfType<double>(), .. memory?.Room ?? []];
        (Cost, Use, Edge, Option) = (new float[devices * expected], new float[devices * expected], new short[devices * expected], new ushort[devices * expected]);
        (Air, Errors) = (Cells > 0 ? new float[devices * expected] : [], HasErrors ? new float[devices * expected] : []);
        (Energy, Sent) = (HasEnergy ? new float[devices * expected] : [], HasSent ? new float[devices * expected] : []);
    }

    public int Devices => start.Length;

    public int Edges { get; }

    public int Cells { get; }

    public int[]? CellOf { get; }

    public bool HasErrors { get; }

    public bool HasEnergy { get; }

    public bool HasSent { get; }

    /// <summary>Of edge servers that cannot hold all they offer; null: all can.</summary>
    public TailMemory? Memory { get; }

    /// <summary>Of every resource: edge servers, then cells, then errors, energy and bytes sent, each where it is limited, then edge servers' memory in megabytes.</summary>
    public double[] Capacity { get; }

    /// <summary>Whether edge servers are all there is to share.</summary>
    public bool IsEdgesOnly => Capacity.Length == Edges;

    /// <summary>Place of errors among the resources, where they are limited.</summary>
    public int ErrorsAt => Edges + Cells;

    /// <summary>What of the whole site is limited, by its place among the resources.</summary>
    public IEnumerable<(SiteLimit Limit, int Resource)> Limits
    {
        get
        {
            if (HasErrors) yield return (SiteLimit.Errors, ErrorsAt);
            if (HasEnergy) yield return (SiteLimit.Energy, EnergyAt);
            if (HasSent) yield return (SiteLimit.Sent, SentAt);
        }
    }

    private int EnergyAt => ErrorsAt + (HasErrors ? 1 : 0);

    private int SentAt => EnergyAt + (HasEnergy ? 1 : 0);

    /// <summary>Place of the first server's memory among the resources, where some is limited.</summary>
    public int MemoryAt => SentAt + (HasSent ? 1 : 0);

    /// <summary>What one user takes of a holding: its size, shared among all that could use it. So shared, no plan takes more than its tails do.</summary>
    private double[] TailShares => tailShares ??= SharesOf(Memory!);

    /// <summary>Of a candidate per second: the objective's cost of one inference times the device's rate.</summary>
    internal float[] Cost { get; private set; }

    /// <summary>Edge server's seconds a second.</summary>
    internal float[] Use { get; private set; }

    /// <summary>Edge server, or <see cref="Edges"/> for none.</summary>
    internal short[] Edge { get; private set; }

    internal ushort[] Option { get; private set; }

    internal float[] Air { get; private set; }

    internal float[] Errors { get; private set; }

    internal float[] Energy { get; private set; }

    internal float[] Sent { get; private set; }

    /// <summary>Candidates of all devices together.</summary>
    public long Total => count.Sum(candidates => (long)candidates);

    /// <summary>Bytes of all columns, room to grow included.</summary>
    public long Bytes => start.Length * 6L + Cost.Length * 12L + (Air.Length + Errors.Length + Energy.Length + Sent.Length) * 4L;

    /// <summary>First candidate of a device, and the one behind its last.</summary>
    public (int Start, int End) Of(int device) => (start[device], start[device] + count[device]);

    /// <summary>Gives a device its candidates, instead of those it may have had: in their place when there is room, else behind all others.</summary>
    public void Put(int device, ReadOnlySpan<Candidate> candidates)
    {
        tailShares = null;
        if (candidates.Length > count[device])
        {
            start[device] = filled;
            filled += candidates.Length;
            if (filled > Cost.Length) Grow();
        }
        count[device] = (ushort)candidates.Length;
        var at = start[device];
        foreach (ref readonly var candidate in candidates)
        {
            (Cost[at], Use[at], Edge[at], Option[at]) = (candidate.Cost, candidate.Use, candidate.Edge, candidate.Option);
            if (Air.Length > 0) Air[at] = candidate.Air;
            if (Errors.Length > 0) Errors[at] = candidate.Errors;
            if (Energy.Length > 0) Energy[at] = candidate.Energy;
            if (Sent.Length > 0) Sent[at] = candidate.Sent;
            at++;
        }
    }

    /// <summary>The same where every edge server can hold all it offers.</summary>
    public Candidates WithoutMemory() => Where(_ => true);

    /// <summary>The same devices and capacities with those candidates only that are let through, memory no concern any more; of a device without any, all.</summary>
    internal Candidates Where(Func<int, bool> isAllowed)
    {
        var kept = new Candidates(Devices, Capacity[..Edges], Cells > 0 ? Capacity[Edges..(Edges + Cells)] : null, CellOf, Of(HasErrors, ErrorsAt), energyCapacity: Of(HasEnergy, EnergyAt), sentCapacity: Of(HasSent, SentAt));
        var row = new List<Candidate>();
        for (var device = 0; device < Devices; device++)
        {
            row.Clear();
            var (from, to) = Of(device);
            for (var j = from; j < to; j++)
                if (isAllowed(j)) row.Add(At(j));
            for (var j = from; j < to && row.Count == 0; j++) row.Add(At(j));
            kept.Put(device, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(row));
        }
        return kept;
    }

    /// <summary>Every so-manieth device, with as large a share of all capacities but edge memory: tails are as large for few users as for many.</summary>
    internal Candidates Sample(int stride)
    {
        var devices = (Devices + stride - 1) / stride;
        var share = (double)devices / Devices;
        var sample = new Candidates(devices, [.. Capacity.Take(Edges).Select(room => room * share)], [.. Capacity.Skip(Edges).Take(Cells).Select(room => room * share)], CellOf is null ? null : [.. CellOf.Where((_, i) => i % stride == 0)], Of(HasErrors, ErrorsAt) * share, energyCapacity: Of(HasEnergy, EnergyAt) * share, sentCapacity: Of(HasSent, SentAt) * share, memory: Memory);
        Span<Candidate> row = new Candidate[ushort.MaxValue];
        for (var device = 0; device < devices; device++)
        {
            var (from, to) = Of(device * stride);
            for (var j = from; j < to; j++) row[j - from] = At(j);
            sample.Put(device, row[..(to - from)]);
        }
        return sample;
    }

    public Candidate At(int j) => new(Cost[j], Use[j], Edge[j], Option[j], Air.Length > 0 ? Air[j] : 0, Errors.Length > 0 ? Errors[j] : 0, Energy.Length > 0 ? Energy[j] : 0, Sent.Length > 0 ? Sent[j] : 0);

    /// <summary>What a device's candidate takes of a resource.</summary>
    public double Taken(int resource, int device, int j) =>
        resource < Edges ? Edge[j] == resource ? Use[j] : 0
        : resource < ErrorsAt ? CellOf![device] == resource - Edges ? Air[j] : 0
        : resource < EnergyAt ? Errors[j]
        : resource < SentAt ? Energy[j]
        : resource < MemoryAt ? Sent[j]
        : HoldingOf(j) is >= 0 and var holding && Memory!.ServerOf(holding) == resource - MemoryAt ? TailShares[holding] : 0;

    /// <summary>What a candidate needs to be held on a server whose memory is limited; -1: nothing.</summary>
    public int HoldingOf(int j) => Memory?.HoldingOf(Edge[j], Option[j]) ?? -1;

    /// <summary>What a plan takes of every resource; of memory, each tail that some device uses once.</summary>
    public double[] Loads(IReadOnlyList<int> choice)
    {
        var loads = new double[Capacity.Length];
        for (var resource = 0; resource < MemoryAt; resource++)
            for (var device = 0; device < choice.Count; device++) loads[resource] += Taken(resource, device, choice[device]);
        if (Memory is not { } memory) return loads;
        foreach (var holding in choice.Select(HoldingOf).Where(holding => holding >= 0).Distinct()) loads[MemoryAt + memory.ServerOf(holding)] += memory.SizeOf(holding);
        return loads;
    }

    /// <summary>Whether a plan keeps every limit, but for rounding.</summary>
    public bool Keeps(IReadOnlyList<int> choice) => Loads(choice).Zip(Capacity, (taken, room) => taken <= room * (1 + 1e-9) + 1e-12).All(isKept => isKept);

    /// <summary>What a candidate costs its device with what it takes of every resource.</summary>
    public double Priced(int device, int j, ReadOnlySpan<double> prices)
    {
        var sum = (double)Cost[j];
        if (Edge[j] < Edges) sum += prices[Edge[j]] * Use[j];
        if (Cells > 0 && CellOf![device] is >= 0 and var cell) sum += prices[Edges + cell] * Air[j];
        if (HasErrors) sum += prices[ErrorsAt] * Errors[j];
        if (HasEnergy) sum += prices[EnergyAt] * Energy[j];
        if (HasSent) sum += prices[SentAt] * Sent[j];
        if (HoldingOf(j) is >= 0 and var holding) sum += prices[MemoryAt + Memory!.ServerOf(holding)] * TailShares[holding];
        return sum;
    }

    private double[] SharesOf(TailMemory memory)
    {
        var (users, last) = (new int[memory.Holdings], new int[memory.Holdings]);
        for (var device = 0; device < Devices; device++)
        {
            var (from, to) = Of(device);
            for (var j = from; j < to; j++)
            {
                if (HoldingOf(j) is not (>= 0 and var holding) || last[holding] == device + 1) continue;
                last[holding] = device + 1;
                users[holding]++;
            }
        }
        return [.. users.Select((count, holding) => memory.SizeOf(holding) / Math.Max(1, count))];
    }

    private double? Of(bool isLimited, int resource) => isLimited ? Capacity[resource] : null;

    private void Grow()
    {
        var length = Math.Max(filled, (int)Math.Min(Array.MaxLength, Cost.Length * 5L / 4));
        (Cost, Use, Edge, Option) = (Longer(Cost, length), Longer(Use, length), Longer(Edge, length), Longer(Option, length));
        if (Cells > 0) Air = Longer(Air, length);
        if (HasErrors) Errors = Longer(Errors, length);
        if (HasEnergy) Energy = Longer(Energy, length);
        if (HasSent) Sent = Longer(Sent, length);
    }

    private static T[] Longer<T>(T[] column, int length)
    {
        Array.Resize(ref column, length);
        return column;
    }
}

/// <summary>What a whole site may have limits of.</summary>
public enum SiteLimit
{
    Errors,
    Energy,
    Sent,
}

/// <summary>One candidate of a device, see the columns of <see cref="Candidates"/>.</summary>
public readonly record struct Candidate(float Cost, float Use, short Edge, ushort Option, float Air, float Errors, float Energy = 0, float Sent = 0);
