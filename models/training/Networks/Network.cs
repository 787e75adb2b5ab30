using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Fleet.Onnx;
using Fleet.Terminal;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>The torch module of an architecture: images [N, channels, height, width] in, the logits [N, classes] of every exit out.</summary>
public sealed class Network : nn.Module<Tensor, Tensor[]>
{
    private const double Epsilon = 1e-5;

    private readonly Dictionary<string, Conv2d> convolutions = [];
    private readonly Dictionary<string, BatchNorm2d> norms = [];
    private readonly Dictionary<string, Linear> dense = [];
    private readonly HashSet<string> frozen = [];

    /// <param name="architecture">The layers.</param>
    /// <param name="seed">Determines the initial weights; seeds torch's generator.</param>
    public Network(Architecture architecture, int seed) : base("net")
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

    public override Tensor[] forward(Tensor input)
    {
        var values = Values(Architecture.Input, input, Architecture.Layers);
        return [.. Architecture.Exits.Select(exit => values[exit])];
    }

    /// <summary>Everything that <paramref name="layers"/> compute from one value, by name.</summary>
    public Dictionary<string, Tensor> Values(string name, Tensor value, IEnumerable<Layer> layers)
    {
        var values = new Dictionary<string, Tensor> { [name] = value };
        foreach (var layer in layers) values[layer.Output] = Apply(layer, values);
        return values;
    }

    /// <summary>Training mode, but for what is frozen: its running statistics stay too.</summary>
    public void Train()
    {
        train();
        foreach (var (name, norm) in norms)
            if (frozen.Contains(name)) norm.eval();
    }

    /// <summary>Excludes layers from training, running statistics included.</summary>
    public void Freeze(IEnumerable<Layer> layers)
    {
        foreach (var layer in layers)
        {
            frozen.Add(layer.Output);
            foreach (var parameter in ParametersOf(layer)) parameter.requires_grad_(false);
        }
    }

    /// <summary>Lets all layers be trained again.</summary>
    public void Thaw()
    {
        frozen.Clear();
        foreach (var parameter in parameters()) parameter.requires_grad_(true);
    }

    /// <summary>Lets some layers be trained again.</summary>
    public void Thaw(IEnumerable<Layer> layers)
    {
        foreach (var layer in layers)
        {
            frozen.Remove(layer.Output);
            foreach (var parameter in ParametersOf(layer)) parameter.requires_grad_(true);
        }
    }

    /// <summary>Lets the batch normalisation of some layers follow new data, their convolutions staying.</summary>
    /// <param name="layers">Which.</param>
    /// <param name="statisticsOnly">Whether scales and offsets stay too.</param>
    public void ThawNorms(IEnumerable<Layer> layers, bool statisticsOnly)
    {
        foreach (var layer in layers)
        {
            if (!norms.TryGetValue(layer.Output, out var norm)) continue;
            frozen.Remove(layer.Output);
            if (statisticsOnly) continue;
            foreach (var parameter in norm.parameters()) parameter.requires_grad_(true);
        }
    }

    /// <summary>Takes the statistics of all batch normalisation that is not frozen from these images alone.</summary>
    public void EstimateStatistics(ImageSet images)
    {
        // Twenty passes in batches: with the customary momentum of 0.1 what was there before fades below a thousandth.
        const int passes = 20;
        Train();
        using var noGradient = no_grad();
        for (var pass = 0; pass < passes; pass++)
        {
            foreach (var (_, batch) in images.Batches(128))
            {
                using var scope = NewDisposeScope();
                forward(batch());
            }
        }
    }

    /// <summary>Takes over weights and running statistics of every layer that <paramref name="other"/> has under the same name.</summary>
    /// <returns>How many layers were taken.</returns>
    public int CopyFrom(Network other)
    {
        using var noGradient = no_grad();
        var (mine, theirs) = (state_dict(), other.state_dict());
        foreach (var (name, tensor) in mine)
            if (theirs.TryGetValue(name, out var source)) tensor.copy_(source);
        return Architecture.Layers.Count(layer => other.convolutions.ContainsKey(layer.Output) || other.dense.ContainsKey(layer.Output));
    }

    /// <summary>A convolution's weights [out, in / groups, kernel, kernel] and bias [out], its batch normalisation folded in where it has one.</summary>
    public (float[] Weights, float[] Bias) Folded(ConvLayer layer)
    {
        var convolution = convolutions[layer.Output];
        if (!layer.HasNorm) return (Elements(convolution.weight), Elements(convolution.bias));
        var norm = norms[layer.Output];
        var atInference = new BatchNormalization(Elements(norm.weight), Elements(norm.bias), Elements(norm.running_mean), Elements(norm.running_var), Epsilon);
        return atInference.Fold(Elements(convolution.weight));
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
    public float[][] Logits(ImageSet images) => ProgressBar.Show($"answers to {images.Count} images", progress => Logits(images, progress));

    private float[][] Logits(ImageSet images, Action<double> progress)
    {
        var classes = Architecture.ClassCount;
        var logits = Architecture.Exits.Select(_ => new float[images.Count * classes]).ToArray();
        eval();
        using var noGradient = no_grad();
        foreach (var (first, batch) in images.Batches(250))
        {
            using var scope = NewDisposeScope();
            var outputs = forward(batch());
            for (var exit = 0; exit < outputs.Length; exit++) Elements(outputs[exit]).CopyTo(logits[exit], first * classes);
            progress((double)first / images.Count);
        }
        return logits;
    }

    public static float[] Elements(Tensor? tensor) => [.. tensor!.detach().contiguous().data<float>()];

    private Tensor Apply(Layer layer, Dictionary<string, Tensor> values) => layer switch
    {
        ConvLayer conv => Convolve(conv, values[conv.Input]),
        ReluLayer relu => nn.functional.relu(values[relu.Input], inplace: true),
        MaxPoolLayer pool => nn.functional.max_pool2d(values[pool.Input], pool.Window.Kernel, pool.Window.Stride, pool.Window.Padding, 1, pool.RoundsUp),
        SumLayer sum => values[sum.A] + values[sum.B],
        ShuffleLayer shuffle => ChannelsLast(nn.functional.pixel_shuffle(values[shuffle.Input], shuffle.Factor)),
        GlobalPoolLayer pool => values[pool.Input].mean([2, 3]),
        FlattenLayer flatten => values[flatten.Input].flatten(1),
        AggregateLayer aggregate => Aggregating.Of(values[aggregate.Input], aggregate.Devices, aggregate.Scheme),
        DenseLayer full => dense[full.Output].forward(values[full.Input]),
        _ => throw new NotSupportedException($"no torch operation for {layer}"),
    };

    private Tensor Convolve(ConvLayer layer, Tensor input)
    {
        var output = convolutions[layer.Output].forward(input);
        if (layer.InChannels == 1) output = ChannelsLast(output);
        return layer.HasNorm ? norms[layer.Output].forward(output) : output;
    }

    /// <summary>
    /// Lays the channels of a pixel side by side in memory. Values and shape stay; on processors convolutions are 1.5 times faster
    /// so, depthwise ones 6 times, and what follows keeps the layout. (With one channel torch cannot tell the layouts apart.)
    /// </summary>
    private static Tensor ChannelsLast(Tensor images) => images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

    private IEnumerable<Parameter> ParametersOf(Layer layer)
    {
        if (convolutions.TryGetValue(layer.Output, out var convolution)) foreach (var parameter in convolution.parameters()) yield return parameter;
        if (norms.TryGetValue(layer.Output, out var norm)) foreach (var parameter in norm.parameters()) yield return parameter;
        if (dense.TryGetValue(layer.Output, out var linear)) foreach (var parameter in linear.parameters()) yield return parameter;
    }

    private void AddConvolution(ConvLayer layer)
    {
        var (kernel, stride, padding, groups) = layer.Window;
        var convolution = nn.Conv2d(layer.InChannels, layer.OutChannels, (long)kernel, stride: stride, padding: padding, groups: groups, bias: !layer.HasNorm);
        nn.init.kaiming_normal_(convolution.weight!, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        register_module(layer.Output, convolution);
        convolutions.Add(layer.Output, convolution);
        if (!layer.HasNorm) return;
        var norm = nn.BatchNorm2d(layer.OutChannels, eps: Epsilon);
        register_module(layer.Output + "_norm", norm);
        norms.Add(layer.Output, norm);
    }

    private void AddDense(DenseLayer layer)
    {
        var linear = nn.Linear(layer.InFeatures, layer.OutFeatures);
        register_module(layer.Output, linear);
        dense.Add(layer.Output, linear);
    }
}
