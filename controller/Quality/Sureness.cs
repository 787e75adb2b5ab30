using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Controller.Quality;

/// <summary>
/// Finds out when inputs have changed by how sure an exit is of them, whether or not its answers still are the tail's: such a shift, too, moves how often exits answer
/// and are right, although each answer deserves the trust that it got. One audit tells it, since every second input is less sure than the median.
/// </summary>
public sealed class Sureness
{
    /// <summary>Inputs from which what is normal can be told.</summary>
    public const int InputsMin = 50;

    /// <summary>Deviations of the interval of what is normal: 99 %.</summary>
    private const double Deviations = 2.575829;

    /// <summary>A difference of the share that nobody cares about.</summary>
    private const double Tolerance = 0.03;

    private readonly double median;
    private readonly Proportion below;
    private readonly DriftDetector detector;

    private Sureness(double[] confidences, double auditsToFalseAlarm)
    {
        Array.Sort(confidences);
        median = confidences[confidences.Length / 2];
        below = Proportion.Wilson(confidences.Count(confidence => confidence < median) / (double)confidences.Length, confidences.Length, Deviations);
        detector = new DriftDetector(auditsToFalseAlarm);
    }

    /// <summary>Audits since the change that an alarm has found.</summary>
    public long Since => detector.Since;

    /// <summary>On the calibration trace.</summary>
    public static Sureness Of(Trace trace, double temperature, double auditsToFalseAlarm)
    {
        var (confidences, logits) = (new double[trace.Samples], new float[trace.Classes]);
        for (var sample = 0; sample < trace.Samples; sample++)
        {
            TensorPrimitives.ConvertToSingle(trace.ExitLogits(1, sample), logits);
            confidences[sample] = Confidence.MaxProbability(logits, temperature, out _);
        }
        return new Sureness(confidences, auditsToFalseAlarm);
    }

    /// <summary>On audited inputs; null when there are too few.</summary>
    public static Sureness? Of(IReadOnlyCollection<WatchedInput> inputs, double temperature, double auditsToFalseAlarm) =>
        inputs.Count < InputsMin ? null : new Sureness([.. inputs.Select(input => input.At(1, temperature).Confidence)], auditsToFalseAlarm);

    /// <summary>Takes one audit; true when the inputs have changed.</summary>
    /// <param name="confidence">Of exit 1, at the temperature that this was made with.</param>
    public bool Add(double confidence) => detector.Add(Math.Max(0, below.Low - Tolerance), Math.Min(1, below.High + Tolerance), confidence < median);
}
