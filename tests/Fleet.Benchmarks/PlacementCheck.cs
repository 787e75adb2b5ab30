using System.Diagnostics;
using System.Globalization;
using Fleet.Contracts;
using Fleet.Controller.Placement;
using Fleet.Emulator.Experiments.Delivery;
using Fleet.Emulator.Simulation;

namespace Fleet.Benchmarks;

/// <summary>INFIDA's bar: one slot (capacities, supergradient, mirror step, projection, rounding) of a network of 100 nodes, 1,000 variants and 10,000 request types on one core.</summary>
internal static class PlacementCheck
{
    public static readonly Seconds SlotMax = new(0.050);

    private const int Routers = 99;
    private const int Tasks = 100;
    private const int VariantsPerTask = 10;
    private const int Slots = 40;

    /// <returns>0 when the median slot keeps within the bar, else 1.</returns>
    public static int Run(TextWriter output)
    {
        var random = new SeededRandom(1, "placement");
        var idn = Make(random);
        var requests = new ZipfRequests(idn, DeliveryWorld.ZipfExponent, 100 * (Routers + 1), 0, random);
        var batch = new Batch(idn);
        var infida = new Infida("infida", new MirrorAscent(idn, new AscentOptions()), RoundingOptions.Plain, random);
        var times = new List<double>(Slots);
        for (var slot = 0; slot < Slots; slot++)
        {
            // Every type is asked for: the dearest slot there is.
            var counts = requests.Next([]).ToArray();
            for (var type = 0; type < counts.Length; type++) counts[type]++;
            var began = Now();
            batch.Set(counts);
            infida.Learn(batch);
            times.Add((Now() - began).TotalSeconds);
        }
        times.Sort();
        var median = new Seconds(times[Slots / 2]);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{idn.Nodes} nodes, {idn.Pieces} variants, {idn.Types.Count} request types, {idn.Head.Length} options: a slot takes {median.Value * 1e3:F1} ms of one core (median of {Slots}; quartiles {times[Slots / 4] * 1e3:F1} to {times[3 * Slots / 4] * 1e3:F1}); bar: {SlotMax.Value * 1e3:F0} ms"));
        output.WriteLine(median <= SlotMax ? "within the bar" : "NOT within the bar");
        return median <= SlotMax ? 0 : 1;
    }

    /// <summary>Processor time of this process, which a shared machine does not stretch; one thread works here.</summary>
    private static TimeSpan Now()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }

    private static Idn Make(SeededRandom random)
    {
        var topology = Topology.Random(Routers, random);
        var pieces = new List<Piece>();
        var ways = new List<Way>();
        for (var task = 0; task < Tasks; task++)
            for (var variant = 0; variant < VariantsPerTask; variant++)
            {
                ways.Add(new Way(task, 0.3 + 0.4 * random.NextDouble(), pieces.Count));
                var service = new PieceService(new Seconds(0.003 + 0.03 * random.NextDouble()), 30 + 300 * random.NextDouble());
                pieces.Add(new Piece($"{task}-{variant}", new Bytes(1e6 * (20 + 230 * random.NextDouble())), [service, service]));
            }
        // The cloud is an entry as well: a hundred entries, a hundred tasks.
        var types = topology.Entries.Append(Routers).SelectMany(entry => Enumerable.Range(0, Tasks).Select(task => (entry, task)));
        var paths = Enumerable.Range(0, Routers + 1).Select(topology.Network.PathToRepository).ToList();
        return Idn.Make(topology.Network, new Catalogue([.. Enumerable.Repeat(default(Bytes), Tasks)], pieces, ways), [.. types.Select(pair => new RequestType(pair.task, paths[pair.entry]))], alpha: 100);
    }
}
