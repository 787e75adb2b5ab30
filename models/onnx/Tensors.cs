using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Fleet.Onnx;

/// <summary>Tensors as they stand in a file: raw bytes, little-endian as the format demands and as every platform .NET runs on lays them out.</summary>
internal static class Tensors
{
    public static TensorProto Of(string name, ReadOnlySpan<float> elements, params ReadOnlySpan<long> extents) =>
        Of(name, TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes(elements), extents);

    public static TensorProto Of(string name, ReadOnlySpan<int> elements, params ReadOnlySpan<long> extents) =>
        Of(name, TensorProto.Types.DataType.Int32, MemoryMarshal.AsBytes(elements), extents);

    public static TensorProto Of(string name, ReadOnlySpan<long> elements, params ReadOnlySpan<long> extents) =>
        Of(name, TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes(elements), extents);

    public static TensorProto Of(string name, ReadOnlySpan<sbyte> elements, params ReadOnlySpan<long> extents) =>
        Of(name, TensorProto.Types.DataType.Int8, MemoryMarshal.AsBytes(elements), extents);

    public static TensorProto Scalar(string name, byte element) => Of(name, TensorProto.Types.DataType.Uint8, [element], []);

    /// <summary>The elements of an fp32 tensor, whichever of the format's two places they stand in.</summary>
    /// <exception cref="InvalidDataException">It is of another type, or has fewer or more elements than its shape says.</exception>
    public static float[] Floats(TensorProto tensor)
    {
        if (tensor.DataType != (int)TensorProto.Types.DataType.Float)
            throw new InvalidDataException($"tensor \"{tensor.Name}\" holds {(TensorProto.Types.DataType)tensor.DataType}; fp32 is needed");
        float[] elements = tensor.HasRawData ? MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray() : [.. tensor.FloatData];
        return elements.Length == Elements(tensor) ? elements
            : throw new InvalidDataException($"tensor \"{tensor.Name}\" has {elements.Length} elements; [{string.Join(",", tensor.Dims)}] needs {Elements(tensor)}");
    }

    public static long Elements(TensorProto tensor) => tensor.Dims.Aggregate(1L, (product, extent) => checked(product * extent));

    private static TensorProto Of(string name, TensorProto.Types.DataType type, ReadOnlySpan<byte> bytes, ReadOnlySpan<long> extents)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = ByteString.CopyFrom(bytes) };
        foreach (var extent in extents) tensor.Dims.Add(extent);
        return tensor;
    }
}
