namespace Fleet.Onnx;

/// <summary>A place where a graph falls into two parts that share one value.</summary>
/// <param name="Value">All that crosses.</param>
/// <param name="NodesBefore">Nodes that compute it and the earlier outputs.</param>
/// <param name="EarlierOutputs">Outputs of the graph that the part before the cut computes: those of exits that the flow has passed.</param>
/// <param name="LaterOutputs">Outputs that follow from the value alone; never empty.</param>
public sealed record CutCandidate(string Value, int NodesBefore, IReadOnlyList<string> EarlierOutputs, IReadOnlyList<string> LaterOutputs);

/// <summary>A place between two nodes, and the computed values and inputs that the nodes behind it read.</summary>
public sealed record CrossingValues(int NodesBefore, IReadOnlyList<string> Values);

/// <summary>Finds where an ONNX graph can be cut, and takes out the part between named values. The model itself is never changed.</summary>
public static class GraphCutter
{
    private static readonly HashSet<string> Recurrent = ["LSTM", "GRU", "RNN", "Loop", "Scan"];

    /// <summary>
    /// The values through which all flow to the last output passes, in order of computing. An output that does not need the value is
    /// computed before the cut, whatever the order of the nodes. One that hangs on the value itself goes with the part before the cut
    /// when the file computes it before it goes on, as early-exit networks do. Values computed from constants alone do not count:
    /// they are recomputed on both sides.
    /// </summary>
    /// <exception cref="InvalidDataException">The nodes do not stand in execution order.</exception>
    public static IReadOnlyList<CutCandidate> CutPoints(ModelProto model)
    {
        var graph = model.Graph;
        var order = graph.Node.SelectMany((node, i) => node.Output.Select(value => (value, i))).Where(pair => pair.value.Length > 0).ToDictionary(pair => pair.value, pair => pair.i);
        var computed = graph.Output.Select(output => output.Name).Where(order.ContainsKey).Distinct().OrderBy(value => order[value]).ToList();
        if (computed.Count == 0) return [];
        var dominance = new Dominance(graph);
        var chains = computed.ToDictionary(output => output, output => dominance.Chain(output).ToHashSet());
        var onTheWay = NodesBetween(graph, [], [computed[^1]]).SelectMany(node => node.Output).ToHashSet();
        var found = new List<CutCandidate>();
        foreach (var value in dominance.Chain(computed[^1]).Where(value => order.ContainsKey(value) && value != computed[^1]))
        {
            var behind = dominance.Descendants(value);
            if (computed.Any(output => behind.Contains(output) && !chains[output].Contains(value))) continue;
            var goesOn = behind.Where(made => made != value && onTheWay.Contains(made)).Min(made => order[made]);
            var earlier = computed.Where(output => !behind.Contains(output) || order[output] < goesOn).ToList();
            found.Add(new CutCandidate(value, NodesBetween(graph, [], [value, .. earlier]).Count, earlier, [.. computed.Except(earlier)]));
        }
        return found;
    }

    /// <summary>Why no value of the graph should cross a network, as part of a sentence; null when nothing stands against it.</summary>
    public static string? Refusal(ModelProto model)
    {
        // A recurrent network often stands inside a choice: that it is recurrent is the reason that no other file of it takes away.
        if (Find(model.Graph, Recurrent.Contains, within: "") is { } recurrent) return recurrent + " is recurrent: it keeps state from step to step, which a cut between devices would have to carry along";
        if (Find(model.Graph, type => type is "If", within: "") is { } choice) return choice + " chooses between networks while it runs, so what crosses a cut is not known beforehand";
        if (CutPoints(model).Count > 0) return null;
        return Narrowest(model) is { } narrowest
            ? $"nowhere does a single value carry all that the rest of the graph needs; the narrowest place lies after {narrowest.NodesBefore} of {model.Graph.Node.Count} nodes, where {narrowest.Values.Count} cross: {string.Join(", ", narrowest.Values)}"
            : "there is no value between its inputs and its outputs";
    }

    /// <summary>Between two nodes in the file's order: where the fewest values cross, computed ones among them. Null for a single node.</summary>
    public static CrossingValues? Narrowest(ModelProto model)
    {
        var graph = model.Graph;
        var flow = new Dataflow(graph);
        var last = new Dictionary<string, int>();
        for (var i = 0; i < graph.Node.Count; i++)
            foreach (var value in Reads(graph.Node[i])) last[value] = i;
        var alive = flow.Inputs.Select(input => input.Name).ToList();
        CrossingValues? narrowest = null;
        for (var i = 0; i < graph.Node.Count - 1; i++)
        {
            alive.AddRange(graph.Node[i].Output.Where(value => value.Length > 0 && !flow.Constants.Contains(value)));
            alive.RemoveAll(value => !last.TryGetValue(value, out var reader) || reader <= i);
            if (alive.Any(value => flow.Producer(value) is not null) && (narrowest is null || alive.Count < narrowest.Values.Count)) narrowest = new CrossingValues(i + 1, [.. alive]);
        }
        return narrowest;
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

    /// <summary>The first node of such an operator, in the graph or in any body inside it.</summary>
    private static string? Find(GraphProto graph, Func<string, bool> isSuch, string within)
    {
        foreach (var node in graph.Node)
        {
            if (isSuch(node.OpType)) return $"node \"{node.Name}\" ({node.OpType}{within})";
            foreach (var body in Bodies(node))
                if (Find(body, isSuch, $", inside {node.OpType} \"{node.Name}\"") is { } inside) return inside;
        }
        return null;
    }
}
