using Fleet.Onnx;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Tests.Models;

/// <summary>Runs an ONNX graph from memory on one thread.</summary>
internal static class OnnxRun
{
    /// <param name="model">The graph; its first input is given.</param>
    /// <param name="input">Elements of the input, flattened.</param>
    /// <param name="shape">The input's shape, batch included.</param>
    /// <returns>Every fp32 output by name.</returns>
    public static Dictionary<string, float[]> Outputs(ModelProto model, float[] input, params long[] shape)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(model.ToByteArray(), options);
        using var run = new RunOptions();
        using var value = OrtValue.CreateTensorValueFromMemory(input, shape);
        using var outputs = session.Run(run, [session.InputNames[0]], [value], session.OutputNames);
        return session.OutputNames.Zip(outputs).ToDictionary(pair => pair.First, pair => pair.Second.GetTensorDataAsSpan<float>().ToArray());
    }

    /// <summary>What ONNX Runtime makes of a graph: the operators that it will run, each as often as it runs.</summary>
    public static List<string> OptimisedOperators(ModelProto model, string scratch)
    {
        var path = Path.Combine(scratch, "optimised.onnx");
        using var options = new SessionOptions { IntraOpNumThreads = 1, OptimizedModelFilePath = path, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using (new InferenceSession(model.ToByteArray(), options)) return [.. OnnxFile.Read(path).Graph.Node.Select(node => node.OpType)];
    }
}
