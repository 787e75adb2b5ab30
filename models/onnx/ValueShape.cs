namespace Fleet.Onnx;

/// <summary>Element type and extents of a value in one run, batch included.</summary>
public sealed record ValueShape(TensorProto.Types.DataType Type, IReadOnlyList<long> Extents)
{
    public long Elements => Extents.Aggregate(1L, (product, extent) => checked(product * extent));

    public long Bytes => Elements * ElementBytes(Type);

    internal static ValueShape Of(TensorProto tensor) => new((TensorProto.Types.DataType)tensor.DataType, [.. tensor.Dims]);

    private static int ElementBytes(TensorProto.Types.DataType type) => type switch
    {
        TensorProto.Types.DataType.Int64 or TensorProto.Types.DataType.Double or TensorProto.Types.DataType.Uint64 => 8,
        TensorProto.Types.DataType.Float or TensorProto.Types.DataType.Int32 or TensorProto.Types.DataType.Uint32 => 4,
        TensorProto.Types.DataType.Float16 or TensorProto.Types.DataType.Bfloat16 or TensorProto.Types.DataType.Int16 or TensorProto.Types.DataType.Uint16 => 2,
        _ => 1,
    };
}
