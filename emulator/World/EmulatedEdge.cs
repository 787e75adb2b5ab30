using Fleet.Contracts;
using Fleet.EdgeServer;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using Fleet.Models;

namespace Fleet.Emulator;

/// <summary>The production edge server on an emulated machine, for one life of its process.</summary>
public sealed class EmulatedEdge
{
    /// <summary>From the disk into memory. K: eMMC of small boards. Nothing that was unloaded is still on the disk: it crosses the link again.</summary>
    private static readonly BytesPerSecond ReadRate = new(100e6);

    private readonly EdgeSpec spec;
    private readonly Stock stock;
    private readonly InferenceKind inference;
    private readonly IReadOnlyList<Drift> drifts;
    private readonly Board board;
    private readonly EdgeOptions options;
    private readonly EdgeServer.EdgeServer server;
    private readonly DistantBus? distance;
    private readonly EdgeAccount account;
    private readonly TimeProvider clock;

    /// <param name="drifts">How the images drift that devices see.</param>
    public EmulatedEdge(string site, EdgeSpec spec, Stock stock, InferenceKind inference, IBus connection, TimeProvider clock, Ledger ledger, long seed, IReadOnlyList<Drift>? drifts = null)
    {
        (this.spec, this.stock, this.inference, this.drifts, this.clock) = (spec, stock, inference, drifts ?? [], clock);
        var profile = stock.Profiles[spec.Profile];
        var random = new SeededRandom(seed, $"{site}/_edge/{spec.Id}/board");
        account = ledger.Open(spec);
        board = new Board(profile, new Battery(clock, charge: null, profile.Power.Idle.Value, account.Energy), clock, random);
        account.Start(board);
        options = Options(site, profile, seed);
        if (spec.RoundTrip + spec.Jitter > Seconds.Zero)
            connection = distance = new DistantBus(connection, spec.RoundTrip / 2, spec.Jitter, clock, ledger.Messages, new SeededRandom(seed, $"{site}/_edge/{spec.Id}/distance"));
        server = new EdgeServer.EdgeServer(options, new CountingBus(connection, account), clock, Install, InstallGroup);
    }

    /// <summary>Messages on their way between it and a broker that is far away.</summary>
    public int MessagesInFlight => distance?.InFlight ?? 0;

    public Battery Battery => board.Battery;

    /// <summary>The machine's process has died.</summary>
    public void Die() => account.Stop();

    public Task Run(CancellationToken stop) => server.Run(stop);

    /// <summary>Its process is gone: what is still on its way is lost.</summary>
    public void Close() => distance?.Close();

    private EdgeOptions Options(string site, HardwareProfile profile, long seed) => new()
    {
        Site = site,
        Id = spec.Id,
        Workers = spec.Workers,
        QueueMax = spec.QueueMax,
        Info = new Info
        {
            Board = profile.Board,
            Stack = profile.Stack,
            Profile = profile.Id,
            AgentVersion = ProcessEdge.Version,
            Os = "emulated",
            Emulated = true,
            Seed = seed,
            Memory = profile.Memory.Value,
            Storage = profile.Storage.Value,
            Codecs = Route.AllCodecs,
            TailMemory = spec.TailMemory,
            TailRoom = spec.TailMemory is null ? null : spec.TailRoom,
        },
    };

    private async Task<TailSet> Install(TailAssignment wanted, Func<ModelCard, IReadOnlyList<TailStart>> choose, CancellationToken stop)
    {
        if (!stock.Models.TryGetValue(wanted.Model, out var model) || model.CardSha256 != wanted.CardSha256)
            throw new FaultsException("card_sha256", $"is {wanted.CardSha256} for {wanted.Model}; the emulator has another model of that name or none");
        var starts = choose(model.Card);
        var size = TailSet.SizeOf(model.Card, starts);
        var took = spec.FetchRate is { } rate ? size / rate + size / ReadRate : Seconds.Zero;
        if (took > Seconds.Zero) await clock.Sleep(took, stop);
        stop.ThrowIfCancellationRequested();
        account.Loaded(starts.Count, size, took);
        var loaded = starts.Select(start => new LoadedTail(start, [.. Enumerable.Range(0, spec.Workers).Select(_ => Load(model, start))], new Leaving(account, new Bytes(model.Card.Tail(start).FileBytes))));
        var byCut = wanted.Cuts.Where(cut => cut < wanted.PassCut).Select(cut => Enumerable.Range(0, spec.Workers).Select(_ => Between(model, cut, wanted.PassCut!.Value)).ToArray());
        return new TailSet(model.Card, model.Hash, loaded, byCut: byCut);
    }

    private Middle Between(ModelFiles model, int from, int to)
    {
        var middle = inference is InferenceKind.Trace
            ? Middle.Traced(model.Card, model.Hash, from, to, stock.TestTrace(model, drifts))
            : Middle.Onnx(model.Card, model.Hash, from, to, [.. Enumerable.Range(from + 1, model.Card.StageCount - from).Select(stage => stock.Stage(model, stage))]);
        return middle.Wrap((piece, engine) => new BoardEngine(engine, piece, board));
    }

    private Task<GroupTail> InstallGroup(TailAssignment wanted, CancellationToken stop)
    {
        if (!stock.Groups.TryGetValue(wanted.Model, out var model) || model.CardSha256 != wanted.CardSha256)
            throw new FaultsException("card_sha256", $"is {wanted.CardSha256} for {wanted.Model}; the emulator has another group's model of that name or none");
        var tail = GroupTail.Onnx(model.Card, model.Hash, stock.Upper(model), batchMax: 1);
        return Task.FromResult(tail.Wrap((network, engine) => new BoardEngine(engine, network.Piece, board)));
    }

    private Tail Load(ModelFiles model, TailStart start)
    {
        var tail = inference is InferenceKind.Trace
            ? Tail.Traced(model.Card, model.Hash, start, stock.TestTrace(model, drifts), options.BatchMax)
            : Tail.Onnx(model.Card, model.Hash, start, stock.Tail(model, start), options.BatchMax, model.ReadTables(start.Bottleneck));
        return tail.Wrap(engine => new BoardEngine(engine, model.Card.Tail(start), board));
    }

    /// <summary>What a tail leaves behind when it is unloaded.</summary>
    private sealed class Leaving(EdgeAccount account, Bytes size) : IDisposable
    {
        public void Dispose() => account.Unloaded(size);
    }
}
