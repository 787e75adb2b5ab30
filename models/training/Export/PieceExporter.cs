using Fleet.Onnx;

namespace Fleet.Training;

/// <summary>
/// Writes a piece of a trained network as an ONNX graph with batch normalisation folded into the convolutions. Its input is "x",
/// its outputs "features" (unless it ends the network) and "logits"; all fp32, the batch dimension symbolic.
/// </summary>
public static class PieceExporter
{
    public const string Input = "x";
    public const string Features = "features";
    public const string Logits = "logits";

    public static ModelProto Export(Network net, Piece piece)
    {
        var graph = new GraphBuilder(Path.GetFileNameWithoutExtension(piece.File));
        graph.Input(Input, net.Architecture.Extents[piece.Input].ToArray());
        string Name(string value) =>
            value == piece.Input ? Input : value == piece.Features ? Features : value == piece.Logits ? Logits : value;
        foreach (var layer in piece.Layers) Add(graph, net, layer, Name);
        if (piece.Features is { } features) graph.Output(Features, net.Architecture.Extents[features].ToArray());
        if (piece.Logits is { } logits) graph.Output(Logits, net.Architecture.Extents[logits].Elements);
        return graph.Build("fleet-training");
    }

    private static void Add(GraphBuilder graph, Network net, Layer layer, Func<string, string> name)
    {
        var output = name(layer.Output);
        switch (layer)
        {
            case ConvLayer conv:
                var (kernels, offsets) = net.Folded(conv);
                graph.Conv(name(conv.Input), output, kernels, offsets, conv.Window);
                break;
            case ReluLayer relu:
                graph.Relu(name(relu.Input), output);
                break;
            case MaxPoolLayer pool:
                graph.MaxPool(name(pool.Input), output, pool.Window, pool.RoundsUp);
                break;
            case ShuffleLayer shuffle:
                graph.DepthToSpace(name(shuffle.Input), output, shuffle.Factor);
                break;
            case FlattenLayer flatten:
                graph.Flatten(name(flatten.Input), output);
                break;
            case SumLayer sum:
                graph.Add(name(sum.A), name(sum.B), output);
                break;
            case AggregateLayer aggregate:
                Aggregating.Export(graph, name(aggregate.Input), output, aggregate);
                break;
            case GlobalPoolLayer pool:
                graph.Flatten(graph.GlobalAveragePool(name(pool.Input), output + "_mean"), output);
                break;
            case DenseLayer dense:
                var (weights, bias) = net.Weights(dense);
                graph.Gemm(name(dense.Input), output, weights, bias);
                break;
            default:
                throw new NotSupportedException($"no ONNX operator for {layer}");
        }
    }
}
