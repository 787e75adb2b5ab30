namespace Fleet.Onnx;

/// <summary>Joins graphs and renames their values. The models given are never changed.</summary>
public static class GraphSplice
{
    /// <summary>
    /// <paramref name="first"/> with <paramref name="second"/> behind it: what <paramref name="first"/> calls <paramref name="joint"/> is what
    /// <paramref name="second"/> takes as its only input. The outputs of both are outputs of the whole; those named in
    /// <paramref name="hidden"/> are not. Operator sets are the first one's.
    /// </summary>
    /// <exception cref="InvalidDataException">Both compute a value of one name.</exception>
    public static ModelProto Join(ModelProto first, ModelProto second, string joint, params ReadOnlySpan<string> hidden)
    {
        var whole = first.Clone();
        var added = Rename(second, second.Graph.Input.Single(input => second.Graph.Initializer.All(weight => weight.Name != input.Name)).Name, joint);
        var names = whole.Graph.Node.SelectMany(node => node.Output).Concat(whole.Graph.Initializer.Select(weight => weight.Name)).Where(name => name.Length > 0).ToHashSet();
        var twice = added.Graph.Node.SelectMany(node => node.Output).Concat(added.Graph.Initializer.Select(weight => weight.Name)).FirstOrDefault(names.Contains);
        if (twice is not null) throw new InvalidDataException($"graphs \"{first.Graph.Name}\" and \"{second.Graph.Name}\" both have a value \"{twice}\"");
        whole.Graph.Node.Add(added.Graph.Node);
        whole.Graph.Initializer.Add(added.Graph.Initializer);
        whole.Graph.Output.Add(added.Graph.Output);
        foreach (var name in hidden)
            foreach (var output in whole.Graph.Output.Where(output => output.Name == name).ToList()) whole.Graph.Output.Remove(output);
        whole.IrVersion = Math.Max(first.IrVersion, second.IrVersion);
        foreach (var set in added.OpsetImport.Where(set => whole.OpsetImport.All(mine => mine.Domain != set.Domain))) whole.OpsetImport.Add(set);
        return whole;
    }

    /// <summary>The same graph with a value of another name, wherever it is read, made, taken or given.</summary>
    public static ModelProto Rename(ModelProto model, string from, string to)
    {
        var renamed = model.Clone();
        foreach (var node in renamed.Graph.Node)
        {
            for (var i = 0; i < node.Input.Count; i++)
                if (node.Input[i] == from) node.Input[i] = to;
            for (var i = 0; i < node.Output.Count; i++)
                if (node.Output[i] == from) node.Output[i] = to;
        }
        foreach (var value in renamed.Graph.Input.Concat(renamed.Graph.Output).Concat(renamed.Graph.ValueInfo).Where(value => value.Name == from)) value.Name = to;
        return renamed;
    }
}
