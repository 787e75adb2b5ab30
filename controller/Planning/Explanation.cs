using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>One way for a device, what it is expected to give, and why it was or was not taken.</summary>
/// <param name="Way">Head, route and edge server; of all sets of thresholds the one that is cheapest at the prices.</param>
/// <param name="Estimate">Null when it cannot be done.</param>
/// <param name="Cost">In the objective's seconds.</param>
/// <param name="Price">Of the edge server's time that it takes, besides.</param>
public sealed record ExplainedWay(string Way, Estimate? Estimate, double Cost, double Price, string Verdict)
{
    public bool IsStanding { get; init; }
}

/// <summary>Why a device runs what it runs: all ways it has, in order of what they cost.</summary>
public static class Explanation
{
    /// <param name="standing">What the device is desired to run; null when nothing is.</param>
    /// <param name="prices">Of a second of each edge server; where none is given it is free.</param>
    public static IReadOnlyList<ExplainedWay> Of(FleetSnapshot fleet, DeviceView device, OptionTable table, CostModel costs, Choice? standing, IReadOnlyDictionary<string, double> prices)
    {
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        var ways =
            from option in table.Front
            from edge in option.Route is null ? [null] : edges.Cast<EdgeView?>()
            group option by (option.Head, option.Route, Edge: edge) into way
            select Best(way.Key.Edge, [.. way], device, costs, prices.GetValueOrDefault(way.Key.Edge?.Id ?? ""));
        var all = ways.ToList();
        if (standing is not null)
        {
            var edge = edges.FirstOrDefault(edge => edge.Id == standing.Edge);
            var own = Best(edge, [standing.Option], device, costs, prices.GetValueOrDefault(standing.Edge ?? ""));
            all.RemoveAll(way => Names(way.Option, way.Edge) == Names(standing.Option, edge));
            all.Add(own);
        }
        var chosen = standing is null ? null : all[^1];
        return [.. all.OrderBy(way => way.Estimate is null).ThenBy(way => way.Cost + way.Price).Select(way => new ExplainedWay(Named(way), way.Estimate, way.Cost, way.Price, Verdict(way, chosen, device, costs)) { IsStanding = ReferenceEquals(way, chosen) })];
    }

    private static Weighed Best(EdgeView? edge, IReadOnlyList<Option> options, DeviceView device, CostModel costs, double price)
    {
        var ways = options
            .Select(option => costs.Estimate(option, device, edge) is { } estimate ? new Weighed(option, edge, estimate, costs.Cost(estimate), price * estimate.EdgeTime.Value) : new Weighed(option, edge, null, double.PositiveInfinity, 0))
            .OrderBy(way => way.Estimate is { } estimate && !CostModel.IsAffordable(estimate, device)).ThenBy(way => way.Cost + way.Price).ToList();
        return ways[0] with { Free = ways.Where(way => way.Estimate is { } estimate && CostModel.IsAffordable(estimate, device)).MinBy(way => way.Cost) };
    }

    private static string Names(Option option, EdgeView? edge) => $"head {option.Head}{(option.Route is { } route ? $", {(route.Bottleneck > 0 ? $"{option.Model.Files.Card.Bottleneck(route.Bottleneck).Name} {Route.CodecName(route.Codec)}" : route.ToString())} to {edge?.Id ?? "an edge server that is away"}" : " alone")}";

    private static string Named(Weighed way) => Names(way.Option, way.Edge) + (way.Option.RiskMax is { } risk ? Text($" (risk control {100 * risk:0.###} %)") : "");

    private static string Verdict(Weighed way, Weighed? chosen, DeviceView device, CostModel costs)
    {
        if (ReferenceEquals(way, chosen)) return "runs";
        if (way.Estimate is not { } estimate) return Impossible(way, device);
        if (!CostModel.IsAffordable(estimate, device)) return Text($"draws {(device.Budget!.RequestRate * estimate.Energy).Value * 1e3:G3} mW of the {device.Budget.EnergyBudget!.Value.Value * 1e3:G3} mW it may");
        if (costs.Weights.LatencyMax is { } longest && estimate.Latency > longest) return Text($"takes longer than {longest.Value * 1e3:G3} ms");
        if (chosen?.Estimate is not { } taken) return "possible";
        var dearer = way.Cost + way.Price - chosen.Cost - chosen.Price;
        if (dearer <= 0) return Text($"{-dearer * 1e3:F2} ms cheaper: kept back by the price of switching, or by a limit that others need");
        if (way.Free is { } free && free.Cost < chosen.Cost) return Text($"priced out: {free.Cost * 1e3:F2} ms, but {way.Edge?.Id}'s time costs {free.Price * 1e3:F2} ms");
        (string What, double More)[] terms =
        [
            ("errors", costs.Weights.ErrorWeight * (estimate.AccuracyLost - taken.AccuracyLost)),
            ("latency", (estimate.Latency - taken.Latency).Value),
            ("energy", costs.Weights.JouleWeight * (estimate.Energy - taken.Energy).Value),
            ("price", way.Price - chosen.Price),
        ];
        var (what, more) = terms.MaxBy(term => term.More);
        return Text($"{dearer * 1e3:F2} ms dearer, most by {what} ({more * 1e3:+0.00;-0.00} ms)");
    }

    private static string Impossible(Weighed way, DeviceView device)
    {
        if (device.Profile is not { } profile) return "nobody knows how fast the device is";
        if (!CostModel.Fits(way.Option.Model, way.Option.Head, way.Option.Route?.Bottleneck ?? 0, device, profile)) return "does not fit the device's memory or storage";
        return way.Edge is null ? "no edge server is there" : "the edge server does not hold the tail, or nobody knows how fast it is";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Weighed(Option Option, EdgeView? Edge, Estimate? Estimate, double Cost, double Price)
    {
        /// <summary>The cheapest thresholds of the same way if the edge server's time were free.</summary>
        public Weighed? Free { get; init; }
    }
}
