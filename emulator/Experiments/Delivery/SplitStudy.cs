using Fleet.Contracts;
using Fleet.Controller.Judge;
using Fleet.Controller.Placement;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>What one kind of splitting gives on one uplink.</summary>
/// <param name="Greedy">Milliseconds a request that static greedy saves.</param>
/// <param name="Practical">Milliseconds a request that practical INFIDA saves.</param>
/// <param name="Bound">Milliseconds a request that the best fractional allocation saves.</param>
/// <param name="Split">Share of requests that a head and a tail serve in the best fractional allocation.</param>
public readonly record struct SplitOutcome(Splitting Splitting, double BytesPerSecond, double Alpha, double Greedy, double Practical, double Bound, double Split);

/// <summary>How accurate a device's answers can be to one task: by an exit that it holds, by a head that it holds and a tail elsewhere, and by the whole network elsewhere.</summary>
/// <param name="Split">The best of those where less crosses than the input; null where none is.</param>
/// <param name="Bytes">That cross for it.</param>
/// <param name="Input">Bytes that cross for the whole network.</param>
public readonly record struct SplitReach(string Task, double Exit, double? Split, double? Bytes, double Whole, double Input);

/// <summary>Devices, edge servers and a cloud that serve our own zoo: when it pays to split a network between a device and what is above it.</summary>
public static class SplitStudy
{
    /// <summary>Uplinks of devices, bytes a second: from LoRa-like to Wi-Fi.</summary>
    public static readonly IReadOnlyList<double> Uplinks = [2e3, 6e3, 2e4, 6e4, 2e5, 2e6];

    public static readonly IReadOnlyList<double> Alphas = [300, 1000, 3000, 10_000];

    // Memories are K: a device holds first exits and any one encoder, but no whole network of the three; an edge server a few tails.
    public static readonly Bytes DeviceBudget = new(300e3);
    private static readonly Bytes EdgeBudget = new(6e6);

    private const int Edges = 3;
    private const int DevicesPerEdge = 4;
    private const int RequestsPerDevice = 10;
    private const int Slots = 80;

    private static readonly Seconds Slot = new(1);

    public static IReadOnlyList<SplitOutcome> Run(long seed)
    {
        var stock = new Stock();
        return [.. Alphas.SelectMany(alpha => Uplinks.SelectMany(uplink => Enum.GetValues<Splitting>().Select(splitting => Run(stock, splitting, uplink, alpha, seed))))];
    }

    /// <summary>Of each task, in the catalogue's order.</summary>
    public static IReadOnlyList<SplitReach> Reach()
    {
        var catalogue = ZooCatalogue.Of(new Stock(), Splitting.Bottlenecks, Slot);
        var fitting = catalogue.Ways.Where(way => catalogue.Pieces[way.First].On[0] is null || catalogue.Pieces[way.First].Size <= DeviceBudget).ToLookup(way => way.Task);
        return [.. fitting.OrderBy(group => group.Key).Select(group =>
        {
            var (whole, split) = (group.Single(way => !way.IsSplit && IsAway(way)), group.Where(way => way.IsSplit && way.Crossing < catalogue.Inputs[way.Task]).MaxBy(way => way.Accuracy));
            return new SplitReach(Name(whole), group.Where(way => !way.IsSplit && !IsAway(way)).Max(way => way.Accuracy), split?.Accuracy, split?.Crossing.Value, whole.Accuracy, catalogue.Inputs[group.Key].Value);
        })];

        bool IsAway(Way way) => catalogue.Pieces[way.First].On[0] is null;

        string Name(Way way) => catalogue.Pieces[way.First].Name.Split('/')[0];
    }

    private static SplitOutcome Run(Stock stock, Splitting splitting, double uplink, double alpha, long seed)
    {
        var idn = Make(ZooCatalogue.Of(stock, splitting, Slot), uplink, alpha);
        var requests = new ZipfRequests(idn, DeliveryWorld.ZipfExponent, RequestsPerDevice * Edges * DevicesPerEdge, 0, new SeededRandom(seed, "splits"));
        var batches = Enumerable.Range(0, Slots).Select(_ => new Batch(idn, requests.Next([]))).ToList();
        var mean = Batch.Mean(batches);
        var optimum = FractionalOptimum.Of([(mean, 1)]);
        return new SplitOutcome(splitting, uplink, alpha,
            PolicyRun.Of(new FixedPlacement(StaticGreedy.PolicyName, StaticGreedy.Place([mean])), batches).Gain,
            PolicyRun.Of(new Infida(DeliveryCell.Practical, DeliveryCell.Learner(idn), RoundingOptions.Practical, new SeededRandom(seed, "policy/splits")), batches).Gain,
            optimum.Gain / mean.Total,
            SplitShare(mean, optimum.Parts));
    }

    private static Idn Make(Catalogue catalogue, double uplink, double alpha)
    {
        List<DeliveryNode> nodes = [new("cloud", default, 2, IsRepository: true)];
        var links = new List<DeliveryLink>();
        var devices = new List<int>();
        for (var edge = 0; edge < Edges; edge++)
        {
            var at = nodes.Count;
            nodes.Add(new DeliveryNode($"edge-{edge}", EdgeBudget, 1));
            links.Add(new DeliveryLink(at, 0, new Seconds(0.040), new Seconds(1e-7)));
            for (var device = 0; device < DevicesPerEdge; device++)
            {
                devices.Add(nodes.Count);
                links.Add(new DeliveryLink(nodes.Count, at, new Seconds(0.005), new Seconds(1 / uplink)));
                nodes.Add(new DeliveryNode($"device-{edge}-{device}", DeviceBudget, 0));
            }
        }
        var network = new DeliveryNetwork(nodes, links);
        return Idn.Make(network, catalogue, [.. devices.SelectMany(device => Enumerable.Range(0, catalogue.Tasks).Select(task => new RequestType(task, network.PathToRepository(device))))], alpha);
    }

    private static double SplitShare(Batch batch, ReadOnlySpan<double> held)
    {
        var (idn, split) = (batch.Idn, 0.0);
        foreach (var type in batch.Active)
        {
            var left = batch.Count[type];
            for (var option = idn.Start[type]; option < idn.Start[type + 1] && left > 0; option++)
            {
                var served = Math.Min(left, batch.Capacity[option] * Serving.Held(idn, option, held));
                left -= served;
                if (idn.Tail[option] != Idn.None) split += served;
            }
        }
        return split / batch.Total;
    }
}
