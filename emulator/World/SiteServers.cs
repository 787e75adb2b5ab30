using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>A site's edge servers through all lives of their processes.</summary>
/// <param name="start">Makes one for one life, on a connection to the broker.</param>
public sealed class SiteServers(SiteSpec site, SimBus bus, SimClock clock, Func<EdgeSpec, IBus, EmulatedEdge> start)
{
    private readonly Dictionary<string, Server> servers = [];

    // Of processes that died: messages were still on their way to them.
    private readonly List<EmulatedEdge> gone = [];

    public IEnumerable<Line> Lines => servers.Values.Select(server => server.Line);

    /// <summary>Messages on their way between the broker and a server that is far from it.</summary>
    public long MessagesInFlight => servers.Values.Select(server => server.Machine).Concat(gone).Sum(machine => (long)machine.MessagesInFlight);

    /// <summary>What the broker knows a server's connection by.</summary>
    public static string ClientOf(string server) => $"_edge/{server}";

    public void Start(EdgeSpec spec)
    {
        var line = servers.TryGetValue(spec.Id, out var before)
            ? before.Line
            : new Line(bus, ClientOf(spec.Id), (new Topic(TopicKind.EdgeState, site.Name, spec.Id), State.Lost));
        var life = new CancellationTokenSource();
        var machine = start(spec, line.Connect());
        servers[spec.Id] = new Server(line, life, machine);
        clock.Start(() => machine.Run(life.Token));
    }

    /// <summary>Its process dies with all it has queued.</summary>
    public void Crash(string id)
    {
        var (line, life, machine) = servers[id];
        machine.Die();
        line.Die();
        machine.Close();
        life.Cancel();
    }

    /// <summary>Its process is started anew.</summary>
    public void Restart(string id)
    {
        gone.RemoveAll(machine => machine.MessagesInFlight == 0);
        gone.Add(servers[id].Machine);
        Start(site.Servers.First(server => server.Id == id));
    }

    private sealed record Server(Line Line, CancellationTokenSource Life, EmulatedEdge Machine);
}
