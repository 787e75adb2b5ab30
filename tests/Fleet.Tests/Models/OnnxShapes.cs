using Fleet.Onnx;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Tests.Models;

/// <summary>The shapes of all values of a graph in one run.</summary>
internal static class OnnxShapes
{
    public static Dictionary<string, ValueShape> Of(ModelProto model, float[] input, params long[] shape)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL };
        using var session = new InferenceSession(Exposure.Of(model, Exposure.Computed(model)).ToByteArray(), options);
        using var run = new RunOptions();
        using var value = OrtValue.CreateTensorValueFromMemory(input, shape);
        using var outputs = session.Run(run, [session.InputNames[0]], [value], session.OutputNames);
        var shapes = session.OutputNames.Zip(outputs).ToDictionary(pair => pair.First, pair => new ValueShape(TensorProto.Types.DataType.Float, pair.Second.GetTensorTypeAndShape().Shape));
        shapes[session.InputNames[0]] = new ValueShape(TensorProto.Types.DataType.Float, shape);
        return shapes;
    }
}
