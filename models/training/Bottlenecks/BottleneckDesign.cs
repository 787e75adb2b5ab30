namespace Fleet.Training;

/// <summary>
/// An encoder at a cut and a decoder in front of the tail, as one list of layers: the device runs the encoder behind its stages, the
/// edge server the decoder and the rest of the network. The encoder halves the side once or not at all; the decoder undoes it and gives
/// back features of the cut's shape.
/// </summary>
public sealed class BottleneckDesign
{
    private const string EncoderInput = "features";
    private const string Latent = "latent";
    private const string DecoderInput = "received";

    /// <param name="main">The network.</param>
    /// <param name="cut">1..N-1.</param>
    /// <param name="channels">Of the latent.</param>
    /// <param name="hidden">Channels of the encoder's inner layer.</param>
    /// <param name="stride">How much smaller the latent's sides are: 1 or 2.</param>
    public BottleneckDesign(Architecture main, int cut, int channels, int hidden, int stride)
    {
        (Main, Cut) = (main, cut);
        var net = new ArchitectureBuilder();
        var features = main.Extents[main.Cuts[cut]];
        var x = net.Input(features, EncoderInput);
        net.Section("encoder");
        x = net.Relu(net.Conv(x, hidden, 3, stride));
        x = net.Rename(net.Conv(x, channels, new Onnx.Window(1), hasNorm: false), Latent);
        var latent = net.ExtentOf(x);

        x = net.Input(latent, DecoderInput);
        net.Section("decoder");
        x = net.Relu(net.Conv(x, features.Channels * stride * stride, 3));
        if (stride > 1) x = net.Shuffle(x, stride);
        x = net.Residual(x, features.Channels);
        net.Rename(x, main.Cuts[cut]);
        net.Append(main.Tail(cut).Layers, main.Extents);
        net.Exit(main.Exits[^1]);
        Layers = net.Build();
        Encoder = new Piece("", cut, EncoderInput, Latent, null, [.. Layers.Layers.TakeWhile(layer => layer.Output != Latent), Layers.Layers.Single(layer => layer.Output == Latent)]);
        Tail = new Piece("", cut, DecoderInput, null, main.Exits[^1], [.. Layers.Layers.Skip(Encoder.Layers.Count)]);
    }

    public Architecture Main { get; }

    public int Cut { get; }

    /// <summary>Encoder, decoder and tail; the tail's layers have the names they have in the network.</summary>
    public Architecture Layers { get; }

    /// <summary>From the cut's features to the latent.</summary>
    public Piece Encoder { get; }

    /// <summary>From the latent to the final exit's logits.</summary>
    public Piece Tail { get; }

    public Extent LatentExtent => Layers.Extents[Latent];

    /// <summary>The layers of the network behind the cut.</summary>
    public IReadOnlyList<Layer> TailLayers => Main.Tail(Cut).Layers;

    /// <summary>Where the network and its imitation are compared: the features at this cut and at each later one.</summary>
    public IReadOnlyList<string> Landmarks => [.. Main.Cuts.Skip(Cut)];

    /// <summary>The decoder and the network's layers up to the last landmark.</summary>
    public IReadOnlyList<Layer> ToLastLandmark =>
        [.. Tail.Layers.Take(Tail.Layers.Count - TailLayers.Count), .. TailLayers.Intersect(Main.HeadLayers(Main.StageCount - 1))];
}
