namespace Fleet.Training;

/// <summary>The networks of the zoo.</summary>
public static class ZooNetworks
{
    private const int Classes = 10;

    /// <summary>
    /// Fashion-MNIST: three stages, 0.95 M parameters and 19 M multiply-accumulates; an image that leaves at exit 1 costs 4 % of them,
    /// at exit 2 a quarter. Depthwise-separable layers where the device computes, full convolutions where an edge server may.
    /// </summary>
    public static Architecture Fmnist()
    {
        var net = new ArchitectureBuilder();
        var x = net.Input(new Extent(1, FashionMnist.Side, FashionMnist.Side));

        net.Section("stage1");
        x = net.Relu(net.Conv(x, 16));
        x = net.DepthwiseSeparable(x, 32, stride: 2);
        x = net.DepthwiseSeparable(x, 48);
        net.Cut(x);
        net.Section("exit1");
        net.Exit(net.DepthwiseSeparable(x, 96, stride: 2), Classes);

        net.Section("stage2");
        x = net.Residual(x, 80, stride: 2);
        net.Cut(x);
        net.Section("exit2");
        net.Exit(x, Classes);

        net.Section("stage3");
        x = net.Residual(x, 144, stride: 2);
        x = net.Residual(x, 176);
        net.Section("exit3");
        net.Exit(x, Classes);
        return net.Build();
    }

    /// <summary>
    /// Scenes: three stages on the pattern of MobileNets. With width 1: 25 M multiply-accumulates, of which a scene that leaves at
    /// exit 1 costs a tenth and one that leaves at exit 2 a third. Width 2 has four times as many: the reference.
    /// </summary>
    /// <param name="width">Multiplies all channels but those of the input and the classes.</param>
    public static Architecture Scenes(int width = 1)
    {
        var net = new ArchitectureBuilder();
        var x = net.Input(new Extent(1, Models.Scenes.Side, Models.Scenes.Side));

        net.Section("stage1");
        x = net.Relu(net.Conv(x, 16 * width, stride: 2));
        x = net.DepthwiseSeparable(x, 32 * width, stride: 2);
        x = net.DepthwiseSeparable(x, 64 * width, stride: 2);
        x = net.DepthwiseSeparable(x, 64 * width);
        net.Cut(x);
        net.Section("exit1");
        net.Exit(net.DepthwiseSeparable(x, 96 * width), Classes);

        net.Section("stage2");
        x = net.DepthwiseSeparable(x, 96 * width);
        x = net.DepthwiseSeparable(x, 128 * width);
        x = net.DepthwiseSeparable(x, 128 * width);
        net.Cut(x);
        net.Section("exit2");
        net.Exit(x, Classes);

        net.Section("stage3");
        x = net.Residual(x, 160 * width, stride: 2);
        x = net.DepthwiseSeparable(x, 256 * width);
        net.Section("exit3");
        net.Exit(x, Classes);
        return net.Build();
    }

    /// <summary>
    /// B-LeNet: LeNet-5 as BranchyNet's authors changed it, with one branch after the first convolution (Teerapittayanon et al., 2016;
    /// layer sizes from their published code). Cut 1 is what the first convolution makes; both sides pool for themselves.
    /// </summary>
    public static Architecture BLeNet()
    {
        var net = new ArchitectureBuilder();
        var x = net.Input(new Extent(1, FashionMnist.Side, FashionMnist.Side));

        net.Section("stage1");
        x = net.Conv(x, 5, new Onnx.Window(5, 1, 3), hasNorm: false);
        net.Cut(x);
        net.Section("exit1");
        var branch = net.Relu(net.HalvingPool(x));
        branch = net.Relu(net.HalvingPool(net.Conv(branch, 10, new Onnx.Window(3, 1, 1), hasNorm: false)));
        net.Exit(net.Dense(net.Flatten(branch), Classes));

        net.Section("stage2");
        x = net.Relu(net.HalvingPool(x));
        x = net.Relu(net.HalvingPool(net.Conv(x, 10, new Onnx.Window(5, 1, 3), hasNorm: false)));
        x = net.Relu(net.HalvingPool(net.Conv(x, 20, new Onnx.Window(5, 1, 3), hasNorm: false)));
        net.Section("exit2");
        net.Exit(net.Dense(net.Dense(net.Flatten(x), 84), Classes));
        return net.Build();
    }
}
