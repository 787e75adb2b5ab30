using System.Runtime.InteropServices;
using Fleet.Contracts;
using Fleet.Onnx;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet models split`: cuts any ONNX file where one value carries all that the rest needs, and proves the parts equal to the whole before it writes them.</summary>
internal static class ModelSplit
{
    public const string ListWord = "list";

    /// <summary>Largest difference of an output, relative to the whole's largest output where that is above 1.</summary>
    private const double DifferenceMax = 1e-4;

    public static int Run(string file, string at, string? directory)
    {
        var model = Read(file);
        var cuts = GraphCutter.CutPoints(model);
        if (cuts.Count == 0) throw new FaultsException(file, "cannot be cut: nowhere does a single value carry all that the rest of the graph needs");
        if (at != ListWord && cuts.All(cut => cut.Value != at)) throw new FaultsException("--at", $"is \"{at}\"; allowed: {string.Join(", ", cuts.Select(cut => cut.Value))}");
        var types = Types(file, model, cuts);
        if (at != ListWord) return Split(file, model, types.Single(value => value.Name == at), directory ?? Path.GetDirectoryName(Path.GetFullPath(file))!);

        Console.Out.WriteLine($"{file}: {model.Graph.Node.Count} nodes, {cuts.Count} places to cut (fleet models split {file} --at VALUE)");
        foreach (var (cut, value) in cuts.Zip(types)) Console.Out.WriteLine($"  after {cut.NodesBefore,4} nodes  {Text(value),-36}{cut.Value}");
        return 0;
    }

    private static int Split(string file, ModelProto model, ValueInfoProto value, string directory)
    {
        var initializers = model.Graph.Initializer.Select(tensor => tensor.Name).ToHashSet();
        var inputs = model.Graph.Input.Where(input => !initializers.Contains(input.Name)).ToList();
        ModelProto head, tail;
        try
        {
            head = GraphCutter.Extract(model, inputs, [value]);
            tail = GraphCutter.Extract(model, [value], model.Graph.Output);
        }
        catch (InvalidDataException e)
        {
            throw new FaultsException(file, e.Message);
        }
        var (difference, shapes) = Compare(file, model, head, tail);
        if (!(difference <= DifferenceMax))
        {
            Console.Error.WriteLine($"{file}: head and tail differ from the whole by {difference:G3}; {DifferenceMax:G3} is allowed. Nothing was written.");
            return 1;
        }
        var name = Path.GetFileNameWithoutExtension(file);
        try
        {
            Directory.CreateDirectory(directory);
            foreach (var (part, suffix) in new[] { (head, "head"), (tail, "tail") })
            {
                var path = Path.Combine(directory, $"{name}-{suffix}.onnx");
                OnnxFile.Write(part, path);
                Console.Out.WriteLine($"{path}: {part.Graph.Node.Count} nodes, {part.CalculateSize():N0} B");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(directory, e.Message);
        }
        Console.Out.WriteLine($"cut at {value.Name} {Text(value)}; on a random input {shapes} head + tail differ from the whole by {difference:G3}");
        return 0;
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

    /// <summary>The cuts' element types and shapes, as ONNX Runtime infers them when it is asked for the values as outputs.</summary>
    private static List<ValueInfoProto> Types(string file, ModelProto model, IReadOnlyList<CutCandidate> cuts)
    {
        var asked = model.Clone();
        var outputs = asked.Graph.Output.Select(output => output.Name).ToHashSet();
        foreach (var cut in cuts)
            if (outputs.Add(cut.Value)) asked.Graph.Output.Add(new ValueInfoProto { Name = cut.Value });
        using var session = Load(file, asked);
        return [.. cuts.Select(cut => Described(cut.Value, session.OutputMetadata[cut.Value]))];
    }

    private static ValueInfoProto Described(string name, NodeMetadata metadata)
    {
        if (metadata.OnnxValueType is not OnnxValueType.ONNX_TYPE_TENSOR) throw new FaultsException(name, $"is a {metadata.OnnxValueType}; only tensors cross a cut");
        var shape = new TensorShapeProto();
        foreach (var (extent, symbol) in metadata.Dimensions.Zip(metadata.SymbolicDimensions))
        {
            var dimension = new TensorShapeProto.Types.Dimension();
            if (extent >= 0) dimension.DimValue = extent;
            else if (symbol.Length > 0) dimension.DimParam = symbol;
            shape.Dim.Add(dimension);
        }
        // ONNX Runtime numbers its element types as the format does.
        return Values.Tensor(name, (TensorProto.Types.DataType)(int)metadata.ElementDataType, shape);
    }

    private static string Text(ValueInfoProto value)
    {
        var tensor = value.Type.TensorType;
        var extents = tensor.Shape.Dim.Select(extent => extent.HasDimValue ? $"{extent.DimValue}" : extent.HasDimParam ? extent.DimParam : "?");
        return $"{((TensorProto.Types.DataType)tensor.ElemType).ToString().ToLowerInvariant()}[{string.Join(",", extents)}]";
    }

    private static (double Difference, string Shapes) Compare(string file, ModelProto model, ModelProto head, ModelProto tail)
    {
        using var whole = Load(file, model);
        using var first = Load(file + " (head)", head);
        using var second = Load(file + " (tail)", tail);
        var random = new Random(1);
        var inputs = whole.InputMetadata.ToDictionary(input => input.Key, input => RandomInput(file, input.Key, input.Value, random));
        try
        {
            var (expected, crossing) = (Run(whole, inputs), Run(first, inputs));
            var found = Run(second, crossing);
            return (expected.Max(output => Difference(output.Value, found[output.Key])), string.Join(", ", inputs.Select(input => $"{input.Key}[{string.Join(",", Extents(input.Value))}]")));
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaultsException(file, "cannot be run on a random input, so the parts cannot be compared with the whole: " + e.Message.Split('\n')[0]);
        }
    }

    private static Dictionary<string, OrtValue> Run(InferenceSession session, Dictionary<string, OrtValue> inputs)
    {
        using var options = new RunOptions();
        var taken = session.InputNames.ToDictionary(name => name, name => inputs[name]);
        return session.OutputNames.Zip(session.Run(options, taken, session.OutputNames)).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    /// <summary>Open extents are 1. Floating-point elements are uniform in -1..1; whole numbers are 0, which is an index that always exists.</summary>
    private static OrtValue RandomInput(string file, string name, NodeMetadata metadata, Random random)
    {
        long[] extents = [.. metadata.Dimensions.Select(extent => extent < 0 ? 1L : extent)];
        var elements = (int)extents.Aggregate(1L, (product, extent) => checked(product * extent));
        OrtValue Tensor<T>(Func<T> element) where T : unmanaged
        {
            var values = new T[elements];
            for (var i = 0; i < elements; i++) values[i] = element();
            return OrtValue.CreateTensorValueFromMemory(values, extents);
        }
        return metadata.ElementDataType switch
        {
            TensorElementType.Float => Tensor(() => random.NextSingle() * 2 - 1),
            TensorElementType.Double => Tensor(() => random.NextDouble() * 2 - 1),
            TensorElementType.Float16 => Tensor(() => (Float16)(random.NextSingle() * 2 - 1)),
            TensorElementType.Int64 => Tensor(() => 0L),
            TensorElementType.Int32 => Tensor(() => 0),
            TensorElementType.UInt8 => Tensor(() => (byte)random.Next(256)),
            TensorElementType.Int8 => Tensor(() => (sbyte)random.Next(-128, 128)),
            TensorElementType.Bool => Tensor(() => false),
            var type => throw new FaultsException(file, $"input \"{name}\" holds {type}, for which no random input is made"),
        };
    }

    private static double Difference(OrtValue a, OrtValue b)
    {
        if (!Extents(a).SequenceEqual(Extents(b))) return double.PositiveInfinity;
        var type = a.GetTensorTypeAndShape().ElementDataType;
        var (x, y) = type switch
        {
            TensorElementType.Float => (Doubles<float>(a, value => value), Doubles<float>(b, value => value)),
            TensorElementType.Double => (Doubles<double>(a, value => value), Doubles<double>(b, value => value)),
            TensorElementType.Float16 => (Doubles<Float16>(a, value => (float)value), Doubles<Float16>(b, value => (float)value)),
            _ => (Doubles<byte>(a, value => value), Doubles<byte>(b, value => value)),
        };
        var scale = Math.Max(1, x.Select(Math.Abs).DefaultIfEmpty().Max());
        return x.Zip(y).Select(pair => double.IsNaN(pair.First - pair.Second) ? double.PositiveInfinity : Math.Abs(pair.First - pair.Second) / scale).DefaultIfEmpty().Max();
    }

    private static double[] Doubles<T>(OrtValue value, Func<T, double> number) where T : unmanaged =>
        [.. MemoryMarshal.Cast<byte, T>(value.GetTensorMutableRawData()).ToArray().Select(number)];

    private static long[] Extents(OrtValue value) => value.GetTensorTypeAndShape().Shape;

    private static InferenceSession Load(string name, ModelProto model)
    {
        try
        {
            using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            return new InferenceSession(model.ToByteArray(), options);
        }
        catch (Exception e) when (e is OnnxRuntimeException or InvalidDataException)
        {
            throw new FaultsException(name, "ONNX Runtime cannot read it: " + e.Message.Split('\n')[0]);
        }
    }
}
