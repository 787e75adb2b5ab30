namespace Fleet.Onnx;

/// <summary>
/// Post-training static quantisation: rewrites an fp32 graph with pairs of QuantizeLinear and DequantizeLinear around what can run
/// in eight bits, the form that ONNX Runtime fuses into QLinearConv, QGemm, QLinearAdd and the like (Jacob et al., "Quantization and
/// training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018). Weights are int8, symmetric, one scale
/// an output channel; activations uint8, one scale and zero point a tensor; biases int32. Inputs and outputs stay fp32 and keep
/// their names; an output that has codes is rounded to them.
/// <para>
/// ONNX Runtime multiplies uint8 by int8 exactly on Arm and on x86 with VNNI; older x86 adds pairs of products in 16 bits, which
/// large weights and activations would saturate. Weights therefore keep to seven bits, -64 to 64.
/// </para>
/// </summary>
public static class Quantiser
{
    /// <summary>DequantizeLinear has one scale a channel since this operator set.</summary>
    private const int OperatorSetMin = 13;

    /// <summary>The values whose ranges <see cref="Quantise"/> needs, in order of computing.</summary>
    /// <exception cref="InvalidDataException">The model cannot be quantised; see <see cref="Quantise"/>.</exception>
    public static IReadOnlyList<string> Observed(ModelProto model)
    {
        Check(model);
        return [.. new IntegerPlan(model.Graph).Origins.Where(pair => pair.Key == pair.Value).Select(pair => pair.Key)];
    }

    /// <param name="model">An fp32 model; it is not changed.</param>
    /// <param name="ranges">A range for each value that <see cref="Observed"/> names.</param>
    /// <exception cref="InvalidDataException">
    /// The model is quantised already, imports operators older than set 13, has nothing that runs in eight bits, or a range is missing or not finite.
    /// </exception>
    public static ModelProto Quantise(ModelProto model, IReadOnlyDictionary<string, ValueRange> ranges)
    {
        var missing = Observed(model).Where(value => !ranges.ContainsKey(value)).ToList();
        if (missing.Count > 0) throw new InvalidDataException($"graph \"{model.Graph.Name}\": no range is given for {string.Join(", ", missing)}");
        return new QuantisedGraph(model, ranges).Build();
    }

    private static void Check(ModelProto model)
    {
        var graph = model.Graph;
        var version = model.OpsetImport.Where(set => set.Domain.Length == 0).Select(set => set.Version).FirstOrDefault();
        if (version < OperatorSetMin) throw new InvalidDataException($"graph \"{graph.Name}\" imports operator set {version}; {OperatorSetMin} or newer is needed");
        if (graph.Node.FirstOrDefault(node => node.OpType == "QuantizeLinear") is { } node) throw new InvalidDataException($"graph \"{graph.Name}\" is quantised already: node \"{node.Name}\"");
        var plan = new IntegerPlan(graph);
        if (!graph.Node.Any(plan.IsInteger)) throw new InvalidDataException($"graph \"{graph.Name}\" has no node that can run in eight bits");
    }
}
