namespace Fleet.Onnx;

/// <summary>A place where a graph falls into two parts that share one value: the number of nodes before it, and that value.</summary>
public readonly record struct CutCandidate(int NodesBefore, string Value);

/// <summary>Finds where an ONNX graph can be cut, and takes out the part between named values. The model itself is never changed.</summary>
public static class GraphCutter
{
    /// <summary>
    /// The positions in execution order at which exactly one computed value is alive, so that one tensor carries all that the rest
    /// needs. Values computed from constants alone do not count: they are recomputed on both sides. A network wrapped in an If
    /// node has no such position.
    /// </summary>
    public static IReadOnlyList<CutCandidate> CutPoints(ModelProto model)
    {
        var graph = model.Graph;
        var constants = new Dataflow(graph).Constants;
        var lastReader = LastReaders(graph);
        var alive = graph.Input.Select(input => input.Name).Where(name => !constants.Contains(name)).ToHashSet();
        var found = new List<CutCandidate>();
        for (var i = 0; i < graph.Node.Count - 1; i++)
        {
            var outputs = graph.Node[i].Output.Where(value => value.Length > 0 && !constants.Contains(value)).ToList();
            alive.UnionWith(outputs);
            alive.RemoveWhere(value => !lastReader.TryGetValue(value, out var reader) || reader <= i);
            if (alive.Count == 1 && alive.Single() is var value && outputs.Contains(value)) found.Add(new CutCandidate(i + 1, value));
        }
        return found;
    }

    /// <summary>The nodes that compute <paramref name="outputs"/> from <paramref name="inputs"/>, with the weights they read.</summary>
    /// <param name="model">The model to take from.</param>
    /// <param name="inputs">The part's inputs, with their types.</param>
    /// <param name="outputs">The part's outputs, with their types.</param>
    /// <exception cref="InvalidDataException">An output is not computed, or the part reads a value that the inputs do not determine.</exception>
    public static ModelProto Extract(ModelProto model, IReadOnlyCollection<ValueInfoProto> inputs, IReadOnlyCollection<ValueInfoProto> outputs)
    {
        var nodes = NodesBetween(model.Graph, [.. inputs.Select(input => input.Name)], [.. outputs.Select(output => output.Name)]);
        var read = nodes.SelectMany(Reads).ToHashSet();
        var weights = model.Graph.Initializer.Where(tensor => read.Contains(tensor.Name)).ToList();
        Check(model.Graph.Name, nodes, [.. inputs.Select(input => input.Name), .. weights.Select(tensor => tensor.Name)], outputs);

        var part = model.Clone();
        part.Graph.Node.Clear();
        part.Graph.Node.Add(nodes.Select(node => node.Clone()));
        part.Graph.Input.Clear();
        part.Graph.Input.Add(inputs.Select(input => input.Clone()));
        part.Graph.Output.Clear();
        part.Graph.Output.Add(outputs.Select(output => output.Clone()));
        part.Graph.Initializer.Clear();
        part.Graph.Initializer.Add(weights.Select(tensor => tensor.Clone()));
        part.Graph.ValueInfo.Clear();
        return part;
    }

    /// <summary>What a node reads, bodies of If, Loop and Scan included: they may read the values of the graph around them.</summary>
    public static IEnumerable<string> Reads(NodeProto node) => node.Input
        .Concat(Bodies(node).SelectMany(body => body.Node.SelectMany(Reads).Concat(body.Output.Select(output => output.Name))))
        .Where(name => name.Length > 0);

    private static IEnumerable<GraphProto> Bodies(NodeProto node) =>
        node.Attribute.SelectMany(attribute => attribute.G is null ? attribute.Graphs : attribute.Graphs.Append(attribute.G));

    private static List<NodeProto> NodesBetween(GraphProto graph, HashSet<string> inputs, HashSet<string> wanted)
    {
        var nodes = new List<NodeProto>();
        foreach (var node in graph.Node.Reverse())
        {
            if (!node.Output.Any(output => wanted.Contains(output) && !inputs.Contains(output))) continue;
            nodes.Add(node);
            wanted.UnionWith(Reads(node));
        }
        nodes.Reverse();
        return nodes;
    }

    private static void Check(string graph, List<NodeProto> nodes, HashSet<string> given, IReadOnlyCollection<ValueInfoProto> outputs)
    {
        var computed = nodes.SelectMany(node => node.Output).ToHashSet();
        foreach (var output in outputs.Where(output => !computed.Contains(output.Name)))
            throw new InvalidDataException($"graph \"{graph}\" does not compute \"{output.Name}\" from [{string.Join(", ", given)}]");
        foreach (var node in nodes)
            foreach (var missing in node.Input.Where(name => name.Length > 0 && !given.Contains(name) && !computed.Contains(name)))
                throw new InvalidDataException($"graph \"{graph}\" cannot be cut there: node \"{node.Name}\" ({node.OpType}) also reads \"{missing}\"");
    }

    /// <summary>For each value, the index of the last node that reads it; the graph's outputs are read for ever.</summary>
    private static Dictionary<string, int> LastReaders(GraphProto graph)
    {
        var last = new Dictionary<string, int>();
        for (var i = 0; i < graph.Node.Count; i++)
            foreach (var value in Reads(graph.Node[i])) last[value] = i;
        foreach (var output in graph.Output) last[output.Name] = int.MaxValue;
        return last;
    }
}
