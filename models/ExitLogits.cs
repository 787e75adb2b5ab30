namespace Fleet.Models;

/// <summary>What every exit answers for the samples of a set, as a trace or a training run holds it.</summary>
/// <param name="Exits">For exit 1..N: [samples x classes], row by row.</param>
/// <param name="Labels">The truth, one a sample.</param>
/// <param name="Classes">Logits a sample has.</param>
public sealed record ExitLogits(IReadOnlyList<float[]> Exits, byte[] Labels, int Classes)
{
    public int Samples => Labels.Length;

    public static ExitLogits Of(Trace trace) => new([.. Enumerable.Range(1, trace.Exits).Select(trace.ExitLogits)], trace.Labels.ToArray(), trace.Classes);

    /// <summary>The same for some of the samples, in the order given.</summary>
    public ExitLogits At(int[] samples) => new([.. Exits.Select(logits => Rows(logits, Labels, Classes, samples).Logits)], [.. samples.Select(sample => Labels[sample])], Classes);

    /// <summary>The rows of some samples of one exit.</summary>
    public static (float[] Logits, byte[] Labels) Rows(float[] logits, byte[] labels, int classes, int[] samples)
    {
        var (rows, truths) = (new float[samples.Length * classes], new byte[samples.Length]);
        for (var i = 0; i < samples.Length; i++)
        {
            logits.AsSpan(samples[i] * classes, classes).CopyTo(rows.AsSpan(i * classes));
            truths[i] = labels[samples[i]];
        }
        return (rows, truths);
    }
}
