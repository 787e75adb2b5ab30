namespace Fleet.Onnx;

/// <summary>One rewriting of a graph by <see cref="Quantiser"/>.</summary>
internal sealed class QuantisedGraph
{
    /// <summary>
    /// Processors without integer dot products add pairs of uint8 x int8 products in 16 bits: 2 * 255 * 64 still fits, so that a file
    /// answers alike on all of them.
    /// </summary>
    private const int WeightCodeMax = 64;

    /// <summary>No bias code may be larger: the sum of products is added to it in 32 bits.</summary>
    private const double BiasCodeMax = 1 << 30;

    private readonly ModelProto model;
    private readonly GraphProto source;
    private readonly GraphProto target;
    private readonly IntegerPlan plan;
    private readonly Dictionary<string, TensorProto> weights;
    private readonly Dictionary<string, (float Scale, byte ZeroPoint)> codes = [];
    private readonly HashSet<string> inputs;

    public QuantisedGraph(ModelProto model, IReadOnlyDictionary<string, ValueRange> ranges)
    {
        source = model.Graph;
        this.model = model.Clone();
        target = this.model.Graph;
        plan = new IntegerPlan(source);
        weights = source.Initializer.ToDictionary(tensor => tensor.Name);
        inputs = [.. source.Input.Select(input => input.Name)];
        foreach (var value in plan.Origins.Values.Distinct()) codes[value] = Covered(value, ranges[value]).Codes();
    }

    public ModelProto Build()
    {
        target.Node.Clear();
        target.ValueInfo.Clear();
        foreach (var (value, (scale, zeroPoint)) in codes)
            target.Initializer.Add([Tensors.Of(Scale(value), [scale]), Tensors.Scalar(Zero(value), zeroPoint)]);
        foreach (var input in source.Input.Where(input => plan.Origins.ContainsKey(input.Name))) Code(input.Name, input.Name, Decoded(input.Name));
        foreach (var node in source.Node.Where(node => !plan.IsAbsorbed(node))) Rewrite(node);
        DropUnreadWeights();
        return model;
    }

    /// <summary>An absorbed ReLU lets nothing negative through, so no code is spent on it.</summary>
    private ValueRange Covered(string value, ValueRange range) =>
        source.Node.Any(node => node.Output[0] == value && node.OpType == "Relu") ? range with { Low = 0 } : range;

    private void Rewrite(NodeProto original)
    {
        var node = original.Clone();
        for (var i = 0; i < node.Input.Count; i++)
            if (inputs.Contains(node.Input[i]) && plan.Origins.ContainsKey(node.Input[i])) node.Input[i] = Decoded(node.Input[i]);
        if (plan.IsInteger(original) && original.OpType is "Conv" or "Gemm") CodeWeights(original, node);

        var written = plan.IsInteger(original) ? plan.Written(original) : original.Output[0];
        target.Node.Add(node);
        if (!plan.Origins.ContainsKey(written)) return;
        node.Output[0] = written + ".exact";
        Code(node.Output[0], written, written);
    }

    /// <summary>Rounds a value to its codes and gives the result a name.</summary>
    private void Code(string exact, string value, string decoded)
    {
        var origin = plan.Origins[value];
        Add("QuantizeLinear", value + ".codes", [exact, Scale(origin), Zero(origin)]);
        Add("DequantizeLinear", decoded, [value + ".codes", Scale(origin), Zero(origin)]);
    }

    /// <summary>
    /// Symmetric codes a channel, scale max |w| / 64. The bias has the scale of the products, input scale times weight scale; where
    /// the weights of a channel are so small that its bias would not fit, their scale grows until it does.
    /// </summary>
    private void CodeWeights(NodeProto original, NodeProto node)
    {
        var name = original.Output[0];
        var weight = weights[original.Input[1]];
        var (elements, channels) = (Tensors.Floats(weight), (int)weight.Dims[0]);
        var bias = original.Input.Count > 2 ? Tensors.Floats(weights[original.Input[2]]) : [];
        var inputScale = codes[plan.Origins[original.Input[0]]].Scale;
        var (coded, scales) = (new sbyte[elements.Length], new float[channels]);
        var perChannel = elements.Length / channels;
        for (var channel = 0; channel < channels; channel++)
        {
            var row = elements.AsSpan(channel * perChannel, perChannel);
            scales[channel] = WeightScale(row, bias.Length > 0 ? bias[channel] : 0, inputScale);
            for (var i = 0; i < row.Length; i++) coded[channel * perChannel + i] = (sbyte)Math.Round(row[i] / scales[channel]);
        }
        node.Input[1] = Constant(name + ".weight", Tensors.Of(name + ".weight.codes", coded, [.. weight.Dims]), Tensors.Of(name + ".weight.zero", new sbyte[channels], channels), scales);
        if (bias.Length == 0) return;
        float[] biasScales = [.. scales.Select(scale => scale * inputScale)];
        int[] biasCodes = [.. bias.Zip(biasScales, (b, scale) => (int)Math.Round(b / (double)scale))];
        node.Input[2] = Constant(name + ".bias", Tensors.Of(name + ".bias.codes", biasCodes, channels), Tensors.Of(name + ".bias.zero", new int[channels], channels), biasScales);
    }

    private static float WeightScale(ReadOnlySpan<float> row, float bias, float inputScale)
    {
        var largest = 0f;
        foreach (var weight in row) largest = Math.Max(largest, Math.Abs(weight));
        var scale = Math.Max(largest / WeightCodeMax, (float)(Math.Abs((double)bias) / inputScale / BiasCodeMax));
        return scale > 0 ? scale : 1;
    }

    /// <summary>A constant in codes, one scale an element of its first axis; gives the name of the decoded value.</summary>
    private string Constant(string value, TensorProto coded, TensorProto zeros, float[] scales)
    {
        var scale = Tensors.Of(Scale(value), scales, scales.Length);
        target.Initializer.Add([coded, scale, zeros]);
        Add("DequantizeLinear", Decoded(value), [coded.Name, scale.Name, zeros.Name], Attributes.Of("axis", 0));
        return Decoded(value);
    }

    private void Add(string operation, string output, string[] read, params AttributeProto[] attributes) =>
        target.Node.Add(new NodeProto { OpType = operation, Name = $"{operation} {output}", Input = { read }, Output = { output }, Attribute = { attributes } });

    private void DropUnreadWeights()
    {
        var read = target.Node.SelectMany(GraphCutter.Reads).ToHashSet();
        var kept = target.Initializer.Where(tensor => read.Contains(tensor.Name)).ToList();
        target.Initializer.Clear();
        target.Initializer.Add(kept);
        var given = target.Input.Where(input => !weights.ContainsKey(input.Name) || read.Contains(input.Name)).ToList();
        target.Input.Clear();
        target.Input.Add(given);
    }

    private static string Scale(string value) => value + ".scale";

    private static string Zero(string value) => value + ".zero";

    private static string Decoded(string value) => value + ".decoded";
}
