namespace Fleet.Onnx;

/// <summary>Lets whoever runs a model see values inside it.</summary>
public static class Exposure
{
    /// <summary>
    /// The model with <paramref name="values"/> among its outputs, behind its own and without a type: ONNX Runtime infers that. The
    /// runtime cannot fuse across a value that it must show, so such a model is for looking, not for serving.
    /// </summary>
    /// <exception cref="InvalidDataException">The graph computes no such value.</exception>
    public static ModelProto Of(ModelProto model, IEnumerable<string> values)
    {
        var exposed = model.Clone();
        var shown = exposed.Graph.Output.Select(output => output.Name).ToHashSet();
        var computed = exposed.Graph.Node.SelectMany(node => node.Output).ToHashSet();
        foreach (var value in values)
        {
            if (!computed.Contains(value)) throw new InvalidDataException($"graph \"{model.Graph.Name}\" computes no value \"{value}\"");
            if (shown.Add(value)) exposed.Graph.Output.Add(new ValueInfoProto { Name = value });
        }
        return exposed;
    }

    /// <summary>Every value that the nodes of the graph compute, in order of computing.</summary>
    public static IReadOnlyList<string> Computed(ModelProto model) => [.. model.Graph.Node.SelectMany(node => node.Output).Where(value => value.Length > 0)];
}
