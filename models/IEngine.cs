using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>Where a row of a batch came from: the replayed sample (-1 when live) and the route it took.</summary>
public readonly record struct RowOrigin(int Sample, Route Route);

/// <summary>
/// What one piece of a network reads and writes, for up to <see cref="Capacity"/> rows. The arrays are pinned, so that ONNX Runtime
/// works in place; a stage's <see cref="Features"/> are the next stage's <see cref="Input"/>. Empty arrays stand for tensors that
/// nobody computes (a trace knows only logits).
/// </summary>
public sealed class Activations
{
    public Activations(int capacity, float[] input, int featureElements, int classes)
    {
        Capacity = capacity;
        Count = capacity;
        Input = input;
        Features = Pinned(capacity * featureElements);
        Logits = Pinned(capacity * classes);
        Classes = classes;
        Origins = new RowOrigin[capacity];
    }

    public int Capacity { get; }

    /// <summary>Rows in use.</summary>
    public int Count { get; set; }

    public int Classes { get; }

    public RowOrigin[] Origins { get; }

    /// <summary>[rows x elements of the cut before the piece].</summary>
    public float[] Input { get; }

    /// <summary>[rows x elements of the cut behind the piece]; empty for the last stage and for tails; an encoder's latent.</summary>
    public float[] Features { get; }

    /// <summary>[rows x classes]; empty for an encoder.</summary>
    public float[] Logits { get; }

    public ReadOnlySpan<float> LogitsOf(int row) => Logits.AsSpan(row * Classes, Classes);

    public static float[] Pinned(int elements) => elements == 0 ? [] : GC.AllocateArray<float>(elements, pinned: true);
}

/// <summary>Runs one piece of a network over its rows. The one seam of computing: ONNX Runtime, a recorded trace, an emulated board around either.</summary>
public interface IEngine : IDisposable
{
    Activations Rows { get; }

    /// <summary>
    /// Reads Input (or Origins) and writes Features and Logits of the first Count rows. Gives the time it took: measured around the
    /// native call, or what the emulated board's physics say.
    /// </summary>
    ValueTask<Seconds> Run();
}
