using Fleet.Contracts;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fleet.Models.Timing;

/// <summary>An ONNX file bound to one random input, of one row where its batch is open. Runs in place and allocates nothing.</summary>
internal sealed class TimedSession : IDisposable
{
    private readonly InferenceSession session;
    private readonly OrtIoBinding binding;
    private readonly List<OrtValue> values = [];
    private readonly RunOptions options = new();

    /// <exception cref="FaultsException">ONNX Runtime cannot read it, or it takes or gives something else than fp32 tensors.</exception>
    public TimedSession(TimedFile file)
    {
        session = Load(file);
        binding = session.CreateIoBinding();
        var random = new Random(1);
        foreach (var (name, about) in session.InputMetadata) binding.BindInput(name, Value(file, name, about, () => random.NextSingle() * 2 - 1));
        foreach (var (name, about) in session.OutputMetadata) binding.BindOutput(name, Value(file, name, about, () => 0));
    }

    public void Run() => session.RunWithBinding(options, binding);

    public void Dispose()
    {
        binding.Dispose();
        foreach (var value in values) value.Dispose();
        options.Dispose();
        session.Dispose();
    }

    private static InferenceSession Load(TimedFile file)
    {
        try
        {
            using var options = OnnxPiece.Options(threads: 1);
            return new InferenceSession(file.Content, options);
        }
        catch (Exception e) when (e is OnnxRuntimeException or InvalidDataException)
        {
            throw new FaultsException(file.Name, "ONNX Runtime cannot read it: " + e.Message.Split('\n')[0]);
        }
    }

    private OrtValue Value(TimedFile file, string name, NodeMetadata about, Func<float> element)
    {
        if (about.OnnxValueType is not OnnxValueType.ONNX_TYPE_TENSOR || about.ElementDataType is not TensorElementType.Float) throw new FaultsException(file.Name, $"\"{name}\" is no tensor of fp32; pieces take and give nothing else");
        long[] extents = [.. about.Dimensions.Select(extent => extent < 0 ? 1L : extent)];
        var elements = new float[extents.Aggregate(1L, (product, extent) => product * extent)];
        for (var i = 0; i < elements.Length; i++) elements[i] = element();
        var value = OrtValue.CreateTensorValueFromMemory(elements, extents);
        values.Add(value);
        return value;
    }
}
