namespace Fleet.Onnx;

/// <summary>Who makes and who reads the values of a graph whose nodes stand in execution order, as the format demands.</summary>
internal sealed class Dataflow
{
    private readonly Dictionary<string, NodeProto> producers = [];
    private readonly Dictionary<string, List<NodeProto>> readers = [];
    private readonly HashSet<string> outputs;

    public Dataflow(GraphProto graph)
    {
        outputs = [.. graph.Output.Select(output => output.Name)];
        Initializers = graph.Initializer.ToDictionary(tensor => tensor.Name);
        Constants = [.. Initializers.Keys];
        foreach (var node in graph.Node)
        {
            foreach (var value in GraphCutter.Reads(node).Distinct()) (readers.TryGetValue(value, out var known) ? known : readers[value] = []).Add(node);
            foreach (var value in node.Output.Where(value => value.Length > 0)) producers[value] = node;
            if (!node.OpType.StartsWith("Random", StringComparison.Ordinal) && GraphCutter.Reads(node).All(Constants.Contains)) Constants.UnionWith(node.Output);
        }
        Inputs = [.. graph.Input.Where(input => !Initializers.ContainsKey(input.Name))];
    }

    /// <summary>What a caller must give; old files list their weights among the graph's inputs too.</summary>
    public IReadOnlyList<ValueInfoProto> Inputs { get; }

    public IReadOnlyDictionary<string, TensorProto> Initializers { get; }

    /// <summary>Weights and what follows from weights alone.</summary>
    public HashSet<string> Constants { get; }

    public bool IsOutput(string value) => outputs.Contains(value);

    public IReadOnlyList<NodeProto> Readers(string value) => readers.TryGetValue(value, out var known) ? known : [];

    /// <summary>Null for an input or a weight.</summary>
    public NodeProto? Producer(string value) => producers.GetValueOrDefault(value);
}
