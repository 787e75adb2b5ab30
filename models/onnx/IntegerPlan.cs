namespace Fleet.Onnx;

/// <summary>
/// Which nodes of an fp32 graph can run in eight bits and which values get codes for that. A ReLU that alone reads such a node is
/// absorbed: codes of a range that begins at 0 clip negative values by themselves.
/// </summary>
internal sealed class IntegerPlan
{
    /// <summary>Nodes that compute anew, and so need a range for what they write.</summary>
    private static readonly HashSet<string> Computing = ["Conv", "Gemm", "Add", "Concat", "GlobalAveragePool", "AveragePool"];

    /// <summary>Nodes that only select or move elements: what they write has the codes of what they read.</summary>
    private static readonly HashSet<string> Carrying = ["MaxPool", "Flatten", "Reshape", "Transpose", "Resize", "DepthToSpace"];

    /// <summary>Other nodes that make fp32 of fp32; a value behind anything else may hold whole numbers and is left alone.</summary>
    private static readonly HashSet<string> Elementwise =
        ["Relu", "LeakyRelu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Mul", "Sub", "Div", "BatchNormalization", "Softmax"];

    private readonly Dataflow flow;
    private readonly HashSet<string> activations = [];
    private readonly HashSet<string> integer = [];
    private readonly HashSet<string> absorbed = [];
    private readonly Dictionary<string, string> origins = [];

    public IntegerPlan(GraphProto graph)
    {
        flow = new Dataflow(graph);
        foreach (var input in flow.Inputs.Where(IsFloat)) activations.Add(input.Name);
        foreach (var node in graph.Node) Classify(node);
        foreach (var input in flow.Inputs.Where(input => flow.Readers(input.Name).Any(IsInteger))) origins[input.Name] = input.Name;
        foreach (var node in graph.Node) Code(node);
    }

    /// <summary>The values with codes, each with the value whose scale and zero point it shares: itself unless it was only moved.</summary>
    public IReadOnlyDictionary<string, string> Origins => origins;

    public bool IsInteger(NodeProto node) => integer.Contains(node.Output[0]);

    /// <summary>Whether the node is a ReLU that its producer's codes make needless.</summary>
    public bool IsAbsorbed(NodeProto node) => absorbed.Contains(node.Output[0]);

    /// <summary>What a node that can run in eight bits writes, the ReLU behind it included.</summary>
    public string Written(NodeProto node) => SoleRelu(node) is { } relu && absorbed.Contains(relu) ? relu : node.Output[0];

    private void Classify(NodeProto node)
    {
        if (node.Domain.Length > 0 || node.Input.Count == 0 || !activations.Contains(node.Input[0])) return;
        var moves = Carrying.Contains(node.OpType);
        if (moves || Computing.Contains(node.OpType) || Elementwise.Contains(node.OpType)) activations.Add(node.Output[0]);
        if ((moves || Computing.Contains(node.OpType)) && HasIntegerKernel(node) && !EndsTheGraph(node)) integer.Add(node.Output[0]);
    }

    private bool HasIntegerKernel(NodeProto node) => node.OpType switch
    {
        "Conv" => HasWeights(node),
        "Gemm" => HasWeights(node) && Attributes.Int(node, "transB", 0) == 1 && Attributes.Int(node, "transA", 0) == 0
            && Attributes.Float(node, "alpha", 1) == 1 && Attributes.Float(node, "beta", 1) == 1,
        "Add" or "Concat" => node.Input.All(activations.Contains),
        "Resize" => Attributes.Text(node, "mode", "nearest") == "nearest",
        _ => node.Output.Count == 1,
    };

    private bool HasWeights(NodeProto node) => flow.Initializers.ContainsKey(node.Input[1])
        && (node.Input.Count < 3 || (flow.Initializers.TryGetValue(node.Input[2], out var bias) && bias.Dims.Count == 1));

    /// <summary>Logits that nobody reads stay fp32: eight bits would make ties of them. Convolutions have no kernel that ends in fp32.</summary>
    private bool EndsTheGraph(NodeProto node)
    {
        var written = SoleRelu(node) ?? node.Output[0];
        return node.OpType is not ("Conv" or "Gemm") && flow.IsOutput(written) && flow.Readers(written).Count == 0;
    }

    private void Code(NodeProto node)
    {
        if (!IsInteger(node))
        {
            if (activations.Contains(node.Output[0]) && !IsAbsorbed(node) && flow.Readers(node.Output[0]).Any(IsInteger)) origins.TryAdd(node.Output[0], node.Output[0]);
            return;
        }
        if (Carrying.Contains(node.OpType))
        {
            origins[node.Output[0]] = origins[node.Input[0]];
            return;
        }
        var relu = SoleRelu(node);
        var written = relu ?? node.Output[0];
        // A dense layer's kernel can end in fp32, and does unless the codes are wanted.
        if (node.OpType == "Gemm" && !flow.Readers(written).Any(IsInteger)) return;
        if (relu is not null) absorbed.Add(relu);
        origins[written] = written;
    }

    private string? SoleRelu(NodeProto node)
    {
        var value = node.Output[0];
        return !Carrying.Contains(node.OpType) && !flow.IsOutput(value) && flow.Readers(value) is [{ OpType: "Relu", Domain: "" } relu] ? relu.Output[0] : null;
    }

    private static bool IsFloat(ValueInfoProto value) => value.Type?.TensorType?.ElemType == (int)TensorProto.Types.DataType.Float;
}
