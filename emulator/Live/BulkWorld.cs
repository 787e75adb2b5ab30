using System.Net;
using Fleet.Contracts;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using Fleet.Emulator.Workload;

namespace Fleet.Emulator.Live;

/// <summary>The devices of one thread with their gateways or connections.</summary>
public sealed class BulkWorld
{
    /// <summary>Devices that are stopped together at the end.</summary>
    private const int Part = 500;

    private const int PartsAtOnce = 8;

    /// <summary>Addresses of this machine that connections to a broker on it are spread over: ports of one run out, and are found ever more slowly.</summary>
    private const int LoopbackAddresses = 16;

    /// <summary>The mix of boards, as in <see cref="LiveFleet"/>.</summary>
    private static readonly (string Board, double Share)[] Mix = [("pi-zero-2w", 0.5), ("pi-4b", 0.2), ("stm32h747i-disco", 0.2), ("pi-5", 0.1)];

    private readonly BulkOptions options;
    private readonly BulkNames names;
    private readonly Stock stock;
    private readonly ReplayImages seen;
    private readonly LiveTally tally;
    private readonly TwinSet twins;
    private readonly TimeProvider time;
    private readonly int number;
    private readonly List<int> mine = [];
    private readonly List<EmulatedDevice> devices = [];
    private readonly List<Uplink> uplinks = [];
    private readonly string[] gatewayNames;
    private readonly Dictionary<int, Uplink> gateways = [];
    private readonly Dictionary<string, Uplink> own = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeviceGroup> groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HardwareProfile> outfits = new(StringComparer.Ordinal);
    private readonly List<BulkPart> parts = [];
    private readonly Lock gate = new();
    private int begun, ended;

    /// <param name="number">Of the world, from 0: it has the gateways of that remainder.</param>
    public BulkWorld(BulkOptions options, BulkNames names, int number, Stock stock, LiveTally tally, TwinSet twins, TimeProvider time)
    {
        (this.options, this.names, this.number, this.stock, this.tally, this.twins, this.time) = (options, names, number, stock, tally, twins, time);
        seen = stock.Replays(stock.Models[options.Model].Card, [], options.Inference);
        World = new PacedWorld(options.Speed, time);
        Ledger = new Ledger(World.Clock, new Seconds(3600));
        gatewayNames = [.. Enumerable.Range(1, options.Gateways).Select(gateway => $"{options.IdPrefix}gateway-{options.First}-{gateway}")];
        for (var i = 0; i < options.Count; i++)
            if ((options.Gateways == 0 ? i : GatewayOf(i)) % options.Worlds == number) mine.Add(i);
        foreach (var (board, _) in options.Board is { } one ? [(one, 1.0)] : Mix)
        {
            groups[board] = new DeviceGroup { Board = board, Count = 1, Rate = options.Rate, Arrivals = Arrivals.Periodic };
            outfits[board] = groups[board].Outfit(stock.Profiles[board], stock.Radios);
        }
    }

    public PacedWorld World { get; }

    public Ledger Ledger { get; }

    public int Begun => Volatile.Read(ref begun);

    public int Ended => Volatile.Read(ref ended);

    public bool IsConnected
    {
        get
        {
            lock (gate) return gateways.Values.All(uplink => uplink.IsConnected);
        }
    }

    public IReadOnlyList<Uplink> Uplinks
    {
        get
        {
            lock (gate) return [.. uplinks];
        }
    }

    /// <summary>From another thread: what its books cannot explain. Looked up between two turns, for devices that would not end in time go on.</summary>
    public async Task<long> LostAsync()
    {
        var asked = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        World.Post(() => asked.SetResult(Lost));
        return await Task.WhenAny(asked.Task, World.Ended) == asked.Task ? await asked.Task : Lost;
    }

    /// <summary>On the world's thread: connects its gateways.</summary>
    public void StartGateways()
    {
        if (options.Gateways == 0) return;
        foreach (var carried in mine.GroupBy(GatewayOf)) StartGateway(carried.Key, [.. carried]);
    }

    /// <summary>On the world's thread: begins its devices one after another, at its share of the ramp.</summary>
    public void BeginRamp() => World.Clock.Start(RampAsync);

    /// <summary>From another thread: ends its devices part by part, each when what the one before said is on its way. A broker that is gone is not waited for longer than drift is borne.</summary>
    public async Task StopDevicesAsync(Seconds patience)
    {
        var began = time.GetTimestamp();
        var connected = began;
        bool HasTime()
        {
            if (Uplinks.Any(uplink => uplink.IsConnected)) connected = time.GetTimestamp();
            return time.Since(began) < patience && time.Since(connected) < options.DriftMax;
        }
        BulkPart[] all;
        lock (gate) all = [.. parts];
        var told = 0;
        foreach (var part in all)
        {
            World.Post(part.Over.Cancel);
            told += Volatile.Read(ref part.Begun);
            // What a part says last must be on its way before the next speaks: all at once would not fit into the queues.
            while ((Ended < told - PartsAtOnce * Part || Uplinks.Sum(uplink => uplink.Backlog.Awaiting) > 20 * Part) && HasTime()) await time.Delay(new Seconds(0.002));
        }
        while (Ended < Begun && time.Since(began) < patience) await time.Delay(new Seconds(0.02));
    }

    private long Lost => Ledger.Lost(devices.Sum(device => device.InFlight));

    /// <summary>Whole sites where there are enough of them: then a gateway subscribes once a kind and site, and a broker has no subscriptions of single devices.</summary>
    private int GatewayOf(int i) => names.Sites.Count >= options.Gateways ? (int)((long)names.SiteOf(i) * options.Gateways / names.Sites.Count) : (int)((long)i * options.Gateways / options.Count);

    private async Task RampAsync()
    {
        var clock = World.Clock;
        var random = new SeededRandom(options.Seed, $"ramp {number}");
        var share = (double)mine.Count / options.Count;
        var each = new Seconds(1 / (options.Ramp * share));
        foreach (var site in mine.Select(names.Site).Distinct()) StartEdges(site);
        var part = NewPart();
        for (var k = 0; k < mine.Count; k++)
        {
            if (k > 0 && k % Part == 0) part = NewPart();
            if (part.Over.IsCancellationRequested) return;
            _ = Live(mine[k], options.Phase * random.NextDouble(), part);
            // The ramp is in real time: what connects is real.
            await clock.Delay(each * World.Speed);
        }
    }

    private BulkPart NewPart()
    {
        var part = new BulkPart();
        lock (gate) parts.Add(part);
        return part;
    }

    /// <summary>All that a device needs is made at once when it begins: what is old already and then points to what is new would be looked at by each collection until that is old, too.</summary>
    private async Unawaited Live(int i, Seconds after, BulkPart part)
    {
        await World.Clock.Delay(after, CancellationToken.None);
        if (part.Over.IsCancellationRequested) return;
        var device = Device(i);
        devices.Add(device);
        part.Begun++;
        Interlocked.Increment(ref begun);
        await device.Run(part.Over.Token);
        Interlocked.Increment(ref ended);
    }

    private EmulatedDevice Device(int i)
    {
        var (site, id) = (names.Site(i), names.Id(i));
        var (group, profile, twin) = Board(i);
        var spec = new DeviceSpec(site, id, group, profile, options.Seed, options.Gateways == 0 ? "" : gatewayNames[GatewayOf(i)]) { Seen = seen, Twin = twin };
        return new EmulatedDevice(spec, stock, options.Inference, new BulkLine(this, i, site, id), World.Clock, Ledger);
    }

    private (DeviceGroup Group, HardwareProfile Profile, Twin? Twin) Board(int i)
    {
        if (twins.Of(i) is { } twin) return (groups.TryGetValue(twin.Profile.Board, out var known) ? known : groups[twin.Profile.Board] = groups.Values.First() with { Board = twin.Profile.Id }, twin.Profile, twin);
        if (options.Board is { } one) return (groups[one], outfits[one], null);
        // Shares of ten: the boards take turns by number, so that every site has its mix.
        var place = (options.First - 1 + i) % 10 / 10.0;
        foreach (var (board, share) in Mix)
        {
            if (place < share - 1e-9) return (groups[board], outfits[board], null);
            place -= share;
        }
        return (groups[Mix[^1].Board], outfits[Mix[^1].Board], null);
    }

    private void StartGateway(int number, IReadOnlyList<int> carried)
    {
        var name = gatewayNames[number];
        var state = new Topic(TopicKind.GatewayState, names.Site(carried[0]), name);
        var uplink = Add(new UplinkOptions
        {
            Connection = Connection($"fleet-{name}", new MqttWill(state, State.Lost), number) with { SendBytes = 256 * 1024, ReceiveBytes = 256 * 1024, Linger = PacedWorld.Linger },
            Filters = [.. carried.GroupBy(names.Site).SelectMany(site => Filters(site.Key, [.. site]))],
            Telemetry = options.Telemetry,
            QueueBytes = 256 * 1024,
            Carries = topic => names.Find(topic.Site, topic.Id) is >= 0 and var i && GatewayOf(i) == number,
        }, name);
        uplink.Connected += () => uplink.Publish(state, State.Ready);
        gateways[number] = uplink;
        uplink.Start();
    }

    /// <summary>One filter a kind for a site it carries alone, one a device and kind for a site it shares with other gateways.</summary>
    private IEnumerable<string> Filters(string site, IReadOnlyList<int> carried)
    {
        var isWhole = names.CountOfSite(carried[0]) == carried.Count;
        return isWhole ? FiltersOf(site, "+") : carried.SelectMany(i => FiltersOf(site, names.Id(i)));
    }

    private static IEnumerable<string> FiltersOf(string site, string id) =>
        [new Topic(TopicKind.Desired, site, id).Path, new Topic(TopicKind.Command, site, id, "+").Path, new Topic(TopicKind.Reply, site, id).Path];

    private DeviceLine Connect(int i, string site, string id)
    {
        if (options.Gateways > 0) return gateways[GatewayOf(i)].Line(site, id);
        var uplink = Add(new UplinkOptions
        {
            Connection = Connection($"fleet-{id}", new MqttWill(new Topic(TopicKind.State, site, id), State.Lost), i) with { ReceiveBytes = 1024, ReceiveMax = 100 },
            Filters = [.. FiltersOf(site, id)],
            Telemetry = options.Telemetry,
            QueueBytes = 1024,
            QueueBytesMax = 256 * 1024,
        }, id);
        own[id] = uplink;
        uplink.Start();
        return uplink.Line(site, id);
    }

    private void Die(int i, string site, string id)
    {
        if (options.Gateways == 0)
        {
            own[id].Abort();
            lock (gate) uplinks.Remove(own[id]);
            return;
        }
        // A gateway notices that one of its devices is gone, and says so.
        var gateway = gateways[GatewayOf(i)];
        gateway.Lines.First(line => line.Id == id && line.Site == site).Close();
        gateway.Publish(new Topic(TopicKind.State, site, id), State.Lost);
    }

    private void StartEdges(string site)
    {
        for (var edge = 1; edge <= options.Edges; edge++)
        {
            var spec = new EdgeSpec { Id = $"{options.IdPrefix}edge-{options.First}-{number + 1}-{edge}", Profile = "n5105-mini-pc" };
            var filters = new[] { TopicKind.EdgeDesired, TopicKind.Offload, TopicKind.EdgeReply }.Select(kind => new Topic(kind, site, spec.Id).Path).ToList();
            var uplink = Add(new UplinkOptions { Connection = Connection($"fleet-{site}-{spec.Id}", new MqttWill(new Topic(TopicKind.EdgeState, site, spec.Id), State.Lost), edge), Filters = filters }, $"{site} {spec.Id}");
            uplink.Start();
            var machine = new EmulatedEdge(site, spec, stock, options.Inference, uplink.Line(site, spec.Id), World.Clock, Ledger, options.Seed);
            World.Clock.Start(() => machine.Run(CancellationToken.None));
        }
    }

    private ConnectionOptions Connection(string clientId, MqttWill will, int i) => new()
    {
        Broker = options.Broker,
        Tls = options.Tls,
        ClientId = clientId,
        Will = will,
        From = IPAddress.TryParse(options.Broker.Host, out var broker) && broker.Equals(IPAddress.Loopback) ? new IPAddress([127, 0, 0, (byte)(1 + i % LoopbackAddresses)]) : null,
    };

    private Uplink Add(UplinkOptions uplink, string name)
    {
        var added = new Uplink(uplink, World, tally, time, new SeededRandom(options.Seed, "uplink " + name));
        lock (gate) uplinks.Add(added);
        return added;
    }

    /// <summary>Devices that begin one after another and are stopped together.</summary>
    private sealed class BulkPart
    {
        public CancellationTokenSource Over { get; } = new();

        public int Begun;
    }

    private sealed class BulkLine(BulkWorld world, int number, string site, string id) : ILine
    {
        public IBus Connect() => world.Connect(number, site, id);

        public void Die() => world.Die(number, site, id);
    }
}
