using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.EdgeServer;

/// <summary>
/// Answers groups of devices that see one sample together (Teerapittayanon et al., DDNN, ICDCS 2017):
/// 1. class vectors are gathered until all devices that were heard of lately have sent theirs, or the gathering time is over;
/// 2. the local exit judges by those that came; if its normalised entropy is low enough, all are answered;
/// 3. else they are asked for their sign bits, which are gathered alike;
/// 4. the edge exit, and if it doubts the cloud exit, judges by the bits that came, and all are answered.
/// A device that is late is told the answer when it comes; one that is absent is zeros to the networks, which were trained for it.
/// Runs on one event loop.
/// </summary>
public sealed class GroupServer(GroupTail tail, IBus bus, TimeProvider clock, LoadCounter load, Seconds gather, int openMax)
{
    /// <summary>Both gatherings together leave this much of the first deadline for computing and the way back.</summary>
    private const double GatherShareMax = 1 / 3.0;

    /// <summary>Groups whose devices are remembered.</summary>
    private const int GroupsMax = 1024;

    private readonly Dictionary<ulong, Gathering> open = [];
    private readonly Dictionary<uint, Roster> rosters = [];
    private readonly Turn turn = new();
    private bool isRetired;

    public GroupCard Card => tail.Card;

    /// <summary>Samples that are being gathered, or were answered a moment ago.</summary>
    public int Open => open.Count;

    /// <summary>Takes what a device of a group sent.</summary>
    public void Take(TensorFrame frame)
    {
        if (frame.ModelHash != tail.ModelHash) Refuse(frame, OffloadStatus.NotHeld);
        else if (!Fits(frame)) Refuse(frame, OffloadStatus.Refused);
        else if (Find(frame) is not { } sample) Refuse(frame, OffloadStatus.Full);
        else Add(frame, sample);
    }

    /// <summary>No new work comes, and whoever waits is told so.</summary>
    public void Retire()
    {
        isRetired = true;
        foreach (var (request, sample) in open.Where(pair => pair.Value.Stage is not GatheringStage.Answered))
            foreach (var (_, replyTo) in sample.Senders) bus.Publish(replyTo, new Reply { RequestId = request, Status = OffloadStatus.NotHeld });
        open.Clear();
        // Whoever computes now disposes it when done.
        if (!turn.IsTaken) tail.Dispose();
    }

    private bool Fits(TensorFrame frame) => frame.View <= Card.Views.Count && frame.Cut == 1 && frame.Codec switch
    {
        FeatureCodec.Float32 => frame.Shape.SequenceEqual([Card.Classes.Count]),
        FeatureCodec.Bits => frame.Shape.SequenceEqual(Card.MapShape),
        _ => false,
    };

    private void Refuse(TensorFrame frame, OffloadStatus status)
    {
        load.Refused();
        bus.Publish(frame.ReplyTo, new Reply { RequestId = frame.RequestId, Status = status });
    }

    /// <summary>The sample a frame belongs to, begun when it is the first; null when no more may be open.</summary>
    private Gathering? Find(TensorFrame frame)
    {
        if (open.TryGetValue(frame.RequestId, out var known)) return known;
        var group = GroupRequest.GroupOf(frame.RequestId);
        if (open.Count >= openMax || !rosters.ContainsKey(group) && rosters.Count >= GroupsMax) return null;
        rosters.TryAdd(group, new Roster(Card.Views.Count));
        var sample = open[frame.RequestId] = new Gathering(Card);
        Follow(frame.RequestId, sample, Seconds.Min(gather, frame.Deadline * GatherShareMax));
        return sample;
    }

    private void Add(TensorFrame frame, Gathering sample)
    {
        sample.Add(frame, clock.GetTimestamp());
        if (sample.Stage is GatheringStage.Answered) Tell(frame.RequestId, sample, frame.View, frame.ReplyTo);
        else if (sample.Stage is GatheringStage.Bits && frame.Codec is not FeatureCodec.Bits) Ask(frame.RequestId, sample, frame.View, frame.ReplyTo);
        if (sample.IsJudged) return;
        if (sample.Stage is GatheringStage.Vectors && rosters[GroupRequest.GroupOf(frame.RequestId)].IsComplete(sample)) JudgeVectors(frame.RequestId, sample);
        else if (sample.Stage is GatheringStage.Bits && sample.HasAllMaps) JudgeBits(frame.RequestId, sample);
    }

    /// <summary>Ends each gathering when its time is over, and forgets the sample. A failure here is a bug and ends the process, hence async void.</summary>
    private async void Follow(ulong request, Gathering sample, Seconds patience)
    {
        await clock.Delay(patience);
        if (!isRetired && sample is { Stage: GatheringStage.Vectors, IsJudged: false }) JudgeVectors(request, sample);
        await clock.Delay(patience);
        if (!isRetired && sample is { Stage: GatheringStage.Bits, IsJudged: false }) JudgeBits(request, sample);
        // As long again for those who are late.
        await clock.Delay(patience);
        open.Remove(request);
    }

    /// <inheritdoc cref="Follow"/>
    private async void JudgeVectors(ulong request, Gathering sample)
    {
        sample.IsJudged = true;
        rosters[GroupRequest.GroupOf(request)].Note(sample);
        if (await Compute(sample, Local) is not { } verdict) return;
        sample.IsJudged = false;
        if (verdict.IsSure)
        {
            Answer(request, sample);
            return;
        }
        sample.Stage = GatheringStage.Bits;
        foreach (var (view, replyTo) in sample.Senders) Ask(request, sample, view, replyTo);
    }

    /// <inheritdoc cref="Follow"/>
    private async void JudgeBits(ulong request, Gathering sample)
    {
        sample.IsJudged = true;
        // When nobody's bits came the local exit's verdict, though in doubt, is the best there is.
        if (!sample.HasAnyMap || await Compute(sample, Upper) is not null) Answer(request, sample);
    }

    private async Task<Verdict> Local()
    {
        var took = await tail.RunLocal(1);
        return Verdict.Of(tail.LocalLogits(0), Card.Local, took);
    }

    private async Task<Verdict> Upper()
    {
        var took = await tail.RunEdge(1);
        var edge = Verdict.Of(tail.EdgeLogits(0), Card.Edge, took);
        if (edge.IsSure) return edge;
        took += await tail.RunCloud(1);
        return Verdict.Of(tail.CloudLogits(0), Card.Cloud, took);
    }

    /// <summary>Lets exits look at a sample, one sample after another: the networks have one place for it. Null when they are gone.</summary>
    private async Task<Verdict?> Compute(Gathering sample, Func<Task<Verdict>> judge)
    {
        await turn.Wait();
        try
        {
            if (isRetired) return null;
            sample.Load(tail);
            sample.Verdict = await judge();
            load.Batch(sample.Verdict.Compute);
            if (isRetired) tail.Dispose();
            return isRetired ? null : sample.Verdict;
        }
        finally
        {
            turn.Release();
        }
    }

    private void Answer(ulong request, Gathering sample)
    {
        sample.Stage = GatheringStage.Answered;
        foreach (var (view, replyTo) in sample.Senders) Tell(request, sample, view, replyTo);
    }

    private void Tell(ulong request, Gathering sample, int view, Topic replyTo)
    {
        load.Served(Waited(sample, view));
        bus.Publish(replyTo, Reply(request, sample, view) with { Status = OffloadStatus.Ok, Label = sample.Verdict.Label, Confidence = Quantity.Rounded(sample.Verdict.Confidence) });
    }

    private void Ask(ulong request, Gathering sample, int view, Topic replyTo) => bus.Publish(replyTo, Reply(request, sample, view));

    private Reply Reply(ulong request, Gathering sample, int view) => new()
    {
        RequestId = request,
        Status = OffloadStatus.BitsWanted,
        Queue = Quantity.Rounded(Waited(sample, view)),
        Compute = Quantity.Rounded(sample.Verdict.Compute),
        Batch = sample.Present,
    };

    /// <summary>What a view's last frame waited here, without the computing.</summary>
    private Seconds Waited(Gathering sample, int view) => Seconds.Max(Seconds.Zero, clock.Since(sample.Arrival(view)) - sample.Verdict.Compute);
}
