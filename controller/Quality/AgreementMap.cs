using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Calibrating;

namespace Fleet.Controller.Quality;

/// <summary>
/// How often an exit's answer differs from the tail's, by how sure it is: between a least and a most, since it was counted on a sample. A shift of the
/// inputs that leaves this as it is leaves thresholds valid, and is no alarm.
/// </summary>
public sealed class AgreementMap
{
    private const int BinsMax = 10;

    /// <summary>Samples a bin should have.</summary>
    private const int BinSamples = 50;

    /// <summary>Deviations of each bin's interval: 99 %, since there are several.</summary>
    private const double Deviations = 2.575829;

    /// <summary>A difference nobody cares about.</summary>
    private const double Tolerance = 0.01;

    private readonly (double High, Proportion Differs)[] bins;

    private AgreementMap(double[] confidences, bool[] agrees)
    {
        var diagram = ReliabilityDiagram.EqualMass(confidences, agrees, Math.Clamp(confidences.Length / BinSamples, 1, BinsMax));
        bins = [.. diagram.Bins.Where(bin => bin.Samples > 0).Select(bin => (bin.High, Proportion.Wilson(1 - bin.Accuracy, bin.Samples, Deviations)))];
    }

    /// <summary>On the calibration trace, against the tail behind a route.</summary>
    public static AgreementMap Of(Trace trace, int exit, double temperature, Route route)
    {
        var (confidences, agrees, logits) = (new double[trace.Samples], new bool[trace.Samples], new float[trace.Classes]);
        for (var sample = 0; sample < trace.Samples; sample++)
        {
            TensorPrimitives.ConvertToSingle(trace.Knows(route) ? trace.RouteLogits(route, sample) : trace.ExitLogits(trace.Exits, sample), logits);
            var tail = Confidence.ArgMax(logits);
            TensorPrimitives.ConvertToSingle(trace.ExitLogits(exit, sample), logits);
            confidences[sample] = Confidence.MaxProbability(logits, temperature, out var label);
            agrees[sample] = label == tail;
        }
        return new AgreementMap(confidences, agrees);
    }

    /// <summary>On audited inputs that hold the exit; null when there are too few.</summary>
    public static AgreementMap? Of(IEnumerable<WatchedInput> inputs, int exit, double temperature)
    {
        var judged = inputs.Where(input => input.Depth >= exit).Select(input => input.At(exit, temperature)).ToList();
        return judged.Count < BinSamples ? null : new AgreementMap([.. judged.Select(one => one.Confidence)], [.. judged.Select(one => one.Agrees)]);
    }

    /// <summary>Least and most share of answers of such a confidence that should differ.</summary>
    public (double Least, double Most) Differing(double confidence)
    {
        var i = 0;
        while (i < bins.Length - 1 && confidence > bins[i].High) i++;
        var differs = bins[i].Differs;
        return (Math.Min(differs.Low, differs.Value - Tolerance), Math.Max(differs.High, differs.Value + Tolerance));
    }
}
