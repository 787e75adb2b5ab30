using System.Collections.Concurrent;
using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Live;

/// <summary>
/// N emulated devices on a real broker in real time x speed: full agents on traced (or computed) inference, over K gateway connections
/// or one each. A gateway carries devices with successive numbers; a world has whole gateways.
/// </summary>
public sealed class BulkFleet : IAsyncDisposable
{
    private static readonly Seconds FirstConnection = new(30);
    private static readonly Seconds Introduction = new(10);

    private readonly BulkOptions options;
    private readonly BulkNames names;
    private readonly TimeProvider time;
    private readonly List<BulkWorld> worlds = [];
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentQueue<string> warnings = new();

    // Edge servers of its sites that are machines, as far as it has heard.
    private readonly HashSet<Topic> machines = [];
    private readonly PacedWorld watching;
    private readonly Uplink watcher;

    private BulkFleet(BulkOptions options, Stock stock, TimeProvider time)
    {
        (this.options, this.time) = (options, time);
        Tally = new LiveTally();
        Watch = new ControllerWatch(time);
        names = new BulkNames(options);
        Twins = new TwinSet(options.CloneOf, options.Site, stock);
        for (var world = 0; world < options.Worlds; world++) worlds.Add(new BulkWorld(options, names, world, stock, Tally, Twins, time));
        watching = new PacedWorld(1, time);
        watcher = Watcher();
    }

    public LiveTally Tally { get; }

    public ControllerWatch Watch { get; }

    /// <summary>Real boards whose measurements the devices follow.</summary>
    public TwinSet Twins { get; }

    public double Speed => worlds[0].World.Speed;

    /// <summary>Devices begun so far.</summary>
    public int Begun => worlds.Sum(world => world.Begun);

    /// <summary>Devices that have ended since.</summary>
    public int Ended => worlds.Sum(world => world.Ended);

    public long Started => worlds.Sum(world => world.Ledger.Total.Started);

    public long Answered => worlds.Sum(world => world.Ledger.Total.Answered);

    public long Correct => worlds.Sum(world => world.Ledger.Total.Correct);

    public long Labelled => worlds.Sum(world => world.Ledger.Total.Labelled);

    public long Offloaded => worlds.Sum(world => world.Ledger.Total.Edge);

    public long Fallback => worlds.Sum(world => world.Ledger.Total.Fallback);

    /// <summary>What the books cannot explain: always 0, whether devices still run or not.</summary>
    public async Task<long> LostAsync() => (await Task.WhenAll(worlds.Select(world => world.LostAsync()))).Sum();

    /// <summary>Completes when a world has failed.</summary>
    public Task Failed => Task.WhenAny(worlds.Select(world => world.World.Ended)).Unwrap();

    public static async Task<BulkFleet> StartAsync(BulkOptions options, Stock stock, TimeProvider time, CancellationToken cancel)
    {
        FaultsException.ThrowIfAny("devices", options.Faults(stock));
        var fleet = new BulkFleet(options, stock, time);
        try
        {
            await fleet.ConnectAsync(cancel);
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    public Drift Drift()
    {
        var backlogs = worlds.SelectMany(world => world.Uplinks).Select(uplink => uplink.Backlog).ToList();
        return new Drift(
            worlds.Select(world => world.World.Late).Aggregate(Seconds.Zero, Seconds.Max), backlogs.Select(backlog => backlog.Oldest).Aggregate(Seconds.Zero, Seconds.Max),
            backlogs.Sum(backlog => (long)backlog.Awaiting), backlogs.Sum(backlog => (long)backlog.Unsent), Watch.Late(Tally.ReportPeriod), worlds.Any(world => world.World.WaitsForBroker));
    }

    /// <summary>Lateness of timers since the last call, the worst world's: median, 99th percentile, largest.</summary>
    public (Seconds Median, Seconds P99, Seconds Max) TakeLateness() => worlds.Select(world => world.World.TakeLateness()).MaxBy(late => late.Max);

    /// <summary>Uplinks that are not connected, and why the first of them is not.</summary>
    public (int Count, string Fault) Unconnected()
    {
        var away = worlds.SelectMany(world => world.Uplinks).Where(uplink => uplink.Fault.Length > 0).ToList();
        return (away.Count, away.FirstOrDefault()?.Fault ?? "");
    }

    /// <summary>What whoever runs it should know, each once.</summary>
    public IEnumerable<string> TakeWarnings()
    {
        while (warnings.TryDequeue(out var warning)) yield return warning;
    }

    public void ChangeSpeed(double speed)
    {
        foreach (var world in worlds) world.World.ChangeSpeed(speed);
    }

    /// <summary>Starts the devices, one after another.</summary>
    public void Begin()
    {
        Watch.HasBegun = true;
        foreach (var world in worlds) world.World.Post(world.BeginRamp);
    }

    /// <summary>Stops all devices, a part at a time: their last windows and goodbyes are heard before the next part's.</summary>
    public async Task StopDevicesAsync(Seconds patience)
    {
        await Task.WhenAll(worlds.Select(world => world.StopDevicesAsync(patience)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var uplink in worlds.SelectMany(world => world.Uplinks).Append(watcher).Chunk(200))
            await Task.WhenAll(uplink.Select(one => one.EndAsync(new Seconds(5))));
        stop.Cancel();
        await Task.WhenAny(Task.WhenAll(worlds.Select(world => world.World.Ended).Append(watching.Ended)), time.Delay(new Seconds(10)).AsTask());
        stop.Dispose();
    }

    private Uplink Watcher()
    {
        var connection = new ConnectionOptions { Broker = options.Broker, Tls = options.Tls, ClientId = $"fleet-{options.IdPrefix}{options.First}-watcher-{Environment.ProcessId}" };
        var filters = names.Sites.SelectMany(site => (string[])[new Topic(TopicKind.Summary, site).Path, Topic.Filter(TopicKind.EdgeInfo, site)]).Concat(Twins.Filters).ToList();
        var uplink = new Uplink(new UplinkOptions { Connection = connection, Filters = filters }, watching, new LiveTally(), time, new SeededRandom(options.Seed, "watcher"));
        uplink.Overheard += Watch.Hear;
        uplink.Overheard += Twins.Hear;
        if (options.Inference is InferenceKind.Trace) uplink.Overheard += MeetMachine;
        Twins.Publish = (topic, message) => watching.Post(() => uplink.Publish(topic, message));
        return uplink;
    }

    /// <summary>Who answers from a trace has no tensors to send: only an emulated edge server, which looks the answer up, can make something of its frames.</summary>
    private void MeetMachine(Topic topic, Message message)
    {
        if (topic.Kind is TopicKind.EdgeInfo && message is Info { Emulated: false } && machines.Add(topic))
            warnings.Enqueue($"{topic.Site}/{topic.Id} is a real edge server, and these devices answer from traces: the frames they send it are empty, and its answers to them worth nothing; --inference onnx computes them");
    }

    private async Task ConnectAsync(CancellationToken cancel)
    {
        watching.Start(() => watcher.Start(), stop.Token);
        foreach (var world in worlds) world.World.Start(world.StartGateways, stop.Token);
        var began = time.GetTimestamp();
        while (!watcher.IsConnected || worlds.Any(world => !world.IsConnected))
        {
            var (_, fault) = Unconnected();
            if (fault.Length == 0) fault = watcher.Fault;
            if (fault.Length > 0 || time.Since(began) > FirstConnection) throw new FaultsException(options.Broker.ToString(), fault.Length > 0 ? fault : "does not let every gateway in");
            if (await Task.WhenAny(Failed, time.Delay(new Seconds(0.02), cancel).AsTask()) == Failed) await Failed;
            cancel.ThrowIfCancellationRequested();
        }
        await HearTwinsAsync(cancel);
    }

    /// <summary>What the real boards are is retained: it is here at once or never.</summary>
    private async Task HearTwinsAsync(CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        while (Twins.All.Any(twin => twin.Known is null && twin.Fault.Length == 0) && time.Since(began) < Introduction) await time.Delay(new Seconds(0.05), cancel);
        FaultsException.ThrowIfAny("--clone-of", Twins.All.Where(twin => twin.Known is null).Select(twin => twin.Fault.Length > 0 ? twin.Fault : $"{twin.Site}/{twin.Device} has said nothing: is its agent running on this broker?"));
    }
}
