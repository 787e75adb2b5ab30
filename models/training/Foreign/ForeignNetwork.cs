using Fleet.Contracts;
using Fleet.Onnx;

namespace Fleet.Training;

/// <summary>
/// Somebody's ONNX network as a trunk for our images: cut at chosen values, with a layer in front that enlarges or shrinks our grey image
/// to the network's input and repeats it over the channels. Nothing in it is ever trained.
/// </summary>
public sealed class ForeignNetwork
{
    /// <summary>All operators that are added have their form of today since this operator set.</summary>
    private const int OperatorSetMin = 9;

    private const string Fitted = "fleet_fitted";

    private readonly string file;
    private readonly ModelProto model;
    private readonly string input;
    private readonly IReadOnlyList<int> inputShape;
    private readonly int side;

    /// <param name="file">The ONNX file.</param>
    /// <param name="cuts">Values to cut at, from the input on; the last is where the final exit goes.</param>
    /// <param name="inputShape">Channels, height and width that the network takes.</param>
    /// <param name="side">Height and width of our images.</param>
    /// <exception cref="FaultsException">The file cannot be read or cut there; the message says why and where it could.</exception>
    public ForeignNetwork(string file, IReadOnlyList<string> cuts, IReadOnlyList<int> inputShape, int side)
    {
        (this.file, this.inputShape, this.side) = (file, inputShape, side);
        model = Reading(() => OnnxFile.Read(file));
        if (GraphCutter.Refusal(model) is { } refusal) throw new FaultsException(file, "cannot be cut: " + refusal);
        if (model.OpsetImport.Where(set => set.Domain.Length == 0).Select(set => set.Version).FirstOrDefault() is var version && version < OperatorSetMin)
            throw new FaultsException(file, $"imports operator set {version}; {OperatorSetMin} or newer is needed");
        var inputs = model.Graph.Input.Where(value => model.Graph.Initializer.All(weight => weight.Name != value.Name)).ToList();
        if (inputs.Count != 1) throw new FaultsException(file, $"takes {inputs.Count} inputs; one image is needed");
        input = inputs[0].Name;
        Cuts = Ordered(cuts);
    }

    /// <summary>In order of computing.</summary>
    public IReadOnlyList<string> Cuts { get; }

    public string Name => Path.GetFileNameWithoutExtension(file);

    /// <summary>
    /// The part from cut <paramref name="from"/> (0: our image) to cut <paramref name="to"/> (1..): its input is "x", its output "features".
    /// </summary>
    public ModelProto Part(int from, int to)
    {
        var start = from == 0 ? input : Cuts[from - 1];
        var end = Cuts[to - 1];
        var part = Reading(() => GraphCutter.Extract(model, [Untyped(start)], [Untyped(end)]));
        part = GraphSplice.Rename(GraphSplice.Rename(part, start, from == 0 ? Fitted : PieceExporter.Input), end, PieceExporter.Features);
        return from == 0 ? GraphSplice.Join(Fitting(), part, Fitted, Fitted) : part;
    }

    private static ValueInfoProto Untyped(string value) => Values.Tensor(value, TensorProto.Types.DataType.Float);

    /// <summary>Our normalised image at the network's size, the same in every channel.</summary>
    private ModelProto Fitting()
    {
        var (channels, height, width) = (inputShape[0], inputShape[1], inputShape[2]);
        var graph = new GraphBuilder(Name);
        graph.Input(PieceExporter.Input, 1, side, side);
        var sized = graph.Resample(PieceExporter.Input, channels == 1 ? Fitted : "fleet_sized", side, height, width);
        if (channels > 1) graph.Concat([.. Enumerable.Repeat(sized, channels)], Fitted);
        graph.Output(Fitted, channels, height, width);
        return WithSetsOf(graph.Build("fleet-training"));
    }

    /// <summary>Takes over the network's operator sets, since both become one graph.</summary>
    private ModelProto WithSetsOf(ModelProto made)
    {
        made.OpsetImport.Clear();
        made.OpsetImport.Add(model.OpsetImport);
        made.IrVersion = model.IrVersion;
        return made;
    }

    private List<string> Ordered(IReadOnlyList<string> wanted)
    {
        var possible = Reading(() => GraphCutter.CutPoints(model)).Select(cut => cut.Value).ToList();
        if (wanted.FirstOrDefault(value => !possible.Contains(value)) is { } unknown)
            throw new FaultsException("--at", $"is \"{unknown}\"; {Path.GetFileName(file)} can be cut at {string.Join(", ", possible)}");
        if (wanted.Count < 2) throw new FaultsException("--at", $"names {wanted.Count} value; at least 2 are needed: where early exits go, and last the final one's");
        return [.. wanted.OrderBy(possible.IndexOf)];
    }

    private T Reading<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(file, e.Message);
        }
    }
}
