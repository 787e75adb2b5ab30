using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.EdgeServer;

/// <summary>How far the answer to one sample of a group is.</summary>
public enum GatheringStage
{
    /// <summary>Class vectors come in.</summary>
    Vectors,

    /// <summary>The local exit was in doubt and sign bits come in.</summary>
    Bits,

    /// <summary>Whoever still asks is told the answer.</summary>
    Answered,
}

/// <summary>What an exit over a group makes of a sample.</summary>
/// <param name="IsSure">Whether its normalised entropy is low enough to answer.</param>
/// <param name="Compute">Time it took.</param>
public readonly record struct Verdict(int Label, double Confidence, bool IsSure, Seconds Compute)
{
    public static Verdict Of(ReadOnlySpan<float> logits, GroupPiece exit, Seconds took)
    {
        var confidence = Models.Confidence.MaxProbability(logits, exit.Temperature, out var label);
        return new Verdict(label, confidence, Models.Confidence.NormalisedEntropy(logits) < exit.EntropyBelow, took);
    }
}

/// <summary>What the devices of a group have sent of one sample, by view.</summary>
public sealed class Gathering(GroupCard card)
{
    private readonly float[]?[] vectors = new float[]?[card.Views.Count];
    private readonly float[]?[] maps = new float[]?[card.Views.Count];
    private readonly Topic?[] senders = new Topic?[card.Views.Count];
    private readonly long[] arrivals = new long[card.Views.Count];

    public GatheringStage Stage { get; set; }

    /// <summary>An exit is looking at it; what comes meanwhile counts for the next one.</summary>
    public bool IsJudged { get; set; }

    /// <summary>Of the last exit that looked at it; the answer in the end.</summary>
    public Verdict Verdict { get; set; }

    /// <summary>How many views have sent something.</summary>
    public int Present => senders.Count(sender => sender is not null);

    public bool HasVector(int view) => vectors[view - 1] is not null;

    public bool HasAnyMap => maps.Any(map => map is not null);

    /// <summary>Whether every view whose class vector is here has sent its bits too.</summary>
    public bool HasAllMaps => !vectors.Where((vector, i) => vector is not null && maps[i] is null).Any();

    /// <summary>When the view's last frame arrived.</summary>
    public long Arrival(int view) => arrivals[view - 1];

    /// <summary>Where each view's device is answered.</summary>
    public IEnumerable<(int View, Topic ReplyTo)> Senders => senders.Select((sender, i) => (i + 1, sender)).Where(pair => pair.sender is not null).Select(pair => (pair.Item1, pair.sender!));

    /// <summary>Takes a frame that fits the card; the last one of a view counts.</summary>
    public void Add(TensorFrame frame, long now)
    {
        var at = frame.View - 1;
        (senders[at], arrivals[at]) = (frame.ReplyTo, now);
        var elements = new float[frame.Codec is FeatureCodec.Bits ? card.MapElements : card.Classes.Count];
        FeatureCodecs.Decode(frame.Codec, frame.Payload.Span, frame.Scale, frame.ZeroPoint, elements);
        (frame.Codec is FeatureCodec.Bits ? maps : vectors)[at] = elements;
    }

    /// <summary>Puts what is here into the first row of a tail; whoever is absent is zeros.</summary>
    public void Load(GroupTail tail)
    {
        tail.Clear(row: 0);
        for (var view = 1; view <= vectors.Length; view++)
        {
            vectors[view - 1]?.CopyTo(tail.Vector(0, view));
            maps[view - 1]?.CopyTo(tail.Map(0, view));
        }
    }
}

/// <summary>Which views of a group have been heard of lately: for the others nobody waits.</summary>
public sealed class Roster(int views)
{
    /// <summary>Samples in a row without a word, after which a device is not waited for.</summary>
    public const int MissesMax = 3;

    private readonly int[] misses = new int[views];

    /// <summary>Whether everybody who is waited for has sent a class vector.</summary>
    public bool IsComplete(Gathering sample) => !misses.Where((missed, i) => missed < MissesMax && !sample.HasVector(i + 1)).Any();

    /// <summary>Called once a sample, when its class vectors are judged.</summary>
    public void Note(Gathering sample)
    {
        for (var i = 0; i < misses.Length; i++) misses[i] = sample.HasVector(i + 1) ? 0 : Math.Min(misses[i] + 1, MissesMax);
    }
}
