namespace Fleet.Onnx;

/// <summary>Descriptions of graph inputs and outputs.</summary>
public static class Values
{
    /// <summary>An fp32 tensor [N, extents...].</summary>
    public static ValueInfoProto Float(string name, params ReadOnlySpan<int> extents)
    {
        var shape = new TensorShapeProto();
        shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = GraphBuilder.BatchDimension });
        foreach (var extent in extents) shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = extent });
        return Tensor(name, TensorProto.Types.DataType.Float, shape);
    }

    /// <summary>A tensor of a type and, unless null, a shape; whoever loads the model infers a shape that is not given.</summary>
    public static ValueInfoProto Tensor(string name, TensorProto.Types.DataType type, TensorShapeProto? shape = null) =>
        new() { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = shape } } };
}
