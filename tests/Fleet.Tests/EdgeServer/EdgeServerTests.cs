using CsCheck;
using Fleet.Contracts;
using Fleet.EdgeServer;
using Fleet.Emulator.Simulation;
using Fleet.Models;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.EdgeServer;

public sealed class EdgeServerTests
{
    [Test]
    public void Offload_HeldCut_IsAnsweredWithItsTimes()
    {
        var world = new EdgeWorld().Run(1);
        world.Ask(TinyModel.Frame(1, 7));
        world.Run(2);
        var reply = world.Replies.Single().Reply;
        Assert.That((reply.RequestId, reply.Status, reply.Label, reply.Batch), Is.EqualTo((7UL, OffloadStatus.Ok, TinyModel.EdgeLabel, 1)));
        Assert.That(reply.Confidence, Is.GreaterThan(0.99));
        Assert.That((reply.Queue.Value, reply.Compute.Value), Is.EqualTo((0.0, 0.1)));
    }

    [Test]
    public void Offload_SeveralWaiting_AreServedByDeadline()
    {
        var world = new EdgeWorld().Run(1);
        foreach (var (request, deadline) in ((ulong, double)[])[(1, 5), (2, 4), (3, 3), (4, 2), (5, 1)]) world.Ask(TinyModel.Frame(1, request, deadline));
        world.Run(2);
        Assert.That(world.Replies.Select(replied => replied.Reply.RequestId), Is.EqualTo((ulong[])[5, 4, 3, 2, 1]));
        Assert.That(world.Replies[^1].Reply.Queue.Value, Is.EqualTo(0.4).Within(1e-6));
    }

    [Test]
    public void Offload_PastItsDeadline_IsAnsweredExpiredAndNeverComputed()
    {
        var world = new EdgeWorld().Run(1);
        world.Ask(TinyModel.Frame(1, 1, deadline: 5));
        world.AskAt(1.02, TinyModel.Frame(1, 2, deadline: 0.05));
        world.Run(2);
        Assert.That(world.StatusOf(2), Is.EqualTo(OffloadStatus.Expired));
        Assert.That(world.Ran.Sum(), Is.EqualTo(1));
        Assert.That(world.Replies.First(replied => replied.Reply.RequestId == 2).Reply.Queue.Value, Is.EqualTo(0.08).Within(1e-6));
    }

    [Test]
    public void Offload_QueueFull_IsAnsweredAtOnce()
    {
        var world = new EdgeWorld(queueMax: 2).Run(1);
        for (ulong request = 1; request <= 5; request++) world.Ask(TinyModel.Frame(1, request, deadline: 5));
        world.Run(1.05);
        Assert.That(world.Replies.Select(replied => replied.Reply.Status), Is.All.EqualTo(OffloadStatus.Full));
        world.Run(3);
        Assert.That(world.Replies.Count(replied => replied.Reply.Status is OffloadStatus.Full), Is.EqualTo(5 - world.Ran.Sum()));
        Assert.That(world.Replies, Has.Count.EqualTo(5));
    }

    [Test]
    public void Offload_NotHeld_IsAnsweredSo()
    {
        var world = new EdgeWorld(tails: "1").Run(1);
        world.Ask(TinyModel.Frame(2, 1));
        world.Ask(TinyModel.Frame(1, 2, hash: 99));
        world.Run(2);
        Assert.That(world.Replies.Select(replied => replied.Reply.Status), Is.All.EqualTo(OffloadStatus.NotHeld));
        Assert.That(world.Replies, Has.Count.EqualTo(2));
    }

    [Test]
    public void Offload_BeforeAnyTails_IsAnsweredNotHeld()
    {
        var world = new EdgeWorld(tails: null).Run(1);
        world.Ask(TinyModel.Frame(1, 1));
        world.Run(2);
        Assert.That(world.StatusOf(1), Is.EqualTo(OffloadStatus.NotHeld));
    }

    [Test]
    public void Offload_WrongShape_IsRefused()
    {
        var world = new EdgeWorld().Run(1);
        world.Ask(TinyModel.Frame(1, 1) with { Shape = [8, 1, 1] });
        world.Run(2);
        Assert.That(world.StatusOf(1), Is.EqualTo(OffloadStatus.Refused));
        Assert.That(world.Ran, Is.Empty);
    }

    [Test]
    public void Offload_BatchingPays_BatchesOnlyOneCut()
    {
        // A batch costs as much as one row: the curve picks the largest.
        var world = new EdgeWorld(time: _ => new Seconds(0.1)).Run(2);
        ulong request = 0;
        for (var i = 0; i < 5; i++)
        {
            world.Ask(TinyModel.Frame(1, ++request, deadline: 5));
            world.Ask(TinyModel.Frame(2, ++request, deadline: 5));
        }
        world.Run(4);
        Assert.That(world.Replies, Has.Count.EqualTo(10));
        Assert.That(world.Ran, Is.EqualTo((int[])[5, 5]));
        foreach (var (reply, _) in world.Replies) Assert.That(reply.Batch, Is.EqualTo(5));
    }

    [TestCase(0.0, 8)]
    [TestCase(1.0, 1)]
    [TestCase(0.97, 1)]
    [TestCase(0.5, 8)]
    public void BatchCurve_CostOfEachFurtherRow_ChoosesWhatPays(double perRow, int expected)
    {
        var clock = new SimClock();
        var chosen = 0;
        clock.Start(async () => chosen = (await BatchCurve.Choose(TinyModel.Tail(1, clock, rows => new Seconds(0.01 * (1 + (rows - 1) * perRow))))).Batch);
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(chosen, Is.EqualTo(expected));
    }

    [Test]
    public void BatchCurve_GainsUpToFour_StopsThere()
    {
        var clock = new SimClock();
        var chosen = 0;
        clock.Start(async () => chosen = (await BatchCurve.Choose(TinyModel.Tail(1, clock, rows => new Seconds(rows <= 4 ? 0.01 : 0.01 * rows)))).Batch);
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(chosen, Is.EqualTo(4));
    }

    [Test]
    public void Desired_OtherTailsUnderLoad_LoseNoRequest()
    {
        var world = new EdgeWorld().Run(1);
        for (var i = 0; i < 40; i++) world.AskAt(1 + i * 0.05, TinyModel.Frame(i % 2 + 1, (ulong)i + 1, deadline: 60));
        for (var version = 2; version < 6; version++) world.DesireAt(1 + version * 0.3, EdgeWorld.Tails(version % 2 == 0 ? "1" : "1,2") with { Version = version });
        world.Run(100);
        Assert.That(world.Replies.Select(replied => replied.Reply.RequestId).Order(), Is.EqualTo(Enumerable.Range(1, 40).Select(i => (ulong)i)));
        Assert.That(world.Replies.Select(replied => replied.Reply.Status), Is.All.AnyOf(OffloadStatus.Ok, OffloadStatus.NotHeld));
        Assert.That(world.Disposed, Is.EqualTo(1), "cut 0, which nobody asked for: what stays is not loaded again, and what frames still wait for stays when it is wanted again");
    }

    [Test]
    public void Desired_ATailLessUnderLoad_FinishesWhatWaitsForItAndRefusesWhatComes()
    {
        var world = new EdgeWorld(memory: 300).Run(1);
        for (ulong request = 1; request <= 5; request++) world.Ask(TinyModel.Frame(1, request, deadline: 60));
        world.DesireAt(1.15, EdgeWorld.Tails("0,2") with { Version = 2 });
        world.AskAt(1.2, TinyModel.Frame(1, 6, deadline: 60));
        world.Run(1.3);
        Assert.That(world.Disposed, Is.Zero, "three frames wait for it");
        world.Run(10);
        Assert.That(world.Disposed, Is.EqualTo(1));
        for (ulong request = 1; request <= 5; request++) Assert.That(world.StatusOf(request), Is.EqualTo(OffloadStatus.Ok), $"{request}");
        Assert.That(world.StatusOf(6), Is.EqualTo(OffloadStatus.NotHeld));
        Assert.That(world.Loads.Last() is { Held.Value: 200, LoadsTotal: 3, UnloadsTotal: 1, LoadedTotal.Value: 300 }, Is.True, world.Loads.Last().ToString());
    }

    /// <summary>A tail takes 100 bytes. With room the new one is in before the old one goes; without, the old one is drained and gone before the new one comes.</summary>
    [TestCase(100, 300)]
    [TestCase(0, 200)]
    public void Desired_MemoryIsFull_NeverHoldsMoreThanThereIs(int room, int most)
    {
        var world = new EdgeWorld(tails: "0,1", memory: 200, room: room) { InstallTime = new Seconds(0.5) };
        world.Run(2);
        for (ulong request = 1; request <= 8; request++) world.Ask(TinyModel.Frame((int)request % 2, request, deadline: 60));
        world.DesireAt(2.05, EdgeWorld.Tails("1,2") with { Version = 2 });
        world.AskAt(2.2, TinyModel.Frame(0, 9, deadline: 60));
        world.AskAt(5, TinyModel.Frame(2, 10, deadline: 60));
        world.Run(10);
        Assert.That(world.Reported.Last() is { Version: 2, Tails: "1,2", Error: "" }, Is.True);
        foreach (var request in Enumerable.Range(1, 8).Append(10)) Assert.That(world.StatusOf((ulong)request), Is.EqualTo(OffloadStatus.Ok), $"{request}");
        Assert.That(world.StatusOf(9), Is.EqualTo(room > 0 ? OffloadStatus.Ok : OffloadStatus.NotHeld));
        Assert.That(world.HeldMax * 100, Is.EqualTo(most));
    }

    [Test]
    public void Desired_MoreThanMemoryAndRoom_IsRefusedByNameAndServingGoesOn()
    {
        var world = new EdgeWorld(tails: "1", memory: 150, room: 20).Run(1);
        world.DesireAt(1, EdgeWorld.Tails("0,1") with { Version = 2 });
        world.AskAt(2, TinyModel.Frame(1, 1));
        world.Run(3);
        Assert.That(world.Reported.Last().Error, Does.Contain("cut 0, cut 1").And.Contain("200 B").And.Contain("tail_memory_bytes and tail_room_bytes, 170 B"));
        Assert.That(world.Reported.Last().Tails, Is.EqualTo("1"));
        Assert.That(world.StatusOf(1), Is.EqualTo(OffloadStatus.Ok));
    }

    [Test]
    public void Desired_CannotBeRead_IsReportedAndServingGoesOn()
    {
        var world = new EdgeWorld(tails: "1").Run(1);
        world.DesireAt(1, new Malformed("tails is \"1,1\"; each cut stands once", 100));
        world.AskAt(2, TinyModel.Frame(1, 1));
        world.Run(3);
        Assert.That(world.Reported.Last().Error, Does.Contain("_edge/edge-1/desired").And.Contain("each cut stands once"));
        Assert.That(world.StatusOf(1), Is.EqualTo(OffloadStatus.Ok));
    }

    [Test]
    public void Desired_NewTailCannotBeHad_SaysWhatIsStillHeld()
    {
        var world = new EdgeWorld(tails: "0,1", memory: 200) { Refuses = wanted => wanted.Version == 2 ? "no such file" : null };
        world.Run(1);
        world.DesireAt(1, EdgeWorld.Tails("1,2") with { Version = 2 });
        world.AskAt(3, TinyModel.Frame(1, 1));
        world.AskAt(3, TinyModel.Frame(0, 2));
        world.Run(5);
        Assert.That(world.Reported.Last().Tails, Is.EqualTo("1"), "the one that had to go first has gone");
        Assert.That(world.Reported.Last().Error, Does.Contain("no such file"));
        Assert.That((world.StatusOf(1), world.StatusOf(2)), Is.EqualTo((OffloadStatus.Ok, OffloadStatus.NotHeld)));
    }

    [Test]
    public void Desired_AnotherModel_AnswersWhatWaitsForTheOldOneNotHeld()
    {
        var world = new EdgeWorld().Run(1);
        for (ulong request = 1; request <= 6; request++) world.Ask(TinyModel.Frame(1, request, deadline: 60));
        world.DesireAt(1.15, EdgeWorld.Tails("1") with { Version = 2, CardSha256 = EdgeWorld.OtherSha });
        world.AskAt(3, TinyModel.Frame(1, 7, hash: 2));
        world.Run(10);
        Assert.That(world.Replies.Select(replied => replied.Reply.RequestId).Order(), Is.EqualTo(Enumerable.Range(1, 7).Select(i => (ulong)i)));
        foreach (var request in (ulong[])[1, 2, 7]) Assert.That(world.StatusOf(request), Is.EqualTo(OffloadStatus.Ok));
        foreach (var request in (ulong[])[3, 4, 5, 6]) Assert.That(world.StatusOf(request), Is.EqualTo(OffloadStatus.NotHeld), "no frame of one model is put through another");
    }

    [Test]
    public void Desired_CannotBeHad_OldTailsServeOnAndANewerOneIsTakenAtOnce()
    {
        var world = new EdgeWorld(tails: "1") { Refuses = wanted => wanted.Version == 2 ? "no such file" : null };
        world.Run(1);
        world.DesireAt(1, EdgeWorld.Tails("2") with { Version = 2 });
        world.AskAt(400, TinyModel.Frame(1, 1));
        world.Run(600);
        Assert.That(world.StatusOf(1), Is.EqualTo(OffloadStatus.Ok));
        Assert.That(world.Reported.Last().Error, Does.Contain("version 2").And.Contain("no such file"));
        world.DesireAt(600, EdgeWorld.Tails("2") with { Version = 3 });
        world.Run(602);
        Assert.That((world.Reported.Last().Version, world.Reported.Last().Tails, world.Reported.Last().Error), Is.EqualTo((3L, "2", "")));
    }

    [TestCase(1, 9)]
    [TestCase(2, 1)]
    public void Desired_Older_IsRefusedWithTheReason(long epoch, long version)
    {
        var world = new EdgeWorld(tails: null);
        world.DesireAt(0.1, EdgeWorld.Tails("1") with { Epoch = 2, Version = 5 });
        world.DesireAt(2, EdgeWorld.Tails("2") with { Epoch = epoch, Version = version });
        world.Run(3);
        Assert.That(world.Reported.Last().Tails, Is.EqualTo("1"));
        Assert.That(world.Reported.Last().Error, Does.Contain("refused"));
    }

    [Test]
    public void Offload_Malformed_IsCountedAndServingGoesOn()
    {
        var world = new EdgeWorld().Run(1);
        world.Ask(new Malformed("tensor frame: CRC-32 does not match", 100));
        world.Ask(TinyModel.Frame(1, 1));
        world.Run(6);
        Assert.That(world.Loads.Sum(load => load.Malformed), Is.EqualTo(1));
        Assert.That(world.Replies, Has.Count.EqualTo(1));
    }

    [Test]
    public void Load_OfAWindow_SaysWhatHappened()
    {
        var world = new EdgeWorld(queueMax: 3).Run(1);
        for (var i = 0; i < 10; i++) world.AskAt(1 + i * 0.2, TinyModel.Frame(1, (ulong)i + 1));
        world.AskAt(3.5, TinyModel.Frame(0, 20) with { Shape = [1, 1, 1] });
        world.Run(5.5);
        var load = world.Loads.Single(load => load.Served > 0);
        Assert.That((load.Served, load.Refused, load.Expired, load.Queue, load.QueueMax, load.Workers), Is.EqualTo((10, 1, 0, 0, 3, 1)));
        Assert.That(load.Busy, Is.EqualTo(10 * 0.1 / load.Window.Value).Within(1e-3));
        Assert.That(load.Rate.Value, Is.EqualTo(10 / load.Window.Value).Within(1e-3));
        Assert.That(load.ComputeMean!.Value.Value, Is.EqualTo(0.1).Within(1e-6));
        Assert.That(load.BatchMean, Is.EqualTo(1));
        Assert.That(load.ServedTotal, Is.EqualTo(10));
        Assert.That(load.Faults(), Is.Empty);
    }

    [Test]
    public void Run_Reconnected_AnnouncesAgain()
    {
        var world = new EdgeWorld().Run(1);
        world.Clock.Soon(() => world.Line.Lose(TimeSpan.FromSeconds(1)));
        world.Run(3);
        Assert.That(world.States.Last(), Is.EqualTo(State.Lost));
        world.Clock.Soon(world.Line.Restore);
        world.Run(4);
        Assert.That(world.States.Last(), Is.EqualTo(State.Ready));
    }

    [TestCase(1)]
    [TestCase(3)]
    public void Run_Stopped_FinishesWhatWaitsAndSaysGoodbye(int workers)
    {
        var world = new EdgeWorld(workers: workers).Run(1);
        for (ulong request = 1; request <= 9; request++) world.Ask(TinyModel.Frame((int)request % 3, request, deadline: request % 4 == 0 ? 0.01 : 60));
        world.Run(1.05);
        world.End(10);
        Assert.That(world.Replies, Has.Count.EqualTo(9));
        Assert.That(world.States.Last(), Is.EqualTo(State.Disconnected));
    }

    [Test]
    public void Run_StoppedWhileInstalling_DoesNotComeBackAfterItsGoodbye()
    {
        var world = new EdgeWorld { InstallTime = new Seconds(10) };
        world.Run(2);
        world.End(30);
        Assert.That(world.States.Last(), Is.EqualTo(State.Disconnected));
        Assert.That(world.Disposed, Is.EqualTo(3));
    }

    [Test]
    public void Desired_SaidTwiceAtOnce_TellsLoadsThatCanBeRead()
    {
        var world = new EdgeWorld(tails: null);
        for (var version = 2; version < 5; version++) world.DesireAt(1, EdgeWorld.Tails("1") with { Version = version });
        world.Run(20);
        Assert.That(world.Reported.Last().Version, Is.EqualTo(4));
        Assert.That(world.Loads.SelectMany(load => load.Faults()), Is.Empty);
        foreach (var load in world.Loads) Assert.That(() => Wire.Encode(load), Throws.Nothing);
    }

    /// <summary>Whatever is asked, every frame that can be read gets exactly one reply, and the loads add up to it.</summary>
    [Test]
    public void Run_AnyFrames_EachIsAnsweredOnce() =>
        Gen.Select(Gen.Select(Gen.Double[0, 0.2], Gen.Int[0, 2], Gen.Double[0.01, 1], Gen.Int[0, 9]).Array[1, 60], Gen.Int[1, 3], Gen.Int[1, 8], Gen.Double[0, 1]).Sample(
            (frames, workers, queueMax, perRow) =>
            {
                var world = new EdgeWorld("0,1", queueMax, workers, rows => new Seconds(0.05 * (1 + (rows - 1) * perRow)));
                var at = 5.0;
                foreach (var ((pause, cut, deadline, oddity), i) in frames.Select((frame, i) => (frame, i)))
                {
                    var frame = TinyModel.Frame(cut, (ulong)i + 1, deadline, sample: i % 3);
                    world.AskAt(at += pause, oddity == 0 ? frame with { Shape = [9, 9, 9] } : oddity == 1 ? frame with { ModelHash = 5 } : frame);
                }
                world.Run(at + 10);
                Assert.That(world.Replies.Select(replied => replied.Reply.RequestId).Order(), Is.EqualTo(Enumerable.Range(1, frames.Length).Select(i => (ulong)i)));
                Assert.That(world.Loads.Sum(load => load.Served + load.Expired + load.Refused), Is.EqualTo(frames.Length));
                Assert.That(world.Loads.SelectMany(load => load.Faults()), Is.Empty);
                Assert.That(world.Ran.Sum(), Is.EqualTo(world.Loads.Sum(load => load.Served)));
            },
            iter: 60, threads: 1);
}

/// <summary>One edge server with tiny traced tails on a simulated bus, and everything it says.</summary>
internal sealed class EdgeWorld
{
    public const string OtherSha = "other";

    /// <summary>Measuring batches goes quickly, so that tests can begin at once.</summary>
    private const double MeasuringPace = 1e-4;
    private readonly BusWorld world = new();
    private readonly SimBus.Connection device, control;
    private readonly CancellationTokenSource stop = new();
    private readonly Func<int, Seconds> time;
    private readonly int workers;
    private readonly Fleet.EdgeServer.EdgeServer server;
    private Task running = Task.CompletedTask;
    private readonly List<Action> measured = [];
    private int installed;

    /// <param name="tails">Desired from the start; null: nothing.</param>
    /// <param name="time">Of a batch of so many rows; 0.1 s a row when left out, so that batching gains nothing.</param>
    /// <param name="memory">For tails, of which each takes 100 bytes.</param>
    public EdgeWorld(string? tails = "0,1,2", int queueMax = 64, int workers = 1, Func<int, Seconds>? time = null, int? memory = null, int room = 0)
    {
        (this.time, this.workers) = (time ?? (rows => new Seconds(0.1 * rows)), workers);
        Line = world.Bus.Connect("edge-1", (new Topic(TopicKind.EdgeState, "lab", "edge-1"), State.Lost));
        (device, control) = (world.Bus.Connect("cam-1"), world.Bus.Connect("controller"));
        device.Subscribe(new Topic(TopicKind.Reply, "lab", "cam-1").Path, (_, message) => Replies.Add(((Reply)message, Clock.Since(0).Value)));
        device.Subscribe("fleet/v1/lab/#", (_, message) => Said.Add(message));
        if (tails is not null) control.Publish(new Topic(TopicKind.EdgeDesired, "lab", "edge-1"), Tails(tails));
        var options = new EdgeOptions
        {
            Site = "lab",
            Id = "edge-1",
            QueueMax = queueMax,
            Workers = workers,
            Info = new Info { Board = "b", Stack = "s", Profile = "n5105-mini-pc", AgentVersion = "1", Os = "test", Emulated = true, TailMemory = memory is { } bytes ? new Bytes(bytes) : null, TailRoom = memory is null ? null : new Bytes(room) },
        };
        server = new Fleet.EdgeServer.EdgeServer(options, Line, Clock, (wanted, choose, _) => Install(wanted, choose));
    }

    public SimClock Clock => world.Clock;

    public SimBus.Connection Line { get; }

    public List<(Reply Reply, double At)> Replies { get; } = [];

    /// <summary>Rows of each batch that was computed, without those of measuring.</summary>
    public List<int> Ran { get; } = [];

    public int Disposed { get; private set; }

    /// <summary>Most tails that were loaded at one time, counted by instances.</summary>
    public int HeldMax { get; private set; }

    public Func<TailAssignment, string?> Refuses { get; set; } = _ => null;

    public Seconds InstallTime { get; init; }

    public List<Message> Said { get; } = [];

    public IEnumerable<EdgeLoad> Loads => Said.OfType<EdgeLoad>();

    public IEnumerable<State> States => Said.OfType<State>();

    /// <summary>Of what was desired and reported, only what was reported.</summary>
    public List<TailAssignment> Reported { get; } = [];

    public OffloadStatus StatusOf(ulong request) => Replies.Single(replied => replied.Reply.RequestId == request).Reply.Status;

    public static TailAssignment Tails(string cuts) => new() { Version = 1, Epoch = 1, Model = "tiny", CardSha256 = TinyModel.Sha, Tails = cuts };

    /// <summary>A server behind this one, which answers as told; null never answers.</summary>
    public List<TensorFrame> Cloud(Func<TensorFrame, (OffloadStatus Status, double After)?> answering)
    {
        var (cloud, asked) = (world.Bus.Connect("cloud"), new List<TensorFrame>());
        cloud.Subscribe(new Topic(TopicKind.Offload, "lab", "cloud").Path, async (_, message) =>
        {
            var frame = (TensorFrame)message;
            asked.Add(frame);
            if (answering(frame) is not { } answer) return;
            await Clock.Delay(new Seconds(answer.After));
            cloud.Publish(frame.ReplyTo, new Reply { RequestId = frame.RequestId, Status = answer.Status, Label = 4, Confidence = 0.9 });
        });
        return asked;
    }

    public void Ask(Message frame) => Clock.Soon(() => device.Publish(new Topic(TopicKind.Offload, "lab", "edge-1"), frame));

    public void AskAt(double at, Message frame) => At(at, () => device.Publish(new Topic(TopicKind.Offload, "lab", "edge-1"), frame));

    public void DesireAt(double at, Message desired) => At(at, () => control.Publish(new Topic(TopicKind.EdgeDesired, "lab", "edge-1"), desired));

    public EdgeWorld Run(double untilSeconds)
    {
        if (Clock.GetTimestamp() == 0)
        {
            device.Subscribe(new Topic(TopicKind.EdgeReported, "lab", "edge-1").Path, (_, message) => OnReported((TailAssignment)message));
            Clock.Start(() => running = server.Run(stop.Token));
        }
        Clock.Run(TimeSpan.FromSeconds(untilSeconds));
        return this;
    }

    public void End(double untilSeconds)
    {
        Clock.Soon(stop.Cancel);
        Run(untilSeconds);
        if (!running.IsCompletedSuccessfully) throw new InvalidOperationException("the edge server has not ended");
    }

    private void At(double at, Action action) =>
        Clock.CreateTimer(_ => action(), null, TimeSpan.FromSeconds(at) - TimeSpan.FromTicks(Clock.GetTimestamp()), Timeout.InfiniteTimeSpan);

    private async Task<TailSet> Install(TailAssignment wanted, Func<ModelCard, IReadOnlyList<TailStart>> choose)
    {
        await Clock.Delay(InstallTime);
        if (Refuses(wanted) is { } fault) throw new FaultsException("tails", fault);
        var hash = wanted.CardSha256 == OtherSha ? 2 : TinyModel.Hash;
        var isMeasuring = true;
        measured.Add(() => isMeasuring = false);
        Tail Load(int cut) => TinyModel.Tail(cut, Clock, rows => isMeasuring ? time(rows) * MeasuringPace : time(rows), hash, rows => Count(rows, isMeasuring), () => Disposed++);
        var loaded = choose(TinyModel.Card).Select(start => new LoadedTail(start, [.. Enumerable.Range(0, workers).Select(_ => Load(start.Cut))])).ToList();
        installed += loaded.Count * workers;
        HeldMax = Math.Max(HeldMax, installed - Disposed);
        var middles = wanted.Cuts.Where(cut => cut < wanted.PassCut).Select(cut => Enumerable.Range(0, workers).Select(_ => TinyModel.Middle(cut, wanted.PassCut!.Value, Clock, time(1))).ToArray());
        return new TailSet(TinyModel.Card, hash, loaded, byCut: middles);
    }

    private void Count(int rows, bool isMeasuring)
    {
        if (!isMeasuring) Ran.Add(rows);
    }

    private void OnReported(TailAssignment reported)
    {
        Reported.Add(reported);
        if (reported.Error.Length > 0) return;
        foreach (var end in measured) end();
    }
}
