using Fleet.Contracts;
using Fleet.Controller.Placement;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>A network to place models on, and the nodes where requests enter.</summary>
public sealed record Topology(string Name, DeliveryNetwork Network, IReadOnlyList<int> Entries)
{
    /// <summary>Light in fibre: two thirds of its speed in vacuum.</summary>
    private const double FibreMetresPerSecond = 2e8;

    private const double EarthRadius = 6_371_000;

    /// <summary>From the last router to the cloud. K: as long as the last hop of the tiers below.</summary>
    private static readonly Seconds ToCloud = new(0.040);

    /// <summary>What every router of a backbone has beside it. K.</summary>
    private static readonly Bytes RouterBudget = new(600e6);

    /// <summary>Class of hardware at the cloud and close to it, and elsewhere: see <see cref="YoloCatalogue"/>.</summary>
    private const int Large = 1;
    private const int Small = 0;

    public static readonly IReadOnlyList<string> Names = ["tree", "abilene", "geant", "grid", "random"];

    /// <param name="random">For what is drawn; the others do not use it.</param>
    public static Topology Of(string name, Random random) => name switch
    {
        "tree" => Tree(),
        "abilene" => Backbone(name, Sites.Abilene, Sites.AbileneLinks, "CHINng"),
        "geant" => Backbone(name, Sites.Geant, Sites.GeantLinks, "de1.de"),
        "grid" => Grid(4),
        "random" => Random(15, random),
        _ => throw new FaultsException("topology", $"\"{name}\" is unknown; allowed: {string.Join(", ", Names)}"),
    };

    /// <summary>
    /// An internet provider in five tiers: base stations, two tiers of central offices, a data centre, the cloud. Round trips of 6, 6, 15 and 40 ms
    /// as in the construction of INFIDA's authors; memories are K.
    /// </summary>
    public static Topology Tree(int leaves = 8)
    {
        (double Megabytes, double RoundTrip)[] tiers = [(300, 0.006), (400, 0.006), (600, 0.015), (1200, 0.040)];
        var nodes = new List<DeliveryNode> { new("cloud", default, Large, IsRepository: true) };
        var links = new List<DeliveryLink>();
        // From the top: each node of a tier hangs below half as many of the tier above.
        var above = new List<int> { 0 };
        for (var tier = tiers.Length - 1; tier >= 0; tier--)
        {
            var count = Math.Max(1, leaves >> tier);
            var row = Enumerable.Range(nodes.Count, count).ToList();
            foreach (var (node, i) in row.Select((node, i) => (node, i)))
            {
                nodes.Add(new DeliveryNode($"tier-{tier}-{i}", new Bytes(tiers[tier].Megabytes * 1e6), tier >= 2 ? Large : Small));
                links.Add(new DeliveryLink(node, above[i * above.Count / count], new Seconds(tiers[tier].RoundTrip)));
            }
            above = row;
        }
        return new Topology("tree", new DeliveryNetwork(nodes, links), above);
    }

    /// <summary>Routers in a square, 5 ms from each to its neighbours; the cloud hangs at one corner.</summary>
    public static Topology Grid(int side)
    {
        var links = new List<DeliveryLink>();
        for (var node = 0; node < side * side; node++)
        {
            if (node % side < side - 1) links.Add(new DeliveryLink(node, node + 1, new Seconds(0.005)));
            if (node / side < side - 1) links.Add(new DeliveryLink(node, node + side, new Seconds(0.005)));
        }
        return WithCloud("grid", [.. Enumerable.Range(0, side * side).Select(node => $"router-{node}")], links, 0);
    }

    /// <summary>A random tree and half as many links again, 2 to 20 ms each.</summary>
    public static Topology Random(int routers, Random random)
    {
        var links = new List<DeliveryLink>();
        for (var node = 1; node < routers; node++) links.Add(new DeliveryLink(random.Next(node), node, Trip()));
        for (var more = 0; more < routers / 2; more++)
        {
            var (a, b) = (random.Next(routers), random.Next(routers));
            if (a != b && !links.Any(link => (link.From, link.To) == (a, b) || (link.From, link.To) == (b, a))) links.Add(new DeliveryLink(a, b, Trip()));
        }
        return WithCloud("random", [.. Enumerable.Range(0, routers).Select(node => $"router-{node}")], links, 0);

        Seconds Trip() => new(0.002 + 0.018 * random.NextDouble());
    }

    private static Topology Backbone(string name, IReadOnlyList<Site> sites, IReadOnlyList<(string, string)> pairs, string gateway)
    {
        var index = sites.Select((site, i) => (site.Name, i)).ToDictionary(pair => pair.Name, pair => pair.i);
        var links = pairs.Select(pair => new DeliveryLink(index[pair.Item1], index[pair.Item2], new Seconds(2 * Distance(sites[index[pair.Item1]], sites[index[pair.Item2]]) / FibreMetresPerSecond)));
        return WithCloud(name, [.. sites.Select(site => site.Name)], [.. links], index[gateway]);
    }

    private static Topology WithCloud(string name, IReadOnlyList<string> routers, List<DeliveryLink> links, int gateway)
    {
        List<DeliveryNode> nodes = [.. routers.Select((router, i) => new DeliveryNode(router, RouterBudget, i == gateway ? Large : Small)), new DeliveryNode("cloud", default, Large, IsRepository: true)];
        links.Add(new DeliveryLink(gateway, routers.Count, ToCloud));
        return new Topology(name, new DeliveryNetwork(nodes, links), [.. Enumerable.Range(0, routers.Count)]);
    }

    /// <summary>Great-circle distance in metres (haversine).</summary>
    private static double Distance(Site a, Site b)
    {
        var (latitude, longitude) = (Radians(b.Latitude - a.Latitude), Radians(b.Longitude - a.Longitude));
        var chord = Square(Math.Sin(latitude / 2)) + Math.Cos(Radians(a.Latitude)) * Math.Cos(Radians(b.Latitude)) * Square(Math.Sin(longitude / 2));
        return 2 * EarthRadius * Math.Asin(Math.Sqrt(chord));

        static double Radians(double degrees) => degrees * Math.PI / 180;

        static double Square(double value) => value * value;
    }
}
