using Fleet.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>What a distributed network is made of.</summary>
/// <param name="Filters">f: maps a device makes.</param>
/// <param name="Local">How class vectors become the local exit.</param>
/// <param name="Upper">How sign maps become the input of what runs behind the devices.</param>
public sealed record DdnnShape(int Filters, Aggregation Local, Aggregation Upper)
{
    /// <summary>"MP-CC".</summary>
    public string Name => $"{Aggregating.Initials(Local)}-{Aggregating.Initials(Upper)}";
}

/// <param name="Devices">Of each device's own exit: [N, views, classes].</param>
/// <param name="Local">Of the class vectors together: [N, classes].</param>
/// <param name="Edge">Of the bits, after one layer: [N, classes].</param>
/// <param name="Cloud">Of the bits, in the end: [N, classes].</param>
public readonly record struct DdnnLogits(Tensor Devices, Tensor Local, Tensor Edge, Tensor Cloud);

/// <summary>
/// A distributed deep neural network (Teerapittayanon, McDanel and Kung, ICDCS 2017): binary networks on devices that see one view each,
/// a local exit over their class vectors, and over their sign bits a float network with an edge exit and a cloud exit.
/// </summary>
public sealed class Ddnn : nn.Module
{
    private readonly Network local;
    private readonly Network upper;
    private readonly DeviceNetworks devices;
    private readonly float black;

    /// <param name="shape">Filters and aggregation.</param>
    /// <param name="grid">The views.</param>
    /// <param name="normalisation">Of pixels: padding is black.</param>
    /// <param name="classes">Kinds to tell apart.</param>
    /// <param name="seed">Of the initial weights.</param>
    public Ddnn(DdnnShape shape, ViewGrid grid, Normalisation normalisation, int classes, int seed) : base("ddnn")
    {
        (Shape, Grid, black) = (shape, grid, (float)(-normalisation.Mean / normalisation.Std));
        devices = new DeviceNetworks(grid, shape.Filters, classes, seed);
        local = new Network(LocalExit(shape, grid.Views, classes), seed);
        upper = new Network(UpperExits(shape, grid.Views, devices.Map, classes), seed);
        RegisterComponents();
    }

    public DdnnShape Shape { get; }

    public ViewGrid Grid { get; }

    public DeviceNetworks Devices => devices;

    public Network Local => local;

    public Network Upper => upper;

    /// <summary>The picture's views: [N, 1, side, side] to [N, views, height, width].</summary>
    public Tensor Views(Tensor pictures)
    {
        var (height, width) = (Grid.Height * Grid.Rows, Grid.Width * Grid.Columns);
        var padded = nn.functional.pad(pictures,
            [Grid.Left, width - Grid.PictureWidth - Grid.Left, Grid.Top, height - Grid.PictureHeight - Grid.Top], PaddingModes.Constant, black);
        return padded.view(-1, Grid.Rows, Grid.Height, Grid.Columns, Grid.Width).permute(0, 1, 3, 2, 4).reshape(-1, Grid.Views, Grid.Height, Grid.Width);
    }

    /// <param name="pictures">[N, 1, side, side], normalised.</param>
    /// <param name="presence">1 for a view that is there, 0 for one that is not: [N or 1, views].</param>
    public DdnnLogits Run(Tensor pictures, Tensor presence)
    {
        var (bits, vectors) = devices.forward(Views(pictures));
        return Finish(bits, vectors, presence);
    }

    /// <summary>What the exits say of what devices made: absent ones' parts become zeros.</summary>
    public DdnnLogits Finish(Tensor bits, Tensor vectors, Tensor presence)
    {
        var present = vectors * presence.unsqueeze(2);
        var maps = bits * presence.repeat_interleave(Shape.Filters, 1).unsqueeze(2).unsqueeze(3);
        var exits = upper.forward(maps);
        return new DdnnLogits(vectors, local.forward(present.view(-1, vectors.shape[1] * vectors.shape[2], 1, 1))[0], exits[0], exits[1]);
    }

    /// <summary>Class vectors side by side, [views classes, 1, 1], to one; put side by side they need a dense layer.</summary>
    private static Architecture LocalExit(DdnnShape shape, int views, int classes)
    {
        var net = new ArchitectureBuilder();
        net.Section("local");
        var x = net.Flatten(net.Aggregate(net.Input(new Extent(views * classes, 1, 1)), views, shape.Local));
        net.Exit(shape.Local is Aggregation.Concatenation ? net.Dense(x, classes) : x);
        return net.Build();
    }

    /// <summary>Sign maps of all views, [views f, h, w], to the edge exit and the cloud exit.</summary>
    private static Architecture UpperExits(DdnnShape shape, int views, Extent map, int classes)
    {
        var net = new ArchitectureBuilder();
        net.Section("edge");
        var maps = net.Input(map with { Channels = map.Channels * views });
        var x = net.Relu(net.Conv(net.Aggregate(maps, views, shape.Upper), 32));
        net.Cut(x);
        net.Section("edge_exit");
        net.Exit(net.Dense(net.Flatten(x), classes));
        net.Section("cloud");
        x = net.Relu(net.Conv(x, 64));
        x = net.HalvingPool(x);
        x = net.Relu(net.Conv(x, 96));
        net.Exit(net.Dense(net.Flatten(x), classes));
        return net.Build();
    }
}
