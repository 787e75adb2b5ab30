using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Controller.Quality;

/// <summary>An audited input as the controller keeps it: enough to tell what any thresholds and temperatures would have made of it.</summary>
/// <param name="Logits">For exit 1..N that the device held.</param>
/// <param name="Label">Null when nobody has told it.</param>
/// <param name="Weight">Inputs that it stands for: one over the probability with which it was drawn.</param>
public sealed record WatchedInput(string Device, IReadOnlyList<float[]> Logits, int TailLabel, double TailConfidence, int? Label, double Weight)
{
    public int Depth => Logits.Count;

    /// <summary>What is best known of its class: told, or the tail's word.</summary>
    public int Truth => Label ?? TailLabel;

    /// <summary>Null when it does not fit the model.</summary>
    public static WatchedInput? Of(string device, Audit audit, ModelCard card)
    {
        var classes = card.Classes.Count;
        if (audit.TailLabel >= classes || audit.Label >= classes || audit.Unpack(classes) is not { } logits || logits.Count > card.StageCount || audit.Exit > logits.Count) return null;
        return new WatchedInput(device, logits, audit.TailLabel, audit.TailConfidence, audit.Label, 1 / audit.Drawn);
    }

    /// <summary>How sure exit 1..N is at a temperature, and whether its answer is the tail's.</summary>
    public (double Confidence, bool Agrees) At(int exit, double temperature)
    {
        var confidence = Confidence.MaxProbability(Logits[exit - 1], temperature, out var label);
        return (confidence, label == TailLabel);
    }

    /// <summary>What an assignment makes of it; null when it runs stages that the device did not hold.</summary>
    public Verdict? Under(Assignment rule)
    {
        for (var exit = 1; exit <= Math.Min(rule.Head, Depth); exit++)
        {
            var confidence = Confidence.MaxProbability(Logits[exit - 1], rule.Temperatures.Of(exit), out var label);
            if (confidence >= rule.Thresholds.Of(exit)) return new Verdict(exit, confidence, label == TailLabel, Label is { } truth ? truth == label : null);
        }
        return rule.Head > Depth || rule.OffloadTo.Length == 0 ? null : new Verdict(0, TailConfidence, Agrees: true, Label is { } known ? known == TailLabel : null);
    }
}

/// <summary>An answer that was given, or would have been.</summary>
/// <param name="Exit">0: the tail.</param>
/// <param name="Agrees">With the tail.</param>
/// <param name="IsRight">Null when nobody knows.</param>
public readonly record struct Verdict(int Exit, double Confidence, bool Agrees, bool? IsRight);
