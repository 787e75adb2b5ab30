using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Fleet.Onnx;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>The torch module of an architecture: images [N, channels, height, width] in, the logits [N, classes] of every exit out.</summary>
public sealed class EarlyExitNet : nn.Module<Tensor, Tensor[]>
{
    private readonly Dictionary<string, Conv2d> convolutions = [];
    private readonly Dictionary<string, BatchNorm2d> norms = [];
    private readonly Dictionary<string, Linear> dense = [];

    /// <param name="architecture">The layers.</param>
    /// <param name="seed">Determines the initial weights; seeds torch's generator.</param>
    public EarlyExitNet(Architecture architecture, int seed) : base("net")
    {
        Architecture = architecture;
        random.manual_seed(seed);
        foreach (var layer in architecture.Layers)
        {
            if (layer is ConvLayer conv) AddConvolution(conv);
            if (layer is DenseLayer full) AddDense(full);
        }
    }

    public Architecture Architecture { get; }

    public long ParameterCount => parameters().Sum(parameter => parameter.numel());

    public override Tensor[] forward(Tensor input)
    {
        var values = new Dictionary<string, Tensor> { [Architecture.Input] = input };
        foreach (var layer in Architecture.Layers) values[layer.Output] = Apply(layer, values);
        return [.. Architecture.Exits.Select(exit => values[exit])];
    }

    /// <summary>A convolution's weights [out, in / groups, kernel, kernel] and bias [out] with its batch normalisation folded in.</summary>
    public (float[] Weights, float[] Bias) Folded(ConvLayer layer)
    {
        var norm = norms[layer.Output];
        var atInference = new BatchNormalization(Elements(norm.weight), Elements(norm.bias), Elements(norm.running_mean), Elements(norm.running_var), Epsilon);
        return atInference.Fold(Elements(convolutions[layer.Output].weight));
    }

    /// <summary>A dense layer's weights [out, in] and bias [out].</summary>
    public (float[] Weights, float[] Bias) Weights(DenseLayer layer) => (Elements(dense[layer.Output].weight), Elements(dense[layer.Output].bias));

    /// <summary>SHA-256 over all weights and running statistics, by name: equal for equal networks.</summary>
    public string WeightsHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (_, tensor) in state_dict().Where(entry => entry.Value.dtype == ScalarType.Float32).OrderBy(entry => entry.Key, StringComparer.Ordinal))
            hash.AppendData(MemoryMarshal.AsBytes<float>(Elements(tensor)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The logits of every exit for every image: [exit][image * classes + class]. Leaves the module in evaluation mode.</summary>
    public float[][] Logits(ImageSet images)
    {
        const int batch = 250;
        var classes = Architecture.ClassCount;
        var logits = Architecture.Exits.Select(_ => new float[images.Count * classes]).ToArray();
        eval();
        using var noGradient = no_grad();
        for (var start = 0; start < images.Count; start += batch)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(batch, images.Count - start);
            var pixels = new float[count * images.PixelCount];
            for (var i = 0; i < count; i++) images.Normalise(start + i, pixels.AsSpan(i * images.PixelCount, images.PixelCount));
            var outputs = forward(tensor(pixels, [count, 1, images.Side, images.Side]));
            for (var exit = 0; exit < outputs.Length; exit++) Elements(outputs[exit]).CopyTo(logits[exit], start * classes);
        }
        return logits;
    }

    private const double Epsilon = 1e-5;

    private Tensor Apply(Layer layer, Dictionary<string, Tensor> values) => layer switch
    {
        ConvLayer conv => norms[conv.Output].forward(convolutions[conv.Output].forward(values[conv.Input])),
        ReluLayer relu => nn.functional.relu(values[relu.Input]),
        SumLayer sum => values[sum.A] + values[sum.B],
        GlobalPoolLayer pool => values[pool.Input].mean([2, 3]),
        DenseLayer full => dense[full.Output].forward(values[full.Input]),
        _ => throw new NotSupportedException($"no torch operation for {layer}"),
    };

    private void AddConvolution(ConvLayer layer)
    {
        var (kernel, stride, padding, groups) = layer.Window;
        var convolution = nn.Conv2d(layer.InChannels, layer.OutChannels, (long)kernel, stride: stride, padding: padding, groups: groups, bias: false);
        nn.init.kaiming_normal_(convolution.weight!, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        var norm = nn.BatchNorm2d(layer.OutChannels, eps: Epsilon);
        register_module(layer.Output, convolution);
        register_module(layer.Output + "_norm", norm);
        convolutions.Add(layer.Output, convolution);
        norms.Add(layer.Output, norm);
    }

    private void AddDense(DenseLayer layer)
    {
        var linear = nn.Linear(layer.InFeatures, layer.OutFeatures);
        register_module(layer.Output, linear);
        dense.Add(layer.Output, linear);
    }

    private static float[] Elements(Tensor? tensor) => [.. tensor!.detach().contiguous().data<float>()];
}
