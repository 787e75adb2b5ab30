using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Models;

namespace Fleet.Emulator.Workload;

/// <summary>
/// What emulated devices may see: the test images, and behind them, numbered on, the first of them as each drift of the scenario changes them. Traces are
/// joined in the same order, so that a drifted sample's number finds its recorded answers.
/// </summary>
public sealed class ReplayImages
{
    /// <summary>How many images are drifted where no trace says.</summary>
    private const int DriftedCount = 2000;

    private readonly LabelledImages images;
    private readonly IReadOnlyList<DriftedImages> drifted;
    private readonly Dictionary<(int Label, int Among), int[]> byLabel = [];
    private readonly Lock gate = new();

    private ReplayImages(LabelledImages images, IReadOnlyList<DriftedImages> drifted) => (this.images, this.drifted, Drifts) = (images, drifted, [.. drifted.Select(one => one.Drift)]);

    public IReadOnlyList<Drift> Drifts { get; }

    /// <param name="card">Of the model that sees them.</param>
    /// <param name="inference">With traces nobody looks at the pixels: those of the image that drifted stand for them.</param>
    public static ReplayImages Of(LabelledImages images, ModelCard card, IReadOnlyList<Drift> drifts, InferenceKind inference)
    {
        var first = images.Count;
        var all = new List<DriftedImages>();
        foreach (var drift in drifts)
        {
            var count = Math.Min(images.Count, Recorded(card, drift)?.Samples ?? DriftedCount);
            all.Add(new DriftedImages(drift, first, count, inference is InferenceKind.Onnx ? drift.Of(images, 0, count) : null));
            first += count;
        }
        return new ReplayImages(images, all);
    }

    /// <summary>The test trace of a drift; null when the model has none.</summary>
    public static DriftTrace? Recorded(ModelCard card, Drift drift) => card.DriftTraces.FirstOrDefault(trace => trace.Set is TraceSet.Test && trace.Drift == drift.ToString());

    /// <summary>How many images there are with this drift; of all when null.</summary>
    public int CountOf(Drift? drift) => drift is { } known ? Of(known).Count : images.Count;

    public Sample Sample(int image, Drift? drift)
    {
        if (drift is not { } known) return images.Sample(image);
        var set = Of(known);
        return new Sample(set.First + image, images.Label(image), set.Pixels?.Image(image) ?? images.Image(image));
    }

    /// <summary>Those of a class among the first so many, or those of all other classes.</summary>
    public int[] Pick(int label, bool isOther, int among)
    {
        lock (gate)
        {
            var key = (isOther ? ~label : label, among);
            return byLabel.TryGetValue(key, out var known) ? known : byLabel[key] = [.. Enumerable.Range(0, among).Where(image => images.Label(image) == label != isOther)];
        }
    }

    private DriftedImages Of(Drift drift) => drifted.First(one => one.Drift == drift);

    private sealed record DriftedImages(Drift Drift, int First, int Count, LabelledImages? Pixels);
}
