using Fleet.Contracts;
using Fleet.Controller.Placement;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>How requests change.</summary>
public enum Popularity
{
    Fixed,
    Sliding,
    Adversarial,
}

/// <summary>A topology with the YOLO catalogue, and requests upon it.</summary>
/// <param name="Alpha">Milliseconds a unit of inaccuracy counts as.</param>
/// <param name="Period">Slots between shifts of sliding popularity.</param>
public sealed record DeliveryWorld(string Topology, Popularity Popularity, double Alpha, int Tasks, int Period, long Seed)
{
    /// <summary>As in the trial this grew from; K.</summary>
    public const double ZipfExponent = 1.2;

    public const int RequestsPerEntry = 100;

    public static readonly Seconds Slot = new(1);

    public Idn MakeIdn() => MakeIdn(Delivery.Topology.Of(Topology, new SeededRandom(Seed, "topology")));

    public Idn MakeIdn(Topology topology)
    {
        var types = topology.Entries.SelectMany(entry => Enumerable.Range(0, Tasks).Select(task => (entry, task)))
            .Select(pair => new RequestType(pair.task, topology.Network.PathToRepository(pair.entry)));
        return Idn.Make(topology.Network, YoloCatalogue.Of(Tasks, Slot), [.. types], Alpha);
    }

    public IRequestProcess Requests(Idn idn)
    {
        var requests = RequestsPerEntry * (idn.Types.Count / Tasks);
        var random = new SeededRandom(Seed, $"requests/{Topology}/{Popularity}");
        return Popularity switch
        {
            Popularity.Fixed => new ZipfRequests(idn, ZipfExponent, requests, 0, random),
            Popularity.Sliding => new ZipfRequests(idn, ZipfExponent, requests, Period, random),
            _ => new AdversarialRequests(idn, requests),
        };
    }
}
