using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>Something a device could do: an option of the table and, for those that send something, an edge server by its place.</summary>
/// <param name="Edge">-1: none is needed.</param>
/// <param name="EdgeTime">Seconds of the edge server's time an inference.</param>
internal readonly record struct Way(int Option, int Edge, double Cost, double EdgeTime, bool IsAffordable)
{
    /// <summary>Cheapest first; what the device's energy budget cannot carry comes last.</summary>
    public bool IsBefore(in Way other) => IsAffordable == other.IsAffordable ? Cost < other.Cost : IsAffordable;
}

/// <summary>
/// What a device would do, most wanted first. Of the ways through an edge server <see cref="Front"/> has those that somebody who takes the first for which
/// there is room can ever take: each asks less of its edge server than those before it, and all come before the best way alone.
/// </summary>
internal sealed record Wish(Way Best, Way? Alone, Way? Through, Way[] Front);

/// <summary>
/// Makes wishes, with the cost model's own numbers: what the options of a table have in common, stages and crossings, is counted once for a device,
/// and what edge servers take once for all devices.
/// </summary>
internal sealed class Wishes
{
    private readonly PlannedModel model;
    private readonly CostModel costs;
    private readonly Option[] options;
    private readonly (Route Route, Bytes Payload)[] crossings;

    // Of each option; -1 for those that send nothing.
    private readonly int[] crossingOf;
    private readonly Dictionary<Option, int> places = new(ReferenceEqualityComparer.Instance);

    public Wishes(OptionTable table, CostModel costs)
    {
        (model, this.costs, options) = (table.Model, costs, [.. table.All]);
        crossings = [.. options.Where(option => option.Route is not null).Select(option => (option.Route!.Value, option.Payload)).Distinct()];
        crossingOf = [.. options.Select(option => option.Route is { } route ? Array.IndexOf(crossings, (route, option.Payload)) : -1)];
        for (var i = 0; i < options.Length; i++) places.Add(options[i], i);
    }

    public Option OptionOf(in Way way) => options[way.Option];

    /// <summary>For planning with these edge servers: what each takes for what crosses by each route; null where it cannot finish it.</summary>
    public Seconds?[,] Served(IReadOnlyList<EdgeView> edges)
    {
        var served = new Seconds?[crossings.Length, edges.Count];
        for (var crossing = 0; crossing < crossings.Length; crossing++)
            for (var edge = 0; edge < edges.Count; edge++) served[crossing, edge] = CostModel.Served(model, crossings[crossing].Route, edges[edge]);
        return served;
    }

    /// <summary>Null when it can do nothing.</summary>
    /// <param name="served">Of the edge servers.</param>
    public Wish? Of(DeviceView device, IReadOnlyList<EdgeView> edges, Seconds?[,] served)
    {
        if (device.Profile is not { } profile) return null;
        var stages = new (Seconds, Joules)[model.Files.Card.StageCount];
        for (var stage = 1; stage <= stages.Length; stage++) stages[stage - 1] = CostModel.Stage(model, stage, device, profile);
        var crossed = Array.ConvertAll(crossings, crossing => CostModel.Crossing(model, crossing.Route, crossing.Payload, device, profile));
        var encodings = Array.ConvertAll(crossings, crossing => CostModel.Encoding(model, crossing.Route, device, profile));
        var rate = device.Budget?.RequestRate ?? Hertz.Zero;
        (Way? alone, Way? through) = (null, null);
        var front = new List<Way>();
        for (var i = 0; i < options.Length; i++)
        {
            var option = options[i];
            if (!CostModel.Fits(model, option.Head, option.Route?.Bottleneck ?? 0, device, profile)) continue;
            if (crossingOf[i] is not (>= 0 and var crossing))
            {
                if (CostModel.Sum(option, rate, stages) is { } estimate && WayOf(i, -1, estimate, device) is var way && (alone is not { } known || way.IsBefore(known))) alone = way;
                continue;
            }
            for (var edge = 0; edge < edges.Count; edge++)
            {
                if (served[crossing, edge] is not { } finished || CostModel.Sum(option, rate, stages, crossed[crossing], encodings[crossing], CostModel.RoundTrip(device), CostModel.Queueing(edges[edge]), finished) is not { } estimate) continue;
                var way = WayOf(i, edge, estimate, device);
                if (through is not { } nearest || way.IsBefore(nearest)) through = way;
                Add(front, way);
            }
        }
        if ((alone ?? through) is null) return null;
        if (alone is { } last) front.RemoveAll(way => !Comes(way, last));
        front.Sort(static (a, b) => a.IsBefore(b) ? -1 : b.IsBefore(a) ? 1 : a.Option.CompareTo(b.Option) is not 0 and var order ? order : a.Edge.CompareTo(b.Edge));
        var best = alone is { } own && !(through is { } far && Comes(far, own)) ? own : through!.Value;
        return new Wish(best, alone, through, [.. front]);
    }

    /// <summary>The way of a choice that was made before; null when the device cannot do it any more.</summary>
    public Way? Again(Choice choice, DeviceView device, IReadOnlyList<EdgeView> edges)
    {
        if (!places.TryGetValue(choice.Option, out var option)) return null;
        var edge = -1;
        for (var i = 0; i < edges.Count; i++)
            if (edges[i].Id == choice.Edge) edge = i;
        if (edge < 0 && choice.Edge is not null) return null;
        return costs.Estimate(choice.Option, device, edge < 0 ? null : edges[edge]) is { } estimate ? WayOf(option, edge, estimate, device) : null;
    }

    /// <summary>Whether one comes before another in the table's order too, where both are wanted as much.</summary>
    private static bool Comes(in Way first, in Way second) => first.IsBefore(second) || !second.IsBefore(first) && first.Option < second.Option;

    /// <summary>Unless something wanted more, or as much and earlier in the table, asks no more of the same edge server.</summary>
    private static void Add(List<Way> front, in Way way)
    {
        for (var i = front.Count - 1; i >= 0; i--)
        {
            var other = front[i];
            if (other.Edge != way.Edge) continue;
            if (!way.IsBefore(other) && other.EdgeTime <= way.EdgeTime) return;
            if (way.IsBefore(other) && way.EdgeTime <= other.EdgeTime) front.RemoveAt(i);
        }
        front.Add(way);
    }

    private Way WayOf(int option, int edge, in Estimate estimate, DeviceView device) =>
        new(option, edge, costs.Cost(estimate), estimate.EdgeTime.Value, CostModel.IsAffordable(estimate, device));
}
