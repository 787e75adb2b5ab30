using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Broker;
using Fleet.Controller.Planning;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>What `fleet up` brings up.</summary>
public sealed record LiveOptions
{
    public int Devices { get; init; } = 50;

    public Hertz Rate { get; init; } = new(4);

    public string Policy { get; init; } = Planners.Default;

    public string Model { get; init; } = "fmnist";

    public long Seed { get; init; } = 1;

    public string Site { get; init; } = "lab";

    /// <summary>Of the embedded broker; 0 is any free one.</summary>
    public int Port { get; init; } = 1883;

    /// <summary>A running broker instead of the embedded one.</summary>
    public MqttAddress? Broker { get; init; }

    public Seconds Report { get; init; } = new(2);
}

/// <summary>
/// A whole fleet in one process, in real time: broker, controller, one edge server, emulated devices with real inference on real
/// images. Devices share one gateway connection.
/// </summary>
public sealed class LiveFleet : IAsyncDisposable
{
    private const string Gateway = "up";

    /// <summary>The mix of boards: at least one of each kind once there are four devices.</summary>
    private static readonly (string Board, double Share)[] Mix = [("pi-zero-2w", 0.5), ("pi-4b", 0.2), ("stm32h747i-disco", 0.2), ("pi-5", 0.1)];

    private readonly CancellationTokenSource stop = new();
    private readonly List<Task> running = [];
    private readonly List<IAsyncDisposable> connections = [];
    private readonly List<EmulatedDevice> devices = [];
    private readonly CancellationTokenSource stopDevices = new();
    private readonly List<Task> devicesRunning = [];
    private EmbeddedBroker? broker;

    private LiveFleet(LiveOptions options)
    {
        Options = options;
        Ledger = new Ledger(TimeProvider.System, new Seconds(3600));
    }

    public LiveOptions Options { get; }

    public Ledger Ledger { get; }

    public FleetObserver Observer { get; private set; } = null!;

    public MqttAddress Address { get; private set; } = null!;

    /// <summary>What the ledger cannot explain: always 0.</summary>
    public long Lost => Ledger.Lost(devices.Sum(device => device.InFlight));

    /// <summary>Brings everything up on the loop; throws <see cref="FaultsException"/> when the broker cannot be had.</summary>
    public static async Task<LiveFleet> Start(LiveOptions options, Stock stock, EventLoop loop)
    {
        var fleet = new LiveFleet(options);
        try
        {
            await fleet.Connect(stock, loop);
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the devices first, so that their last windows and everybody's goodbyes are still heard.</summary>
    public async Task StopDevices()
    {
        stopDevices.Cancel();
        await Task.WhenAll(devicesRunning);
        await TimeProvider.System.Delay(new Seconds(0.5));
    }

    public async ValueTask DisposeAsync()
    {
        stopDevices.Cancel();
        stop.Cancel();
        await Task.WhenAll([.. devicesRunning, .. running]);
        foreach (var device in devices) device.Close();
        Observer?.Dispose();
        foreach (var connection in Enumerable.Reverse(connections)) await connection.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
        stop.Dispose();
        stopDevices.Dispose();
    }

    private async Task Connect(Stock stock, EventLoop loop)
    {
        var planned = Planned.Of(stock, Options.Model);
        IBus control;
        if (Options.Broker is null)
        {
            broker = await EmbeddedBroker.StartAsync(new BrokerOptions { Port = Options.Port }, TimeProvider.System);
            Address = broker.Address;
            control = broker.ConnectInProcess(loop);
        }
        else
        {
            Address = Options.Broker;
            control = await Bus(loop, "controller", will: null);
        }
        Observer = new FleetObserver(await Bus(loop, "observer", will: null), TimeProvider.System, Options.Site);
        var costs = new CostModel(new Weights());
        var steering = new ControllerOptions { ReportPeriod = Options.Report };
        var controller = new SiteController(
            Options.Site, control, TimeProvider.System, steering, Planners.Create(Options.Policy, planned.Table, costs), planned.Table, planned.Model, stock.Profiles,
            new SeededRandom(Options.Seed, "planner"), () => broker?.Counters.Dropped ?? 0);
        running.Add(controller.Run(stop.Token));
        await StartEdge(stock, loop);
        await StartDevices(stock, loop);
    }

    private async Task StartEdge(Stock stock, EventLoop loop)
    {
        var spec = new EdgeSpec { Id = "edge-1", Profile = "n5105-mini-pc" };
        var bus = await Bus(loop, spec.Id, new MqttWill(new Topic(TopicKind.EdgeState, Options.Site, spec.Id), State.Lost));
        running.Add(new EmulatedEdge(Options.Site, spec, stock, InferenceKind.Onnx, bus, TimeProvider.System, Ledger, Options.Seed).Run(stop.Token));
    }

    private async Task StartDevices(Stock stock, EventLoop loop)
    {
        var state = new Topic(TopicKind.GatewayState, Options.Site, Gateway);
        var bus = await Bus(loop, "gateway", new MqttWill(state, State.Lost));
        bus.ConnectionChanged += connected =>
        {
            if (connected) bus.Publish(state, State.Ready);
        };
        bus.Publish(state, State.Ready);
        var seen = stock.Replays(stock.Models[Options.Model].Card, [], InferenceKind.Onnx);
        foreach (var (group, id) in SiteWorld.Names(new SiteSpec { Name = Options.Site, Edges = [], Devices = Groups() }))
        {
            var spec = new DeviceSpec(Options.Site, id, group, stock.Profiles[group.Board], Options.Seed, Gateway) { Seen = seen };
            var device = new EmulatedDevice(spec, stock, InferenceKind.Onnx, new SharedLine(bus), TimeProvider.System, Ledger);
            devices.Add(device);
            devicesRunning.Add(device.Run(stopDevices.Token).AsTask());
        }
    }

    private List<DeviceGroup> Groups()
    {
        var counts = Mix.Select(kind => (int)(kind.Share * Options.Devices)).ToArray();
        for (var i = 0; counts.Sum() < Options.Devices; i = (i + 1) % counts.Length) counts[i]++;
        return [.. Mix.Zip(counts).Where(pair => pair.Second > 0).Select(pair => new DeviceGroup { Board = pair.First.Board, Count = pair.Second, Rate = Options.Rate })];
    }

    private async Task<MqttBus> Bus(EventLoop loop, string name, MqttWill? will)
    {
        var options = new MqttBusOptions { Broker = Address, ClientId = $"fleet-{Options.Site}-{name}", Will = will, CleanStart = true, SessionExpiry = new Seconds(0) };
        var bus = await MqttBus.ConnectAsync(options, loop, TimeProvider.System, new SeededRandom(Options.Seed, "bus " + name));
        connections.Add(bus);
        return bus;
    }
}
