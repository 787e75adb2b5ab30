using Fleet.Contracts;
using Fleet.Models;
using Fleet.Onnx;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Training;

/// <summary>What the activations of an fp32 piece do on calibration inputs, counted while ONNX Runtime runs it.</summary>
public sealed class ActivationRanges
{
    private const int Batch = 50;

    private readonly Dictionary<string, ValueHistogram> histograms;

    private ActivationRanges(Dictionary<string, ValueHistogram> histograms) => this.histograms = histograms;

    /// <param name="model">An fp32 piece with one input.</param>
    /// <param name="inputs">What to run: [row, element], flattened.</param>
    /// <param name="shape">The shape of a row.</param>
    /// <exception cref="FaultsException">The model cannot be quantised or run, or there is no row.</exception>
    public static ActivationRanges Observe(ModelProto model, ReadOnlySpan<float> inputs, IReadOnlyList<int> shape)
    {
        var name = model.Graph.Name;
        var elements = shape.Aggregate((a, b) => a * b);
        if (inputs.Length == 0 || inputs.Length % elements != 0) throw new FaultsException(name, $"{inputs.Length} elements are no rows of {elements}");
        try
        {
            var observed = Quantiser.Observed(model);
            var input = model.Graph.Input[0].Name;
            var histograms = observed.ToDictionary(value => value, _ => new ValueHistogram());
            using var session = new InferenceSession(Exposure.Of(model, observed.Where(value => value != input)).ToByteArray(), Options());
            for (var start = 0; start < inputs.Length; start += Batch * elements)
            {
                var rows = inputs.Slice(start, Math.Min(Batch * elements, inputs.Length - start)).ToArray();
                if (histograms.TryGetValue(input, out var given)) given.Add(rows);
                Count(session, histograms, input, rows, [rows.Length / elements, .. shape.Select(extent => (long)extent)]);
            }
            return new ActivationRanges(histograms);
        }
        catch (Exception e) when (e is InvalidDataException or OnnxRuntimeException)
        {
            throw new FaultsException(name, e.Message.Split('\n')[0]);
        }
    }

    /// <summary>From the smallest value seen to the largest.</summary>
    public IReadOnlyDictionary<string, ValueRange> MinMax() => histograms.ToDictionary(pair => pair.Key, pair => pair.Value.MinMax());

    /// <summary>Without the share of 1 - <paramref name="ratio"/> of the values at either end.</summary>
    public IReadOnlyDictionary<string, ValueRange> Percentile(double ratio) => histograms.ToDictionary(pair => pair.Key, pair => pair.Value.Percentile(ratio));

    private static void Count(InferenceSession session, Dictionary<string, ValueHistogram> histograms, string input, float[] rows, long[] extents)
    {
        using var run = new RunOptions();
        using var value = OrtValue.CreateTensorValueFromMemory(rows, extents);
        string[] wanted = [.. session.OutputNames.Where(output => output != input && histograms.ContainsKey(output))];
        using var seen = session.Run(run, [input], [value], wanted);
        foreach (var (output, tensor) in wanted.Zip(seen)) histograms[output].Add(tensor.GetTensorDataAsSpan<float>());
    }

    private static SessionOptions Options() => new() { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
}
