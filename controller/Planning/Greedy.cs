using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// Neurosurgeon's choices as long as edge servers have room: devices that gain most from an edge second are served first, the others
/// take their next best. A device keeps its option unless another is better by more than a fifth, so that noise does not reshuffle the fleet.
/// </summary>
public sealed class Greedy(OptionTable options, CostModel costs) : IPlanner
{
    public const string PolicyName = "greedy";

    /// <summary>Share of an edge server's time that may be planned; the rest absorbs bursts.</summary>
    private const double Headroom = 0.7;

    private const double Hysteresis = 0.2;

    private readonly Wishes wishes = new(options, costs);

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToArray();
        var devices = Choices.AsArray(fleet.Devices);
        var before = last.Asked is Wanted known && known.IsOf(this, devices, edges) ? known : null;
        if (before is null) devices = Choices.InOrder(devices);
        var served = wishes.Served(edges);
        var asking = new Asking?[devices.Length];
        for (var place = 0; place < devices.Length; place++)
        {
            var device = devices[place];
            var isSame = before is not null && device == (object)before.Devices[place];
            var standing = last.Last.GetValueOrDefault(device.Id);
            if (isSame && before!.Asking[place] is { Wish: var same } asked) asking[place] = asked.IsAfter(standing) ? asked : Asking.Of(same, Kept(same, standing, device, edges), standing);
            else if (device.IsOnline && wishes.Of(device, edges, served) is { } wish) asking[place] = Asking.Of(wish, Kept(wish, standing, device, edges), standing);
        }
        var room = Array.ConvertAll(edges, edge => CostModel.Capacity(edge) * Headroom);
        var choices = new Choice?[devices.Length];
        foreach (var place in ByGain(asking)) choices[place] = asking[place]!.Take(room, devices[place], edges, this);
        var table = ChoiceTable.Of(devices, choices, last.Last);
        return (new Plan(table), new PlannerState(table) { Asked = new Wanted(this, devices, edges, asking, table) });
    }

    /// <summary>Places of those who want something, those first who gain most.</summary>
    private static int[] ByGain(Asking?[] asking)
    {
        int[] places = [.. Enumerable.Range(0, asking.Length).Where(place => asking[place] is not null)];
        Array.Sort(places, (a, b) => asking[b]!.Gain.CompareTo(asking[a]!.Gain) is not 0 and var order ? order : a.CompareTo(b));
        return places;
    }

    /// <summary>The way in force, when nothing beats it by more than the hysteresis.</summary>
    private Way? Kept(Wish wish, Choice? standing, DeviceView device, EdgeView[] edges)
    {
        if (standing is null || wishes.Again(standing, device, edges) is not { } kept || (kept.Option, kept.Edge) == (wish.Best.Option, wish.Best.Edge)) return null;
        if (kept.Cost > wish.Best.Cost + Hysteresis * Math.Abs(wish.Best.Cost)) return null;
        return kept.IsAffordable || !wish.Best.IsAffordable ? kept : null;
    }

    private Choice Choose(in Way way, DeviceView device, EdgeView[] edges, string reason)
    {
        var edge = way.Edge < 0 ? null : edges[way.Edge];
        return Choices.Try(costs, wishes.OptionOf(way), device, edge, reason)!;
    }

    /// <summary>What the last plan was made of: whoever is still the same, before the same edge servers, wants the same.</summary>
    internal sealed record Wanted(IPlanner By, DeviceView[] Devices, IReadOnlyList<EdgeView> Edges, Asking?[] Asking, ChoiceTable Choices) : Asked(By, Devices, Edges, Choices);

    /// <summary>What a device asks for first, and what it got when it asked last.</summary>
    /// <param name="First">The best, or what it keeps.</param>
    /// <param name="Standing">What it ran when that was found.</param>
    internal sealed record Asking(Wish Wish, Way First, Choice? Standing, double Gain)
    {
        private (int Option, int Edge, bool IsFirst) got;
        private Choice? choice;

        /// <summary>Whether it was found while the device ran the same.</summary>
        public bool IsAfter(Choice? standing) => Standing?.Option == (object?)standing?.Option && Standing?.Edge == standing?.Edge;

        public static Asking Of(Wish wish, Way? kept, Choice? standing)
        {
            var first = kept ?? wish.Best;
            return new Asking(wish, first, standing, GainPerEdgeSecond(first, first.Edge < 0 ? first : wish.Alone));
        }

        /// <summary>Takes the first that fits, or the first of all when nothing does.</summary>
        /// <param name="room">Seconds a second that edge servers still have.</param>
        public Choice Take(double[] room, DeviceView device, EdgeView[] edges, Greedy planner)
        {
            var rate = device.Budget?.RequestRate.Value ?? 0;
            if (Fits(First, rate, room)) return Get(First, isFirst: true, device, edges, planner);
            foreach (var way in Wish.Front)
                if (Fits(way, rate, room)) return Get(way, isFirst: (way.Option, way.Edge) == (First.Option, First.Edge), device, edges, planner);
            return Wish.Alone is { } alone ? Get(alone, isFirst: false, device, edges, planner) : Get(First, isFirst: true, device, edges, planner);
        }

        private static bool Fits(in Way way, double rate, double[] room)
        {
            if (way.Edge < 0) return true;
            var load = rate * way.EdgeTime;
            if (load > room[way.Edge]) return false;
            room[way.Edge] -= load;
            return true;
        }

        private Choice Get(in Way way, bool isFirst, DeviceView device, EdgeView[] edges, Greedy planner)
        {
            if (choice is not null && got == (way.Option, way.Edge, isFirst)) return choice;
            got = (way.Option, way.Edge, isFirst);
            return choice = planner.Choose(way, device, edges, isFirst ? Neurosurgeon.Explain(First.Cost, First.Edge < 0, First.Edge < 0 ? Wish.Through?.Cost : Wish.Alone?.Cost) : "edge servers are full: next best");
        }

        private static double GainPerEdgeSecond(in Way first, Way? alone) =>
            first.Edge < 0 || alone is not { } own || first.EdgeTime <= 0 ? double.PositiveInfinity : (own.Cost - first.Cost) / first.EdgeTime;
    }
}
