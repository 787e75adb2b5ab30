using System.Numerics.Tensors;

namespace Fleet.Controller.Planning;

/// <summary>Which candidates are left out.</summary>
public enum PruningKind
{
    /// <summary>Those that another on the same edge server, or alone, beats in cost and in all that is limited.</summary>
    Dominated,

    /// <summary>Besides, those that no price of the edge server's time can prefer: off the lower convex hull of cost over use. For edge capacity alone; no bound is lost.</summary>
    OffTheHull,
}

/// <summary>
/// Evaluates all options of one device at a time, a few vector operations a block, and keeps the candidates worth choosing. An option beyond
/// the device's energy budget or the longest latency is none, as long as the device has a lawful one without an edge server; else it costs so much more that it is
/// the last resort: one device takes one option, so limits of its own need no price.
/// </summary>
public sealed class Pruning
{
    /// <summary>Seconds an inference that overdrawing a device's own limit costs, times how often the limit is taken, when nothing lawful is left.</summary>
    public const float Overdraft = 10;

    /// <summary>More than this many times what it can afford makes no difference.</summary>
    public const float OverdraftMax = 1000;

    /// <summary>No number beyond this comes of reports: sums of such stay finite.</summary>
    private const float Absurd = 1e30f;
    private readonly OptionColumns columns;
    private readonly OptionBlock[] blocks;
    private readonly Crossing[] crossings;
    private readonly EdgeTerms edges;
    private readonly Weights weights;
    private readonly PruningKind kind;
    private readonly Candidates into;
    private readonly int[][] byUse;
    private readonly float[] served;
    private readonly float[] time;
    private readonly float[] energy;
    private readonly float[] alone;
    private readonly float[] cost;
    private readonly float[] waiting;
    private readonly float[] idle;
    private readonly Candidate[] kept;
    private int keptCount;

    public Pruning(OptionColumns columns, EdgeTerms edges, Weights weights, PruningKind kind, Candidates into)
    {
        (this.columns, this.edges, this.weights, this.kind, this.into) = (columns, edges, weights, kind, into);
        (blocks, crossings) = ([.. columns.Blocks], [.. columns.Crossings]);
        var options = columns.Options.Count;
        (time, energy, alone, cost, waiting, idle) = (new float[options], new float[options], new float[options], new float[options], new float[options], new float[options]);
        kept = new Candidate[Math.Min(ushort.MaxValue, options * Math.Max(1, edges.Count))];
        served = new float[edges.Count * options];
        byUse = new int[edges.Count][];
        for (var edge = 0; edge < edges.Count; edge++)
        {
            var at = edge * options;
            foreach (var block in blocks)
                for (var option = block.Start; option < block.End; option++)
                    served[at + option] = block.Crossing == OptionColumns.Local ? float.NaN : columns.Offload[option] * edges.Of(edge, crossings[block.Crossing].Tail);
            byUse[edge] = [.. Enumerable.Range(0, options).Where(option => !float.IsNaN(served[at + option])).OrderBy(option => served[at + option])];
        }
    }

    /// <summary>Gives a device its candidates.</summary>
    public void Put(int device, DeviceTerms terms)
    {
        keptCount = 0;
        var isLimited = terms.EnergyMax < float.PositiveInfinity || weights.LatencyMax is not null;
        Alone(terms, isLimited || into.HasEnergy);
        var isStrict = KeepLocal(terms, isLimited);
        var locals = keptCount;
        foreach (var link in terms.Links)
        {
            Across(terms, link, isLimited, isStrict);
            if (into.IsEdgesOnly) KeepByUse(terms, link.Edge, locals);
            else KeepUndominated(terms, link.Edge, locals);
        }
        into.Put(device, kept.AsSpan(0, keptCount));
    }

    /// <summary>Every option's cost but for its crossings; time and energy too, where they are asked for.</summary>
    private void Alone(DeviceTerms terms, bool isAsked)
    {
        var joule = (float)weights.JouleWeight;
        for (var i = 0; i < blocks.Length; i++)
        {
            var block = blocks[i];
            if (!terms.Fits[i]) continue;
            var row = alone.AsSpan(block.Start, block.Count);
            TensorPrimitives.Multiply(columns.Lost.AsSpan(block.Start, block.Count), (float)weights.ErrorWeight, row);
            TensorPrimitives.Add(row, terms.SwitchCost[i], row);
            for (var stage = 1; stage <= block.Head; stage++)
                TensorPrimitives.MultiplyAdd(columns.Shares(stage, block), terms.StageTime[stage - 1] + joule * terms.StageEnergy[stage - 1], row, row);
            if (terms.Rate > 0) AddWaiting(terms, block, row);
            if (!isAsked) continue;
            var times = time.AsSpan(block.Start, block.Count);
            var energies = energy.AsSpan(block.Start, block.Count);
            if (terms.Rate > 0) waiting.AsSpan(block.Start, block.Count).CopyTo(times);
            else times.Clear();
            energies.Clear();
            for (var stage = 1; stage <= block.Head; stage++)
            {
                TensorPrimitives.MultiplyAdd(columns.Shares(stage, block), terms.StageTime[stage - 1], times, times);
                TensorPrimitives.MultiplyAdd(columns.Shares(stage, block), terms.StageEnergy[stage - 1], energies, energies);
            }
        }
        if (terms.IncumbentOption >= 0) alone[terms.IncumbentOption] -= SwitchOf(terms, terms.IncumbentOption, edge: (short)edges.Count);
    }

    /// <inheritdoc cref="CostModel.Waiting"/>
    private void AddWaiting(DeviceTerms terms, OptionBlock block, Span<float> row)
    {
        var waits = waiting.AsSpan(block.Start, block.Count);
        var idles = idle.AsSpan(block.Start, block.Count);
        waits.Clear();
        idles.Fill(1);
        var run = 0f;
        for (var stage = 1; stage <= block.Head; stage++)
        {
            var took = terms.StageTime[stage - 1];
            TensorPrimitives.MultiplyAdd(columns.Shares(stage, block), Math.Min(Absurd, terms.Rate / 2 * took * (took + 2 * run)), waits, waits);
            TensorPrimitives.MultiplyAdd(columns.Shares(stage, block), -Math.Min(Absurd, terms.Rate * took), idles, idles);
            run += took;
        }
        if (block.Crossing != OptionColumns.Local && terms.EncodeTime[block.Crossing] is > 0 and var encoding)
        {
            var offload = columns.Offload.AsSpan(block.Start, block.Count);
            TensorPrimitives.MultiplyAdd(offload, Math.Min(Absurd, terms.Rate / 2 * encoding * (encoding + 2 * run)), waits, waits);
            TensorPrimitives.MultiplyAdd(offload, -Math.Min(Absurd, terms.Rate * encoding), idles, idles);
        }
        TensorPrimitives.Max(idles, (float)CostModel.IdleMin, idles);
        TensorPrimitives.Divide(waits, idles, waits);
        TensorPrimitives.Min(waits, (float)CostModel.WaitMax, waits);
        TensorPrimitives.Add(row, waits, row);
    }

    /// <summary>What the incumbent need not pay when it stays where it is.</summary>
    private float SwitchOf(DeviceTerms terms, int option, short edge)
    {
        if (terms.IncumbentEdge != edge) return 0;
        for (var i = 0; i < blocks.Length; i++)
            if (option < blocks[i].End) return terms.SwitchCost[i];
        return 0;
    }

    /// <returns>Whether some option without an edge server keeps the device's limits.</returns>
    private bool KeepLocal(DeviceTerms terms, bool isLimited)
    {
        var isStrict = false;
        for (var i = 0; i < blocks.Length && blocks[i].Crossing == OptionColumns.Local; i++)
            for (var option = blocks[i].Start; terms.Fits[i] && option < blocks[i].End && !isStrict; option++)
                isStrict = !isLimited || Excess(terms, option, energy[option], time[option]) <= 1;
        for (var i = 0; i < blocks.Length && blocks[i].Crossing == OptionColumns.Local; i++)
            for (var option = blocks[i].Start; terms.Fits[i] && option < blocks[i].End; option++)
                Keep(terms, Limited(terms, option, alone[option], isLimited, isStrict, energy[option], time[option]), 0, (short)edges.Count, option, 0, energy[option], 0, from: 0);
        return isStrict;
    }

    private float Excess(DeviceTerms terms, int option, float joules, float seconds) =>
        Math.Max(joules / terms.EnergyMax, weights.LatencyMax is { } longest ? seconds / (float)longest.Value : 0);

    private float Limited(DeviceTerms terms, int option, float price, bool isLimited, bool isStrict, float joules, float seconds)
    {
        if (!isLimited || Excess(terms, option, joules, seconds) is not (> 1 and var excess)) return price;
        return isStrict ? float.PositiveInfinity : price + Overdraft * Math.Min(excess, OverdraftMax);
    }

    /// <summary>Every option's cost over one link.</summary>
    private void Across(DeviceTerms terms, EdgeLink link, bool isLimited, bool isStrict)
    {
        for (var i = 0; i < blocks.Length; i++)
        {
            var block = blocks[i];
            if (block.Crossing == OptionColumns.Local) continue;
            var row = cost.AsSpan(block.Start, block.Count);
            if (!terms.Fits[i])
            {
                row.Fill(float.PositiveInfinity);
                continue;
            }
            var offload = columns.Offload.AsSpan(block.Start, block.Count);
            var crossing = crossings[block.Crossing];
            var seconds = terms.CrossTime[block.Crossing] + link.RoundTrip + edges.Queue[link.Edge] + edges.Of(link.Edge, crossing.Tail);
            var joules = terms.CrossEnergy[block.Crossing];
            TensorPrimitives.MultiplyAdd(offload, seconds + (float)weights.JouleWeight * joules, alone.AsSpan(block.Start, block.Count), row);
            if (!isLimited) continue;
            for (var option = block.Start; option < block.End; option++)
                cost[option] = Limited(terms, option, cost[option], isLimited, isStrict, energy[option] + columns.Offload[option] * joules, time[option] + columns.Offload[option] * seconds);
        }
        if (terms.IncumbentOption >= 0) cost[terms.IncumbentOption] -= SwitchOf(terms, terms.IncumbentOption, link.Edge);
    }

    /// <summary>Where only the edge server's time is limited: by rising use, what costs less than all before it.</summary>
    private void KeepByUse(DeviceTerms terms, short edge, int locals)
    {
        var at = edge * columns.Options.Count;
        var from = keptCount;
        var best = locals > 0 ? kept[0].Cost / terms.Weight : float.PositiveInfinity;
        foreach (var option in byUse[edge])
        {
            if (!(cost[option] < best)) continue;
            best = cost[option];
            var candidate = new Candidate(best * terms.Weight, served[at + option] * terms.Rate, edge, (ushort)option, 0, 0);
            if (keptCount > from && kept[keptCount - 1].Use >= candidate.Use) keptCount--;
            if (kind is PruningKind.OffTheHull)
                while (keptCount > from + (locals > 0 ? 0 : 1) && !IsBelow(keptCount - 1 > from ? kept[keptCount - 2] : kept[0], kept[keptCount - 1], candidate)) keptCount--;
            kept[keptCount++] = candidate;
        }
    }

    /// <summary>Whether the middle one lies below the line between its neighbours in use.</summary>
    private static bool IsBelow(in Candidate a, in Candidate middle, in Candidate b) =>
        (a.Cost - middle.Cost) * (b.Use - middle.Use) > (middle.Cost - b.Cost) * (middle.Use - a.Use);

    private void KeepUndominated(DeviceTerms terms, short edge, int locals)
    {
        var at = edge * columns.Options.Count;
        var from = keptCount;
        foreach (var option in byUse[edge])
        {
            if (float.IsPositiveInfinity(cost[option])) continue;
            var (crossing, share) = (CrossingOf(option), columns.Offload[option]);
            Keep(terms, cost[option], served[at + option], edge, option, share * terms.AirTime[crossing], energy[option] + share * terms.CrossEnergy[crossing], share * terms.CrossBytes[crossing], from, locals);
        }
    }

    private int CrossingOf(int option)
    {
        for (var i = blocks.Length - 1; i >= 0; i--)
            if (option >= blocks[i].Start) return blocks[i].Crossing;
        return OptionColumns.Local;
    }

    /// <summary>Keeps one candidate unless a local one or one since <paramref name="from"/> beats it, and drops those since then that it beats.</summary>
    private void Keep(DeviceTerms terms, float price, float use, short edge, int option, float air, float joules, float sent, int from, int locals = 0)
    {
        if (!float.IsFinite(price)) return;
        var errors = into.HasErrors ? (1 - (float)columns.Options[option].Accuracy) * terms.Weight : 0;
        var candidate = new Candidate(price * terms.Weight, use * terms.Rate, edge, (ushort)option, into.Cells > 0 ? air * terms.Rate : 0, errors, into.HasEnergy ? joules * terms.Weight : 0, into.HasSent ? sent * terms.Weight : 0);
        for (var i = 0; i < locals; i++)
            if (Beats(kept[i], candidate)) return;
        for (var i = from; i < keptCount; i++)
            if (IsHeldAlike(kept[i], candidate) && Beats(kept[i], candidate)) return;
        var left = from;
        for (var i = from; i < keptCount; i++)
            if (!IsHeldAlike(kept[i], candidate) || !Beats(candidate, kept[i])) kept[left++] = kept[i];
        keptCount = left;
        kept[keptCount++] = candidate;
    }

    /// <summary>Of a server that cannot hold all its tails, one may be there and the other not.</summary>
    private bool IsHeldAlike(in Candidate a, in Candidate b) => into.Memory is not { } memory || memory.HoldingOf(a.Edge, a.Option) == memory.HoldingOf(b.Edge, b.Option);

    private static bool Beats(in Candidate a, in Candidate b) => a.Cost <= b.Cost && a.Use <= b.Use && a.Air <= b.Air && a.Errors <= b.Errors && a.Energy <= b.Energy && a.Sent <= b.Sent;
}
