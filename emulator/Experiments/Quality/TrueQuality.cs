using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Workload;
using Fleet.Models;

namespace Fleet.Emulator.Experiments.Quality;

/// <summary>How good answers truly are: means over all images that may come, by their labels and by what the tail says of each.</summary>
/// <param name="Agreement">Share of answers that are the tail's.</param>
/// <param name="Accuracy">Share of right answers.</param>
/// <param name="TailAccuracy">The same if the tail were always asked.</param>
/// <param name="Offloaded">Share that is sent.</param>
public readonly record struct TrueQuality(double Agreement, double Accuracy, double TailAccuracy, double Offloaded)
{
    public static TrueQuality operator +(TrueQuality a, TrueQuality b) => new(a.Agreement + b.Agreement, a.Accuracy + b.Accuracy, a.TailAccuracy + b.TailAccuracy, a.Offloaded + b.Offloaded);

    public static TrueQuality operator *(TrueQuality quality, double weight) => new(quality.Agreement * weight, quality.Accuracy * weight, quality.TailAccuracy * weight, quality.Offloaded * weight);
}

/// <summary>Judges assignments on the test trace, which no controller sees, and on those of a scenario's drifts.</summary>
public sealed class Truth
{
    private readonly ModelCard card;
    private readonly Trace trace;
    private readonly Dictionary<string, (int First, int Count)> segments = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Head, PerExit Thresholds, PerExit Temperatures, Route? Route, int First), TrueQuality> known = [];

    public Truth(Scenario scenario, Stock stock)
    {
        var model = stock.Models[scenario.Model];
        (card, trace) = (model.Card, stock.TestTrace(model, scenario.Drifts));
        var images = stock.Replays(card, scenario.Drifts, scenario.Inference);
        var first = images.CountOf(null);
        segments[""] = (0, first);
        foreach (var drift in scenario.Drifts)
        {
            segments[drift.ToString()] = (first, images.CountOf(drift));
            first += images.CountOf(drift);
        }
    }

    /// <summary>Under what a device runs, on what it sees at a time.</summary>
    public TrueQuality Of(Assignment runs, DeviceGroup group, Seconds at)
    {
        var (sum, left) = (default(TrueQuality), 1.0);
        foreach (var drift in group.Drift.OrderByDescending(drift => drift.At.Value))
        {
            sum += On(runs, drift.Kind) * (left * drift.Share(at));
            left *= 1 - drift.Share(at);
        }
        return sum + On(runs, "") * left;
    }

    private TrueQuality On(Assignment runs, string drift)
    {
        var (first, count) = segments[drift];
        var route = runs.OffloadTo.Length > 0 ? runs.RouteIn(card) : (Route?)null;
        var key = (runs.Head, runs.Thresholds, runs.Temperatures, route, first);
        return known.TryGetValue(key, out var quality) ? quality : known[key] = Judge(runs, route, first, count);
    }

    private TrueQuality Judge(Assignment runs, Route? route, int first, int count)
    {
        var (agrees, right, tailRight, sent, logits) = (0, 0, 0, 0, new float[trace.Classes]);
        for (var sample = first; sample < first + count; sample++)
        {
            TensorPrimitives.ConvertToSingle(route is { } crossing ? trace.RouteLogits(crossing, sample) : trace.ExitLogits(trace.Exits, sample), logits);
            var (tail, answer) = (Confidence.ArgMax(logits), -1);
            for (var exit = 1; exit <= runs.Head && answer < 0; exit++)
            {
                TensorPrimitives.ConvertToSingle(trace.ExitLogits(exit, sample), logits);
                if (Confidence.MaxProbability(logits, runs.Temperatures.Of(exit), out var label) >= runs.Thresholds.Of(exit)) answer = label;
            }
            if (answer < 0) (answer, sent) = (tail, sent + 1);
            if (answer == tail) agrees++;
            if (answer == trace.Label(sample)) right++;
            if (tail == trace.Label(sample)) tailRight++;
        }
        return new TrueQuality(agrees, right, tailRight, sent) * (1.0 / count);
    }
}
