using System.Globalization;
using Fleet.Contracts;
using Fleet.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Emulator.Commands;

/// <summary>What an ONNX file costs to run once, counted from its graph and from the shapes of one run on a random input.</summary>
internal static class CountedWork
{
    /// <exception cref="FaultsException">The file cannot be read or run, or leaves an extent open that is not the batch's.</exception>
    public static GraphCost Of(string path)
    {
        try
        {
            var model = OnnxFile.Read(path);
            var inputs = new SplitInputs(path, model, []);
            var shapes = new Dictionary<string, ValueShape>(inputs.Shapes);
            var computed = Exposure.Computed(model);
            using var session = new SplitSession(path, Exposure.Of(model, computed), GraphOptimizationLevel.ORT_DISABLE_ALL);
            var seen = inputs.Draw(seed: 0);
            session.Run(seen);
            foreach (var value in computed.Where(value => session.Describe(value) is not null)) shapes[value] = SplitSession.Shape(seen[value]);
            foreach (var value in seen.Values) value.Dispose();
            return GraphCost.Of(model, shapes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new FaultsException(path, e.Message);
        }
    }

    public static KernelWork Kernels(GraphCost cost) => new()
    {
        FirstConv = new(cost.FirstConvMacs),
        Conv = new(cost.ConvMacs),
        Pointwise = new(cost.PointwiseMacs),
        Depthwise = new(cost.DepthwiseMacs),
        Dense = new(cost.DenseMacs),
        OutputElements = cost.OutputElements,
        Layers = cost.Layers,
    };

    /// <summary>What a card says of the work of each file beside what is counted: one line a file that agrees, one a figure that does not.</summary>
    /// <param name="isBinary">
    /// A group's networks: their card counts weights and memory as binary layers have them, before batch normalisation and aggregation are
    /// spelt out in ONNX operators, so that only work and size can be compared.
    /// </param>
    public static IEnumerable<Finding> Compare(string directory, IEnumerable<ModelPiece> pieces, bool isBinary = false) => pieces.SelectMany(piece => Compare(directory, piece, isBinary));

    private static IEnumerable<Finding> Compare(string directory, ModelPiece piece, bool isBinary)
    {
        var path = Path.Combine(directory, piece.File);
        var cost = Of(path);
        var (said, found) = (piece.Work, Kernels(cost));
        List<(string What, double Said, double Found)> figures =
        [
            ("first_conv_macs", said.FirstConv.Value, found.FirstConv.Value),
            ("conv_macs", said.Conv.Value, found.Conv.Value),
            ("pointwise_macs", said.Pointwise.Value, found.Pointwise.Value),
            ("depthwise_macs", said.Depthwise.Value, found.Depthwise.Value),
            ("dense_macs", said.Dense.Value, found.Dense.Value),
            ("output_elements", said.OutputElements, found.OutputElements),
            ("layers", said.Layers, found.Layers),
            ("file_bytes", piece.FileBytes, new FileInfo(path).Length),
        ];
        if (!isBinary) figures.AddRange([("parameters", piece.Parameters, cost.Parameters), ("peak_activation_bytes", piece.PeakActivationBytes, cost.LayerActivationBytes)]);
        var wrong = figures.Where(figure => figure.Said != figure.Found).Select(figure => new Finding($"{piece.File} {figure.What}", Count(figure.Said), Count(figure.Found), Agrees: false)).ToList();
        return wrong.Count > 0 ? wrong : [new Finding($"{piece.File} work", $"{Count(said.Total.Value)} MACs", $"{Count(found.Total.Value)} MACs", Agrees: true)];
    }

    private static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
