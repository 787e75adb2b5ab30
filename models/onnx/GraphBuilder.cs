namespace Fleet.Onnx;

/// <summary>A square window that slides: side, step and zero padding in pixels, and the groups that channels fall into.</summary>
public readonly record struct Window(int Kernel, int Stride = 1, int Padding = 0, int Groups = 1);

/// <summary>
/// Builds an fp32 graph node by node, in execution order. Images are [N, channels, height, width], vectors [N, features]; N is
/// symbolic. Each method adds the node that produces the named value and returns that name.
/// Operators: https://onnx.ai/onnx/operators/ at operator set 17.
/// </summary>
public sealed class GraphBuilder(string name)
{
    /// <summary>The newest operator set whose operators used here all run on every ONNX Runtime since 1.12 (2022).</summary>
    public const int OperatorSet = 17;
    public const int IrVersion = 8;
    public const string BatchDimension = "N";

    private readonly GraphProto graph = new() { Name = name };
    private readonly HashSet<string> values = [];

    /// <param name="value">Its name.</param>
    /// <param name="extents">The shape without the batch dimension.</param>
    public string Input(string value, params ReadOnlySpan<int> extents)
    {
        Define(value);
        graph.Input.Add(Values.Float(value, extents));
        return value;
    }

    /// <inheritdoc cref="Input"/>
    public void Output(string value, params ReadOnlySpan<int> extents)
    {
        Require(value);
        graph.Output.Add(Values.Float(value, extents));
    }

    /// <param name="x">[N, in channels, height, width].</param>
    /// <param name="value">The value to produce.</param>
    /// <param name="weights">[out channels, in channels / groups, kernel, kernel], flattened.</param>
    /// <param name="bias">[out channels].</param>
    /// <param name="window">Kernel, stride, padding and groups.</param>
    public string Conv(string x, string value, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, Window window)
    {
        var inChannelsPerGroup = weights.Length / (bias.Length * window.Kernel * window.Kernel);
        return Node("Conv", value,
            [x, Constant(value + ".weight", weights, bias.Length, inChannelsPerGroup, window.Kernel, window.Kernel), Constant(value + ".bias", bias, bias.Length)],
            [.. Attributes.Of(window), Attributes.Of("group", window.Groups)]);
    }

    /// <param name="x">[N, in features].</param>
    /// <param name="value">The value to produce, [N, out features].</param>
    /// <param name="weights">[out features, in features], flattened.</param>
    /// <param name="bias">[out features].</param>
    public string Gemm(string x, string value, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias) => Node("Gemm", value,
        [x, Constant(value + ".weight", weights, bias.Length, weights.Length / bias.Length), Constant(value + ".bias", bias, bias.Length)],
        [Attributes.Of("transB", 1)]);

    /// <param name="x">[N, channels, height, width].</param>
    /// <param name="value">The value to produce.</param>
    /// <param name="window">Kernel, stride and padding.</param>
    /// <param name="roundsUp">Whether a window that ends outside the image counts.</param>
    public string MaxPool(string x, string value, Window window, bool roundsUp = false) =>
        Node("MaxPool", value, [x], [.. Attributes.Of(window), Attributes.Of("ceil_mode", roundsUp ? 1 : 0)]);

    /// <summary>[N, c f^2, height, width] to [N, c, height f, width f], as torch's pixel_shuffle orders it.</summary>
    public string DepthToSpace(string x, string value, int factor) =>
        Node("DepthToSpace", value, [x], [Attributes.Of("blocksize", factor), Attributes.Of("mode", "CRD")]);

    /// <summary>
    /// Bilinear, centres of pixels aligned: [N, channels, side, side] to [N, channels, height, width]. As two products with constant
    /// matrices, which every operator set has, unlike Resize.
    /// </summary>
    public string Resample(string x, string value, int side, int height, int width)
    {
        var rows = Node("MatMul", value + ".rows", [Constant(value + ".down", Interpolation(height, side, transposed: false), height, side), x]);
        return Node("MatMul", value, [rows, Constant(value + ".across", Interpolation(width, side, transposed: true), side, width)]);
    }

    public string Relu(string x, string value) => Node("Relu", value, [x]);

    public string Add(string a, string b, string value) => Node("Add", value, [a, b]);

    /// <summary>Values that differ in their channels only, one behind the other.</summary>
    public string Concat(ReadOnlySpan<string> parts, string value) => Node("Concat", value, parts, Attributes.Of("axis", 1));

    public string Div(string a, string b, string value) => Node("Div", value, [a, b]);

    /// <summary>-1, 0 or 1.</summary>
    public string Sign(string x, string value) => Node("Sign", value, [x]);

    public string Abs(string x, string value) => Node("Abs", value, [x]);

    /// <summary>factor x + offset, one of each a channel of [N, channels, height, width].</summary>
    public string Scaled(string x, string value, ReadOnlySpan<float> factors, ReadOnlySpan<float> offsets) => Node("Add", value,
    [
        Node("Mul", value + ".scaled", [x, Constant(value + ".factor", factors, factors.Length, 1, 1)]),
        Constant(value + ".offset", offsets, offsets.Length, 1, 1),
    ]);

    /// <summary>factor x + offset.</summary>
    public string Scaled(string x, string value, float factor, float offset) => Node("Add", value,
        [Node("Mul", value + ".scaled", [x, Constant(value + ".factor", [factor])]), Constant(value + ".offset", [offset])]);

    /// <summary>The largest over an axis (0 is the batch).</summary>
    public string ReduceMax(string x, string value, int axis, bool keepsAxis = false) => Reduce("ReduceMax", x, value, axis, keepsAxis);

    /// <summary>The mean over an axis (0 is the batch).</summary>
    public string ReduceMean(string x, string value, int axis, bool keepsAxis = false) => Reduce("ReduceMean", x, value, axis, keepsAxis);

    /// <param name="x">[N, ...].</param>
    /// <param name="value">The value to produce.</param>
    /// <param name="extents">The new shape without the batch dimension.</param>
    public string Reshape(string x, string value, params ReadOnlySpan<int> extents)
    {
        // 0 keeps the batch's extent.
        var shape = new long[extents.Length + 1];
        for (var i = 0; i < extents.Length; i++) shape[i + 1] = extents[i];
        Define(value + ".shape");
        graph.Initializer.Add(Tensors.Of(value + ".shape", shape, shape.Length));
        return Node("Reshape", value, [x, value + ".shape"]);
    }

    /// <summary>[N, channels, height, width] to [N, channels, 1, 1].</summary>
    public string GlobalAveragePool(string x, string value) => Node("GlobalAveragePool", value, [x]);

    /// <summary>[N, channels, height, width] to [N, channels * height * width].</summary>
    public string Flatten(string x, string value) => Node("Flatten", value, [x], [Attributes.Of("axis", 1)]);

    /// <summary>The finished model.</summary>
    public ModelProto Build(string producer)
    {
        var model = new ModelProto { IrVersion = IrVersion, ProducerName = producer, Graph = graph.Clone() };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = OperatorSet });
        return model;
    }

    private string Reduce(string operation, string x, string value, int axis, bool keepsAxis) =>
        Node(operation, value, [x], [Attributes.Of("axes", [axis]), Attributes.Of("keepdims", keepsAxis ? 1 : 0)]);

    private string Node(string operation, string value, ReadOnlySpan<string> inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = operation, Name = $"{operation} {value}" };
        foreach (var input in inputs)
        {
            Require(input);
            node.Input.Add(input);
        }
        foreach (var attribute in attributes) node.Attribute.Add(attribute);
        Define(value);
        node.Output.Add(value);
        graph.Node.Add(node);
        return value;
    }

    /// <summary>How much each of <paramref name="from"/> samples counts in each of <paramref name="to"/>: [to, from], or [from, to].</summary>
    private static float[] Interpolation(int to, int from, bool transposed)
    {
        var matrix = new float[to * from];
        for (var i = 0; i < to; i++)
        {
            var at = Math.Clamp((i + 0.5) * from / to - 0.5, 0, from - 1);
            var (below, share) = ((int)at, at - (int)at);
            matrix[transposed ? below * to + i : i * from + below] += (float)(1 - share);
            if (share > 0) matrix[transposed ? (below + 1) * to + i : i * from + below + 1] += (float)share;
        }
        return matrix;
    }

    /// <summary>A weight.</summary>
    private string Constant(string value, ReadOnlySpan<float> elements, params ReadOnlySpan<int> extents)
    {
        var expected = 1L;
        foreach (var extent in extents) expected *= extent;
        if (expected != elements.Length)
            throw new ArgumentException($"\"{value}\" has {elements.Length} elements; [{string.Join(", ", extents.ToArray())}] needs {expected}", nameof(elements));
        Define(value);
        long[] dims = new long[extents.Length];
        for (var i = 0; i < dims.Length; i++) dims[i] = extents[i];
        graph.Initializer.Add(Tensors.Of(value, elements, dims));
        return value;
    }

    private void Define(string value)
    {
        if (!values.Add(value)) throw new ArgumentException($"graph \"{graph.Name}\" already has a value \"{value}\"", nameof(value));
    }

    private void Require(string value)
    {
        if (!values.Contains(value)) throw new ArgumentException($"graph \"{graph.Name}\" has no value \"{value}\" yet", nameof(value));
    }
}
