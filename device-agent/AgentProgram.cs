using System.CommandLine;
using System.Globalization;
using Fleet.Contracts;
using Fleet.DeviceAgent.Heads;
using Fleet.DeviceAgent.Sensing;
using Fleet.Models;

namespace Fleet.DeviceAgent;

/// <summary>The agent as a process: flags, sensors, camera, head store, connection. Everything that decides is in <see cref="Agent"/>.</summary>
internal static class AgentProgram
{
    /// <summary>From this calibrated confidence an exit answers while no controller has said otherwise.</summary>
    private const double DefaultThreshold = 0.9;

    private static readonly Option<string> Site = new("--site") { Description = "Site it belongs to.", DefaultValueFactory = _ => "lab" };
    private static readonly Option<string> Id = new("--id") { Description = "Its name in topics; this machine's name without it.", DefaultValueFactory = _ => Flags.HostName() };
    private static readonly Option<string?> Profile = new("--profile") { Description = "Hardware profile that estimates what no sensor measures; guessed from the board without it." };
    private static readonly Option<string?> Own = new("--own-profile") { Description = "Write this board's own profile to NAME.json from the times of its stages, once a minute; one that is there is updated." };
    private static readonly Option<string> Model = new("--model") { Description = "Model to run until a controller says otherwise.", DefaultValueFactory = _ => "fmnist" };
    private static readonly Option<string?> Models = new("--models") { Description = "Directory of models at hand; the one that ships with Fleet without it." };
    private static readonly Option<string> Store = new("--store") { Description = "Directory for heads that are installed.", DefaultValueFactory = _ => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "fleet-agent") };
    private static readonly Option<string> Input = new("--input") { Description = "What it sees: dataset (replays the model's test images), folder:PATH (PNG and PGM), or stdin (raw frames).", DefaultValueFactory = _ => "dataset" };
    private static readonly Option<string?> Data = new("--data") { Description = "Directory of Fashion-MNIST's test set, which is replayed or which scenes are drawn from; the one that ships with Fleet without it." };
    private static readonly Option<int?> View = new("--view") { Description = "Replay the data set as camera 1 to 6 of a group: all take the same picture at the same time (same --rate and --seed) and each sees a sixth of it." };
    private static readonly Option<double> Rate = new("--rate") { Description = "Inputs a second.", DefaultValueFactory = _ => 1 };
    private static readonly Option<bool> Poisson = new("--poisson") { Description = "Inputs come at random instead of periodically." };
    private static readonly Option<int> Seed = new("--seed") { Description = "Of the order of inputs and of jitter.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string?> Ina219Flag = new("--ina219") { Description = "Power meter, as BUS:ADDRESS:SHUNT_OHMS:MAX_AMPERES, for instance 1:0x40:0.1:3.2." };
    private static readonly Option<string?> Lifetime = new("--lifetime") { Description = "How long the battery should last (8h); gives the energy budget." };
    private static readonly BrokerFlags Broker = new();

    public static int Main(string[] args)
    {
        var root = new RootCommand("Fleet's device agent: senses, infers, exits or offloads, reports.") { Site, Id, Profile, Own, Model, Models, Store, Input, Data, View, Rate, Poisson, Seed, Ina219Flag, Lifetime };
        Broker.AddTo(root);
        root.SetAction(parsed => ProcessEdge.Run((loop, stop) => Run(parsed, loop, stop)));
        return ProcessEdge.Invoke(root, args);
    }

    private static async Task<int> Run(ParseResult parsed, EventLoop loop, CancellationToken stop)
    {
        Flags.Require64Bit();
        var clock = TimeProvider.System;
        var random = new Random(parsed.GetValue(Seed));
        var zoo = parsed.GetValue(Models) ?? ProjectFiles.Find("models/zoo");
        using var http = new HttpClient();
        var store = new HeadStore(parsed.GetValue(Store)!, zoo, http, clock);
        var options = Options(parsed, store, zoo);
        var own = parsed.GetValue(Own) is { } path ? new OwnProfile(path, options.Profile, options.Info, clock, Console.Error.WriteLine) : null;
        using var sensors = Sensors(parsed);
        var camera = Camera(parsed, Path.Combine(zoo, parsed.GetValue(Model)!), clock, random);
        var connection = Broker.Read(parsed, $"fleet-{options.Site}-{options.Id}", new MqttWill(new Topic(TopicKind.State, options.Site, options.Id), State.Lost));
        await using var bus = await MqttBus.ConnectAsync(connection, loop, clock, new Random(parsed.GetValue(Seed) + Environment.ProcessId), failFast: false, stop);
        Console.WriteLine($"agent {options.Site}/{options.Id} ({options.Profile.Id}) on {connection.Broker}");
        var agent = new Agent(options, bus, clock, random, sensors, (wanted, cancel) => new(Install(store, wanted, cancel)));
        agent.Applied += store.Remember;
        agent.Complained += Console.Error.WriteLine;
        store.Fetched += agent.Fetched;
        if (own is not null) agent.Measured += own.Learn;
        var telling = ProcessEdge.TellFaults(bus, clock, stop);
        await agent.Run(camera, stop);
        await telling;
        return 0;
    }

    private static AgentOptions Options(ParseResult parsed, HeadStore store, string zoo)
    {
        var profiles = ProfileFile.ReadAll(ProjectFiles.Find("hardware-profiles"));
        var name = parsed.GetValue(Profile) ?? GuessProfile();
        if (!profiles.TryGetValue(name, out var profile) || profile.Role != "device")
            throw new FaultsException("--profile", $"is \"{name}\"; allowed: {string.Join(", ", profiles.Values.Where(known => known.Role == "device").Select(known => known.Id))}");
        var last = store.Last(out var fault);
        if (fault.Length > 0) Console.Error.WriteLine($"the last assignment cannot be used: {fault}");
        return new AgentOptions
        {
            Site = Flags.ValidName("--site", parsed.GetValue(Site)!),
            Id = Flags.ValidName("--id", parsed.GetValue(Id)!),
            Profile = profile,
            Default = last ?? (parsed.GetValue(View) is null ? SafeDefault(Path.Combine(zoo, parsed.GetValue(Model)!)) : null),
            Lifetime = Flags.Duration("--lifetime", parsed.GetValue(Lifetime)),
            Info = new Info
            {
                Board = BoardName() ?? Environment.MachineName,
                Stack = "onnxruntime fp32, 1 thread",
                Profile = profile.Id,
                AgentVersion = ProcessEdge.Version,
                Os = Flags.OsText(),
                Emulated = false,
                Memory = new Bytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes),
                Codecs = Route.AllCodecs,
            },
        };
    }

    /// <summary>The whole network on the device, asking nobody.</summary>
    private static Assignment? SafeDefault(string directory)
    {
        if (!File.Exists(Path.Combine(directory, ModelFiles.CardName))) return null;
        var model = ModelFiles.Open(directory);
        var stages = model.Card.StageCount;
        return new Assignment
        {
            Version = 0,
            Epoch = 0,
            Model = model.Card.Name,
            CardSha256 = model.CardSha256,
            Head = stages,
            Thresholds = new PerExit(Enumerable.Range(1, stages).Select(exit => exit == stages ? 0 : DefaultThreshold)),
            Temperatures = new PerExit(model.Card.Exits.Select(exit => exit.Temperature)),
            Reason = "no controller yet: the whole network on the device",
        };
    }

    private static async Task<Head> Install(HeadStore store, Assignment wanted, CancellationToken cancel)
    {
        if (wanted.View > 0) return (await store.InstallView(wanted, cancel)).LoadHead(wanted.View);
        var installed = await store.Install(wanted, cancel);
        var model = ModelFiles.Open(installed.Directory);
        var pieces = Enumerable.Range(1, wanted.Head).Select(stage => (Func<IDisposable>)(() => model.LoadStage(stage)));
        if (model.Card.NumberOf(wanted.Bottleneck) is > 0 and var bottleneck) pieces = pieces.Append(() => model.LoadEncoder(bottleneck));
        return ModelFiles.LoadAll(pieces, loaded => Head.Onnx(model.Card, model.Hash, [.. loaded.OfType<OnnxPiece>()], ownsPieces: true, [.. loaded.OfType<EncoderPiece>()]));
    }

    private static SensorSuite Sensors(ParseResult parsed)
    {
        var sensors = new List<ISensor>();
        if (parsed.GetValue(Ina219Flag) is { } text) sensors.Add(PowerMeter(text));
        sensors.Add(new SysfsSensor(storagePath: "/"));
        return new SensorSuite(sensors);
    }

    private static Ina219 PowerMeter(string text)
    {
        var parts = text.Split(':');
        var isHex = parts.Length == 4 && parts[1].StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (parts.Length == 4
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var bus)
            && int.TryParse(isHex ? parts[1][2..] : parts[1], isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var address)
            && double.TryParse(parts[2], NumberStyles.Float, CultureInfo.InvariantCulture, out var ohms)
            && double.TryParse(parts[3], NumberStyles.Float, CultureInfo.InvariantCulture, out var amperes))
            return Ina219.Open(bus, address, ohms, amperes);
        throw new FaultsException("--ina219", $"is \"{text}\"; allowed: BUS:ADDRESS:SHUNT_OHMS:MAX_AMPERES, for instance 1:0x40:0.1:3.2");
    }

    private static Camera Camera(ParseResult parsed, string model, TimeProvider clock, Random random)
    {
        var rate = new Hertz(Flags.InRange("--rate", parsed.GetValue(Rate), 0.001, 10_000));
        var pace = parsed.GetValue(Poisson) ? Pace.Poisson(rate, random) : Pace.Periodic(rate, rate.Period * random.NextDouble());
        var input = parsed.GetValue(Input)!;
        if (parsed.GetValue(View) is { } view)
        {
            if (input != "dataset") throw new FaultsException("--view", "is given; it needs --input dataset");
            Flags.InRange("--view", view, 1, ViewGrid.Six.Views);
            return new Camera(new TriggeredSource(DataSet(ReplaySet.FashionMnist, parsed.GetValue(Data)), ViewGrid.Six, view, rate, new Random(parsed.GetValue(Seed)), clock), pace: null, clock);
        }
        if (input == "dataset")
        {
            var replays = File.Exists(Path.Combine(model, ModelFiles.CardName)) ? ModelFiles.Open(model).Card.Replays : default;
            return new Camera(DataSetSource.Shuffled(DataSet(replays, parsed.GetValue(Data)), random), pace, clock);
        }
        var shape = ModelFiles.Open(model).Card.Cuts[0].Shape;
        if (input == "stdin") return new Camera(new RawFrameSource(Console.OpenStandardInput(), "stdin", shape[0] * shape[1] * shape[2], Console.Error.WriteLine), pace: null, clock);
        if (input.StartsWith("folder:", StringComparison.Ordinal)) return new Camera(new FolderSource(input["folder:".Length..], shape[1], shape[2], loop: true, Console.Error.WriteLine), pace, clock);
        throw new FaultsException("--input", $"is \"{input}\"; allowed: dataset, folder:PATH, stdin");
    }

    private static LabelledImages DataSet(ReplaySet set, string? directory) => TestImages.Read(set, directory ?? ProjectFiles.Find(TestImages.Directory));

    private static string? BoardName()
    {
        const string DeviceTree = "/proc/device-tree/model";
        return File.Exists(DeviceTree) ? File.ReadAllText(DeviceTree).TrimEnd('\0', '\n') : null;
    }

    /// <summary>On anything that is not a known board the slowest Pi's figures stand in, until stages have been measured.</summary>
    private static string GuessProfile() => BoardName() switch
    {
        { } name when name.Contains("Raspberry Pi 5", StringComparison.Ordinal) => "pi-5",
        { } name when name.Contains("Raspberry Pi 4", StringComparison.Ordinal) => "pi-4b",
        _ => "pi-zero-2w",
    };
}
