using System.Globalization;
using Fleet.Contracts;
using Fleet.Onnx;
using Microsoft.ML.OnnxRuntime;
using static Fleet.Onnx.TensorProto.Types;

namespace Fleet.Emulator.Commands;

/// <summary>The inputs of a network that somebody else made: their extents, settled before anything runs, and random contents.</summary>
internal sealed class SplitInputs
{
    private readonly string file;
    private readonly IReadOnlyList<(ValueInfoProto Declared, long[] Extents)> inputs;

    /// <param name="file">What to call the model in a fault.</param>
    /// <param name="model">Initializers among its inputs are weights.</param>
    /// <param name="shapes">"1,3,224,224", or "NAME=1,3,224,224" where there are several inputs.</param>
    /// <exception cref="FaultsException">A dimension other than the batch stays open, or a given shape contradicts the file.</exception>
    public SplitInputs(string file, ModelProto model, IReadOnlyList<string> shapes)
    {
        this.file = file;
        var weights = model.Graph.Initializer.Select(tensor => tensor.Name).ToHashSet();
        Declared = [.. model.Graph.Input.Where(input => !weights.Contains(input.Name))];
        if (Declared.Count == 0) throw new FaultsException(file, "has no inputs; there is nothing to send anywhere");
        var given = shapes.Select(Given).ToDictionary(pair => pair.Name, pair => pair.Extents);
        inputs = [.. Declared.Select(input => (input, Settled(input, given.GetValueOrDefault(input.Name))))];
    }

    /// <summary>As the file describes them, open dimensions included.</summary>
    public IReadOnlyList<ValueInfoProto> Declared { get; }

    public IReadOnlyDictionary<string, ValueShape> Shapes => inputs.ToDictionary(input => input.Declared.Name, input => new ValueShape(Type(input.Declared), input.Extents));

    /// <summary>Whether one draw differs from another.</summary>
    public bool Vary => inputs.Any(input => Type(input.Declared) is not (DataType.Int64 or DataType.Int32 or DataType.Bool));

    /// <summary>Floating-point elements are uniform in -1..1; whole numbers are 0, which is an index that always exists.</summary>
    public Dictionary<string, OrtValue> Draw(int seed)
    {
        var random = new Random(seed);
        return inputs.ToDictionary(input => input.Declared.Name, input => Draw(input.Declared.Name, Type(input.Declared), input.Extents, random));
    }

    private (string Name, long[] Extents) Given(string shape)
    {
        var (name, numbers) = shape.Split('=') is [var before, var after] ? (before, after) : (Declared.Count == 1 ? Declared[0].Name : "", shape);
        if (Declared.All(input => input.Name != name)) throw new FaultsException("--input-shape", $"is \"{shape}\", which names none of the inputs: {string.Join(", ", Declared.Select(input => input.Name))}");
        var extents = numbers.Split(',').Select(number => long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var extent) ? extent : 0).ToArray();
        return extents.All(extent => extent > 0) ? (name, extents) : throw new FaultsException("--input-shape", $"is \"{shape}\"; extents are whole numbers above 0, separated by commas");
    }

    private long[] Settled(ValueInfoProto input, long[]? given)
    {
        if (input.Type?.TensorType is not { } tensor) throw new FaultsException(file, $"input \"{input.Name}\" is no tensor");
        var declared = tensor.Shape?.Dim;
        if (declared is null) return given ?? throw new FaultsException(file, $"says nothing of the shape of input \"{input.Name}\"; give it: --input-shape {Example(input, "1,3,224,224")}");
        if (given is not null && (given.Length != declared.Count || given.Zip(declared).Any(pair => pair.Second.HasDimValue && pair.Second.DimValue > 0 && pair.Second.DimValue != pair.First)))
            throw new FaultsException("--input-shape", $"is {string.Join(",", given)}; the file says {string.Join(",", declared.Select(Text))}");
        if (given is not null) return given;
        var open = Enumerable.Range(1, Math.Max(0, declared.Count - 1)).Where(i => !(declared[i].DimValue > 0)).ToList();
        if (open.Count > 0)
        {
            var example = string.Join(",", declared.Select((dimension, i) => dimension.DimValue > 0 ? $"{dimension.DimValue}" : i == 0 ? "1" : "224"));
            throw new FaultsException(file, [.. open.Select(i => $"input \"{input.Name}\" leaves dimension {i} ({Text(declared[i])}) open; give the shape, for example --input-shape {Example(input, example)}")]);
        }
        return [.. declared.Select(dimension => dimension.DimValue > 0 ? dimension.DimValue : 1)];
    }

    private string Example(ValueInfoProto input, string extents) => Declared.Count == 1 ? extents : $"{input.Name}={extents}";

    private OrtValue Draw(string name, DataType type, long[] extents, Random random)
    {
        var elements = checked((int)extents.Aggregate(1L, (product, extent) => checked(product * extent)));
        OrtValue Tensor<T>(Func<T> element) where T : unmanaged
        {
            var values = new T[elements];
            for (var i = 0; i < elements; i++) values[i] = element();
            return OrtValue.CreateTensorValueFromMemory(values, extents);
        }
        return type switch
        {
            DataType.Float => Tensor(() => random.NextSingle() * 2 - 1),
            DataType.Double => Tensor(() => random.NextDouble() * 2 - 1),
            DataType.Float16 => Tensor(() => (Float16)(random.NextSingle() * 2 - 1)),
            DataType.Int64 => Tensor(() => 0L),
            DataType.Int32 => Tensor(() => 0),
            DataType.Uint8 => Tensor(() => (byte)random.Next(256)),
            DataType.Int8 => Tensor(() => (sbyte)random.Next(-128, 128)),
            DataType.Bool => Tensor(() => false),
            _ => throw new FaultsException(file, $"input \"{name}\" holds {type}, for which no random input is made"),
        };
    }

    private static DataType Type(ValueInfoProto input) => (DataType)input.Type.TensorType.ElemType;

    private static string Text(TensorShapeProto.Types.Dimension dimension) => dimension.HasDimValue && dimension.DimValue > 0 ? $"{dimension.DimValue}" : dimension.DimParam.Length > 0 ? dimension.DimParam : "?";
}
