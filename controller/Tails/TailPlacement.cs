using Fleet.Contracts;
using Fleet.Controller.Placement;
using Fleet.Controller.Planning;

namespace Fleet.Controller.Tails;

/// <summary>
/// Which tails each server of a site holds. What is to be held is decided once in a slot; how it comes about takes steps, make before break: what is new is
/// loaded where room beside the old allows, then devices are planned away from what shall go, and when none uses it any more, or the grace is over, it goes.
/// </summary>
public sealed class TailPlacement(PlacementOptions options, OptionTable table, CostModel costs, TimeProvider clock)
{
    private static readonly AscentOptions Ascent = new() { Share = 0.005 };

    private readonly ModelCard card = table.Model.Files.Card;
    private readonly SortedDictionary<string, Holding> servers = new(StringComparer.Ordinal);
    private readonly Random random = new(options.Seed);
    private CostModel costs = costs;
    private MirrorAscent? learner;
    private string learnt = "";

    private enum Step
    {
        Settled,

        /// <summary>What is new is coming.</summary>
        Making,

        /// <summary>Devices leave what shall go.</summary>
        Moving,
    }

    /// <summary>All that some option may cross to: cuts, then bottlenecks, in the card's order.</summary>
    public IReadOnlyList<TailStart> Tails { get; } =
        [.. Enumerable.Range(0, table.Model.Files.Card.StageCount).Select(cut => new TailStart(cut)), .. table.Bottlenecks.Select(name => table.Model.Files.Card.NumberOf(name)!.Value).Select(number => new TailStart(table.Model.Files.Card.Bottleneck(number).Cut, number))];

    /// <summary>Whether some server is on its way from what it held to what it shall hold.</summary>
    public bool IsMoving => servers.Values.Any(holding => holding.Step is not Step.Settled);

    private long SizeOf(bool[] held) => Tails.Select((tail, i) => held[i] ? card.Tail(tail).FileBytes : 0).Sum();

    /// <summary>Costs are others from now on.</summary>
    public void Weigh(CostModel others) => costs = others;

    /// <summary>The tails that a server is to be told to hold now.</summary>
    public TailAssignment Told(TailAssignment assignment, string server) =>
        servers.TryGetValue(server, out var holding) ? assignment.Naming(Named(holding.Desired), card) with { Reason = holding.Reason } : assignment.Naming(Tails, card);

    /// <summary>Looks at the site: takes up servers it has not seen, and goes on with those that are on their way.</summary>
    /// <param name="fleet">As the servers and devices report.</param>
    public void Advance(FleetSnapshot fleet)
    {
        foreach (var edge in fleet.Edges)
            if (edge.IsOnline) Know(edge, fleet);
            else if (servers.TryGetValue(edge.Id, out var gone)) (gone.Desired, gone.Step) = (gone.Target, Step.Settled);
        var online = fleet.OnlineEdges.Where(edge => servers[edge.Id].Step is not Step.Settled).ToList();
        var isMade = online.TrueForAll(edge => servers[edge.Id].Step is Step.Moving || IsMade(edge));
        foreach (var edge in online) GoOn(edge, fleet, isMade);
    }

    /// <summary>The site as planners may use it: of each server what it holds and shall go on holding.</summary>
    public FleetSnapshot Offered(FleetSnapshot fleet) => options.Kind is PlacementKind.All ? fleet : fleet with { Edges = [.. fleet.Edges.Select(Offered)] };

    /// <summary>A slot is over: learns what was asked for, and decides anew unless something is still on its way.</summary>
    public void Decide(FleetSnapshot fleet)
    {
        var edges = fleet.OnlineEdges.Where(edge => servers.ContainsKey(edge.Id)).OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        if (options.Kind is PlacementKind.All || TailNetwork.Of(fleet, edges, table, costs, Tails, options.Period) is not { } network) return;
        var held = Held(network.Idn, edges);
        var next = options.Kind is PlacementKind.Infida ? Learn(network, edges, held) : StaticGreedy.Place([network.Slot]);
        if (IsMoving) return;
        var fetched = 0.0;
        for (var i = 0; i < held.Length; i++)
            if (next[i] > held[i]) fetched += network.Idn.Size[i % network.Idn.Pieces] * 1e6;
        var saved = Serving.Cost(network.Slot, held) - Serving.Cost(network.Slot, next);
        if (fetched == 0 || saved <= fetched * options.SwapPrice.Value * 1e3) return;
        var reason = FormattableString.Invariant($"{PlacementOptions.NameOf(options.Kind)}: saves {saved / network.Slot.Total:G3} ms a request for {fetched:F0} bytes");
        foreach (var (edge, node) in edges.Select((edge, node) => (edge, node))) Aim(servers[edge.Id], edge, Row(network.Idn, next, node), reason);
    }

    private double[] Learn(TailNetwork network, List<EdgeView> edges, double[] held)
    {
        // Another set of servers is another network.
        var names = string.Join(',', edges.Select(edge => edge.Id));
        learner = new MirrorAscent(network.Idn, Ascent, names == learnt ? learner : null);
        learnt = names;
        learner.Learn(network.Slot);
        var next = (double[])held.Clone();
        new Rounding(network.Idn, RoundingOptions.Practical, random).Round(learner.Fractional, next, network.Slot);
        return next;
    }

    /// <summary>A server seen first keeps what it was told before, by a controller before us, if that is lawful; else it gets what fits.</summary>
    private void Know(EdgeView edge, FleetSnapshot fleet)
    {
        if (servers.TryGetValue(edge.Id, out var known) && Fits(known.Target, edge)) return;
        if (known is null && options.Kind is not PlacementKind.All && edge.Desired is { } told && told.CardSha256 == table.Model.Files.CardSha256 && Read(told) is var before && Fits(before, edge) && before.Contains(true))
        {
            servers[edge.Id] = new Holding(before, told.Reason);
            return;
        }
        servers[edge.Id] = options.Kind is PlacementKind.All || edge.Info?.TailMemory is null ? new Holding(InOrder(edge), Fits([.. Tails.Select(_ => true)], edge) ? "every way to finish is offered" : "what comes first in the card and fits") : First(edge, fleet);
    }

    /// <summary>What saves most beside what the others hold, by what devices ask now.</summary>
    private Holding First(EdgeView edge, FleetSnapshot fleet)
    {
        servers[edge.Id] = new Holding(new bool[Tails.Count], "");
        var edges = fleet.OnlineEdges.Where(other => servers.ContainsKey(other.Id)).OrderBy(other => other.Id, StringComparer.Ordinal).ToList();
        var network = TailNetwork.Of(fleet, edges, table, costs, Tails, options.Period);
        var row = network is null ? InOrder(edge) : Row(network.Idn, StaticGreedy.Place([network.Slot], Held(network.Idn, edges), new double[network.Idn.Nodes]), edges.FindIndex(other => other.Id == edge.Id));
        // Nobody may have asked yet, or gain nothing: something is there all the same, or nobody could try.
        return new Holding(row.Contains(true) ? row : InOrder(edge), "first");
    }

    private bool[] InOrder(EdgeView edge)
    {
        var held = new bool[Tails.Count];
        for (var i = 0; i < held.Length; i++)
        {
            held[i] = true;
            held[i] = Fits(held, edge);
        }
        return held;
    }

    private bool Fits(bool[] held, EdgeView edge, Bytes room = default) => edge.Info?.TailMemory is not { } memory || SizeOf(held) <= (memory + room).Value;

    private void Aim(Holding holding, EdgeView edge, bool[] target, string reason)
    {
        if (holding.Target.SequenceEqual(target) || !Fits(target, edge)) return;
        (holding.Target, holding.Reason, holding.Step) = (target, reason, Step.Making);
        var next = (bool[])holding.Desired.Clone();
        for (var i = 0; i < next.Length; i++)
        {
            if (next[i] || !target[i]) continue;
            next[i] = true;
            next[i] = Fits(next, edge, edge.Info?.TailRoom ?? Bytes.Zero);
        }
        holding.Desired = next;
    }

    private bool IsMade(EdgeView edge) => edge.Reported is { } reported && (reported.Error.Length > 0 || servers[edge.Id].Desired.SequenceEqual(Read(reported)));

    private void GoOn(EdgeView edge, FleetSnapshot fleet, bool isMade)
    {
        var holding = servers[edge.Id];
        if (holding.Step is Step.Making && isMade) (holding.Step, holding.Since) = (Step.Moving, clock.GetTimestamp());
        if (holding.Step is not Step.Moving || Uses(fleet, edge.Id, holding) && clock.Since(holding.Since) < options.Grace) return;
        (holding.Desired, holding.Step) = (holding.Target, Step.Settled);
    }

    /// <summary>Whether a device says that it still runs by a tail of a server that shall go.</summary>
    private bool Uses(FleetSnapshot fleet, string server, Holding holding) => fleet.Devices.Any(device =>
        device.IsOnline && device.Reported is { } runs && runs.OffloadTo == server && card.NumberOf(runs.Bottleneck) is { } number && IndexOf(new TailStart(runs.Cut, number)) is >= 0 and var i && !holding.Target[i] && holding.Desired[i]);

    private EdgeView Offered(EdgeView edge)
    {
        if (edge.Reported is not { } reported || !servers.TryGetValue(edge.Id, out var holding) || reported.CardSha256 != table.Model.Files.CardSha256) return edge;
        var (holds, stays) = (Read(reported), holding.Step is Step.Making ? holding.Desired : holding.Target);
        // What is there and stays may be planned with as it is: that it fits, for a while with the room to change besides, is decided here.
        return edge with { Reported = reported.Naming(Tails.Where((_, i) => holds[i] && stays[i]), card), Info = edge.Info is { } info ? info with { TailMemory = null, TailRoom = null } : null };
    }

    private double[] Held(Idn idn, List<EdgeView> edges)
    {
        var held = idn.Minimal();
        for (var node = 0; node < edges.Count; node++)
            foreach (var piece in idn.FreeOf(node))
                if (servers[edges[node].Id].Target[piece]) held[node * idn.Pieces + piece] = 1;
        return held;
    }

    private bool[] Row(Idn idn, double[] held, int node) => [.. Tails.Select((_, piece) => held[node * idn.Pieces + piece] > 0)];

    private bool[] Read(TailAssignment assignment) => [.. Tails.Select(tail => assignment.Finishes(tail.Cut, card.NameOf(tail.Bottleneck)))];

    private IEnumerable<TailStart> Named(bool[] held) => Tails.Where((_, i) => held[i]);

    private int IndexOf(TailStart tail)
    {
        for (var i = 0; i < Tails.Count; i++)
            if (Tails[i] == tail) return i;
        return -1;
    }

    /// <summary>What one server shall hold in the end, and what it is told to hold now. Rows by <see cref="Tails"/> that are replaced and never changed.</summary>
    private sealed class Holding(bool[] target, string reason)
    {
        public bool[] Target { get; set; } = target;

        public bool[] Desired { get; set; } = target;

        public string Reason { get; set; } = reason;

        public Step Step { get; set; }

        /// <summary>When devices were first planned away.</summary>
        public long Since { get; set; }
    }
}
