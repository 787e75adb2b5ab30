using Fleet.Onnx;

namespace Fleet.Training;

/// <summary>Lays a network out layer by layer. Each method takes the name of a value and returns the name of the one it makes.</summary>
public sealed class ArchitectureBuilder
{
    private readonly List<Layer> layers = [];
    private readonly Dictionary<string, Extent> extents = [];
    private readonly List<string> cuts = [];
    private readonly List<string> exits = [];
    private string section = "";
    private int made;

    public string Input(Extent extent, string name = "x")
    {
        extents[name] = extent;
        cuts.Add(name);
        return name;
    }

    /// <summary>Begins a section: what is made next is named after it (no dots: torch forbids them in names).</summary>
    public void Section(string name) => (section, made) = (name, 0);

    public Extent ExtentOf(string value) => extents[value];

    /// <summary>A square convolution with batch normalisation, padded so that stride 1 keeps height and width.</summary>
    public string Conv(string input, int channels, int kernel = 3, int stride = 1, int groups = 1) =>
        Conv(input, channels, new Window(kernel, stride, kernel / 2, groups), hasNorm: true);

    public string Conv(string input, int channels, Window window, bool hasNorm)
    {
        var x = extents[input];
        int Side(int side) => (side + 2 * window.Padding - window.Kernel) / window.Stride + 1;
        return Make("conv", output => new ConvLayer(input, output, x.Channels, channels, window, hasNorm), new Extent(channels, Side(x.Height), Side(x.Width)));
    }

    public string Relu(string input) => Make("relu", output => new ReluLayer(input, output), extents[input]);

    /// <summary>The largest of each 2x2 square; odd sides round up (the pooling of Chainer, in which BranchyNet was written).</summary>
    public string HalvingPool(string input)
    {
        var x = extents[input];
        return Make("pool", output => new MaxPoolLayer(input, output, new Window(2, 2), RoundsUp: true), new Extent(x.Channels, (x.Height + 1) / 2, (x.Width + 1) / 2));
    }

    /// <summary>Depthwise then pointwise convolution, each followed by ReLU (Howard et al., MobileNets, 2017, figure 3).</summary>
    public string DepthwiseSeparable(string input, int channels, int stride = 1)
    {
        var depth = extents[input].Channels;
        return Relu(Conv(Relu(Conv(input, depth, 3, stride, groups: depth)), channels, kernel: 1));
    }

    /// <summary>Two 3x3 convolutions and a shortcut, projected where shapes differ (He et al., Deep residual learning, 2016, equation 2).</summary>
    public string Residual(string input, int channels, int stride = 1)
    {
        var body = Conv(Relu(Conv(input, channels, 3, stride)), channels);
        var shortcut = extents[input].Channels == channels && stride == 1 ? input : Conv(input, channels, 1, stride);
        return Relu(Make("sum", output => new SumLayer(body, shortcut, output), extents[body]));
    }

    /// <summary>Height and width times <paramref name="factor"/>, channels divided by its square.</summary>
    public string Shuffle(string input, int factor)
    {
        var x = extents[input];
        return Make("shuffle", output => new ShuffleLayer(input, output, factor), new Extent(x.Channels / (factor * factor), x.Height * factor, x.Width * factor));
    }

    /// <summary>The parts of <paramref name="devices"/> devices become one of the same size, or stay side by side when the scheme is to put them so.</summary>
    public string Aggregate(string input, int devices, Aggregation scheme)
    {
        if (scheme is Aggregation.Concatenation) return input;
        var part = extents[input] with { Channels = extents[input].Channels / devices };
        return Make("aggregate", output => new AggregateLayer(input, output, devices, scheme, part), part);
    }

    public string Flatten(string input) => Make("flat", output => new FlattenLayer(input, output), new Extent(extents[input].Elements, 1, 1));

    public string Dense(string input, int features)
    {
        var depth = extents[input].Elements;
        return Make("dense", output => new DenseLayer(input, output, depth, features), new Extent(features, 1, 1));
    }

    /// <summary>A classifier: global average pooling and a dense layer.</summary>
    public void Exit(string input, int classes)
    {
        var depth = extents[input].Channels;
        Exit(Dense(Make("pool", output => new GlobalPoolLayer(input, output), new Extent(depth, 1, 1)), classes));
    }

    /// <summary>Declares a value to be an exit's logits.</summary>
    public void Exit(string logits) => exits.Add(logits);

    /// <summary>Ends a stage: the value that crosses when the rest runs elsewhere.</summary>
    public void Cut(string value) => cuts.Add(value);

    /// <summary>Appends layers of another network, whose inputs already have their names here.</summary>
    public void Append(IEnumerable<Layer> others, IReadOnlyDictionary<string, Extent> theirs)
    {
        foreach (var layer in others)
        {
            layers.Add(layer);
            extents.Add(layer.Output, theirs[layer.Output]);
        }
    }

    /// <summary>Gives the last layer's value another name.</summary>
    public string Rename(string value, string name)
    {
        if (layers[^1].Output != value) throw new ArgumentException($"\"{value}\" is not what the last layer makes", nameof(value));
        layers[^1] = layers[^1] with { Output = name };
        extents.Remove(value, out var extent);
        extents.Add(name, extent);
        return name;
    }

    public Architecture Build() => new([.. layers], new Dictionary<string, Extent>(extents), [.. cuts], [.. exits]);

    private string Make(string kind, Func<string, Layer> layer, Extent extent)
    {
        var output = $"{section}_{kind}{++made}";
        layers.Add(layer(output));
        extents.Add(output, extent);
        return output;
    }
}
