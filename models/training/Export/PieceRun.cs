using Fleet.Models;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Training;

/// <summary>Runs a piece's ONNX file over many rows at once.</summary>
public static class PieceRun
{
    private const int Batch = 100;

    /// <param name="file">The file's bytes.</param>
    /// <param name="rows">[row, element], flattened.</param>
    /// <param name="shape">The shape of a row.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <returns>What the piece's outputs are for every row, flattened; empty for an output that it has not.</returns>
    public static (float[] Features, float[] Logits) Run(byte[] file, float[] rows, IReadOnlyList<int> shape, Action<double>? progress = null)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using var session = new InferenceSession(file, options);
        using var run = new RunOptions();
        var elements = shape.Aggregate((a, b) => a * b);
        string[] outputs = [.. session.OutputNames];
        var collected = outputs.Select(_ => new List<float>()).ToList();
        for (var start = 0; start < rows.Length; start += Batch * elements)
        {
            var batch = rows.AsSpan(start, Math.Min(Batch * elements, rows.Length - start)).ToArray();
            using var input = OrtValue.CreateTensorValueFromMemory(batch, [batch.Length / elements, .. shape.Select(extent => (long)extent)]);
            using var values = session.Run(run, [OnnxPiece.InputName], [input], outputs);
            foreach (var (into, value) in collected.Zip(values)) into.AddRange(value.GetTensorDataAsSpan<float>());
            progress?.Invoke((double)(start + batch.Length) / rows.Length);
        }
        float[] Of(string name) => Array.IndexOf(outputs, name) is var i and >= 0 ? [.. collected[i]] : [];
        return (Of(OnnxPiece.FeaturesName), Of(OnnxPiece.LogitsName));
    }
}
