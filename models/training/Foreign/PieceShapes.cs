using Fleet.Contracts;
using Fleet.Onnx;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Training;

/// <summary>The shapes of all values of a graph, as one run of one row shows them.</summary>
public static class PieceShapes
{
    /// <param name="name">As faults call the graph.</param>
    /// <param name="piece">With one input, "x".</param>
    /// <param name="inputShape">Of a row.</param>
    /// <exception cref="FaultsException">ONNX Runtime cannot run it on such a row.</exception>
    public static IReadOnlyDictionary<string, ValueShape> Of(string name, ModelProto piece, IReadOnlyList<int> inputShape)
    {
        try
        {
            using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL };
            using var session = new InferenceSession(Exposure.Of(piece, Exposure.Computed(piece)).ToByteArray(), options);
            using var run = new RunOptions();
            long[] extents = [1, .. inputShape.Select(extent => (long)extent)];
            using var input = OrtValue.CreateTensorValueFromMemory(new float[inputShape.Aggregate((a, b) => a * b)], extents);
            using var values = session.Run(run, [PieceExporter.Input], [input], session.OutputNames);
            var shapes = new Dictionary<string, ValueShape> { [PieceExporter.Input] = new(TensorProto.Types.DataType.Float, extents) };
            foreach (var (output, value) in session.OutputNames.Zip(values))
            {
                var shape = value.GetTensorTypeAndShape();
                shapes[output] = new ValueShape((TensorProto.Types.DataType)(int)shape.ElementDataType, shape.Shape);
            }
            return shapes;
        }
        catch (OnnxRuntimeException fault)
        {
            throw new FaultsException(name, $"cannot be run on [1,{string.Join(",", inputShape)}]: {fault.Message.Split('\n')[0]}");
        }
    }
}
