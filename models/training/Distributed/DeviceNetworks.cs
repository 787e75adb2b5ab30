using Fleet.Contracts;
using Fleet.Models;
using Fleet.Onnx;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// The binary networks of all devices of a group, one a view, side by side in one module (eBNN: McDanel, Teerapittayanon and Kung,
/// Embedded binarized neural networks, EWSN 2017). Each is a block of convolution 3x3, max pooling 3x3 of stride 2, batch
/// normalisation and sign, then a dense layer and batch normalisation that give its own class vector. Weights are used as their signs;
/// what learns is a shadow in -1..1, and the gradient passes a sign where its input is within -1..1.
/// </summary>
public sealed class DeviceNetworks : nn.Module<Tensor, (Tensor Bits, Tensor Vectors)>
{
    private const double Epsilon = 1e-5;
    private static readonly Window Convolution = new(3, 1, 1);
    private static readonly Window Pooling = new(3, 2, 1);

    private readonly Parameter kernels;
    private readonly Parameter dense;
    private readonly BatchNorm2d norm;
    private readonly BatchNorm1d vectorNorm;

    /// <param name="grid">The views.</param>
    /// <param name="filters">f: maps a device makes.</param>
    /// <param name="classes">Elements of a class vector.</param>
    /// <param name="seed">Of the initial weights.</param>
    public DeviceNetworks(ViewGrid grid, int filters, int classes, int seed) : base("devices")
    {
        (Grid, Filters, Classes) = (grid, filters, classes);
        Map = new Extent(filters, (grid.Height + 1) / 2, (grid.Width + 1) / 2);
        random.manual_seed(seed);
        kernels = nn.Parameter(empty(grid.Views * filters, 1, Convolution.Kernel, Convolution.Kernel).uniform_(-0.3, 0.3));
        dense = nn.Parameter(empty(grid.Views, Map.Elements, classes).uniform_(-0.3, 0.3));
        norm = nn.BatchNorm2d(grid.Views * filters, eps: Epsilon);
        vectorNorm = nn.BatchNorm1d(grid.Views * classes, eps: Epsilon);
        RegisterComponents();
    }

    public ViewGrid Grid { get; }

    public int Filters { get; }

    public int Classes { get; }

    /// <summary>What a device sends: its sign maps.</summary>
    public Extent Map { get; }

    /// <summary>What a card says of one device's network, but for its file.</summary>
    public ModelPiece Describe() => new()
    {
        Index = 0,
        File = "",
        Sha256 = "",
        FileBytes = 0,
        Parameters = Filters * Convolution.Kernel * Convolution.Kernel + Map.Elements * Classes + 2 * (Filters + Classes),
        PeakActivationBytes = sizeof(float) * (Filters * Grid.Pixels + Math.Max(Grid.Pixels, Map.Elements)),
        Work = new KernelWork
        {
            FirstConv = new Macs((double)Filters * Convolution.Kernel * Convolution.Kernel * Grid.Pixels),
            Dense = new Macs((double)Map.Elements * Classes),
            OutputElements = Filters * Grid.Pixels + Classes,
            Layers = 2,
        },
    };

    /// <summary>
    /// Bytes a device needs for its weights when each binary one takes a bit and each scalar of batch normalisation, two a channel,
    /// four bytes.
    /// </summary>
    public int BinaryBytes => (Filters * Convolution.Kernel * Convolution.Kernel + Map.Elements * Classes + 7) / 8 + sizeof(float) * 2 * (Filters + Classes);

    /// <param name="views">[N, views, height, width], normalised.</param>
    /// <returns>Sign maps [N, views f, h, w], view by view, and class vectors [N, views, classes].</returns>
    public override (Tensor Bits, Tensor Vectors) forward(Tensor views)
    {
        var maps = nn.functional.conv2d(views, Binary(kernels), padding: [Convolution.Padding, Convolution.Padding], groups: Grid.Views);
        maps = nn.functional.max_pool2d(maps, Pooling.Kernel, Pooling.Stride, Pooling.Padding);
        var bits = Binary(norm.forward(maps));
        var perView = bits.view(-1, Grid.Views, Map.Elements).transpose(0, 1);
        var scores = bmm(perView, Binary(dense)).transpose(0, 1).flatten(1);
        return (bits, vectorNorm.forward(scores).view(-1, Grid.Views, Classes));
    }

    /// <summary>Puts shadow weights that a step has carried beyond -1..1 back, or they would need long to change their sign again.</summary>
    public void Clip()
    {
        using var noGradient = no_grad();
        kernels.clamp_(-1, 1);
        dense.clamp_(-1, 1);
    }

    /// <summary>The ONNX piece of view 1..: "x" [1, height, width] to "features" (signs, [f, h, w]) and "logits" (the class vector).</summary>
    public ModelProto Export(int view)
    {
        var graph = new GraphBuilder($"view-{view}");
        var x = graph.Input(PieceExporter.Input, 1, Grid.Height, Grid.Width);
        var signs = Signs(kernels).AsSpan((view - 1) * Filters * 9, Filters * 9);
        var maps = graph.MaxPool(graph.Conv(x, "conv", signs, new float[Filters], Convolution), "pool", Pooling);
        var (factors, offsets) = Affine(norm, (view - 1) * Filters, Filters);
        var bits = graph.Sign(graph.Scaled(maps, "norm", factors, offsets), PieceExporter.Features);
        var (scales, biases) = Affine(vectorNorm, (view - 1) * Classes, Classes);
        graph.Gemm(graph.Flatten(bits, "flat"), PieceExporter.Logits, Dense(view, scales), biases);
        graph.Output(PieceExporter.Features, Map.ToArray());
        graph.Output(PieceExporter.Logits, Classes);
        return graph.Build("fleet-training");
    }

    /// <summary>sign(x); its gradient is 1 within -1..1 and 0 beyond (the straight-through estimator: Hubara et al., Binarized neural networks, 2016).</summary>
    private static Tensor Binary(Tensor x)
    {
        var inside = x.clamp(-1, 1);
        return x.detach().sign() + (inside - inside.detach());
    }

    private static float[] Signs(Parameter weights) => Network.Elements(weights.sign());

    /// <summary>The signs of a view's dense weights as ONNX wants them, [classes, elements], times its batch normalisation's factors.</summary>
    private float[] Dense(int view, float[] scales)
    {
        var signs = Network.Elements(dense[view - 1].sign().t());
        for (var i = 0; i < signs.Length; i++) signs[i] *= scales[i / Map.Elements];
        return signs;
    }

    /// <summary>Batch normalisation at inference as k x + d, of some channels.</summary>
    private static (float[] Factors, float[] Offsets) Affine(nn.Module norm, int first, int count)
    {
        float[] Of(string name) => Network.Elements(norm.state_dict()[name])[first..(first + count)];
        return new BatchNormalization(Of("weight"), Of("bias"), Of("running_mean"), Of("running_var"), Epsilon).Fold([.. Enumerable.Repeat(1f, count)]);
    }
}
