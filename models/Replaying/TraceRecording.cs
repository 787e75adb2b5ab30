using Fleet.Contracts;

namespace Fleet.Models.Replaying;

/// <summary>How the traces of a model are made from what its files answer: whoever exports a model and whoever makes them anew writes the same.</summary>
public static class TraceRecording
{
    public const string CalibrationFile = "calibration.trace";
    public const string TestFile = "test.trace";

    /// <summary>The largest difference between a logit over a route that loses nothing and the final exit's for which the trace leaves the route out.</summary>
    public const double ImpliedDifferenceMax = 1e-4;

    /// <summary>What makes them, for their headers.</summary>
    public static string Command(string model) => $"fleet models traces {model}";

    /// <summary>The file of a set whose images have drifted.</summary>
    public static string DriftFile(TraceSet set, Drift drift) => $"{Named(set)}-{drift}.trace";

    /// <summary>What a header says of the images.</summary>
    /// <param name="madeBy">The command.</param>
    /// <param name="data">What the images are.</param>
    public static string Text(string madeBy, string data, TraceSet set) => $"{madeBy}; {data}, {Named(set)} images";

    /// <param name="text">See <see cref="Text"/>.</param>
    /// <param name="firstSample">Place in its file of the first image.</param>
    /// <param name="drift">"" when the images have not drifted.</param>
    public static Trace Of(ModelCard card, Outcomes outcomes, string text, int firstSample, string drift = "")
    {
        var stored = outcomes.Routes.Where(route => !IsImplied(route, outcomes)).ToList();
        return new Trace(
            text, ModelFiles.NetworkHash(card), firstSample, outcomes.Labels, outcomes.Classes, outcomes.Exits,
            stored.Select(route => route.Route), stored.Select(route => route.Logits), stored.Select(route => route.PayloadBytes), drift);
    }

    /// <summary>What a trace need not store: over raw images the answer is the final exit's, unless one of the two ways is int8, and their size is the shape's.</summary>
    private static bool IsImplied(RouteOutcome route, Outcomes outcomes) =>
        route.Route.Codec is FeatureCodec.Raw && route.Logits.Zip(outcomes.Exits[^1]).All(pair => Math.Abs(pair.First - pair.Second) <= ImpliedDifferenceMax);

    private static string Named(TraceSet set) => set is TraceSet.Test ? "test" : "calibration";
}
