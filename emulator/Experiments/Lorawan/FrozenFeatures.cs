using Fleet.Models;
using Fleet.Models.Federating;

namespace Fleet.Emulator.Experiments.Lorawan;

/// <summary>What the first stage of the zoo's network makes of real images, averaged over the picture: one value a channel, standardised on images that nobody learns from.</summary>
/// <param name="Learn">Devices draw from it.</param>
/// <param name="Test">Nobody learns from it.</param>
public sealed record FrozenFeatures(FeatureSet Learn, FeatureSet Test)
{
    private const string Model = "fmnist";
    private const int Standardising = 400;
    private const int Learning = 2600;
    private const int Testing = 1500;

    public static FrozenFeatures Of(Stock stock)
    {
        var model = stock.Models[Model];
        var images = stock.Images(model.Card.Replays);
        var all = Averaged(model, stock, images, 0, Standardising + Learning + Testing);
        Standardise(all, Standardising);
        return new FrozenFeatures(all.Take([.. Enumerable.Range(Standardising, Learning)]), all.Take([.. Enumerable.Range(Standardising + Learning, Testing)]));
    }

    /// <summary>Of some images: the channels of cut 1, each averaged over the picture.</summary>
    internal static FeatureSet Averaged(ModelFiles model, Stock stock, LabelledImages images, int first, int count)
    {
        var (input, cut) = (model.Card.Cuts[0], model.Card.Cuts[1]);
        var (channels, plane) = (cut.Shape[0], cut.Shape[1] * cut.Shape[2]);
        var rows = new Activations(1, Activations.Pinned(input.Elements), cut.Elements, model.Card.Classes.Count) { Count = 1 };
        using var engine = new OnnxEngine(stock.Stage(model, 1), rows, input.Shape, cut.Shape);
        var (features, labels) = (new float[count * channels], new int[count]);
        for (var i = 0; i < count; i++)
        {
            var pixels = images.Image(first + i).Span;
            for (var p = 0; p < pixels.Length; p++) rows.Input[p] = (float)((pixels[p] / 255.0 - model.Card.InputMean) / model.Card.InputStd);
            // Engines over ONNX files complete before they return.
            engine.Run().AsTask().GetAwaiter().GetResult();
            labels[i] = images.Label(first + i);
            for (var channel = 0; channel < channels; channel++)
            {
                var sum = 0.0;
                foreach (var value in rows.Features.AsSpan(channel * plane, plane)) sum += value;
                features[i * channels + channel] = (float)(sum / plane);
            }
        }
        return new FeatureSet(features, labels, channels);
    }

    /// <summary>To mean 0 and deviation 1 over the first rows; what never differs becomes 0.</summary>
    internal static void Standardise(FeatureSet all, int first)
    {
        for (var i = 0; i < all.Width; i++)
        {
            var values = Enumerable.Range(0, first).Select(row => (double)all.Features[row * all.Width + i]).ToList();
            var mean = values.Average();
            var deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
            for (var row = 0; row < all.Rows; row++)
                all.Features[row * all.Width + i] = deviation > 0 ? (float)((all.Features[row * all.Width + i] - mean) / deviation) : 0;
        }
    }
}
