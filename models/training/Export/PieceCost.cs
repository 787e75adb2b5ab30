using Fleet.Contracts;

namespace Fleet.Training;

/// <summary>What a piece costs to run once, counted from its layers; batch 1.</summary>
public static class PieceCost
{
    private const int BytesPerElement = sizeof(float);

    /// <summary>Convolutions with fewer input channels than this are of a kind of their own (see <see cref="KernelWork.FirstConv"/>).</summary>
    private const int FirstConvChannels = 4;

    public static KernelWork Work(Architecture architecture, Piece piece) =>
        piece.Layers.Aggregate(new KernelWork(), (sum, layer) => sum + Work(architecture, layer));

    /// <summary>Weights and biases as they stand in the file: batch normalisation leaves one bias a channel.</summary>
    public static long Parameters(Piece piece) => piece.Layers.Sum(layer => layer switch
    {
        ConvLayer conv => conv.Weights + conv.OutChannels,
        DenseLayer dense => (dense.InFeatures + 1L) * dense.OutFeatures,
        _ => 0,
    });

    /// <summary>
    /// The largest sum of a layer's inputs and output, in bytes. ReLU counts nothing: ONNX Runtime applies it while the layer
    /// before it writes, or in place.
    /// </summary>
    public static long PeakActivationBytes(Architecture architecture, Piece piece) => BytesPerElement * piece.Layers
        .Where(layer => layer is not ReluLayer)
        .Max(layer => layer.Inputs.Append(layer.Output).Sum(value => (long)architecture.Extents[value].Elements));

    private static KernelWork Work(Architecture architecture, Layer layer)
    {
        var written = architecture.Extents[layer.Output];
        switch (layer)
        {
            case DenseLayer dense:
                return new KernelWork { Dense = new Macs((double)dense.InFeatures * dense.OutFeatures), OutputElements = dense.OutFeatures, Layers = 1 };
            case ConvLayer conv:
                var counted = new KernelWork { OutputElements = written.Elements, Layers = 1 };
                var macs = new Macs((double)conv.Weights * written.Height * written.Width);
                if (conv.InChannels < FirstConvChannels) return counted with { FirstConv = macs };
                if (conv.Window.Groups == conv.InChannels) return counted with { Depthwise = macs };
                return conv.Window.Kernel == 1 ? counted with { Pointwise = macs } : counted with { Conv = macs };
            default:
                return new KernelWork();
        }
    }
}
