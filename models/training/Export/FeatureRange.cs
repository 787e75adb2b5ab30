using Fleet.Contracts;
using Fleet.Models.Replaying;

namespace Fleet.Training;

/// <summary>
/// How int8 crosses a cut. Features come out of a ReLU and are never negative, so all 256 codes cover 0..limit: zero point -128,
/// scale limit / 255. A limit below the largest value clips a few values and resolves all others more finely.
/// </summary>
public static class FeatureRange
{
    private const int LowestCode = sbyte.MinValue;
    private const int Codes = 255;

    /// <summary>Training images that the quantiles are taken from.</summary>
    private const int SampleCount = 2000;

    /// <summary>From the widest: of equals in accuracy the one that clips least wins.</summary>
    private static readonly double[] Quantiles = [1, 0.9999, 0.999];

    /// <summary>
    /// The card with int8 scales for cuts 1..N-1: of the limits that quantiles of the training features suggest, the one with
    /// which the tail is right most often on the calibration images.
    /// </summary>
    public static async Task<ModelCard> Choose(ModelCard card, ModelReplay replay, ImageSets sets)
    {
        var sample = sets.Train.Slice(0, Math.Min(SampleCount, sets.Train.Count));
        for (var cut = 1; cut < card.StageCount; cut++)
        {
            var features = await replay.Features(card, sample.Run, cut);
            Array.Sort(features);
            ModelCard? best = null;
            var bestAccuracy = -1.0;
            foreach (var quantile in Quantiles)
            {
                var candidate = WithLimit(card, cut, features[(int)Math.Round(quantile * (features.Length - 1))]);
                var outcomes = await replay.Run(candidate, sets.Calibration.Run, [new Route(cut, FeatureCodec.Int8)]);
                var accuracy = outcomes.Accuracy(outcomes.Routes[0]);
                if (accuracy > bestAccuracy) (best, bestAccuracy) = (candidate, accuracy);
            }
            card = best!;
        }
        return card;
    }

    private static ModelCard WithLimit(ModelCard card, int cut, float limit) => card with
    {
        Cuts = [.. card.Cuts.Select(point => point.Cut != cut ? point : point with { Scale = Math.Max(limit, 1e-6f) / Codes, ZeroPoint = LowestCode })],
    };
}
