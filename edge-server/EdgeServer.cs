using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Offloading;

namespace Fleet.EdgeServer;

/// <summary>Loads tails of an assignment, one instance a worker.</summary>
/// <param name="choose">Says which, once the card is known; throws <see cref="FaultsException"/> when they have no room.</param>
public delegate Task<TailSet> InstallTails(TailAssignment wanted, Func<ModelCard, IReadOnlyList<TailStart>> choose, CancellationToken cancel);

/// <summary>
/// Finishes what devices send: holds the tails its desired names, queues frames by deadline, runs what waits for one tail as a batch,
/// and answers every frame it could read, in time or not. Runs on one event loop; tails may compute on worker threads behind their engines.
/// </summary>
public sealed class EdgeServer
{
    /// <summary>Gigabit Ethernet: what is passed on takes its round trip, and no air.</summary>
    private static readonly BytesPerSecond Wired = new(125_000_000);

    private readonly EdgeOptions options;
    private readonly IBus bus;
    private readonly TimeProvider clock;
    private readonly InstallTails install;
    private readonly Func<TailAssignment, CancellationToken, Task<GroupTail>>? installGroup;
    private readonly Applier<TailAssignment> applier;
    private readonly FrameQueue queue;
    private readonly LoadCounter load = new();
    private readonly SemaphoreSlim waiting = new(0);
    private readonly Topic state, info, loadTopic, reported;
    private readonly Offloads passedOn;
    private readonly Way way;
    private readonly Func<TailStart, int> batchMax;
    private TailSet? tails;
    private NextTier? nextTier;
    private GroupServer? groups;
    private TailAssignment? applied;
    private string lastError = "";
    private long opened;
    private CancellationToken stopping;

    /// <param name="install">Throws <see cref="FaultsException"/> when it cannot.</param>
    /// <param name="installGroup">Likewise of a group's model; null where groups are not served.</param>
    public EdgeServer(
        EdgeOptions options, IBus bus, TimeProvider clock, InstallTails install, Func<TailAssignment, CancellationToken, Task<GroupTail>>? installGroup = null)
    {
        (this.options, this.bus, this.clock, this.install, this.installGroup) = (options, bus, clock, install, installGroup);
        queue = new FrameQueue(options.QueueMax);
        batchMax = BatchMax;
        (passedOn, way) = (new Offloads(bus, clock, options.QueueMax, new LinkEstimate(Wired)), new Way(clock));
        applier = new Applier<TailAssignment>(clock, Switch, (target, error) => ReportError($"version {target.Version}: {error}"));
        Topic Mine(TopicKind kind) => new(kind, options.Site, options.Id);
        (state, info, loadTopic, reported) = (Mine(TopicKind.EdgeState), Mine(TopicKind.EdgeInfo), Mine(TopicKind.EdgeLoad), Mine(TopicKind.EdgeReported));
    }

    public TailAssignment? Assignment => applied;

    /// <summary>Raised with each error that it reports: while no broker is there nobody else hears of it.</summary>
    public event Action<string>? Complained;

    /// <summary>Runs until <paramref name="stop"/>; frames that still wait then are finished first.</summary>
    public async Task Run(CancellationToken stop)
    {
        stopping = stop;
        applier.StopWith(stop);
        Announce();
        bus.ConnectionChanged += OnConnection;
        using var desiredSubscription = bus.Subscribe(new Topic(TopicKind.EdgeDesired, options.Site, options.Id).Path, OnDesired);
        var offloads = bus.Subscribe(new Topic(TopicKind.Offload, options.Site, options.Id).Path, OnOffload);
        using var replySubscription = bus.Subscribe(new Topic(TopicKind.EdgeReply, options.Site, options.Id).Path, OnReply);
        var work = Enumerable.Range(0, options.Workers).Select(worker => Work(worker, stop)).ToList();
        // A worker that ends before it is told to has failed: so has the server.
        await await Task.WhenAny([Report(stop), .. work]);
        // What is queued is finished; what still comes finds nobody, and its sender's deadline covers it.
        offloads.Dispose();
        waiting.Release(options.Workers);
        await Task.WhenAll(work);
        await applier.Idle();
        bus.ConnectionChanged -= OnConnection;
        bus.Publish(state, State.Disconnected);
    }

    private void Announce()
    {
        bus.Publish(state, applied is null ? State.Init : State.Ready);
        bus.Publish(info, options.Info);
        if (applied is { } current) bus.Publish(reported, current with { Error = lastError });
    }

    private void OnConnection(bool connected)
    {
        if (connected) Announce();
    }

    private async Task Report(CancellationToken stop)
    {
        opened = clock.GetTimestamp();
        while (await clock.Sleep(applied?.ReportPeriod ?? new Seconds(5), stop)) TellLoad();
    }

    private void TellLoad()
    {
        var window = clock.Since(opened);
        opened = clock.GetTimestamp();
        bus.Publish(loadTopic, load.Close(clock.UnixTime(), window, queue, options.Workers, tails, options.Info.TailMemory is not null));
    }

    private void OnOffload(Topic topic, Message message)
    {
        if (message is not TensorFrame frame)
        {
            // Damaged on the way: nobody can be told, the sender's deadline covers it.
            load.Malformed();
            return;
        }
        if (frame.View > 0 && groups is { } gathering)
        {
            gathering.Take(frame);
            return;
        }
        if (frame.View > 0 || tails is not { } held || !held.Takes(frame))
        {
            Refuse(frame, OffloadStatus.NotHeld);
            return;
        }
        if (held.Of(frame.Route.Tail, 0).Refuses(frame) is not null)
        {
            Refuse(frame, OffloadStatus.Refused);
            return;
        }
        var arrived = clock.GetTimestamp();
        var deadline = arrived + (long)(frame.Deadline.Value * clock.TimestampFrequency);
        if (queue.TryAdd(new WaitingFrame(frame, arrived, deadline))) waiting.Release();
        else Refuse(frame, OffloadStatus.Full);
    }

    private void OnReply(Topic topic, Message message)
    {
        if (message is Reply reply) passedOn.Receive(reply);
        else load.Malformed();
    }

    private void Refuse(TensorFrame frame, OffloadStatus status)
    {
        load.Refused();
        bus.Publish(frame.ReplyTo, new Reply { RequestId = frame.RequestId, Status = status });
    }

    private void Refuse(List<WaitingFrame> batch, int row, OffloadStatus status)
    {
        Refuse(batch[row].Frame, status);
        batch.RemoveAt(row);
    }

    private async Task Work(int worker, CancellationToken stop)
    {
        var batch = new List<WaitingFrame>();
        var expired = new List<WaitingFrame>();
        while (true)
        {
            await waiting.WaitAsync(CancellationToken.None);
            if (stop.IsCancellationRequested && queue.Count == 0) return;
            if (queue.Count == 0 || tails is not { } held) continue;
            batch.Clear();
            expired.Clear();
            var tier = nextTier;
            queue.Take(clock.GetTimestamp(), batchMax, batch, expired);
            foreach (var late in expired) Expire(late);
            if (batch.Count == 0)
            {
                Release();
                continue;
            }
            var start = batch[0].Frame.Route.Tail;
            var isHeld = held.Enter(start);
            try
            {
                if (tier is not null && held.MiddleOf(batch[0].Frame, worker) is { } middle && held.Finishes(batch[0].Frame) && tier.Takes(batch[0].Frame)) await Compute(tier, middle, batch[0]);
                else await Compute(held, worker, batch);
            }
            finally
            {
                held.Leave(start, isHeld);
            }
            Release();
            if (stop.IsCancellationRequested) waiting.Release();
        }
    }

    /// <summary>Of a tail now; what may stop at an exit here is run by itself, stage by stage.</summary>
    private int BatchMax(TailStart start) => tails is { } held && held.Holds(start) && (nextTier is null || start.Bottleneck > 0) ? held.BatchOf(start) : 1;

    private void Expire(WaitingFrame late)
    {
        load.Expired();
        bus.Publish(late.Frame.ReplyTo, new Reply { RequestId = late.Frame.RequestId, Status = OffloadStatus.Expired, Queue = Quantity.Rounded(clock.Since(late.Arrived)) });
    }

    private async ValueTask Compute(NextTier tier, Middle middle, WaitingFrame waited)
    {
        if (!await tier.Handle(middle, waited)) Refuse(waited.Frame, OffloadStatus.Refused);
    }

    [AsyncMethodBuilder(typeof(LoopMethod))]
    private async ValueTask Compute(TailSet held, int worker, List<WaitingFrame> batch)
    {
        // Tails may have been replaced while frames waited: those of another model or tail have nobody left to finish them.
        for (var row = 0; row < batch.Count; row++)
            if (!held.Finishes(batch[row].Frame)) Refuse(batch, row--, OffloadStatus.NotHeld);
        if (batch.Count == 0) return;
        var tail = held.Of(batch[0].Frame.Route.Tail, worker);
        for (var row = 0; row < batch.Count; row++)
            if (!tail.Load(row, batch[row].Frame)) Refuse(batch, row--, OffloadStatus.Refused);
        if (batch.Count == 0) return;
        var began = clock.GetTimestamp();
        var took = await tail.Run(batch.Count);
        load.Batch(took);
        for (var row = 0; row < batch.Count; row++) Answer(tail, row, batch[row], Seconds.Of(clock.GetElapsedTime(batch[row].Arrived, began)), took, batch.Count);
    }

    private void Answer(Tail tail, int row, WaitingFrame waited, Seconds queued, Seconds computed, int batch)
    {
        var confidence = Confidence.MaxProbability(tail.Logits(row), (applied?.Temperature ?? 1) * tail.TemperatureRatio, out var label);
        load.Served(queued);
        bus.Publish(waited.Frame.ReplyTo, new Reply
        {
            RequestId = waited.Frame.RequestId,
            Status = OffloadStatus.Ok,
            Label = label,
            Confidence = Quantity.Rounded(confidence),
            Queue = Quantity.Rounded(queued),
            Compute = Quantity.Rounded(computed),
            Batch = batch,
        });
    }

    private void OnDesired(Topic topic, Message message)
    {
        if (message is not TailAssignment desired)
        {
            ReportError(message is Malformed malformed ? $"{topic.Path}: {malformed.Reason}" : $"{topic.Path}: unexpected {message.GetType().Name}");
            return;
        }
        var known = applier.Wanted ?? applied;
        if (known is not null && (desired.Epoch < known.Epoch || desired.Epoch == known.Epoch && desired.Version < known.Version))
        {
            ReportError($"desired version {desired.Version} of epoch {desired.Epoch} is older than version {known.Version} of epoch {known.Epoch}: refused");
            return;
        }
        applier.Want(desired);
    }

    [AsyncMethodBuilder(typeof(LoopMethod))]
    private async ValueTask Switch(TailAssignment target)
    {
        FaultsException.ThrowIfAny("desired", NextTier.Faults(target));
        if (target.Gather is { } gather)
        {
            if (applied is null || !applied.HoldsAs(target) || applied.Gather != target.Gather) await SwitchGroup(target, gather);
        }
        else if (applied is null || !applied.HoldsAs(target) || groups is not null)
        {
            if (tails is { } held && applied is { PassCut: null } && target.PassCut is null && applied.CardSha256 == target.CardSha256) await Change(held, target);
            else await SwitchTails(target);
        }
        if (stopping.IsCancellationRequested) return;
        nextTier = target.PassTo is null ? null : new NextTier(options, target, bus, clock, load, passedOn, way, new Seconds(tails?.TailSeconds.Find(target.PassCut!.Value + 1) ?? 0));
        applied = target;
        lastError = "";
        // The load first: who sees the tails in place shall also know how fast they are.
        TellLoad();
        bus.Publish(reported, target);
        bus.Publish(state, State.Ready);
    }

    /// <summary>All of them anew: the first, those of another model, or with stages of which some may answer.</summary>
    private async Task SwitchTails(TailAssignment target)
    {
        if (options.Info.TailMemory is not null && tails is not null)
        {
            // Nobody knows yet whether another model's tails have room beside these.
            Replace(null, null);
            Shrink(applied!, []);
        }
        var next = await Load(target, card => Fitting(card, target.StartsIn(card)));
        if (stopping.IsCancellationRequested) next.Dispose();
        else Replace(next, null);
    }

    /// <summary>Other tails of the same model: what stays is not touched. New ones come in first where there is room beside those that leave; else they wait until these are drained and gone.</summary>
    private async Task Change(TailSet held, TailAssignment target)
    {
        var starts = Fitting(held.Card, target.StartsIn(held.Card));
        var missing = starts.Where(start => !held.Holds(start)).ToList();
        if (missing.Count > 0 && RoomMax is { } most && held.Size + TailSet.SizeOf(held.Card, missing) > most)
        {
            held.Keep(starts);
            Release();
            Shrink(target, held.Starts);
            await held.Emptied();
            if (stopping.IsCancellationRequested) return;
        }
        if (missing.Count > 0)
        {
            var more = await Load(target, _ => missing);
            held.Add(more);
        }
        held.Keep(starts);
        Release();
    }

    private async Task<TailSet> Load(TailAssignment target, Func<ModelCard, IReadOnlyList<TailStart>> choose)
    {
        var began = clock.GetTimestamp();
        var loaded = await install(target, choose, stopping);
        await Try(loaded);
        load.Loaded(loaded.Starts.Count(), loaded.Size, clock.Since(began));
        return loaded;
    }

    /// <summary>Says that less is held than was, before more comes.</summary>
    private void Shrink(TailAssignment target, IEnumerable<TailStart> starts)
    {
        applied = tails is null ? target with { Tails = "", Bottlenecks = "" } : target.Naming(starts, tails.Card);
        bus.Publish(reported, applied);
    }

    /// <summary>Memory that may be taken while tails come and go; null: any.</summary>
    private Bytes? RoomMax => options.Info.TailMemory is { } memory ? memory + (options.Info.TailRoom ?? Bytes.Zero) : null;

    private IReadOnlyList<TailStart> Fitting(ModelCard card, IReadOnlyList<TailStart> starts)
    {
        if (RoomMax is { } most && TailSet.SizeOf(card, starts) is var asked && asked > most)
            throw new FaultsException("desired", $"tails \"{string.Join(", ", starts)}\" take {asked}; allowed: tail_memory_bytes and tail_room_bytes, {most}");
        return starts;
    }

    private void Release()
    {
        if (tails is { IsLeaving: true } held) load.Unloaded(held.Release(queue.Waits));
    }

    private async Task SwitchGroup(TailAssignment target, Seconds gather)
    {
        if (installGroup is null) throw new FaultsException("gather_s", "is given; this edge server runs no group's model");
        var next = await installGroup(target, stopping);
        if (stopping.IsCancellationRequested) next.Dispose();
        else Replace(null, new GroupServer(next, bus, clock, load, gather, options.QueueMax));
    }

    private void Replace(TailSet? nextTails, GroupServer? nextGroups)
    {
        tails?.Retire();
        groups?.Retire();
        (tails, groups) = (nextTails, nextGroups);
    }

    /// <summary>Tails that cannot run never answer.</summary>
    private static async Task Try(TailSet next)
    {
        try
        {
            await next.MeasureBatches();
        }
        catch
        {
            next.Dispose();
            throw;
        }
    }

    private void ReportError(string error)
    {
        lastError = error.Length <= 500 ? error : error[..500];
        Complained?.Invoke(lastError);
        // Before the first tails those that could not be had are named: nobody would hear of their error otherwise.
        if ((applied ?? applier.Wanted) is { } current) bus.Publish(reported, current with { Error = lastError });
    }
}
