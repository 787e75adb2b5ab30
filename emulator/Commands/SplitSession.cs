using System.Runtime.InteropServices;
using Fleet.Contracts;
using Fleet.Onnx;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fleet.Emulator.Commands;

/// <summary>A network or a part of one in ONNX Runtime, its values passed by name.</summary>
internal sealed class SplitSession : IDisposable
{
    private readonly string name;
    private readonly InferenceSession session;

    /// <exception cref="FaultsException">ONNX Runtime cannot read the model.</exception>
    public SplitSession(string name, ModelProto model, GraphOptimizationLevel optimisation = GraphOptimizationLevel.ORT_ENABLE_ALL)
    {
        this.name = name;
        try
        {
            using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, GraphOptimizationLevel = optimisation };
            session = new InferenceSession(model.ToByteArray(), options);
        }
        catch (Exception e) when (e is OnnxRuntimeException or InvalidDataException)
        {
            throw new FaultsException(name, "ONNX Runtime cannot read it: " + e.Message.Split('\n')[0]);
        }
    }

    /// <summary>Runs on those of <paramref name="values"/> that are inputs, and adds the outputs to them.</summary>
    /// <exception cref="FaultsException">ONNX Runtime cannot run it on these values.</exception>
    public void Run(Dictionary<string, OrtValue> values)
    {
        try
        {
            using var options = new RunOptions();
            var taken = session.InputNames.ToDictionary(input => input, input => values[input]);
            foreach (var (output, value) in session.OutputNames.Zip(session.Run(options, taken, session.OutputNames))) values[output] = value;
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaultsException(name, "cannot be run on a random input: " + e.Message.Split('\n')[0]);
        }
    }

    /// <summary>An output's element type and shape with its symbols; null when it is no tensor.</summary>
    public ValueInfoProto? Describe(string output)
    {
        var metadata = session.OutputMetadata[output];
        if (metadata.OnnxValueType is not OnnxValueType.ONNX_TYPE_TENSOR) return null;
        var shape = new TensorShapeProto();
        foreach (var (extent, symbol) in metadata.Dimensions.Zip(metadata.SymbolicDimensions))
        {
            var dimension = new TensorShapeProto.Types.Dimension();
            if (extent >= 0) dimension.DimValue = extent;
            else if (symbol.Length > 0) dimension.DimParam = symbol;
            shape.Dim.Add(dimension);
        }
        return Values.Tensor(output, Type(metadata.ElementDataType), shape);
    }

    public void Dispose() => session.Dispose();

    public static ValueShape Shape(OrtValue value)
    {
        var shape = value.GetTensorTypeAndShape();
        return new ValueShape(Type(shape.ElementDataType), shape.Shape);
    }

    /// <summary>The elements as numbers.</summary>
    public static double[] Numbers(OrtValue value) => value.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Float => Numbers<float>(value, number => number),
        TensorElementType.Double => Numbers<double>(value, number => number),
        TensorElementType.Float16 => Numbers<Float16>(value, number => (float)number),
        TensorElementType.Int64 => Numbers<long>(value, number => number),
        TensorElementType.Int32 => Numbers<int>(value, number => number),
        _ => Numbers<byte>(value, number => number),
    };

    /// <summary>ONNX Runtime numbers its element types as the format does.</summary>
    private static TensorProto.Types.DataType Type(TensorElementType type) => (TensorProto.Types.DataType)(int)type;

    private static double[] Numbers<T>(OrtValue value, Func<T, double> number) where T : unmanaged =>
        [.. MemoryMarshal.Cast<byte, T>(value.GetTensorMutableRawData()).ToArray().Select(number)];
}
