using Fleet.Models;
using Fleet.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>A linear exit on features that stay as they are: logits = W mean(features) + b, the mean over height and width.</summary>
public sealed record FrozenExit(float[] Weights, float[] Bias)
{
    private const double Rate = 0.02;
    private const int BatchSize = 128;

    /// <summary>Softmax regression by Adam on standardised features; the standardisation ends up in the weights.</summary>
    /// <param name="features">[row, channel], already averaged over space.</param>
    /// <param name="labels">One a row.</param>
    /// <param name="classes">How many there are.</param>
    /// <param name="epochs">Passes over the rows.</param>
    /// <param name="seed">Of the order of the rows.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    public static FrozenExit Train(float[] features, byte[] labels, int classes, int epochs, int seed, Action<double>? progress = null)
    {
        var channels = features.Length / labels.Length;
        using var scope = NewDisposeScope();
        torch.random.manual_seed(seed);
        var x = tensor(features, [labels.Length, channels]);
        var (mean, scale) = (x.mean([0]), x.std(0) + 1e-5);
        x = (x - mean) / scale;
        var y = tensor(labels.Select(label => (long)label).ToArray());
        var linear = nn.Linear(channels, classes);
        using var optimiser = optim.AdamW(linear.parameters(), Rate, weight_decay: 1e-3);
        var order = Enumerable.Range(0, labels.Length).Select(row => (long)row).ToArray();
        var random = new Random(seed);
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            random.Shuffle(order);
            foreach (var group in optimiser.ParamGroups) group.LearningRate = Rate * 0.5 * (1 + Math.Cos(Math.PI * epoch / epochs));
            for (var first = 0; first + BatchSize <= order.Length; first += BatchSize) Step(optimiser, linear, x, y, order.AsSpan(first, BatchSize).ToArray());
            progress?.Invoke((epoch + 1.0) / epochs);
        }
        using var noGradient = no_grad();
        var weights = linear.weight / scale;
        return new FrozenExit(Network.Elements(weights), Network.Elements(linear.bias! - weights.matmul(mean)));
    }

    /// <summary>As a graph from "features" to "logits".</summary>
    /// <param name="shape">Of the features: channels, height, width.</param>
    /// <param name="prefix">Of the values' names.</param>
    public ModelProto ToGraph(IReadOnlyList<int> shape, string prefix)
    {
        var graph = new GraphBuilder(prefix);
        graph.Input(PieceExporter.Features, [.. shape]);
        var mean = graph.Flatten(graph.GlobalAveragePool(PieceExporter.Features, prefix + "_mean"), prefix + "_flat");
        graph.Gemm(mean, PieceExporter.Logits, Weights, Bias);
        graph.Output(PieceExporter.Logits, Bias.Length);
        return graph.Build("fleet-training");
    }

    /// <summary>Means over space: [row, channel, place] to [row, channel].</summary>
    public static float[] Pool(float[] features, IReadOnlyList<int> shape)
    {
        var places = shape[1] * shape[2];
        var pooled = new float[features.Length / places];
        for (var i = 0; i < pooled.Length; i++)
        {
            var sum = 0f;
            for (var place = 0; place < places; place++) sum += features[i * places + place];
            pooled[i] = sum / places;
        }
        return pooled;
    }

    private static void Step(optim.Optimizer optimiser, TorchSharp.Modules.Linear linear, Tensor x, Tensor y, long[] rows)
    {
        using var scope = NewDisposeScope();
        var index = tensor(rows);
        optimiser.zero_grad();
        nn.functional.cross_entropy(linear.forward(x.index_select(0, index)), y.index_select(0, index)).backward();
        optimiser.step();
    }
}
