using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Emulator.Experiments.Splitting;
using Fleet.Models;
using Fleet.Models.Federating;

namespace Fleet.Emulator.Experiments.Exits;

/// <summary>An early classifier with its threshold at a quantile of its confidences, everybody else's latent sent.</summary>
/// <param name="Early">Share answered early, <paramref name="EarlyAccuracy"/> of those (null: none), <paramref name="Accuracy"/> of all answers.</param>
/// <param name="Bytes">Mean payload of an image, 0 for those answered early.</param>
public sealed record EarlyAnswers(string Classifier, double Quantile, double Early, double? EarlyAccuracy, double Accuracy, double Bytes);

/// <summary>
/// A shipped bottleneck whose latents label images before they are sent, though it was not trained to: a linear layer fitted on the coded
/// latents of one half of the test images and judged on the other, beside the network's own exit before the bottleneck.
/// </summary>
public sealed class LatentLabels
{
    public const string Linear = "linear layer on the latent";
    public const string OwnExit = "the network's exit before it";
    private const int Passes = 150;
    private const double Rate = 0.3;
    private static readonly double[] Quantiles = [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98];

    private readonly ModelFiles model;
    private readonly Trace trace;
    private readonly Route route;
    private readonly int half;

    public LatentLabels(Stock stock, ModelFiles model, string bottleneck)
    {
        (this.model, trace) = (model, stock.TestTrace(model));
        Bottleneck = model.Card.Bottlenecks.Single(card => card.Name == bottleneck);
        route = new Route(Bottleneck.Cut, FeatureCodec.Coded, model.Card.NumberOf(bottleneck)!.Value);
        half = trace.Samples / 2;
        Answers = [.. Curve(Linear, Labelled(stock)), .. Curve(OwnExit, [.. Enumerable.Range(0, trace.Samples).Select(Own)])];
    }

    public BottleneckCard Bottleneck { get; }

    public IReadOnlyList<EarlyAnswers> Answers { get; }

    /// <summary>When all latents of the judged half are sent.</summary>
    public double SentAccuracy => Enumerable.Range(half, trace.Samples - half).Count(IsSentRight) / (double)(trace.Samples - half);

    public double SentBytes => Enumerable.Range(half, trace.Samples - half).Average(i => trace.PayloadBytes(route, i)!.Value);

    /// <summary>Confidence and answer for every image.</summary>
    private (double Confidence, int Label)[] Labelled(Stock stock)
    {
        var elements = Bottleneck.Latent.Elements;
        var (coder, symbols, features) = (new RangeCoder(model.ReadTables(route.Bottleneck)!), new int[elements], new float[trace.Samples * elements]);
        RouteRun.Of(stock, model, route, trace.Samples, finishes: false, (i, payload) =>
        {
            if (coder.Decode(payload.Span, symbols) is { } fault) throw new InvalidOperationException($"image {i}: {fault}");
            FeatureCodecs.Dequantise(symbols, Bottleneck.Scale, features.AsSpan(i * elements, elements));
        });
        Standardise(features, elements);
        var all = new FeatureSet(features, [.. Enumerable.Range(0, trace.Samples).Select(trace.Label)], elements);
        var head = new LinearHead(elements, trace.Classes);
        head.Train(all.Take([.. Enumerable.Range(0, half)]), Passes, Rate);
        var (judged, p) = (new (double, int)[trace.Samples], new double[trace.Classes]);
        for (var i = 0; i < judged.Length; i++)
        {
            head.Probabilities(all.Row(i), p);
            var label = Array.IndexOf(p, p.Max());
            judged[i] = (p[label], label);
        }
        return judged;
    }

    /// <summary>By the first half's mean and deviation of each element; those that never differ become 0.</summary>
    private void Standardise(float[] features, int elements)
    {
        for (var element = 0; element < elements; element++)
        {
            var (sum, squares) = (0.0, 0.0);
            for (var row = 0; row < half; row++)
            {
                var value = (double)features[row * elements + element];
                (sum, squares) = (sum + value, squares + value * value);
            }
            var mean = sum / half;
            var deviation = Math.Sqrt(Math.Max(0, squares / half - mean * mean));
            for (var row = 0; row < features.Length / elements; row++)
                features[row * elements + element] = deviation > 1e-9 ? (float)((features[row * elements + element] - mean) / deviation) : 0;
        }
    }

    private (double, int) Own(int sample)
    {
        Span<float> logits = stackalloc float[trace.Classes];
        TensorPrimitives.ConvertToSingle(trace.ExitLogits(Bottleneck.Cut, sample), logits);
        return (Confidence.MaxProbability(logits, 1, out var label), label);
    }

    private bool IsSentRight(int sample)
    {
        Span<float> logits = stackalloc float[trace.Classes];
        TensorPrimitives.ConvertToSingle(trace.RouteLogits(route, sample), logits);
        return Confidence.ArgMax(logits) == trace.Label(sample);
    }

    private IEnumerable<EarlyAnswers> Curve(string name, (double Confidence, int Label)[] judged)
    {
        var fitted = judged.Take(half).Select(one => one.Confidence).Order().ToArray();
        foreach (var quantile in Quantiles)
        {
            var threshold = quantile == 0 ? 0 : fitted[(int)(quantile * half)];
            var (early, earlyRight, right, bytes) = (0, 0, 0, 0L);
            for (var i = half; i < judged.Length; i++)
            {
                if (judged[i].Confidence >= threshold)
                {
                    early++;
                    if (judged[i].Label == trace.Label(i)) earlyRight++;
                    continue;
                }
                bytes += trace.PayloadBytes(route, i)!.Value;
                if (IsSentRight(i)) right++;
            }
            double count = judged.Length - half;
            yield return new EarlyAnswers(name, quantile, early / count, early == 0 ? null : (double)earlyRight / early, (earlyRight + right) / count, bytes / count);
        }
    }
}
