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

    public string Input(Extent extent)
    {
        extents["x"] = extent;
        cuts.Add("x");
        return "x";
    }

    /// <summary>Begins a section: what is made next is named after it (no dots: torch forbids them in names).</summary>
    public void Section(string name) => (section, made) = (name, 0);

    /// <summary>A square convolution with batch normalisation, padded so that stride 1 keeps height and width.</summary>
    public string Conv(string input, int channels, int kernel = 3, int stride = 1, int groups = 1)
    {
        var x = extents[input];
        var window = new Window(kernel, stride, kernel / 2, groups);
        int Side(int side) => (side + 2 * window.Padding - kernel) / stride + 1;
        return Make("conv", output => new ConvLayer(input, output, x.Channels, channels, window), new Extent(channels, Side(x.Height), Side(x.Width)));
    }

    public string Relu(string input) => Make("relu", output => new ReluLayer(input, output), extents[input]);

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

    /// <summary>A classifier: global average pooling and a dense layer.</summary>
    public void Exit(string input, int classes)
    {
        var depth = extents[input].Channels;
        var pooled = Make("pool", output => new GlobalPoolLayer(input, output), new Extent(depth, 1, 1));
        exits.Add(Make("logits", output => new DenseLayer(pooled, output, depth, classes), new Extent(classes, 1, 1)));
    }

    /// <summary>Ends a stage: the value that crosses when the rest runs elsewhere.</summary>
    public void Cut(string value) => cuts.Add(value);

    public Architecture Build() => new([.. layers], new Dictionary<string, Extent>(extents), [.. cuts], [.. exits]);

    private string Make(string kind, Func<string, Layer> layer, Extent extent)
    {
        var output = $"{section}_{kind}{++made}";
        layers.Add(layer(output));
        extents.Add(output, extent);
        return output;
    }
}
