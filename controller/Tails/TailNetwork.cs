using Fleet.Contracts;
using Fleet.Controller.Placement;
using Fleet.Controller.Planning;

namespace Fleet.Controller.Tails;

/// <summary>
/// A site as an inference delivery network: its servers are nodes that hold tails within their memory, devices of one board on links alike are a request type, and
/// what answers them when no server does is the device itself: the repository at the end of every path. What a way costs is what the cost model says of the best
/// option that crosses to its tail, with what taking it up costs those who run something else (their files, as planners price a switch). A server without a limit holds everything.
/// </summary>
/// <param name="Idn">Nodes are the servers in the order given and then the devices; pieces are the tails in the order given and then what devices do alone.</param>
/// <param name="Slot">Requests of a slot at the rates that devices report.</param>
public sealed record TailNetwork(Idn Idn, Batch Slot)
{
    /// <summary>Null when nobody asks anything of anybody.</summary>
    public static TailNetwork? Of(FleetSnapshot fleet, IReadOnlyList<EdgeView> servers, OptionTable table, CostModel costs, IReadOnlyList<TailStart> tails, Seconds slot)
    {
        var card = table.Model.Files.Card;
        var whole = servers.Select(server => server with { Reported = Everything(table, tails) }).ToList();
        var kinds = fleet.Devices.Where(device => device.IsOnline && device.Profile is not null).OrderBy(device => device.Id, StringComparer.Ordinal).GroupBy(Likeness).ToList();
        var asked = kinds.Select(kind => (Rate: kind.Sum(SiteProblem.WeightOf), Alone: Best(kind, null), Ways: tails.Select(tail => Best(kind, tail)).ToList())).Where(type => type.Alone is not null).ToList();
        if (asked.Count == 0 || servers.Count == 0) return null;
        var share = tails.Select((_, tail) => asked.Where(type => type.Ways[tail] is not null).ToList() is { Count: > 0 } users ? users.Sum(type => type.Rate * type.Ways[tail]!.Value.Share) / users.Sum(type => type.Rate) : 0).ToList();
        var (alone, devices) = (tails.Count, servers.Count);
        var pieces = tails.Select((tail, i) => new Piece(tail.ToString(), new Bytes(card.Tail(tail).FileBytes), [.. whole.Select(server => ServiceOf(server, tail, share[i])), null]))
            .Append(new Piece("alone", new Bytes(1), [.. servers.Select(_ => (PieceService?)null), new PieceService(Seconds.Zero, double.PositiveInfinity)])).ToList();
        var ways = asked.SelectMany((type, task) => type.Ways.Select((way, tail) => (Way: way, Piece: tail)).Append((Way: type.Alone, Piece: alone)).Where(pair => pair.Way is not null)
            .Select(pair => new Placement.Way(task, pair.Way!.Value.Accuracy, pair.Piece) { Own = pair.Way.Value.Own }));
        var nodes = servers.Select((server, i) => server.Info?.TailMemory is { } memory ? new DeliveryNode(server.Id, memory, i) : new DeliveryNode(server.Id, Bytes.Zero, i) { Pinned = [.. Enumerable.Range(0, tails.Count)] })
            .Append(new DeliveryNode("devices", Bytes.Zero, devices, IsRepository: true)).ToList();
        var links = Enumerable.Range(0, servers.Count).Select(i => new DeliveryLink(i, i + 1, Seconds.Zero)).ToList();
        var types = asked.Select((_, task) => new RequestType(task, [.. Enumerable.Range(0, nodes.Count)])).ToList();
        var idn = Idn.Make(new DeliveryNetwork(nodes, links), new Catalogue([.. asked.Select(_ => Bytes.Zero)], pieces, [.. ways]), types, costs.Weights.ErrorWeight * 1e3);
        return new TailNetwork(idn, new Batch(idn, [.. asked.Select(type => type.Rate * slot.Value)]));

        // The best option of devices alike that crosses to a tail on the nearest server, or to none: its own part of the cost, without the server's.
        (double Accuracy, Seconds Own, double Share)? Best(IEnumerable<DeviceView> alike, TailStart? tail)
        {
            (double Cost, double Switch, Estimate Estimate, Option Option)? best = null;
            var (device, server, standings) = (alike.First(), Nearest(tail), Standings(alike));
            if (tail is not null && server is null) return null;
            foreach (var option in table.All)
            {
                if (option.Route?.Tail != tail || costs.Estimate(option, device, server) is not { } estimate) continue;
                var price = standings.Sum(standing => standing.PriceOf(option, device, costs.Weights));
                if (costs.Cost(estimate) + price is var cost && (best is null || cost < best.Value.Cost)) best = (cost, price, estimate, option);
            }
            if (best is not var (_, paid, found, taken)) return null;
            var elsewhere = tail is null ? Seconds.Zero : (CostModel.Queueing(server!) + CostModel.Served(table.Model, taken.Route!.Value, server!)!.Value) * taken.OffloadShare;
            return (Math.Clamp(found.Accuracy, 0, 1), Seconds.Max(Seconds.Zero, found.Latency - elsewhere + new Seconds(costs.Weights.JouleWeight * found.Energy.Value)) + new Seconds(paid), taken.OffloadShare);
        }

        EdgeView? Nearest(TailStart? tail) => tail is { } start ? whole.Where(server => CostModel.Served(table.Model, RouteTo(start), server) is not null).MinBy(server => server.Distance) : null;

        // Who runs nothing yet, or another model, has everything to fetch wherever tails lie.
        List<Standing> Standings(IEnumerable<DeviceView> alike) =>
            [.. alike.Where(device => device.Reported is not null).GroupBy(device => table.Find(device.Reported!)).Where(same => same.Key is not null)
                .Select(same => new Standing(same.Key!, costs.Estimate(same.Key!, alike.First(), Nearest(same.Key!.Route?.Tail)) ?? default, same.Sum(SiteProblem.WeightOf) / alike.Sum(SiteProblem.WeightOf)))];

        PieceService? ServiceOf(EdgeView server, TailStart tail, double offloaded) => CostModel.Served(table.Model, RouteTo(tail), server) is not { } served ? null
            : new PieceService((CostModel.Queueing(server) + served) * offloaded, offloaded > 0 ? SiteProblem.Headroom * CostModel.Capacity(server) * slot.Value / (served.Value * offloaded) : double.PositiveInfinity);
    }

    /// <summary>Any that crosses to it.</summary>
    private static Route RouteTo(TailStart tail) => new(tail.Cut, default, tail.Bottleneck);

    private static TailAssignment Everything(OptionTable table, IEnumerable<TailStart> tails) =>
        new TailAssignment { Version = 0, Epoch = 0, Model = table.Model.Files.Card.Name, CardSha256 = table.Model.Files.CardSha256, Tails = "" }.Naming(tails, table.Model.Files.Card);

    /// <summary>One board, and links that carry as much and answer as soon but for a factor of about two.</summary>
    private static (string, int, int, bool) Likeness(DeviceView device) =>
        (device.Profile!.Id, Octave(device.Budget?.Uplink?.Value), Octave(device.Budget?.RoundTrip?.Value), device.IsDutyCycled);

    private static int Octave(double? value) => value is > 0 and < double.PositiveInfinity ? (int)Math.Round(Math.Log2(value.Value)) : int.MinValue;

    /// <summary>What some of the devices alike run now.</summary>
    /// <param name="Share">Of the requests of all of them.</param>
    private sealed record Standing(Option Option, Estimate Estimate, double Share)
    {
        /// <summary>Their part of what an inference pays for another option. Other thresholds are no switch: devices have all that they need.</summary>
        public double PriceOf(Option option, DeviceView device, Weights weights) =>
            (option.Head, option.Route) == (Option.Head, Option.Route) ? 0 : Share * Switching.Price(Option, Estimate, option, device, weights);
    }
}
