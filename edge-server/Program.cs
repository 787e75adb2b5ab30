using System.CommandLine;
using Fleet.Contracts;
using Fleet.EdgeServer;
using Fleet.Models;
using Fleet.Models.Store;

var site = new Option<string>("--site") { Description = "Site it belongs to.", DefaultValueFactory = _ => "lab" };
var id = new Option<string>("--id") { Description = "Its name in topics.", DefaultValueFactory = _ => "edge-1" };
var profile = new Option<string>("--profile") { Description = "Hardware profile by which planners estimate it.", DefaultValueFactory = _ => "n5105-mini-pc" };
var models = new Option<string?>("--models") { Description = "Directory of models at hand; the one that ships with Fleet without it." };
var store = new Option<string>("--store") { Description = "Directory for tails that are fetched.", DefaultValueFactory = _ => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "fleet-edge") };
var workers = new Option<int>("--workers") { Description = "Tails that run at once, each on its own thread.", DefaultValueFactory = _ => 1 };
var queue = new Option<int>("--queue") { Description = "Frames that may wait.", DefaultValueFactory = _ => 256 };
var batch = new Option<int>("--batch-max") { Description = "Largest batch that is tried; the one in use is measured.", DefaultValueFactory = _ => 8 };
var memory = new Option<long?>("--tail-memory") { Description = "Bytes of memory for tails, by the lengths of their files; without it there is no limit." };
var room = new Option<long>("--tail-room") { Description = "Bytes besides, while new tails are in and those before them not yet gone.", DefaultValueFactory = _ => 0 };
var broker = new BrokerFlags();
var root = new RootCommand("Fleet's edge server: finishes what devices send.") { site, id, profile, models, store, workers, queue, batch, memory, room };
broker.AddTo(root);
root.SetAction(parsed => ProcessEdge.Run(async (loop, stop) =>
{
    Flags.Require64Bit();
    var options = new EdgeOptions
    {
        Site = Flags.ValidName("--site", parsed.GetValue(site)!),
        Id = Flags.ValidName("--id", parsed.GetValue(id)!),
        Workers = Flags.InRange("--workers", parsed.GetValue(workers), 1, 256),
        QueueMax = Flags.InRange("--queue", parsed.GetValue(queue), 1, 1_000_000),
        BatchMax = Flags.InRange("--batch-max", parsed.GetValue(batch), 1, 256),
        Info = new Info
        {
            Board = Environment.MachineName,
            Stack = "onnxruntime fp32",
            Profile = parsed.GetValue(profile)!,
            AgentVersion = ProcessEdge.Version,
            Os = Flags.OsText(),
            Emulated = false,
            Memory = new Bytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes),
            Codecs = Route.AllCodecs,
            TailMemory = parsed.GetValue(memory) is { } bytes ? new Bytes(Flags.InRange("--tail-memory", bytes, 1, 1L << 50)) : null,
            TailRoom = parsed.GetValue(memory) is not null ? new Bytes(Flags.InRange("--tail-room", parsed.GetValue(room), 0, 1L << 50)) : null,
        },
    };
    var will = new MqttWill(new Topic(TopicKind.EdgeState, options.Site, options.Id), State.Lost);
    var random = new Random(Environment.ProcessId);
    var connection = broker.Read(parsed, $"fleet-{options.Site}-{options.Id}", will);
    using var http = new HttpClient();
    var tails = new ModelStore(parsed.GetValue(store)!, parsed.GetValue(models) ?? ProjectFiles.Find("models/zoo"), http, TimeProvider.System);
    var threads = Enumerable.Range(1, options.Workers).Select(worker => new WorkerThread($"tail-{worker}")).ToList();
    await using var bus = await MqttBus.ConnectAsync(connection, loop, TimeProvider.System, random, failFast: false, stop);
    Console.WriteLine($"edge server {options.Site}/{options.Id} on {connection.Broker}");
    var telling = ProcessEdge.TellFaults(bus, TimeProvider.System, stop);
    var server = new EdgeServer(options, bus, TimeProvider.System, (wanted, choose, cancel) => Install(wanted, choose, tails, threads, options, cancel), (wanted, cancel) => InstallGroup(wanted, tails, threads[0], cancel));
    server.Complained += Console.Error.WriteLine;
    await server.Run(stop);
    await telling;
    foreach (var thread in threads) thread.Dispose();
    return 0;
}));
return ProcessEdge.Invoke(root, args);

static async Task<TailSet> Install(TailAssignment wanted, Func<ModelCard, IReadOnlyList<TailStart>> choose, ModelStore store, IReadOnlyList<WorkerThread> threads, EdgeOptions options, CancellationToken cancel)
{
    IReadOnlyList<TailStart> starts = [];
    var model = await store.Install(wanted.Model, wanted.CardSha256, wanted.ArtifactsUrl, card => Files(card, starts = choose(card), wanted), cancel);
    var tables = starts.ToDictionary(start => start, start => model.ReadTables(start.Bottleneck));
    var stages = Stages(model.Card, wanted).ToList();
    return ModelFiles.LoadAll(starts.Select(start => (Func<OnnxPiece>)(() => model.LoadTail(start))).Concat(stages.Select(stage => (Func<OnnxPiece>)(() => model.LoadStage(stage)))), pieces =>
    {
        Tail Load(int i, WorkerThread thread) =>
            Tail.Onnx(model.Card, model.Hash, starts[i], pieces[i], options.BatchMax, tables[starts[i]]).Wrap(engine => new WorkerEngine(engine, thread));
        Middle Between(int from, WorkerThread thread) =>
            Middle.Onnx(model.Card, model.Hash, from, wanted.PassCut!.Value, [.. pieces.Skip(starts.Count + from - stages[0] + 1)]).Wrap((_, engine) => new WorkerEngine(engine, thread));
        return new TailSet(
            model.Card, model.Hash, starts.Select((start, i) => new LoadedTail(start, [.. threads.Select(thread => Load(i, thread))], pieces[i])), [.. pieces.Skip(starts.Count)],
            stages.Count == 0 ? [] : wanted.Cuts.Where(cut => cut < wanted.PassCut).Select(cut => threads.Select(thread => Between(cut, thread)).ToArray()));
    });
}

static async Task<GroupTail> InstallGroup(TailAssignment wanted, ModelStore store, WorkerThread thread, CancellationToken cancel)
{
    var model = await store.InstallGroup(wanted.Model, wanted.CardSha256, wanted.ArtifactsUrl, card => [.. card.Upper.Select(network => network.Piece.Stored)], cancel);
    return GroupTail.Onnx(model.Card, model.Hash, model.LoadUpper(), batchMax: 1, ownsPieces: true).Wrap((_, engine) => new WorkerEngine(engine, thread));
}

static List<StoredFile> Files(ModelCard card, IReadOnlyList<TailStart> starts, TailAssignment wanted) =>
    [.. starts.SelectMany(start => start.Bottleneck == 0 ? [card.Tail(start).Stored] : card.Bottleneck(start.Bottleneck).EdgeFiles), .. Stages(card, wanted).Select(stage => card.Stage(stage).Stored)];

// One by one, for what may stop at an exit here.
static IEnumerable<int> Stages(ModelCard card, TailAssignment wanted) => wanted.PassCut is { } cut && wanted.Cuts.Any(held => held < cut) ? Enumerable.Range(wanted.Cuts.Min() + 1, card.StageCount - wanted.Cuts.Min()) : [];
