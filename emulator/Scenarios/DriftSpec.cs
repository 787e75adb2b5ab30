using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Workload;
using Fleet.Models;

namespace Fleet.Emulator.Scenarios;

/// <summary>How the images of a device group come to differ from those its model was trained on. Planners learn of it by reports only.</summary>
public sealed record DriftSpec
{
    /// <summary>rotation, noise, blur, contrast or brightness, a dash and a level; or label, the frequent class, its share in percent: label-6-70.</summary>
    [JsonPropertyName("kind")] public required string Kind { get; init; }

    /// <summary>When it begins.</summary>
    [JsonPropertyName("at_s")] public Seconds At { get; init; }

    /// <summary>The share of images that have drifted grows from 0 to 1 in this time; 0: at once.</summary>
    [JsonPropertyName("ramp_s")] public Seconds Ramp { get; init; }

    /// <summary>Absent: it stays. What drifts later takes its place.</summary>
    [JsonPropertyName("for_s")] public Seconds? For { get; init; }

    [JsonIgnore] public bool IsOfLabels => LabelShift.Names(Kind);

    /// <summary>Share of images that have drifted.</summary>
    public double Share(Seconds now) =>
        now < At || now >= At + (For ?? new Seconds(double.PositiveInfinity)) ? 0 : Ramp > Seconds.Zero ? Math.Min(1, (now - At) / Ramp) : 1;

    /// <param name="model">Null when it is unknown, which is told elsewhere.</param>
    public IEnumerable<string> Faults(ModelCard? model, InferenceKind inference)
    {
        if (!(At.Value is >= 0 and <= 1e9)) yield return $".at_s is {At.Value}; allowed: 0 to 1e9";
        if (!(Ramp.Value is >= 0 and <= 1e9)) yield return $".ramp_s is {Ramp.Value}; allowed: 0 to 1e9";
        if (For is { Value: not (> 0 and <= 1e9) } length) yield return $".for_s is {length.Value}; allowed: above 0 to 1e9";
        if (Told(out var drift, out var shift) is { } wrong) yield return $".kind: {wrong}";
        else if (model is null) yield break;
        else if (shift is { } labels && labels.Label >= model.Classes.Count) yield return $".kind is \"{Kind}\"; {model.Name} has classes 0 to {model.Classes.Count - 1}";
        else if (drift is not null && inference is InferenceKind.Trace && ReplayImages.Recorded(model, drift.Value) is null)
            yield return $".kind is \"{Kind}\"; with traced inference {model.Name} allows {string.Join(", ", model.DriftTraces.Where(trace => trace.Set is TraceSet.Test).Select(trace => trace.Drift))}, and label shifts";
    }

    /// <summary>What it means, or what is wrong with it.</summary>
    private string? Told(out Drift? drift, out LabelShift? shift)
    {
        (drift, shift) = (null, null);
        try
        {
            if (IsOfLabels) shift = LabelShift.Parse(Kind);
            else drift = Drift.Parse(Kind);
            return null;
        }
        catch (FaultsException e)
        {
            return e.Message;
        }
    }
}
