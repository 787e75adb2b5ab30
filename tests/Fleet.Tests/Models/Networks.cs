using Fleet.Onnx;

namespace Fleet.Tests.Models;

/// <summary>Small networks of the shapes that a cutter meets.</summary>
internal static class Networks
{
    /// <summary>x [N,1,8,8] -> first -> (second + first) -> pool -> 3 numbers.</summary>
    public static ModelProto Residual()
    {
        var graph = new GraphBuilder("residual");
        var x = graph.Input("x", 1, 8, 8);
        var first = graph.Conv(x, "first", Weights(4 * 9), Weights(4), new Window(3, 1, 1));
        var second = graph.Conv(first, "second", Weights(4 * 9), Weights(4), new Window(3, 1, 1, Groups: 4));
        var active = graph.Relu(graph.Add(second, first, "sum"), "active");
        Classify(graph, graph.MaxPool(active, "small", new Window(2, 2)), "y");
        graph.Output("y", 3);
        return graph.Build("test");
    }

    /// <summary>x [N,1,8,8] -> two branches side by side -> joined -> 3 numbers.</summary>
    public static ModelProto Inception()
    {
        var graph = new GraphBuilder("inception");
        var x = graph.Input("x", 1, 8, 8);
        var wide = graph.Conv(x, "wide", Weights(2 * 9), Weights(2), new Window(3, 1, 1));
        var narrow = graph.Relu(graph.Conv(x, "narrow", Weights(2), Weights(2), new Window(1)), "narrow_active");
        Classify(graph, graph.Concat([wide, narrow], "joined"), "y");
        graph.Output("y", 3);
        return graph.Build("test");
    }

    /// <summary>A chain whose every node reads the input too, so that two values cross wherever it is cut. To be looked at, not to be run.</summary>
    public static ModelProto Conditioned()
    {
        var model = Residual();
        foreach (var node in model.Graph.Node.Skip(1)) node.Input.Add("x");
        return model;
    }

    /// <summary>Three exits: x -> stage1 -> stage2 -> y3, y1 hangs on stage1 and y2 on stage2.</summary>
    /// <param name="exitsLast">Whether the nodes of exits stand at the end of the file instead of where the flow passes them.</param>
    public static ModelProto MultiExit(bool exitsLast = false)
    {
        var graph = new GraphBuilder("exits");
        var x = graph.Input("x", 1, 8, 8);
        var stage1 = graph.Relu(graph.Conv(x, "conv1", Weights(4 * 9), Weights(4), new Window(3, 1, 1)), "stage1");
        if (!exitsLast) Classify(graph, stage1, "y1");
        var stage2 = graph.Relu(graph.Conv(stage1, "conv2", Weights(4 * 36), Weights(4), new Window(3, 1, 1)), "stage2");
        if (!exitsLast) Classify(graph, stage2, "y2");
        var stage3 = graph.Relu(graph.Conv(stage2, "conv3", Weights(4 * 36), Weights(4), new Window(3, 1, 1)), "stage3");
        if (exitsLast)
        {
            Classify(graph, stage1, "y1");
            Classify(graph, stage2, "y2");
        }
        Classify(graph, stage3, "y3");
        foreach (var output in new[] { "y1", "y2", "y3" }) graph.Output(output, 3);
        return graph.Build("test");
    }

    /// <summary>The residual network with a node of another kind behind its first value.</summary>
    public static ModelProto With(NodeProto node)
    {
        var model = Residual();
        node.Input.Add("first");
        node.Output.Add("foreign");
        model.Graph.Node.Insert(1, node);
        return model;
    }

    /// <summary>Repeatable numbers in -1..1.</summary>
    public static float[] Weights(int count) => [.. Enumerable.Range(0, count).Select(i => (i * 37 % 19 - 9) / 10f)];

    /// <summary>Four channels to three numbers.</summary>
    private static void Classify(GraphBuilder graph, string features, string y) =>
        graph.Gemm(graph.Flatten(graph.GlobalAveragePool(features, y + "_pool"), y + "_flat"), y, Weights(12), Weights(3));
}
