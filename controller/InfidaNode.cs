using Fleet.Contracts;
using Fleet.Controller.Placement;

namespace Fleet.Controller;

/// <summary>
/// One node's part of the distributed INFIDA: it knows its own allocation, its own capacity, and the request paths that it lies on; all else it is told
/// along those paths. A slot has three steps, each once the messages of the one before have arrived. Announce: how much was asked for goes up to the repository, so that
/// each node can share out its capacity. Probe: what could serve goes up until nothing further up can be cheaper than what is there, and the cost of the dearest
/// that serves comes back down; each node it passes adds capacity (price - own cost) to its slopes. Step: mirror ascent, alone.
/// </summary>
public sealed class InfidaNode : IDisposable
{
    /// <summary>As in <see cref="Serving"/>: requests that rounding leaves over are none.</summary>
    private const double Dust = 1e-12;

    private readonly IBus bus;
    private readonly string site;
    private readonly Idn idn;
    private readonly int node;
    private readonly NodeAscent ascent;
    private readonly IDisposable subscription;
    private readonly double[] demand, held;

    // By request type: the slot's requests, and slopes of options here, kept apart until all are there: sums do not depend on who was heard first.
    private readonly SortedDictionary<int, double> requests = [];
    private readonly SortedDictionary<int, List<(int Piece, double Slope)>> slopes = [];
    private readonly HashSet<int> entered = [];
    private long slot;

    /// <summary>Throws <see cref="FaultsException"/> when a path has more options than a message tells, or an option is split: those are placed centrally.</summary>
    public InfidaNode(IBus bus, string site, Idn idn, int node, AscentOptions options)
    {
        (this.bus, this.site, this.idn, this.node) = (bus, site, idn, node);
        FaultsException.ThrowIfAny("distributed INFIDA",
        [
            .. idn.Tail.Any(tail => tail != Idn.None) ? ["places no splits"] : Array.Empty<string>(),
            .. Enumerable.Range(0, idn.Types.Count).Where(type => idn.Start[type + 1] - idn.Start[type] > PlacementControl.OffersMax)
                .Select(type => $"request type {type} has {idn.Start[type + 1] - idn.Start[type]} options; allowed: {PlacementControl.OffersMax}"),
        ]);
        ascent = new NodeAscent([.. idn.FreeOf(node).ToArray().Select(piece => idn.Size[piece])], idn.Budget[node], options);
        demand = new double[idn.Pieces];
        held = new double[idn.Pieces];
        for (var piece = 0; piece < idn.Pieces; piece++) held[piece] = idn.Pinned[node * idn.Pieces + piece] ? 1 : 0;
        Hold();
        subscription = bus.Subscribe(TopicOf(node).Path, Hear);
    }

    /// <summary>What of each free piece it holds, in the order of <see cref="Idn.FreeOf"/>.</summary>
    public ReadOnlySpan<double> Parts => ascent.Parts;

    /// <summary>A slot is over.</summary>
    /// <param name="slotNumber">Only grows; what is said of others is not heard.</param>
    /// <param name="counts">Requests of each type; only those that enter here are looked at.</param>
    public void Announce(long slotNumber, ReadOnlySpan<double> counts)
    {
        slot = slotNumber;
        Array.Clear(demand);
        requests.Clear();
        slopes.Clear();
        entered.Clear();
        for (var type = 0; type < counts.Length; type++)
        {
            if (counts[type] <= 0 || idn.Types[type].Path[0] != node) continue;
            entered.Add(type);
            Pass(new PlacementControl { Slot = slot, RequestType = type, Phase = PlacementPhase.Demand, Requests = counts[type] });
        }
    }

    /// <summary>Everybody's demand is known: asks along the paths of what entered here.</summary>
    public void Probe()
    {
        foreach (var type in entered) Offer(new PlacementControl { Slot = slot, RequestType = type, Phase = PlacementPhase.Probe, Requests = requests[type] });
    }

    /// <summary>Everybody's prices are known: moves.</summary>
    public void Step()
    {
        var free = idn.FreeOf(node);
        var slope = new double[free.Length];
        foreach (var (piece, value) in slopes.Values.SelectMany(options => options))
            if (free.IndexOf(piece) is >= 0 and var i) slope[i] += value;
        if (slope.Any(value => value != 0)) ascent.Step(slope);
        Hold();
    }

    public void Dispose() => subscription.Dispose();

    private void Hear(Topic topic, Message message)
    {
        if (message is not PlacementControl control || control.Slot != slot || control.RequestType >= idn.Types.Count) return;
        switch (control.Phase)
        {
            case PlacementPhase.Demand: Pass(control); break;
            case PlacementPhase.Probe: Offer(control); break;
            default: Learn(control); break;
        }
    }

    private void Pass(PlacementControl control)
    {
        requests[control.RequestType] = control.Requests;
        foreach (var option in OptionsHere(control.RequestType)) demand[idn.Head[option] % idn.Pieces] += control.Requests;
        if (Neighbour(control.RequestType, 1) is { } next) bus.Publish(TopicOf(next), control);
    }

    private void Offer(PlacementControl control)
    {
        var type = control.RequestType;
        var offers = PlacementControl.Split(control.Costs).Zip(PlacementControl.Split(control.Served)).Select(pair => (Cost: pair.First, Served: pair.Second)).ToList();
        offers.AddRange(OptionsHere(type).Select(option => (idn.Cost[option] / 1e3, Capacity(option, type) * held[idn.Head[option] % idn.Pieces])));
        offers = [.. offers.OrderBy(offer => offer.Cost)];
        var left = control.Requests * (1 - Dust);
        var needed = offers.FindIndex(offer => (left -= offer.Served) <= 0);
        if (needed >= 0) offers.RemoveRange(needed + 1, offers.Count - needed - 1);
        var next = Neighbour(type, 1);
        // Nothing further up costs less than getting there.
        if (next is null || needed >= 0 && offers[needed].Cost <= TripTo(type, next.Value))
            Learn(control with { Phase = PlacementPhase.Price, Price = new Seconds(offers[^1].Cost), Costs = "", Served = "" });
        else
            bus.Publish(TopicOf(next.Value), control with { Costs = PlacementControl.Join(offers.Select(offer => offer.Cost)), Served = PlacementControl.Join(offers.Select(offer => offer.Served)) });
    }

    private void Learn(PlacementControl control)
    {
        var (type, price) = (control.RequestType, control.Price.Value * 1e3);
        slopes[type] = [.. OptionsHere(type).Where(option => idn.Cost[option] < price).Select(option => (idn.Head[option] % idn.Pieces, Capacity(option, type) * (price - idn.Cost[option])))];
        if (Neighbour(type, -1) is { } before) bus.Publish(TopicOf(before), control);
    }

    private double Capacity(int option, int type) => Batch.Share(idn.PerSlot[idn.Head[option]], demand[idn.Head[option] % idn.Pieces], requests[type]);

    private IEnumerable<int> OptionsHere(int type) => Enumerable.Range(idn.Start[type], idn.Start[type + 1] - idn.Start[type]).Where(option => idn.Head[option] / idn.Pieces == node);

    /// <summary>The node so many hops further up a type's path; null beyond its ends.</summary>
    private int? Neighbour(int type, int hops)
    {
        var path = idn.Types[type].Path;
        for (var j = 0; j < path.Count; j++)
            if (path[j] == node) return j + hops >= 0 && j + hops < path.Count ? path[j + hops] : null;
        return null;
    }

    /// <summary>Round trips from where a type enters to a node on its path, in seconds.</summary>
    private double TripTo(int type, int to)
    {
        var (path, trip) = (idn.Types[type].Path, 0.0);
        for (var j = 1; j < path.Count && path[j - 1] != to; j++) trip += idn.Network.Between(path[j - 1], path[j]).RoundTrip.Value;
        return trip;
    }

    private Topic TopicOf(int other) => new(TopicKind.Placement, site, $"node-{other}");

    private void Hold()
    {
        var free = idn.FreeOf(node);
        for (var i = 0; i < free.Length; i++) held[free[i]] = ascent.Parts[i];
    }
}
