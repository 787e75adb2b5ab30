using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// A site as the knapsack that `dual` and `milp` solve: who may choose what at which cost, in the cost model's own estimates. Devices and
/// edge servers stand in order of their ids.
/// </summary>
public sealed class SiteProblem
{
    /// <summary>Share of an edge server's time, and of a cell's air, that may be planned; the rest absorbs bursts.</summary>
    public const double Headroom = 0.7;

    /// <summary>What a device that asks nothing, or next to it, or has not said, counts in the objective: so little that it yields to all others.</summary>
    private const double SilentWeight = 1e-3;

    /// <summary>Of a limited mean: a billionth of an error, a joule or a byte.</summary>
    private const double NextToNothing = 1e-9;

    /// <summary>What each device runs, by its place in the columns and in <see cref="Edges"/>; -1: nothing that the columns know.</summary>
    private readonly (int Option, short Edge)[] incumbents;

    private SiteProblem(IReadOnlyList<DeviceView> devices, IReadOnlyList<EdgeView> edges, IReadOnlyList<string> cells, OptionColumns columns, Candidates candidates, (int, short)[] incumbents) =>
        (Devices, Edges, Cells, Columns, Candidates, this.incumbents) = (devices, edges, cells, columns, candidates, incumbents);

    /// <summary>Those that are online and can run something.</summary>
    public IReadOnlyList<DeviceView> Devices { get; }

    /// <summary>Those that can finish something.</summary>
    public IReadOnlyList<EdgeView> Edges { get; }

    /// <summary>Those whose air several devices share.</summary>
    public IReadOnlyList<string> Cells { get; }

    /// <summary>Those of <see cref="Edges"/> that cannot hold all they offer.</summary>
    public IEnumerable<EdgeView> LimitedServers => Candidates.Memory?.Servers.Select(edge => Edges[edge]) ?? [];

    public OptionColumns Columns { get; }

    public Candidates Candidates { get; }

    /// <param name="last">What is in force; switching away from it has its price.</param>
    public static SiteProblem Of(FleetSnapshot fleet, OptionTable table, CostModel costs, IReadOnlyDictionary<string, Choice> last)
    {
        var columns = table.Columns;
        var edges = fleet.LiveEdges.OrderBy(edge => edge.Id, StringComparer.Ordinal).ToList();
        var devices = fleet.Devices.Where(device => device.IsOnline && device.Profile is { } profile && IsFinite(columns, device, profile)).OrderBy(device => device.Id, StringComparer.Ordinal).ToList();
        var cells = devices.Select(device => device.Info?.Cell ?? "").Where(cell => cell.Length > 0).GroupBy(cell => cell).Where(shared => shared.Count() > 1).Select(shared => shared.Key).Order(StringComparer.Ordinal).ToList();
        int[]? cellOf = cells.Count == 0 ? null : [.. devices.Select(device => cells.IndexOf(device.Info?.Cell ?? ""))];
        var requests = devices.Sum(WeightOf);
        // Nothing at all is a share of nothing: what may take next to nothing has a slope.
        double? Room(double? mean) => mean is { } most ? requests * Math.Max(NextToNothing, most) : null;
        var (errors, energy, sent) = (Room(1 - costs.Weights.AccuracyMin), Room(costs.Weights.EnergyMax?.Value), Room(costs.Weights.SentMax?.Value));
        var candidates = new Candidates(
            devices.Count, [.. edges.Select(edge => CostModel.Capacity(edge) * Headroom)], cellOf is null ? null : [.. cells.Select(_ => Headroom)], cellOf, errors, expected: 8, energyCapacity: energy, sentCapacity: sent, memory: Memory(columns, edges));
        var pruning = new Pruning(columns, Terms(columns, edges), costs.Weights, PruningKind.Dominated, candidates);
        var terms = new DeviceTerms(columns);
        var switching = new Switching(columns, costs.Weights);
        var incumbents = new (int Option, short Edge)[devices.Count];
        for (var i = 0; i < devices.Count; i++)
        {
            Fill(terms, devices[i], edges);
            var standing = last.GetValueOrDefault(devices[i].Id);
            terms.IncumbentOption = standing is null ? -1 : columns.PlaceOf(standing.Option);
            terms.IncumbentEdge = (short)(standing?.Edge is { } id ? edges.FindIndex(edge => edge.Id == id) : edges.Count);
            incumbents[i] = (terms.IncumbentOption, terms.IncumbentEdge);
            switching.Fill(terms, devices[i], standing);
            pruning.Put(i, terms);
        }
        return new SiteProblem(devices, edges, cells, columns, candidates, incumbents);

        void Fill(DeviceTerms into, DeviceView device, IReadOnlyList<EdgeView> reachable)
        {
            var (profile, model) = (device.Profile!, columns.Model);
            (into.Rate, into.Weight) = ((float)(device.Budget?.RequestRate.Value ?? 0), (float)WeightOf(device));
            for (var stage = 1; stage <= columns.Stages; stage++)
            {
                var (time, energy) = CostModel.Stage(model, stage, device, profile);
                (into.StageTime[stage - 1], into.StageEnergy[stage - 1]) = ((float)time.Value, (float)energy.Value);
            }
            for (var crossing = 0; crossing < columns.Crossings.Count; crossing++)
            {
                var (time, energy) = CostModel.Crossing(model, columns.Crossings[crossing].Route, columns.Crossings[crossing].Payload, device, profile);
                (into.CrossTime[crossing], into.CrossEnergy[crossing]) = ((float)time.Value, (float)energy.Value);
                into.EncodeTime[crossing] = (float)CostModel.Encoding(model, columns.Crossings[crossing].Route, device, profile).Value;
                into.AirTime[crossing] = (float)CostModel.AirTime(CostModel.OnAir(columns.Crossings[crossing].Payload, profile), device, profile).Value;
                into.CrossBytes[crossing] = (float)CostModel.OnAir(columns.Crossings[crossing].Payload, profile).Value;
            }
            for (var block = 0; block < columns.Blocks.Count; block++)
            {
                var (head, crossing) = (columns.Blocks[block].Head, columns.Blocks[block].Crossing);
                into.Fits[block] = CostModel.Fits(model, head, crossing == OptionColumns.Local ? 0 : columns.Crossings[crossing].Route.Bottleneck, device, profile);
            }
            into.EnergyMax = device.Budget is { EnergyBudget: { } budget, RequestRate.Value: > 0 and var rate } ? (float)(budget.Value / rate) : float.PositiveInfinity;
            into.Links = !MaySend(device) ? [] : [.. reachable.Select((_, edge) => new EdgeLink((short)edge, (float)CostModel.RoundTrip(device).Value))];
        }
    }

    /// <summary>The choices of devices, as the cost model estimates them.</summary>
    /// <param name="last">Choices made before, whose places are shared where the devices are the same.</param>
    public ChoiceTable Choices(IReadOnlyList<int> chosen, CostModel costs, IReadOnlyDictionary<string, Choice> last, Func<int, int, string> reason)
    {
        var choices = new Choice?[Devices.Count];
        for (var device = 0; device < choices.Length; device++)
        {
            var (option, edge) = (Columns.Options[Candidates.Option[chosen[device]]], Candidates.Edge[chosen[device]]);
            var server = edge < Edges.Count ? Edges[edge] : null;
            if (costs.Estimate(option, Devices[device], server) is { } estimate) choices[device] = new Choice(option, server?.Id, estimate, reason(device, chosen[device])) { Gain = Gain(device, chosen[device]) };
        }
        return ChoiceTable.Of(Devices, choices, last);
    }

    /// <summary>What the choice saves a second over what the device runs; 0 when that is no choice any more, or the device runs nothing.</summary>
    private double Gain(int device, int chosen) => Standing(device) is >= 0 and var standing ? Candidates.At(standing).Cost - Candidates.At(chosen).Cost : 0;

    /// <summary>The candidate that a device runs; -1 when that is no choice any more, or it runs nothing.</summary>
    public int Standing(int device)
    {
        if (incumbents[device] is not { Option: >= 0 } standing) return -1;
        var (from, end) = Candidates.Of(device);
        for (var j = from; j < end; j++)
            if (Candidates.At(j) is var known && known.Option == standing.Option && known.Edge == standing.Edge) return j;
        return -1;
    }

    /// <summary>
    /// Not before it has told what its link carries, unless it runs something already: its profile claims the board's own radio, and a device on LoRaWAN that is told to send what Wi-Fi
    /// would carry hears the better plan late, or never.
    /// </summary>
    private static bool MaySend(DeviceView device) => device.Budget is not null || device.Reported is not null;

    /// <summary>How much a device counts in the objective: its requests a second.</summary>
    public static double WeightOf(DeviceView device) => Math.Max(SilentWeight, device.Budget?.RequestRate.Value ?? 0);

    /// <summary>Whether the smallest local head fits and what it costs is a number: a report may be absurd and still lawful.</summary>
    private static bool IsFinite(OptionColumns columns, DeviceView device, HardwareProfile profile)
    {
        var fits = false;
        foreach (var block in columns.Blocks) fits = fits || block.Crossing == OptionColumns.Local && CostModel.Fits(columns.Model, block.Head, 0, device, profile);
        for (var stage = 1; fits && stage <= columns.Stages; stage++)
        {
            var (time, energy) = CostModel.Stage(columns.Model, stage, device, profile);
            fits = float.IsFinite((float)time.Value) && float.IsFinite((float)energy.Value);
        }
        return fits;
    }

    private static EdgeTerms Terms(OptionColumns columns, IReadOnlyList<EdgeView> edges) => new(
        [.. edges.SelectMany(edge => columns.Tails.Select(tail => SizeOf(columns, tail) <= RoomOf(edge) && CostModel.Served(columns.Model, new Route(tail.Cut, default, tail.Bottleneck), edge) is { } time ? (float)time.Value : float.NaN))],
        [.. edges.Select(edge => (float)CostModel.Queueing(edge).Value)]);

    /// <summary>Null when every edge server can hold together what it offers.</summary>
    private static TailMemory? Memory(OptionColumns columns, IReadOnlyList<EdgeView> edges)
    {
        var card = columns.Model.Files.Card;
        double Offered(EdgeView edge) => columns.Tails.Where(tail => SizeOf(columns, tail) <= RoomOf(edge) && edge.Reported!.Finishes(tail.Cut, card.NameOf(tail.Bottleneck))).Sum(tail => SizeOf(columns, tail));
        var room = edges.Select(edge => Offered(edge) > RoomOf(edge) ? RoomOf(edge) : double.PositiveInfinity).ToList();
        return room.TrueForAll(double.IsPositiveInfinity) ? null
            : new TailMemory(room, [.. columns.Tails.Select(tail => SizeOf(columns, tail))], [.. columns.Blocks.SelectMany(block => Enumerable.Repeat(block.Crossing == OptionColumns.Local ? -1 : columns.Crossings[block.Crossing].Tail, block.Count))]);
    }

    /// <summary>Megabytes, by the length of its file.</summary>
    private static double SizeOf(OptionColumns columns, TailStart tail) => columns.Model.Files.Card.Tail(tail).FileBytes / 1e6;

    /// <summary>Megabytes for tails; infinite where the edge server states no limit.</summary>
    private static double RoomOf(EdgeView edge) => edge.Info?.TailMemory is { } memory ? memory.Value / 1e6 : double.PositiveInfinity;
}
