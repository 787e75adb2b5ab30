using System.Globalization;
using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Experiments.Splitting;

/// <summary>One way of answering a device's inputs, as a policy that everybody follows.</summary>
/// <param name="Policy">As a scenario names it.</param>
/// <param name="Accuracy">On the whole test set, by the recorded answers.</param>
/// <param name="Bytes">Mean payload of an inference on the whole test set, 0 where nothing crosses.</param>
/// <param name="Macs">Mean work of the device.</param>
public sealed record SplitWay(string Name, string Policy, double Accuracy, double Bytes, double Macs)
{
    /// <summary>Confidence from which the first exit answers where exits and a bottleneck work together.</summary>
    public const double Sure = 0.9;

    /// <summary>On the device, the input sent, features sent, latents sent, and latents sent only when exit 1 is not sure.</summary>
    public static IReadOnlyList<SplitWay> Of(Stock stock, ModelFiles model)
    {
        var (card, trace) = (model.Card, stock.TestTrace(model));
        var stages = card.StageCount;
        return
        [
            new("exit 1 on the device", Split("cut=1:threshold_ratio=0"), ExitAccuracy(trace, 1), 0, card.HeadWork(1).Total.Value),
            new("whole network on the device", Split($"cut={stages}:threshold_ratio=2"), ExitAccuracy(trace, stages), 0, card.HeadWork(stages).Total.Value),
            .. card.Routes.Select(card.RouteOf).Where(route => route.Codec is not FeatureCodec.Float16).Select(route => Over(route)),
            .. card.Routes.Select(card.RouteOf).Where(route => route.Bottleneck > 0).Select(WhenUnsure),
        ];

        SplitWay Over(Route route)
        {
            var where = route.Bottleneck > 0 ? $"bottleneck={route.Bottleneck}" : $"cut={route.Cut}:codec={Route.CodecName(route.Codec)}";
            return new SplitWay(Called(route), Split($"{where}:threshold_ratio=2"), RouteAccuracy(trace, route), Enumerable.Range(0, trace.Samples).Average(i => (double)SizeOf(route, i)), Work(route));
        }

        SplitWay WhenUnsure(Route route)
        {
            var (right, bytes, sent) = (0, 0L, 0);
            Span<float> logits = stackalloc float[trace.Classes];
            for (var i = 0; i < trace.Samples; i++)
            {
                TensorPrimitives.ConvertToSingle(trace.ExitLogits(1, i), logits);
                if (Confidence.MaxProbability(logits, card.Exit(1).Temperature, out var label) < Sure)
                {
                    sent++;
                    bytes += SizeOf(route, i);
                    TensorPrimitives.ConvertToSingle(trace.RouteLogits(route, i), logits);
                    label = Confidence.ArgMax(logits);
                }
                if (label == trace.Label(i)) right++;
            }
            double samples = trace.Samples;
            return new SplitWay($"exit 1 or {Called(route)}", Split(string.Create(CultureInfo.InvariantCulture, $"bottleneck={route.Bottleneck}:threshold_ratio={Sure}")), right / samples, bytes / samples,
                card.HeadWork(1).Total.Value + sent / samples * card.Bottleneck(route.Bottleneck).Encoder.Work.Total.Value);
        }

        int SizeOf(Route route, int sample) => trace.PayloadBytes(route, sample) ?? FeatureCodecs.EncodedBytes(route.Codec, card.Crossing(route.Tail).Elements);

        double Work(Route route) => route.Cut == 0 ? 0 : card.HeadWork(route.Cut).Total.Value + (route.Bottleneck > 0 ? card.Bottleneck(route.Bottleneck).Encoder.Work.Total.Value : 0);

        string Called(Route route) => route.Bottleneck > 0 ? $"bottleneck {card.Bottleneck(route.Bottleneck).Name}" : route.Cut == 0 ? $"input as {Route.CodecName(route.Codec)}" : $"features of cut {route.Cut}, {Route.CodecName(route.Codec)}";
    }

    /// <summary>Of the final exit when everything crosses by the route.</summary>
    public static double RouteAccuracy(Trace trace, Route route, int samples = int.MaxValue) => Share(trace, samples, i => trace.RouteLogits(route, i));

    private static double ExitAccuracy(Trace trace, int exit) => Share(trace, int.MaxValue, i => trace.ExitLogits(exit, i));

    private delegate ReadOnlySpan<Half> LogitsOf(int sample);

    private static double Share(Trace trace, int samples, LogitsOf of)
    {
        var (right, count) = (0, Math.Min(samples, trace.Samples));
        Span<float> logits = stackalloc float[trace.Classes];
        for (var i = 0; i < count; i++)
        {
            TensorPrimitives.ConvertToSingle(of(i), logits);
            if (Confidence.ArgMax(logits) == trace.Label(i)) right++;
        }
        return (double)right / count;
    }

    private static string Split(string settings) => $"{Controller.Planning.StaticSplit.PolicyName}:{settings}";
}
