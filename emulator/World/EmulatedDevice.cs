using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.DeviceAgent.Sensing;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using Fleet.Models;

namespace Fleet.Emulator;

/// <summary>What an emulated device is made of.</summary>
public sealed record DeviceSpec(string Site, string Id, DeviceGroup Group, HardwareProfile Profile, long Seed, string Gateway = "")
{
    /// <summary>What it sees when it is alone.</summary>
    public ReplaySet Replays { get; init; }

    /// <summary>What it sees with others; null when it is alone.</summary>
    public GroupView? Together { get; init; }
}

/// <param name="Group">Whose samples it sees.</param>
/// <param name="View">Which view of them, from 1.</param>
public sealed record GroupView(GroupSpec Group, int View);

/// <summary>
/// The production agent on an emulated board: real decisions and real (or recorded) answers, with the time and energy the board's
/// physics charge. Its battery may run empty; then it falls silent in the middle of whatever it does.
/// </summary>
public sealed class EmulatedDevice : ISensor
{
    private readonly DeviceSpec spec;
    private readonly Stock stock;
    private readonly InferenceKind inference;
    private readonly TimeProvider clock;
    private readonly Ledger ledger;
    private readonly Board board;
    private readonly Battery battery;
    private readonly RadioBus radio;
    private readonly Action die;
    private readonly CancellationTokenSource power = new();
    private readonly HashSet<string> held = [];
    private readonly Agent agent;
    private readonly Camera camera;
    private bool isDead;

    /// <param name="connection">The device's connection to the broker, as if there were no radio.</param>
    /// <param name="die">Cuts that connection when the battery is empty.</param>
    public EmulatedDevice(DeviceSpec spec, Stock stock, InferenceKind inference, IBus connection, TimeProvider clock, Ledger ledger, Action die)
    {
        (this.spec, this.stock, this.inference, this.clock, this.ledger, this.die) = (spec, stock, inference, clock, ledger, die);
        battery = new Battery(clock, spec.Group.Battery, spec.Profile.Power.Idle.Value, ledger.Energy);
        board = new Board(spec.Profile, battery, clock, Stream("board"));
        radio = new RadioBus(connection, spec.Group.Link, board, clock, Stream("radio"), ledger.Messages);
        camera = spec.Together is { } together ? Triggered(together) : new Camera(Inputs(Stream("inputs")), Pace(), clock);
        agent = new Agent(Options(), radio, clock, Stream("agent"), new SensorSuite([this]), Install);
        agent.Started += _ => OnStarted();
        agent.Answered += OnAnswered;
        battery.Emptied += OnEmptied;
    }

    public string Id => spec.Id;

    public string Board => spec.Group.Board;

    /// <summary>Inputs it has taken and not answered; a dead device's are cut off, not in flight.</summary>
    public int InFlight => isDead ? 0 : agent.InFlight;

    public Joules Stored => battery.Stored;

    public Bytes BytesSent => radio.Sent;

    /// <summary>Messages on the air, both ways.</summary>
    public int MessagesInFlight => radio.InFlight;

    /// <summary>Falls silent at once, whatever its battery holds.</summary>
    public void Crash()
    {
        if (!isDead) OnEmptied();
    }

    /// <summary>Before its connection goes away.</summary>
    public void Close() => radio.Close();

    public int Skipped => camera.Skipped;

    public long Malformed => agent.Malformed;

    public Battery Battery => battery;

    string ISensor.Name => "emulated board";

    /// <summary>Runs until <paramref name="stop"/> or until its battery is empty.</summary>
    public async Task Run(CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, power.Token);
        var idling = Idle(either.Token);
        await agent.Run(camera, either.Token);
        await idling;
        battery.Settle();
    }

    public void Dispose()
    {
    }

    bool ISensor.TryRead(out Reading reading, out string fault)
    {
        battery.Settle();
        fault = "";
        reading = battery.IsMains ? default : new Reading { Battery = battery.Stored, BatteryRatio = battery.Ratio };
        return true;
    }

    private Pace Pace() => spec.Group.Arrivals is Arrivals.Poisson
        ? DeviceAgent.Sensing.Pace.Poisson(spec.Group.Rate, Stream("arrivals"))
        : DeviceAgent.Sensing.Pace.Periodic(spec.Group.Rate, spec.Group.Rate.Period * Stream("phase").NextDouble());

    /// <summary>All cameras of a group draw the same order from a stream that bears the group's name.</summary>
    private Camera Triggered(GroupView together)
    {
        var (group, view) = together;
        var order = new SeededRandom(spec.Seed, $"{spec.Site}/{group.Name}/inputs");
        return new Camera(new TriggeredSource(stock.Images(ReplaySet.FashionMnist), ViewGrid.Of(stock.Groups[group.Model].Card), view, group.Rate, order, clock), pace: null, clock);
    }

    private AgentOptions Options() => new()
    {
        Site = spec.Site,
        Id = spec.Id,
        Profile = spec.Profile,
        Lifetime = spec.Group.Lifetime,
        Info = new Info
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
        },
    };

    /// <summary>Fetches the stages and the encoder it does not hold yet over its own link, then loads them.</summary>
    private async Task<Head> Install(Assignment wanted, CancellationToken stop)
    {
        if (wanted.View > 0) return await InstallView(wanted);
        if (!stock.Models.TryGetValue(wanted.Model, out var model) || model.CardSha256 != wanted.CardSha256)
            throw new FaultsException("card_sha256", $"is {wanted.CardSha256} for {wanted.Model}; the emulator has {string.Join(", ", stock.Models.Values.Select(known => $"{known.Card.Name} {known.CardSha256}"))}");
        FaultsException.ThrowIfAny("assignment", wanted.FaultsWith(model.Card));
        int[] bottlenecks = model.Card.NumberOf(wanted.Bottleneck) is > 0 and var number ? [number] : [];
        var files = model.Card.Stages.Take(wanted.Head).Select(stage => stage.Stored).Concat(bottlenecks.SelectMany(bottleneck => model.Card.Bottleneck(bottleneck).DeviceFiles));
        var missing = files.Where(file => held.Add(file.Sha256)).Sum(file => file.FileBytes);
        if (missing > 0) await radio.Download(new Bytes(missing));
        var head = inference is InferenceKind.Trace
            ? Head.Traced(model.Card, model.Hash, stock.TestTrace(model), wanted.Head, bottlenecks)
            : Head.Onnx(model.Card, model.Hash, [.. Enumerable.Range(1, wanted.Head).Select(stage => stock.Stage(model, stage))], encoders: [.. bottlenecks.Select(bottleneck => stock.Encoder(model, bottleneck))]);
        return head.Wrap((piece, engine) => new BoardEngine(engine, piece.Work, board));
    }

    private async Task<Head> InstallView(Assignment wanted)
    {
        if (!stock.Groups.TryGetValue(wanted.Model, out var model) || model.CardSha256 != wanted.CardSha256)
            throw new FaultsException("card_sha256", $"is {wanted.CardSha256} for {wanted.Model}; the emulator has {string.Join(", ", stock.Groups.Values.Select(known => $"{known.Card.Name} {known.CardSha256}"))}");
        var piece = model.Card.View(wanted.View).Piece;
        if (held.Add(piece.Sha256)) await radio.Download(new Bytes(piece.FileBytes));
        var head = Head.Onnx(model.Card.OfView(wanted.View), model.Hash, [stock.View(model, wanted.View)]);
        return head.Wrap((_, engine) => new BoardEngine(engine, piece.Work, board));
    }

    /// <summary>Test images drawn one by one: no order to remember for each of a million devices.</summary>
#pragma warning disable CS1998 // Nothing is awaited: asynchronous only because cameras are.
    private async IAsyncEnumerable<Sample> Inputs(SeededRandom random)
#pragma warning restore CS1998
    {
        var images = stock.Images(spec.Replays);
        while (true) yield return images.Sample(random.Next(images.Count));
    }

    /// <summary>An idle device's battery runs down too: looks in time for the moment it is empty.</summary>
    private async Task Idle(CancellationToken stop)
    {
        while (battery.TimeLeft is { } left && !battery.IsEmpty)
        {
            if (!await clock.Sleep(Seconds.Min(new Seconds(60), left + new Seconds(0.001)), stop)) return;
            battery.Settle();
        }
    }

    private void OnStarted()
    {
        if (!isDead) ledger.Started();
    }

    private void OnAnswered(Answer answer)
    {
        if (!isDead) ledger.Answered(spec.Id, answer);
    }

    private void OnEmptied()
    {
        isDead = true;
        ledger.Died(spec.Id, agent.InFlight);
        die();
        power.Cancel();
    }

    private SeededRandom Stream(string purpose) => new(spec.Seed, $"{spec.Site}/{spec.Id}/{purpose}");
}
