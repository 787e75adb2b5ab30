using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.DeviceAgent.Sensing;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using Fleet.Emulator.Workload;
using Fleet.Models;

namespace Fleet.Emulator;

/// <summary>
/// One life of a device, from its boot to its power loss: the production agent on an emulated board, real decisions and real (or
/// recorded) answers, with the time and energy that the board's physics charge.
/// </summary>
public sealed class DeviceLife : ISensor
{
    private readonly DeviceSpec spec;
    private readonly int number;
    private readonly TimeProvider clock;

    // Null where it cannot fail: nobody waits for it.
    private readonly CancellationTokenSource? power;
    private readonly Board board;
    private readonly WakeLocks? locks;
    private readonly RadioBus radio;
    private readonly Camera camera;
    private readonly Agent agent;
    private bool isOver;

    /// <param name="airspace">Where its radio contends; null when all links of the site are simple.</param>
    /// <param name="own">What the device takes for the time; null when that is the world's.</param>
    /// <param name="number">From 1; what a later life draws comes from streams of its own, its board's silicon does not.</param>
    public DeviceLife(DeviceSpec spec, int number, Flash flash, Stock stock, Battery battery, IBus connection, TimeProvider clock, Ledger ledger, DeviceAccount account, Airspace? airspace, TimeProvider? own = null)
    {
        own ??= clock;
        (this.spec, this.number, this.clock) = (spec, number, clock);
        power = battery.IsMains && spec.Faults.Count == 0 ? null : new CancellationTokenSource();
        board = new Board(spec.Profile, battery, clock, spec.Stream("board")) { Measured = spec.Twin is { } twin ? twin.Factor : null };
        locks = spec.Group.Sleep ? new WakeLocks(board.Suspend, board.Resume) : null;
        radio = new RadioBus(connection, Radio(airspace), board, ledger.Messages, locks);
        camera = spec.Together is { } together ? Triggered(together, stock, own) : Alone(stock).Camera(clock, own);
        agent = new Agent(Options(flash.Last, stock), radio, own, Stream("agent"), new SensorSuite([this]), (wanted, _) => flash.Install(wanted, Download, board));
        agent.Applied += assignment => flash.Last = assignment;
        agent.Started += _ =>
        {
            if (!isOver) ledger.Started(account);
        };
        agent.Answered += answer =>
        {
            if (!isOver) ledger.Answered(account, answer);
        };
    }

    /// <summary>Cancelled by its power loss; cannot be where its power cannot fail.</summary>
    public CancellationToken Power => power?.Token ?? CancellationToken.None;

    /// <summary>Inputs taken and not answered; after a power loss they are cut off, not in flight.</summary>
    public int InFlight => isOver ? 0 : agent.InFlight;

    /// <summary>Messages on the air, both ways.</summary>
    public int MessagesInFlight => radio.InFlight;

    public Bytes BytesSent => radio.Sent;

    public int Skipped => camera.Skipped + agent.Spared;

    public long Malformed => agent.Malformed;

    string ISensor.Name => "emulated board";

    /// <summary>Runs until it shall stop, with a goodbye, or loses its power; then what is left of the agent comes to its end unheard.</summary>
    /// <param name="over">Cancelled by either.</param>
    public ValueTask Run(CancellationToken over) => agent.Run(camera, over);

    /// <summary>Falls silent in the middle of whatever it does.</summary>
    public void LosePower()
    {
        isOver = true;
        board.CutPower();
        radio.Close();
        power!.Cancel();
    }

    /// <summary>Before its connection goes away.</summary>
    public void Close() => radio.Close();

    public void Dispose()
    {
    }

    bool ISensor.TryRead(out Reading reading, out string fault)
    {
        var battery = board.Battery;
        battery.Settle();
        fault = "";
        reading = battery.IsMains ? default : new Reading { Battery = battery.Stored, BatteryRatio = battery.Ratio, Harvest = battery.Harvest };
        return true;
    }

    /// <summary>Fetches files; how long they took says what the link is like.</summary>
    [AsyncMethodBuilder(typeof(LoopMethod))]
    private async ValueTask Download(Bytes bytes)
    {
        var began = clock.GetTimestamp();
        await radio.Download(bytes);
        agent.Fetched(bytes, clock.Since(began));
    }

    private Radio Radio(Airspace? airspace) => spec.Group.Radio is { } shared
        ? airspace!.Radio(shared, board, spec.Stream("place"), Stream("radio"))
        : new SimpleLink(Staged.Of(Stages, group => group.Link), board, clock, Stream("radio"));

    private DeviceWorkload Alone(Stock stock) => new(
        Stages, spec.Place, spec.Seen, Stream, name => new SeededRandom(spec.Seed, $"{spec.Site}/{name}"),
        recorded => stock.Recorded(recorded.PathIn(spec.Directory)));

    private IReadOnlyList<(Seconds From, DeviceGroup Group)> Stages => spec.Stages.Count > 0 ? spec.Stages : [(Seconds.Zero, spec.Group)];

    /// <summary>All cameras of a group draw the same order from a stream that bears the group's name.</summary>
    private Camera Triggered(GroupView together, Stock stock, TimeProvider own)
    {
        var (group, view) = together;
        var order = new SeededRandom(spec.Seed, $"{spec.Site}/{group.Name}/inputs");
        return new Camera(new TriggeredSource(stock.Images(ReplaySet.FashionMnist), ViewGrid.Of(stock.Groups[group.Model].Card), view, group.Rate, order, own), pace: null, own);
    }

    private AgentOptions Options(Assignment? last, Stock stock) => new()
    {
        Site = spec.Site,
        Id = spec.Id,
        Profile = spec.Profile,
        Default = last,
        Lifetime = spec.Group.Lifetime,
        WakeLocks = locks,
        LabelledAudits = spec.Group.Labelled,
        Info = Wire.Shared(new Info
        {
            Board = spec.Profile.Board,
            Stack = spec.Profile.Stack,
            Profile = spec.Profile.Id,
            AgentVersion = ProcessEdge.Version,
            Os = "emulated",
            Emulated = true,
            Seed = spec.Seed,
            Memory = spec.Profile.Memory.Value,
            Storage = spec.Profile.Storage.Value,
            Codecs = Route.AllCodecs,
            Gateway = spec.Gateway,
            Cell = spec.Group.Radio is { } shared && stock.Radios.Find(shared.Part)!.Kind is not (RadioKind.Lorawan or RadioKind.Cellular) ? shared.Cell : "",
        }),
    };

    private SeededRandom Stream(string purpose) => spec.Stream(number == 1 ? purpose : $"{purpose}/{number}");
}
