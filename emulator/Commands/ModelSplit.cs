using Fleet.Contracts;
using Fleet.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet models split`: where any ONNX file can be cut and what each side costs; writes stages and tails once they have proved equal to the whole.</summary>
internal sealed class ModelSplit
{
    public const string ListWord = "list";

    private readonly string file;
    private readonly ModelProto model;
    private readonly SplitInputs inputs;
    private readonly Dictionary<string, ValueInfoProto> types = [];
    private readonly Dictionary<string, ValueShape> shapes;
    private readonly IReadOnlyList<CutCandidate> cuts;

    /// <exception cref="FaultsException">The file is no model that can be cut and run; the reason is said.</exception>
    public ModelSplit(string file, IReadOnlyList<string> inputShapes)
    {
        this.file = file;
        model = Read(file);
        (cuts, var refusal) = OfModel(() => (GraphCutter.CutPoints(model), GraphCutter.Refusal(model)));
        if (refusal is not null) throw new FaultsException(file, "cannot be cut: " + refusal);
        inputs = new SplitInputs(file, model, inputShapes);
        shapes = new Dictionary<string, ValueShape>(inputs.Shapes);
        Look();
        cuts = [.. cuts.Where(cut => types.ContainsKey(cut.Value))];
    }

    /// <param name="at">Values to cut at, separated by commas, or <see cref="ListWord"/>.</param>
    /// <param name="directory">Where the parts go; null for beside the file.</param>
    /// <param name="json">One line of JSON instead of a table.</param>
    /// <returns>The exit code.</returns>
    public int Run(string at, string? directory, bool json)
    {
        if (at == ListWord)
        {
            Tell(Report(cuts), json);
            return 0;
        }
        var parts = OfModel(() => new SplitParts(model, inputs.Declared, Chosen(at), types));
        var report = Report(parts.Cuts) with { Comparison = parts.Compare(file, inputs) };
        if (!report.Comparison.IsAllowed)
        {
            Console.Error.WriteLine($"{file}: stages + tail {report.Comparison}. Nothing was written.");
            return 1;
        }
        Tell(report with { Files = Write(parts, directory ?? Path.GetDirectoryName(Path.GetFullPath(file))!) }, json);
        return 0;
    }

    private static void Tell(SplitReport report, bool json)
    {
        if (json)
        {
            Figures.PrintJson(report);
            return;
        }
        report.Print();
        foreach (var written in report.Files) Console.Out.WriteLine($"{written.File}: {written.Nodes} nodes, {written.FileBytes:N0} B");
        if (report.Comparison is { } comparison) Console.Out.WriteLine($"on {SplitParts.Draws} random inputs stages + tail {comparison}");
    }

    /// <summary>Asks ONNX Runtime for every value of the network as an output: types from what it infers, shapes from one run.</summary>
    private void Look()
    {
        var computed = Exposure.Computed(model);
        using var session = new SplitSession(file, Exposure.Of(model, computed), GraphOptimizationLevel.ORT_DISABLE_ALL);
        foreach (var value in computed)
            if (session.Describe(value) is { } type) types[value] = type;
        var seen = inputs.Draw(seed: 0);
        session.Run(seen);
        foreach (var (value, type) in types)
        {
            var shape = shapes[value] = SplitSession.Shape(seen[value]);
            if (type.Type.TensorType.Shape.Dim.Count != shape.Extents.Count) types[value] = Observed(value, shape);
        }
        foreach (var value in seen.Values) value.Dispose();
    }

    /// <summary>Where even the rank cannot be inferred, what the run showed; the batch stays open if the network's is.</summary>
    private ValueInfoProto Observed(string value, ValueShape shape)
    {
        var isOpen = inputs.Declared[0].Type.TensorType.Shape is { Dim: [{ DimValue: 0 }, ..] };
        var described = new TensorShapeProto();
        foreach (var (extent, i) in shape.Extents.Select((extent, i) => (extent, i)))
            described.Dim.Add(i == 0 && isOpen ? new TensorShapeProto.Types.Dimension { DimParam = GraphBuilder.BatchDimension } : new TensorShapeProto.Types.Dimension { DimValue = extent });
        return Values.Tensor(value, shape.Type, described);
    }

    private List<CutCandidate> Chosen(string at)
    {
        var wanted = at.Split(',');
        if (wanted.FirstOrDefault(value => cuts.All(cut => cut.Value != value)) is { } unknown) throw new FaultsException("--at", $"is \"{unknown}\"; allowed: {string.Join(", ", cuts.Select(cut => cut.Value))}");
        return [.. cuts.Where(cut => wanted.Contains(cut.Value))];
    }

    private SplitReport Report(IReadOnlyList<CutCandidate> listed) => OfModel(() => new SplitReport
    {
        File = file,
        Nodes = model.Graph.Node.Count,
        Inputs = inputs.Shapes.ToDictionary(input => input.Key, input => input.Value.Extents),
        Whole = SplitSide.Of(GraphCost.Of(model, shapes), [.. model.Graph.Output.Select(output => output.Name)]),
        Cuts = [.. listed.Select(Describe)],
    });

    private SplitCut Describe(CutCandidate cut)
    {
        var parts = new SplitParts(model, inputs.Declared, [cut], types);
        var shape = shapes[cut.Value];
        return new SplitCut
        {
            Value = cut.Value,
            Type = Text(types[cut.Value]),
            NodesBefore = cut.NodesBefore,
            Float32Bytes = shape.Elements * sizeof(float),
            Uint8Bytes = shape.Elements,
            Before = SplitSide.Of(GraphCost.Of(parts.Stages[0], shapes), cut.EarlierOutputs),
            After = SplitSide.Of(GraphCost.Of(parts.Tails[0], shapes), cut.LaterOutputs),
        };
    }

    private List<SplitFile> Write(SplitParts parts, string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
            var name = Path.GetFileNameWithoutExtension(file);
            var named = parts.Stages.Select((stage, i) => (stage, $"{name}-stage-{i + 1}.onnx")).Concat(parts.Tails.Select((tail, i) => (tail, $"{name}-tail-{i + 1}.onnx")));
            var written = new List<SplitFile>();
            foreach (var (part, path) in named.Select(pair => (pair.Item1, Path.Combine(directory, pair.Item2))))
            {
                OnnxFile.Write(part, path);
                written.Add(new SplitFile(path, part.Graph.Node.Count, part.CalculateSize()));
            }
            return written;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(directory, e.Message);
        }
    }

    private static ModelProto Read(string file)
    {
        try
        {
            return OnnxFile.Read(file);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // Read's own sentences begin with the file's name.
            throw new FaultsException(file, e.Message.StartsWith(file + ": ", StringComparison.Ordinal) ? e.Message[(file.Length + 2)..] : e.Message);
        }
    }

    /// <summary>What the graph itself forbids is a fault of the file.</summary>
    private T OfModel<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (InvalidDataException e)
        {
            throw new FaultsException(file, e.Message);
        }
    }

    private static string Text(ValueInfoProto value)
    {
        var tensor = value.Type.TensorType;
        var extents = tensor.Shape.Dim.Select(extent => extent.HasDimValue ? $"{extent.DimValue}" : extent.HasDimParam ? extent.DimParam : "?");
        return $"{((TensorProto.Types.DataType)tensor.ElemType).ToString().ToLowerInvariant()}[{string.Join(",", extents)}]";
    }
}
