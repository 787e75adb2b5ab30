using Fleet.Contracts;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Models;

/// <summary>A loaded ONNX file. Sessions are thread-safe and dear, so many engines share one.</summary>
public sealed class OnnxPiece : IDisposable
{
    public const string InputName = "x";
    public const string FeaturesName = "features";
    public const string LogitsName = "logits";

    private OnnxPiece(InferenceSession session, ModelPiece piece)
    {
        Session = session;
        Piece = piece;
    }

    public ModelPiece Piece { get; }

    internal InferenceSession Session { get; }

    /// <summary>Loads bytes whose hash has been checked: a stage has features and logits, a tail logits, an encoder features. Throws <see cref="FaultsException"/> when ONNX Runtime cannot read them or they are another network.</summary>
    public static OnnxPiece Load(string name, byte[] file, ModelPiece piece, bool hasFeatures, int threads = 1, bool hasLogits = true)
    {
        InferenceSession session;
        try
        {
            using var options = Options(threads);
            session = new InferenceSession(file, options);
        }
        catch (Exception e) when (e is OnnxRuntimeException or InvalidDataException)
        {
            throw new FaultsException(name, "ONNX Runtime cannot read it: " + e.Message.Split('\n')[0]);
        }
        string[] needed = [.. hasFeatures ? [FeaturesName] : Array.Empty<string>(), .. hasLogits ? [LogitsName] : Array.Empty<string>()];
        if (!session.InputMetadata.ContainsKey(InputName) || needed.Any(output => !session.OutputMetadata.ContainsKey(output)))
        {
            var found = $"{string.Join(", ", session.InputMetadata.Keys)} -> {string.Join(", ", session.OutputMetadata.Keys)}";
            session.Dispose();
            throw new FaultsException(name, $"has {found}; needed: {InputName} -> {string.Join(", ", needed)}");
        }
        return new OnnxPiece(session, piece);
    }

    /// <summary>Throws <see cref="FaultsException"/> when the file says that its tensors have other shapes than the card says; extents it leaves open fit any.</summary>
    /// <param name="input">Of "x", without the batch.</param>
    /// <param name="output">"features" or "logits".</param>
    /// <param name="shape">Of the output, without the batch.</param>
    public void Require(IReadOnlyList<int> input, string output, IReadOnlyList<int> shape) => FaultsException.ThrowIfAny(Piece.File,
    [
        .. ShapeFaults(InputName, Session.InputMetadata[InputName].Dimensions, input),
        .. ShapeFaults(output, Session.OutputMetadata[output].Dimensions, shape),
    ]);

    public void Dispose() => Session.Dispose();

    private static IEnumerable<string> ShapeFaults(string name, int[] found, IReadOnlyList<int> needed)
    {
        if (found.Length != needed.Count + 1 || found.Skip(1).Zip(needed).Any(pair => pair.First >= 0 && pair.First != pair.Second))
            yield return $"{name} is [{string.Join(",", found)}]; the card says [N,{string.Join(",", needed)}]";
    }

    /// <summary>How every piece is run, and timed.</summary>
    internal static SessionOptions Options(int threads)
    {
        var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL };
        // A spinning thread pool would burn the second core of a small board for nothing.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        return options;
    }
}

/// <summary>Runs an ONNX file inline, in place, over pinned arrays. Allocates nothing once a batch size has been seen.</summary>
public sealed class OnnxEngine(OnnxPiece piece, Activations rows, IReadOnlyList<int> inputShape, IReadOnlyList<int>? featureShape) : IEngine
{
    private readonly OrtIoBinding?[] bindings = new OrtIoBinding?[rows.Capacity + 1];
    private readonly List<OrtValue> values = [];
    private readonly RunOptions options = new();

    public Activations Rows => rows;

    public ValueTask<Seconds> Run()
    {
        var binding = bindings[rows.Count] ??= Bind(rows.Count);
        // Native computing takes real time whatever clock the caller lives by; an emulated board replaces this figure by its own.
        var began = TimeProvider.System.GetTimestamp();
        piece.Session.RunWithBinding(options, binding);
        return new ValueTask<Seconds>(TimeProvider.System.Since(began));
    }

    public void Dispose()
    {
        foreach (var binding in bindings) binding?.Dispose();
        foreach (var value in values) value.Dispose();
        options.Dispose();
    }

    private OrtIoBinding Bind(int count)
    {
        var binding = piece.Session.CreateIoBinding();
        binding.BindInput(OnnxPiece.InputName, Value(rows.Input, count, inputShape));
        if (featureShape is not null) binding.BindOutput(OnnxPiece.FeaturesName, Value(rows.Features, count, featureShape));
        if (rows.Classes > 0) binding.BindOutput(OnnxPiece.LogitsName, Value(rows.Logits, count, [rows.Classes]));
        return binding;
    }

    private OrtValue Value(float[] array, int count, IReadOnlyList<int> shape)
    {
        long[] dimensions = [count, .. shape.Select(extent => (long)extent)];
        var value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, array.AsMemory(0, (int)dimensions.Aggregate((a, b) => a * b)), dimensions);
        values.Add(value);
        return value;
    }
}
