using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Offloading;

namespace Fleet.DeviceAgent;

/// <summary>What the device runs now: a head and the assignment it was installed for. Swapped whole, never changed.</summary>
/// <param name="Auditor">The edge server that a local head's audits are sent to; null: audits go where offloads go.</param>
public sealed record Running(Head Head, Assignment Assignment, Topic? Edge, Topic? Auditor = null)
{
    /// <summary>What is sent when no exit was confident.</summary>
    public Route Route { get; } = Assignment.RouteIn(Head.Card);

    /// <summary>Of an input.</summary>
    public int InputElements { get; } = Head.Card.Cuts[0].Elements;

    /// <summary>How many stages run.</summary>
    public int Depth { get; } = Assignment.Head;

    /// <summary>Share of inputs that are drawn to check the exits; 0 where nobody can be asked about them.</summary>
    public double DrawnRatio { get; } = (Edge ?? Auditor) is not null && Assignment.View == 0 ? Assignment.AuditRatio : 0;

    private readonly bool sendsAll = Assignment.SendsAll;
    private readonly (double Temperature, double Threshold)[] exits =
        [.. Enumerable.Range(1, Assignment.Head).Select(exit => (Assignment.Temperatures.Of(exit), Assignment.Thresholds.Of(exit)))];

    /// <summary>What an exit's logits are divided by, and how sure it must be to answer: all that each input asks of the assignment, side by side.</summary>
    public (double Temperature, double Threshold) Exit(int stage) => exits[stage - 1];

    /// <summary>Who is asked about audits; null when nobody can be.</summary>
    public Topic? AuditEdge => Edge ?? Auditor;

    /// <summary>Whether audits are told one by one: then all stages run for them.</summary>
    public bool TellsAudits { get; } = Assignment.AuditTold is true;

    /// <summary>Whether what crosses is there once an exit has answered, or will be.</summary>
    public bool CanAuditAt(int exit) => TellsAudits || Route.Cut <= exit;

    /// <summary>Who decides behind each exit; null: the assignment's thresholds.</summary>
    public Judging? Judging { get; init; }

    /// <summary>Whether an input leaves before any stage has run.</summary>
    public bool SendsFirst => Judging is { } judging ? judging.SendsFirst : sendsAll;
}

/// <summary>
/// The path of one input:
/// 1. the head runs stage by stage until an exit is confident, or who decides in the thresholds' stead says so: answered by that exit;
/// 2. else the cut, or what a bottleneck's encoder makes of it, is sent to the edge server, and answered by its reply;
/// 3. else, at the deadline or when no edge server can be asked, answered by the deepest exit held.
/// Some inputs are drawn when they come, to check the exits: all stages run for them, after their answer if need be, and the tail is asked about them.
/// A device of a group sends its class vector first, and its sign bits when the group's local exit asks for them.
/// Every input that starts is answered exactly once.
/// </summary>
public sealed class RequestPath(AgentOptions options, TimeProvider clock, Random random, Offloads offloads, Window window, StageTimes times)
{
    // Nobody writes to it: one for all.
    private static byte[] blank = [];

    private readonly Turn turn = new();
    private readonly Watts runPower = options.RunPower;
    private readonly WakeLocks? locks = options.WakeLocks;
    private readonly Way way = new(clock);
    private Running? running;

    // Made when something is first sent.
    private Topic? replies;

    /// <summary>Called for every answer, on the loop.</summary>
    public event Action<Answer>? Answered;

    public event Action<Sample>? Started;

    /// <summary>Called for every audit that the tail has answered, on the loop.</summary>
    public event Action<Audit>? Audited;

    public Running? Running => running;

    /// <summary>
    /// Inputs that wait for the processor, are on it, or wait for an edge server: counted by who holds them, not by who answers them,
    /// so that an input that is dropped on the way is missed by the books.
    /// </summary>
    public int InFlight { get; private set; }

    /// <summary>Takes an input. Completes when the processor is free again; an offload's answer may still be due.</summary>
    [AsyncMethodBuilder(typeof(LoopMethod))]
    public async ValueTask Infer(Sample sample)
    {
        var arrived = clock.GetTimestamp() - (long)(sample.Waited.Value * clock.TimestampFrequency);
        window.Started();
        InFlight++;
        Started?.Invoke(sample);
        if (locks is not null) await locks.Take();
        await turn.Wait();
        var ended = default(Ended);
        try
        {
            var now = running ?? throw new InvalidOperationException("no head is installed");
            var isDrawn = IsDrawn(now);
            ended = now.SendsFirst && !(isDrawn && now.TellsAudits) && offloads.MayTry() ? await SendInput(now, sample, arrived) : await RunHead(now, sample, arrived, isDrawn);
            if (ended.IsAudited)
            {
                // It has its answer; what follows keeps the board awake all the same.
                InFlight--;
                await Audit(now, sample, ended.Audited, isDrawn);
            }
        }
        finally
        {
            if (ended.IsAudited) locks?.Release();
            else if (!ended.IsHandedOver) End();
            turn.Release();
        }
    }

    /// <summary>Whether an input is drawn to check the exits: before anybody has looked at it, or those drawn would not stand for all.</summary>
    private bool IsDrawn(Running now) => now.DrawnRatio > 0 && random.NextDouble() < now.DrawnRatio;

    /// <summary>An input has its answer: nothing of it keeps the board awake.</summary>
    private void End()
    {
        InFlight--;
        locks?.Release();
    }

    /// <summary>Puts another head in place between two inputs and disposes the old one.</summary>
    public async Task Swap(Running next)
    {
        await turn.Wait();
        try
        {
            var old = running;
            running = next;
            if (old?.Edge != next.Edge) offloads.Forget();
            Begin(next);
            if (old is not null && old.Head != next.Head) old.Head.Dispose();
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Puts who decides in place between two inputs.</summary>
    public async Task Judge(Func<Running, Judging?> judge)
    {
        await turn.Wait();
        try
        {
            if (running is { } now) Begin(running = now with { Judging = judge(now) });
        }
        finally
        {
            turn.Release();
        }
    }

    private void Begin(Running next)
    {
        if (next.Judging is not { } judging) return;
        way.Turn(next.Edge, judging.Frame / options.Profile.Radio.Goodput.Value);
        judging.Follow(way.Costs, times, options);
    }

    /// <summary>An input of nothing but zeros.</summary>
    private static ReadOnlyMemory<byte> Blank(int pixels)
    {
        var enough = blank;
        if (enough.Length < pixels) blank = enough = new byte[pixels];
        return enough.AsMemory(0, pixels);
    }

    /// <summary>Runs every stage and encoder of a head a few times on a blank input and notes its latency: before it is swapped in, so that one that cannot run never answers.</summary>
    [AsyncMethodBuilder(typeof(LoopMethod))]
    public async ValueTask Measure(Head head, int runs)
    {
        await turn.Wait();
        try
        {
            times.Clear();
            head.Load(new Sample(0, -1, Blank(head.Card.Cuts[0].Elements)));
            for (var run = 0; run < runs; run++)
            {
                for (var stage = 1; stage <= head.Depth; stage++) await RunStage(head, stage);
                foreach (var bottleneck in head.Bottlenecks) times.AddEncoder(await head.Encode(bottleneck));
            }
        }
        finally
        {
            turn.Release();
        }
    }

    [AsyncMethodBuilder(typeof(LoopMethod<>))]
    private async ValueTask<Ended> RunHead(Running now, Sample sample, long arrived, bool isDrawn)
    {
        var head = now.Head;
        head.Load(sample);
        var (label, confidence) = (-1, 0.0);
        for (var stage = 1; stage <= now.Depth; stage++)
        {
            var took = await head.Run(stage);
            times.Add(stage, took);
            window.Spent(runPower * took);
            var (temperature, threshold) = now.Exit(stage);
            confidence = Confidence.MaxProbability(head.Logits(stage), temperature, out label);
            if (now.Judging is { } judging)
            {
                var verdict = judging.Verdict(stage, head.Logits(stage), label, confidence);
                var decision = judging.Decide(verdict, random);
                if (decision.Next is Next.GoOn && stage < now.Depth) continue;
                return await Follow(now, judging, verdict, decision, sample, arrived, isDrawn);
            }
            if (confidence < threshold) continue;
            Answer(now, sample, arrived, label, confidence, AnsweredBy.Exit, stage);
            return new Ended(IsAudited: isDrawn && now.CanAuditAt(stage) && offloads.MayTry(), Audited: new Verdict(stage, label, confidence, confidence));
        }
        if (MayAsk(now, sample))
        {
            _ = Offload(now, await Pack(now), sample, arrived, new Local(new Verdict(now.Depth, label, confidence, confidence), Decision.GoOn), isDrawn && now.TellsAudits ? Draw(now, sample, exit: 0, now.Depth) : null);
            return new Ended(IsHandedOver: true);
        }
        Answer(now, sample, arrived, label, confidence, now.Edge is null ? AnsweredBy.Exit : AnsweredBy.Fallback, now.Depth);
        return default;
    }

    /// <summary>Does what was decided behind an exit.</summary>
    private async ValueTask<Ended> Follow(Running now, Judging judging, Verdict verdict, Decision decision, Sample sample, long arrived, bool isDrawn)
    {
        var mayTry = offloads.MayTry();
        var mayAsk = now.Route.Cut <= verdict.Exit && mayTry;
        if (decision.Next is Next.Answer)
        {
            // A way that nobody has gone for a while may have changed: an audit finds out, and the answer does not wait for it.
            var audits = isDrawn ? now.CanAuditAt(verdict.Exit) && mayTry : mayAsk && way.IsStale;
            if (!audits) judging.Learn(verdict, decision, better: null);
            Answer(now, sample, arrived, verdict.Label, verdict.Confidence, AnsweredBy.Exit, verdict.Exit);
            return new Ended(IsAudited: audits, Audited: verdict);
        }
        if (mayAsk)
        {
            _ = Offload(now, await Pack(now), sample, arrived, new Local(verdict, decision), isDrawn && now.TellsAudits ? Draw(now, sample, exit: 0, verdict.Exit) : null);
            return new Ended(IsHandedOver: true);
        }
        judging.Learn(verdict, decision, better: null);
        Answer(now, sample, arrived, verdict.Label, verdict.Confidence, AnsweredBy.Fallback, verdict.Exit);
        return default;
    }

    /// <summary>A group shares samples by their number: one without, or one that is still asked about, cannot be shared.</summary>
    private bool MayAsk(Running now, Sample sample) => now.Edge is not null
        && (now.Assignment.View == 0 || sample.Index >= 0 && !offloads.Awaits(GroupRequest.Id(now.Assignment.Group, sample.Index))) && offloads.MayTry();

    /// <summary>No stage has to run before it: it is handed over at once.</summary>
    private async ValueTask<Ended> SendInput(Running now, Sample sample, long arrived)
    {
        now.Head.Load(sample);
        _ = Offload(now, await Pack(now), sample, arrived, local: null);
        return new Ended(IsHandedOver: true);
    }

    /// <summary>What crosses, made while the processor is this input's: an encoder takes its time and energy.</summary>
    private async ValueTask<TensorFrame> Pack(Running now)
    {
        var (frame, took) = await now.Head.Pack(now.Route, offloads.NewRequestId(), now.Assignment.Deadline, replies ??= new Topic(TopicKind.Reply, options.Site, options.Id));
        if (now.Assignment.View > 0) return frame with { View = now.Assignment.View, RequestId = GroupRequest.Id(now.Assignment.Group, frame.Sample) };
        if (now.Route.Bottleneck == 0) return frame;
        times.AddEncoder(took);
        window.Spent(runPower * took);
        return frame;
    }

    [AsyncMethodBuilder(typeof(LoopMethod<>))]
    private async ValueTask<Seconds> RunStage(Head head, int stage)
    {
        var took = await head.Run(stage);
        times.Add(stage, took);
        return took;
    }

    /// <summary>Asks the edge server and answers.</summary>
    /// <param name="drawn">What the exits make of it, when it was drawn to check them.</param>
    private async Unawaited Offload(Running now, TensorFrame frame, Sample sample, long arrived, Local? local, Audit? drawn = null)
    {
        var reply = await (now.Assignment.View == 0 ? Ask(now, now.Edge!, frame) : AskGroup(now, frame));
        var missed = reply is null;
        var better = reply is { Status: OffloadStatus.Ok } ? reply.Label : (int?)null;
        if (local is { } judged) now.Judging?.Learn(judged.Verdict, judged.Decision, better);
        if (reply is { Status: OffloadStatus.Ok }) Answer(now, sample, arrived, reply.Label, reply.Confidence, AnsweredBy.Edge, exit: 0);
        else if (local is { Verdict: var own }) Answer(now, sample, arrived, own.Label, own.Confidence, AnsweredBy.Fallback, own.Exit, missed);
        else await RunLate(sample, arrived, missed);
        if (reply is { Status: OffloadStatus.Ok } && drawn is not null) Audited?.Invoke(drawn with { TailLabel = reply.Label, TailConfidence = reply.Confidence });
        End();
    }

    /// <summary>Sent before any stage had run, and not answered: now the head runs all the same, in its turn.</summary>
    private async Task RunLate(Sample sample, long arrived, bool missed)
    {
        await turn.Wait();
        try
        {
            var now = running!;
            now.Head.Load(sample);
            for (var stage = 1; stage <= now.Depth; stage++) window.Spent(runPower * await RunStage(now.Head, stage));
            var confidence = Confidence.MaxProbability(now.Head.Logits(now.Depth), now.Exit(now.Depth).Temperature, out var label);
            Answer(now, sample, arrived, label, confidence, AnsweredBy.Fallback, now.Depth, missed);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>An exit has answered: what does the tail say, and, if somebody wants to be told, what would the exits behind it have said?</summary>
    private async ValueTask Audit(Running now, Sample sample, Verdict verdict, bool isDrawn)
    {
        var isTold = isDrawn && now.TellsAudits;
        for (var stage = verdict.Exit + 1; stage <= now.Depth && isTold; stage++) window.Spent(runPower * await RunStage(now.Head, stage));
        _ = Check(now, await Pack(now), verdict, isTold ? Draw(now, sample, verdict.Exit, now.Depth) : null);
    }

    private async Unawaited Check(Running now, TensorFrame frame, Verdict verdict, Audit? drawn)
    {
        if (locks is not null) await locks.Take();
        var reply = await Ask(now, now.AuditEdge!, frame);
        var better = reply is { Status: OffloadStatus.Ok } ? reply.Label : (int?)null;
        if (better is { } label)
        {
            window.Audited(verdict.Exit, label == verdict.Label, drawn?.Label is { } truth ? truth == verdict.Label : null);
            if (drawn is not null) Audited?.Invoke(drawn with { TailLabel = label, TailConfidence = reply!.Confidence });
        }
        now.Judging?.Learn(verdict, Decision.Answer, better);
        locks?.Release();
    }

    /// <summary>What the exits make of the input they have just seen; the tail's part is still to come.</summary>
    /// <param name="exit">The one that has answered; 0: none.</param>
    /// <param name="depth">How many stages have run.</param>
    private Audit Draw(Running now, Sample sample, int exit, int depth)
    {
        var classes = now.Head.Card.Classes.Count;
        var logits = new Half[depth * classes];
        for (var stage = 1; stage <= depth; stage++) TensorPrimitives.ConvertToHalf(now.Head.Logits(stage), logits.AsSpan((stage - 1) * classes, classes));
        var isLabelled = sample.Label >= 0 && options.LabelledAudits > 0 && random.NextDouble() < options.LabelledAudits;
        return new Audit
        {
            Version = now.Assignment.Version,
            Exit = exit,
            TailLabel = 0,
            TailConfidence = 0,
            Label = isLabelled ? sample.Label : null,
            Drawn = now.Assignment.AuditRatio,
            Logits = Contracts.Audit.Pack(logits),
        };
    }

    /// <summary>The class vector first; the sign bits if the group's local exit wants them, in what is left of the deadline.</summary>
    private async ValueTask<Reply?> AskGroup(Running now, TensorFrame bits)
    {
        var asked = clock.GetTimestamp();
        var vector = new byte[FeatureCodecs.EncodedBytes(FeatureCodec.Float32, now.Head.Card.Classes.Count)];
        FeatureCodecs.Encode(FeatureCodec.Float32, now.Head.Logits(1), scale: 1, zeroPoint: 0, vector);
        var reply = await Ask(now, now.Edge!, bits with { Codec = FeatureCodec.Float32, Shape = [now.Head.Card.Classes.Count], Payload = vector });
        if (reply is not { Status: OffloadStatus.BitsWanted }) return reply;
        var left = bits.Deadline - clock.Since(asked);
        return left.Value > 0 ? await Ask(now, now.Edge!, bits with { Deadline = left }) : null;
    }

    private ValueTask<Reply?> Ask(Running now, Topic edge, TensorFrame frame)
    {
        window.Sent(new Bytes(frame.EncodedBytes));
        window.Spent(new Bytes(frame.EncodedBytes) * options.Profile.Radio.TxPerByte.Value);
        var onAir = options.Profile.OnAir(frame.EncodedBytes);
        return now.Judging is { } judging ? Timed(edge, frame, onAir, judging) : offloads.Send(edge, frame, onAir);
    }

    /// <summary>Notes what the way has taken, and lets who decides know.</summary>
    private async ValueTask<Reply?> Timed(Topic edge, TensorFrame frame, Bytes onAir, Judging judging)
    {
        var asked = way.Begin();
        var reply = await offloads.Send(edge, frame, onAir);
        way.End(asked, reply);
        judging.Follow(way.Costs, times, options);
        return reply;
    }

    private void Answer(Running now, Sample sample, long arrived, int label, double confidence, AnsweredBy by, int exit, bool missed = false)
    {
        var answer = new Answer(sample.Index, sample.Label, label, confidence, by, exit, clock.Since(arrived), missed, now.Assignment);
        window.Answered(answer);
        Answered?.Invoke(answer);
    }

    private readonly record struct Local(Verdict Verdict, Decision Decision);

    /// <param name="IsHandedOver">To an offload, whose answer is still due; else it was answered.</param>
    /// <param name="IsAudited">An exit has answered, and the tail shall be asked all the same.</param>
    /// <param name="Audited">That exit's verdict.</param>
    private readonly record struct Ended(bool IsHandedOver = false, bool IsAudited = false, Verdict Audited = default);
}
