using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Offloading;

namespace Fleet.EdgeServer;

/// <summary>
/// A server between devices and a cloud: it runs what comes up to a later cut, exit by exit, answers where an exit is sure enough or going on is
/// worth less than it costs, and passes on the rest, or finishes it where that is cheaper. When the server behind it does not answer in time its own deepest exit does; while that server is
/// away it finishes everything by itself, as one that has nobody behind it.
/// </summary>
public sealed class NextTier
{
    /// <summary>Of the time a sender still waits; the rest is for the way back.</summary>
    private const double DeadlineShare = 0.8;

    /// <summary>Of a new time in the moving averages of stages and of the wait before them.</summary>
    private const double Weight = 0.1;

    private readonly IBus bus;
    private readonly TimeProvider clock;
    private readonly LoadCounter load;
    private readonly Offloads offloads;
    private readonly Way way;
    private readonly TailAssignment assignment;
    private readonly Topic next, replies;
    private readonly double[] stagePrices = new double[PerExit.Max];
    private readonly Dictionary<int, Hierarchical> rules = [];
    private Seconds waits, serves, finishes;

    /// <param name="offloads">What this server has passed on and waits for; outlives assignments, as <paramref name="way"/> does.</param>
    /// <param name="finishing">What finishing behind the later cut takes here, as it was measured.</param>
    public NextTier(EdgeOptions options, TailAssignment assignment, IBus bus, TimeProvider clock, LoadCounter load, Offloads offloads, Way way, Seconds finishing)
    {
        (this.assignment, this.bus, this.clock, this.load, this.offloads, this.way, finishes) = (assignment, bus, clock, load, offloads, way, finishing);
        next = new Topic(TopicKind.Offload, options.Site, assignment.PassTo!);
        replies = new Topic(TopicKind.EdgeReply, options.Site, options.Id);
        way.Turn(next, Seconds.Zero);
        if (assignment.Decision is null) return;
        var outlook = Outlook.Parse(assignment.Outlook!);
        for (var from = 0; from < PassCut; from++) rules[from] = new Hierarchical(outlook, assignment.ErrorPrice!.Value.Value, from + 1, PassCut, PassCut);
    }

    private int PassCut => assignment.PassCut!.Value;

    /// <summary>Passing on, and what that makes others wait at the next server.</summary>
    private Seconds Passing => way.Costs.Time + way.Costs.OthersWait;

    /// <summary>Finishing here, and what it makes others wait who come here: W (1 + 2 W / s) a frame that takes s (see <see cref="WayCosts.OthersWait"/>), so much of it as this takes.</summary>
    private Seconds Finishing => serves > Seconds.Zero ? finishes + waits * ((1 + 2 * (waits / serves)) * (finishes / serves)) : finishes;

    /// <summary>What a tier's parameters lack, one sentence a fault.</summary>
    public static IEnumerable<string> Faults(TailAssignment assignment) => Outlook.Faults(assignment.Outlook, "pass_cut", assignment.PassCut);

    /// <summary>Whether a frame is run exit by exit now.</summary>
    public bool Takes(TensorFrame frame) => frame.View == 0 && frame.Bottleneck == 0 && frame.Cut < PassCut && offloads.MayTry();

    /// <summary>Runs a frame's stages on a worker; an answer from the next server may still be due when it completes. False when the payload cannot be read.</summary>
    public async Task<bool> Handle(Middle middle, WaitingFrame waited)
    {
        var frame = waited.Frame;
        if (!middle.Load(frame)) return false;
        var (queued, rule) = (clock.Since(waited.Arrived), rules.GetValueOrDefault(middle.From));
        var isFinishedHere = rule is not null && Finishing < Passing;
        rule?.Solve(new WayPrices(stagePrices, (isFinishedHere ? Finishing : Passing).Value, isFinishedHere ? 1 : way.Costs.AnsweredShare));
        waits += (queued - waits) * Weight;
        var computed = Seconds.Zero;
        for (var exit = middle.From + 1; exit <= PassCut; exit++)
        {
            var took = await middle.Run(exit);
            computed += took;
            stagePrices[exit - 1] += (took.Value - stagePrices[exit - 1]) * (stagePrices[exit - 1] == 0 ? 1 : Weight);
            var own = new Answer(frame, Confidence.MaxProbability(middle.Logits(exit), assignment.Temperatures.Of(exit), out var label), label, queued);
            var goesOn = rule is null ? own.Confidence < assignment.Thresholds.Of(exit) : rule.After(exit, own.Confidence) is not Next.Answer;
            if (goesOn && exit < PassCut) continue;
            if (!goesOn) Stop(middle, waited, own, mayBeAudited: rule is not null && exit == PassCut);
            else if (isFinishedHere) computed += await Finish(middle, waited, own);
            else _ = PassOn(Pack(middle, waited), own, waited.Arrived);
            break;
        }
        load.Batch(computed);
        serves += (computed - serves) * (serves == Seconds.Zero ? 1 : Weight);
        return true;
    }

    /// <summary>Runs what is behind the later cut, too, and answers; gives the time it took.</summary>
    private async Task<Seconds> Finish(Middle middle, WaitingFrame waited, Answer own)
    {
        var took = Seconds.Zero;
        for (var stage = PassCut + 1; stage <= middle.Card.StageCount; stage++) took += await middle.Run(stage);
        finishes += (took - finishes) * Weight;
        var confidence = Confidence.MaxProbability(middle.Logits(middle.Card.StageCount), assignment.Temperature, out var label);
        Give(own, label, confidence, waited.Arrived);
        return took;
    }

    /// <summary>The exit answers; a way that nobody has gone for a while is tried all the same, where decisions depend on it.</summary>
    private void Stop(Middle middle, WaitingFrame waited, in Answer own, bool mayBeAudited)
    {
        Give(own, own.Label, own.Confidence, waited.Arrived);
        if (mayBeAudited && way.IsStale) _ = PassOn(Pack(middle, waited), own: null, waited.Arrived);
    }

    private TensorFrame Pack(Middle middle, WaitingFrame waited)
    {
        var left = new Seconds((waited.Deadline - clock.GetTimestamp()) / (double)clock.TimestampFrequency);
        return middle.Pack(offloads.NewRequestId(), Seconds.Max(new Seconds(0.001), left * DeadlineShare), replies);
    }

    /// <summary>Asks the next server.</summary>
    /// <param name="own">Answers when nobody else does; null when it has answered already.</param>
    private async Unawaited PassOn(TensorFrame frame, Answer? own, long arrived)
    {
        var asked = way.Begin();
        var reply = await offloads.Send(next, frame, Bytes.Zero);
        way.End(asked, reply);
        if (own is not { } fallback) return;
        if (reply is { Status: OffloadStatus.Ok }) Give(fallback, reply.Label, reply.Confidence, arrived);
        else Give(fallback, fallback.Label, fallback.Confidence, arrived);
    }

    private void Give(in Answer own, int label, double confidence, long arrived)
    {
        load.Served(own.Queued);
        bus.Publish(own.Frame.ReplyTo, new Reply
        {
            RequestId = own.Frame.RequestId,
            Status = OffloadStatus.Ok,
            Label = label,
            Confidence = Quantity.Rounded(confidence),
            Queue = Quantity.Rounded(own.Queued),
            // To the sender the next server is part of this one's computing.
            Compute = Quantity.Rounded(Seconds.Max(Seconds.Zero, clock.Since(arrived) - own.Queued)),
            Batch = 1,
        });
    }

    private readonly record struct Answer(TensorFrame Frame, double Confidence, int Label, Seconds Queued);
}
