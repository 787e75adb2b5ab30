using Fleet.Emulator;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Benchmarks;

/// <summary>The least that running the same stages can cost: ONNX Runtime's own calls, bound once, one thread, nothing around them.</summary>
internal sealed class BareOnnx : IDisposable
{
    private readonly List<(InferenceSession Session, OrtIoBinding Binding)> stages = [];
    private readonly RunOptions options = new();

    public BareOnnx(Stock stock, string model, int depth)
    {
        var files = stock.Models[model];
        var card = files.Card;
        var image = stock.Images(files.Card.Replays).Image(0).ToArray();
        var input = Pinned(image.Length);
        for (var i = 0; i < image.Length; i++) input[i] = (float)((image[i] / 255.0 - card.InputMean) / card.InputStd);
        for (var stage = 1; stage <= depth; stage++)
        {
            using var session = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL };
            session.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            var loaded = new InferenceSession(files.ReadChecked(card.Stage(stage).File, card.Stage(stage).Sha256), session);
            var binding = loaded.CreateIoBinding();
            binding.BindInput("x", Value(input, card.Cuts[stage - 1].Shape));
            if (stage < card.StageCount)
            {
                input = Pinned(card.Cuts[stage].Elements);
                binding.BindOutput("features", Value(input, card.Cuts[stage].Shape));
            }
            binding.BindOutput("logits", Value(Pinned(card.Classes.Count), [card.Classes.Count]));
            stages.Add((loaded, binding));
        }
    }

    public void Infer()
    {
        foreach (var (session, binding) in stages) session.RunWithBinding(options, binding);
    }

    public void Dispose()
    {
        foreach (var (session, binding) in stages)
        {
            binding.Dispose();
            session.Dispose();
        }
        options.Dispose();
    }

    private static float[] Pinned(int elements) => GC.AllocateArray<float>(elements, pinned: true);

    private static OrtValue Value(float[] array, IReadOnlyList<int> shape) =>
        OrtValue.CreateTensorValueFromMemory(array, [1, .. shape.Select(extent => (long)extent)]);
}
