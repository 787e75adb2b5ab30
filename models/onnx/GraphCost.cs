namespace Fleet.Onnx;

/// <summary>
/// What a graph costs to run once, counted from the shapes of one run. Multiply-accumulates stand apart by the kind of kernel that
/// does them, as software runs the kinds at different rates: convolutions with fewer than four input channels (first), with one
/// channel a group (depthwise), of 1x1 (pointwise), all others, and dense layers. Other operators count nothing.
/// </summary>
/// <param name="FirstConvMacs">Multiply-accumulates of convolutions with fewer than four input channels.</param>
/// <param name="ConvMacs">Of other convolutions.</param>
/// <param name="PointwiseMacs">Of convolutions of 1x1.</param>
/// <param name="DepthwiseMacs">Of convolutions with one channel a group.</param>
/// <param name="DenseMacs">Of matrix products.</param>
/// <param name="OutputElements">Elements written by convolutions and matrix products.</param>
/// <param name="Layers">Convolutions and matrix products.</param>
/// <param name="PeakActivationBytes">
/// The most that values take up at one time when the nodes run in the file's order: what a node reads and writes, and what is kept
/// for later nodes. A node that changes its input element by element writes in place when nobody reads that input later.
/// </param>
/// <param name="ParameterBytes">Weights as they stand in the file.</param>
/// <param name="Parameters">Weights and offsets, one by one, in whatever type they are stored; the scales and zero points of eight-bit values are none.</param>
/// <param name="LayerActivationBytes">
/// The most that one node reads and writes, in bytes of fp32 whatever the type. Nodes that change their input element by element, and
/// those between eight bits and fp32, count nothing.
/// </param>
/// <param name="Int8Macs">Of all multiply-accumulates, those between eight-bit values, written as operators on integers or between DequantizeLinear and QuantizeLinear.</param>
/// <param name="NarrowConvMacs">Of <paramref name="ConvMacs"/>, those in groups of 2 to 15 channels.</param>
/// <param name="NarrowPointwiseMacs">Of <paramref name="PointwiseMacs"/>, likewise.</param>
/// <param name="OtherElements">Elements written by pooling, addition, concatenation and the like; activations and norms behind a convolution or matrix product are part of it.</param>
public sealed record GraphCost(
    double FirstConvMacs,
    double ConvMacs,
    double PointwiseMacs,
    double DepthwiseMacs,
    double DenseMacs,
    long OutputElements,
    int Layers,
    long PeakActivationBytes,
    long ParameterBytes,
    long Parameters,
    long LayerActivationBytes,
    double Int8Macs,
    double NarrowConvMacs,
    double NarrowPointwiseMacs,
    long OtherElements)
{
    private const int FirstConvChannels = 4;

    /// <summary>Groups of so many channels and more run as any convolution.</summary>
    private const int WideGroup = 16;

    private static readonly GraphCost Nothing = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    private static readonly HashSet<string> InPlace =
        ["Relu", "LeakyRelu", "PRelu", "Elu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "BatchNormalization", "Dropout", "Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze"];

    private static readonly HashSet<string> Quantising = ["QuantizeLinear", "DequantizeLinear"];

    private static readonly HashSet<string> OnIntegers = ["ConvInteger", "QLinearConv", "MatMulInteger", "QLinearMatMul", "QGemm"];

    /// <summary>Runtimes compute these with what wrote their input.</summary>
    private static readonly HashSet<string> Activations = ["Relu", "LeakyRelu", "PRelu", "Elu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "BatchNormalization"];

    /// <summary>These change no element, or write a handful at the network's end.</summary>
    private static readonly HashSet<string> Free = ["Constant", "Shape", "Cast", "Dropout", "Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Softmax", "LogSoftmax", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"];

    /// <summary>Multiply-accumulates of all kinds.</summary>
    public double Macs => FirstConvMacs + ConvMacs + PointwiseMacs + DepthwiseMacs + DenseMacs;

    /// <param name="model">The whole graph or a part that was cut out of it.</param>
    /// <param name="shapes">At least of every value that its nodes read and write; weights need not be there.</param>
    /// <exception cref="InvalidDataException">A shape is missing.</exception>
    public static GraphCost Of(ModelProto model, IReadOnlyDictionary<string, ValueShape> shapes)
    {
        var weights = model.Graph.Initializer.ToDictionary(tensor => tensor.Name, ValueShape.Of);
        ValueShape Shape(string value) => weights.TryGetValue(value, out var weight) ? weight : shapes.TryGetValue(value, out var shape) ? shape
            : throw new InvalidDataException($"graph \"{model.Graph.Name}\": the shape of \"{value}\" is not known");
        GraphCost Sum(IEnumerable<NodeProto> nodes) => nodes.Aggregate(Nothing, (sum, node) => Count(sum, node, Shape));
        var narrow = Sum(model.Graph.Node.Where(node => IsNarrow(node, Shape)));
        return Sum(model.Graph.Node) with
        {
            Int8Macs = Sum(Integers(model.Graph)).Macs,
            NarrowConvMacs = narrow.ConvMacs,
            NarrowPointwiseMacs = narrow.PointwiseMacs,
            OtherElements = CountOthers(model.Graph, Shape),
            PeakActivationBytes = Peak(model.Graph, Shape),
            ParameterBytes = BytesOfParameters(model.Graph),
            Parameters = CountParameters(model.Graph),
            LayerActivationBytes = LargestLayer(model.Graph, Shape),
        };
    }

    private static GraphCost Count(GraphCost sum, NodeProto node, Func<string, ValueShape> shape)
    {
        switch (node.OpType)
        {
            case "Conv" or "FusedConv" or "ConvInteger":
                return Convolution(sum, node, shape(node.Input[1]), shape(node.Output[0]));
            case "QLinearConv":
                return Convolution(sum, node, shape(node.Input[3]), shape(node.Output[0]));
            case "ConvTranspose":
                // Every element read meets the weights of its channel once.
                var (read, kernels) = (shape(node.Input[0]), shape(node.Input[1]));
                return Written(sum, shape(node.Output[0])) with { ConvMacs = sum.ConvMacs + (double)read.Elements * (kernels.Elements / kernels.Extents[0]) };
            case "Gemm" or "MatMul" or "MatMulInteger" or "FusedMatMul" or "QLinearMatMul" or "QGemm":
                var (a, product) = (shape(node.Input[0]), shape(node.Output[0]));
                var inner = Attributes.Int(node, "transA", 0) == 0 || a.Extents.Count < 2 ? a.Extents[^1] : a.Extents[^2];
                return Written(sum, product) with { DenseMacs = sum.DenseMacs + (double)product.Elements * inner };
            default:
                return sum;
        }
    }

    /// <param name="sum">What was counted before.</param>
    /// <param name="node">Its group attribute is read.</param>
    /// <param name="kernels">[out channels, in channels / groups, extents...].</param>
    /// <param name="written">[batch, out channels, extents...].</param>
    private static GraphCost Convolution(GraphCost sum, NodeProto node, ValueShape kernels, ValueShape written)
    {
        var groups = Attributes.Int(node, "group", 1);
        var channels = kernels.Extents[1] * groups;
        var macs = (double)kernels.Elements / kernels.Extents[0] * written.Elements;
        var counted = Written(sum, written);
        if (channels < FirstConvChannels) return counted with { FirstConvMacs = sum.FirstConvMacs + macs };
        if (groups == channels) return counted with { DepthwiseMacs = sum.DepthwiseMacs + macs };
        return kernels.Extents.Skip(2).All(extent => extent == 1) ? counted with { PointwiseMacs = sum.PointwiseMacs + macs } : counted with { ConvMacs = sum.ConvMacs + macs };
    }

    private static GraphCost Written(GraphCost sum, ValueShape written) =>
        sum with { OutputElements = sum.OutputElements + written.Elements, Layers = sum.Layers + 1 };

    /// <summary>Products of what stands in eight bits: on integers, or of two values that were just read from codes.</summary>
    private static IEnumerable<NodeProto> Integers(GraphProto graph)
    {
        var read = graph.Node.Where(node => node.OpType == "DequantizeLinear").Select(node => node.Output[0]).ToHashSet();
        return graph.Node.Where(node => OnIntegers.Contains(node.OpType) || node.Input.Count > 1 && read.Contains(node.Input[0]) && read.Contains(node.Input[1]));
    }

    private static bool IsNarrow(NodeProto node, Func<string, ValueShape> shape)
    {
        if (node.OpType is not ("Conv" or "FusedConv" or "ConvInteger" or "QLinearConv")) return false;
        var (groups, channels) = (Attributes.Int(node, "group", 1), shape(node.Input[node.OpType == "QLinearConv" ? 3 : 1]).Extents[1]);
        return groups > 1 && channels is > 1 and < WideGroup && groups * channels >= FirstConvChannels;
    }

    private static long CountOthers(GraphProto graph, Func<string, ValueShape> shape)
    {
        var constants = new Dataflow(graph).Constants;
        var kernels = new HashSet<string>();
        var elements = 0L;
        foreach (var node in graph.Node.Where(node => node.Output[0].Length > 0 && !constants.Contains(node.Output[0])))
        {
            var isKernel = Count(Nothing, node, shape).Layers > 0;
            if (isKernel || kernels.Contains(node.Input.FirstOrDefault("")) && (Activations.Contains(node.OpType) || Quantising.Contains(node.OpType))) kernels.Add(node.Output[0]);
            else if (!Free.Contains(node.OpType)) elements += shape(node.Output[0]).Elements;
        }
        return elements;
    }

    private static long Peak(GraphProto graph, Func<string, ValueShape> shape)
    {
        var flow = new Dataflow(graph);
        var last = new Dictionary<string, int>();
        for (var i = 0; i < graph.Node.Count; i++)
            foreach (var value in GraphCutter.Reads(graph.Node[i])) last[value] = i;
        var alive = flow.Inputs.ToDictionary(input => input.Name, input => shape(input.Name).Bytes);
        var peak = alive.Values.Sum();
        for (var i = 0; i < graph.Node.Count; i++)
        {
            var node = graph.Node[i];
            if (InPlace.Contains(node.OpType) && last[node.Input[0]] == i && !flow.IsOutput(node.Input[0])) alive.Remove(node.Input[0]);
            foreach (var made in node.Output.Where(value => value.Length > 0 && !flow.Constants.Contains(value) && (last.ContainsKey(value) || flow.IsOutput(value))))
                alive[made] = shape(made).Bytes;
            peak = Math.Max(peak, alive.Values.Sum());
            foreach (var value in alive.Keys.Where(value => !flow.IsOutput(value) && (!last.TryGetValue(value, out var reader) || reader <= i)).ToList()) alive.Remove(value);
        }
        return peak;
    }

    private static long LargestLayer(GraphProto graph, Func<string, ValueShape> shape)
    {
        var constants = new Dataflow(graph).Constants;
        return graph.Node.Where(node => !InPlace.Contains(node.OpType) && !Quantising.Contains(node.OpType))
            .Select(node => GraphCutter.Reads(node).Concat(node.Output).Where(value => value.Length > 0 && !constants.Contains(value)).Distinct().Sum(value => sizeof(float) * shape(value).Elements))
            .DefaultIfEmpty(0).Max();
    }

    /// <summary>Whole numbers are weights only where a node turns them into fp32; else they are extents and axes.</summary>
    private static long CountParameters(GraphProto graph)
    {
        var scales = graph.Node.Where(node => Quantising.Contains(node.OpType)).SelectMany(node => node.Input.Skip(1)).ToHashSet();
        var coded = graph.Node.Where(node => node.OpType == "DequantizeLinear").Select(node => node.Input[0]).ToHashSet();
        return graph.Initializer.Where(tensor => !scales.Contains(tensor.Name) && (coded.Contains(tensor.Name) || IsReal(tensor))).Sum(tensor => ValueShape.Of(tensor).Elements)
            + graph.Node.Where(node => node.OpType == "Constant" && !scales.Contains(node.Output[0])).SelectMany(node => node.Attribute).Where(attribute => attribute.T is not null && IsReal(attribute.T)).Sum(attribute => ValueShape.Of(attribute.T).Elements);
    }

    private static bool IsReal(TensorProto tensor) =>
        (TensorProto.Types.DataType)tensor.DataType is TensorProto.Types.DataType.Float or TensorProto.Types.DataType.Float16 or TensorProto.Types.DataType.Bfloat16 or TensorProto.Types.DataType.Double;

    private static long BytesOfParameters(GraphProto graph) =>
        graph.Initializer.Sum(tensor => ValueShape.Of(tensor).Bytes)
        + graph.Node.Where(node => node.OpType == "Constant").SelectMany(node => node.Attribute).Where(attribute => attribute.T is not null).Sum(attribute => ValueShape.Of(attribute.T).Bytes);
}
