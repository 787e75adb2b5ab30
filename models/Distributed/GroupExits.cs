namespace Fleet.Models;

/// <summary>Logits of the three exits of a group over a set of samples: [sample, class], flattened.</summary>
public sealed record GroupExits(byte[] Labels, int Classes, float[] Local, float[] Edge, float[] Cloud)
{
    public double Accuracy(float[] logits) => Calibration.Accuracy(logits, Labels, Classes);

    /// <summary>Every sample answered by the first exit whose normalised entropy is below its threshold: local, edge, else cloud.</summary>
    /// <returns>The accuracy of all answers, and the share that each of the first two exits answers.</returns>
    public (double Accuracy, double Local, double Edge) Overall(double localBelow, double edgeBelow)
    {
        var (right, local, edge) = (0, 0, 0);
        for (var sample = 0; sample < Labels.Length; sample++)
        {
            var isLocal = Entropy(Local, sample) < localBelow;
            var isEdge = !isLocal && Entropy(Edge, sample) < edgeBelow;
            if (isLocal) local++;
            if (isEdge) edge++;
            if (Confidence.ArgMax(Of(isLocal ? Local : isEdge ? Edge : Cloud, sample)) == Labels[sample]) right++;
        }
        var count = (double)Labels.Length;
        return (right / count, local / count, edge / count);
    }

    private double Entropy(float[] logits, int sample) => Confidence.NormalisedEntropy(Of(logits, sample));

    private ReadOnlySpan<float> Of(float[] logits, int sample) => logits.AsSpan(sample * Classes, Classes);
}
