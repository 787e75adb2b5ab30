using Fleet.Onnx;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>How what several devices made becomes one (Teerapittayanon et al., DDNN, ICDCS 2017, section III-B).</summary>
public enum Aggregation
{
    /// <summary>MP: element by element the largest.</summary>
    MaxPooling,

    /// <summary>AP: element by element the mean.</summary>
    AveragePooling,

    /// <summary>CC: side by side.</summary>
    Concatenation,
}

/// <summary>
/// Max and average pooling over devices, in torch and in ONNX. A device whose part is all zeros is absent: no maximum and no mean
/// counts it. (Sign maps have no zeros, and class vectors are never all zero.)
/// </summary>
public static class Aggregating
{
    /// <summary>Below any score; a sum of it and zero is exact.</summary>
    private const float Absent = -1e4f;

    public static string Initials(Aggregation scheme) => scheme switch
    {
        Aggregation.MaxPooling => "MP",
        Aggregation.AveragePooling => "AP",
        _ => "CC",
    };

    /// <summary>[N, devices c, ...] to [N, c, ...].</summary>
    public static Tensor Of(Tensor parts, int devices, Aggregation scheme)
    {
        var x = parts.view([parts.shape[0], devices, parts.shape[1] / devices, .. parts.shape[2..]]);
        var flat = x.flatten(2);
        var presence = flat.detach().abs().amax([2], keepdim: true).sign();
        var one = scheme is Aggregation.MaxPooling
            ? (flat + (1 - presence) * Absent).amax([1])
            : flat.mean([1]) / presence.mean([1]);
        return one.view([x.shape[0], .. x.shape[2..]]);
    }

    /// <summary>The same as nodes of a graph.</summary>
    public static void Export(GraphBuilder graph, string parts, string output, AggregateLayer layer)
    {
        string Part(string name) => $"{output}.{name}";
        var x = graph.Reshape(parts, Part("parts"), layer.Devices, layer.Part.Elements);
        var presence = graph.Sign(graph.ReduceMax(graph.Abs(x, Part("size")), Part("largest"), axis: 2, keepsAxis: true), Part("presence"));
        var one = layer.Scheme is Aggregation.MaxPooling
            ? graph.ReduceMax(graph.Add(x, graph.Scaled(presence, Part("penalty"), -Absent, Absent), Part("candidates")), Part("one"), axis: 1)
            : graph.Div(graph.ReduceMean(x, Part("sum"), axis: 1), graph.ReduceMean(presence, Part("share"), axis: 1), Part("one"));
        graph.Reshape(one, output, layer.Part.ToArray());
    }
}
