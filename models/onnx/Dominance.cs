namespace Fleet.Onnx;

/// <summary>
/// Which values every path from the graph's inputs to a value passes through: its dominators. They do not depend on the order in
/// which the nodes stand. Computed as Cooper, Harvey and Kennedy do ("A simple, fast dominance algorithm", 2001), which for a graph
/// without cycles needs one pass.
/// </summary>
internal sealed class Dominance
{
    /// <summary>What stands before all inputs.</summary>
    private const string Source = "";

    private readonly Dictionary<string, string> nearest = [];
    private readonly Dictionary<string, int> depths = new() { [Source] = 0 };
    private readonly Dictionary<string, string[]> inputs = [];

    /// <exception cref="InvalidDataException">A node reads what is computed later.</exception>
    public Dominance(GraphProto graph)
    {
        var flow = new Dataflow(graph);
        foreach (var input in flow.Inputs) Place(input.Name, []);
        foreach (var node in graph.Node)
        {
            // Names that the graph does not know are those of values inside the body of an If, a Loop or a Scan.
            string[] read = [.. GraphCutter.Reads(node).Where(value => !flow.Constants.Contains(value)).Distinct()];
            if (read.FirstOrDefault(value => !depths.ContainsKey(value) && flow.Producer(value) is not null) is { } later)
                throw new InvalidDataException($"graph \"{graph.Name}\": node \"{node.Name}\" ({node.OpType}) reads \"{later}\", which is computed behind it");
            foreach (var value in node.Output.Where(value => value.Length > 0 && !flow.Constants.Contains(value)))
                Place(value, [.. read.Where(depths.ContainsKey)]);
        }
    }

    /// <summary>The dominators of a value, itself last. Empty for a constant.</summary>
    public IReadOnlyList<string> Chain(string value)
    {
        var chain = new List<string>();
        for (var at = value; nearest.TryGetValue(at, out var before); at = before) chain.Insert(0, at);
        return chain;
    }

    /// <summary>Everything that is computed from a value, itself included.</summary>
    public HashSet<string> Descendants(string value)
    {
        var found = new HashSet<string> { value };
        foreach (var (made, read) in inputs)
            if (read.Any(found.Contains)) found.Add(made);
        return found;
    }

    private void Place(string value, string[] read)
    {
        var before = read.Length == 0 ? Source : read.Aggregate(Common);
        nearest[value] = before;
        depths[value] = depths[before] + 1;
        inputs[value] = read;
    }

    private string Common(string a, string b)
    {
        while (a != b)
        {
            if (depths[a] < depths[b]) b = nearest[b];
            else a = nearest[a];
        }
        return a;
    }
}
