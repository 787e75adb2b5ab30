using System.Globalization;
using System.Numerics.Tensors;

namespace Fleet.Models;

/// <summary>How two traces of the same samples differ.</summary>
/// <param name="Form">Why they cannot be compared sample by sample; "" when they can.</param>
/// <param name="Logits">How many are not the same to the bit.</param>
/// <param name="Excess">By how much two logits differ at most beyond what half precision makes of equal ones.</param>
/// <param name="Alike">The smallest share of samples that an exit or a route gives the same answer.</param>
/// <param name="Payloads">How many have another length.</param>
/// <param name="PayloadRatio">By what share all payloads together differ in length.</param>
public sealed record TraceDifference(string Form, int Logits, double Excess, double Alike, int Payloads, double PayloadRatio)
{
    /// <summary>What one processor rounds otherwise than another, in fp32.</summary>
    private const double ExcessMax = 1e-4;

    /// <summary>Rounded to eight-bit codes, such a difference may turn an answer.</summary>
    private const double AlikeMin = 0.999;

    private const double PayloadRatioMax = 1e-3;

    /// <summary>Nothing differs but the text that says what made them.</summary>
    public bool IsNone => Form.Length == 0 && Logits == 0 && Payloads == 0;

    /// <summary>No more differs than another processor may compute otherwise.</summary>
    public bool IsRounding => Form.Length == 0 && (Excess <= ExcessMax || Alike >= AlikeMin) && PayloadRatio <= PayloadRatioMax;

    public override string ToString() => IsNone ? "the same to the bit"
        : Form.Length > 0 ? Form
        : string.Create(CultureInfo.InvariantCulture, $"{Logits:N0} logits and {Payloads:N0} payloads differ; every exit and route answers at least {Alike:P2} of the samples alike");

    internal static TraceDifference Of(IEnumerable<(Half[] Before, Half[] Now)> logits, int classes, IEnumerable<(int[] Before, int[] Now)> sizes)
    {
        var (different, excess, alike) = (0, 0.0, 1.0);
        foreach (var (before, now) in logits)
        {
            var same = 0;
            for (var start = 0; start < before.Length; start += classes)
                if (Answer(before.AsSpan(start, classes)) == Answer(now.AsSpan(start, classes))) same++;
            alike = Math.Min(alike, same * (double)classes / before.Length);
            for (var i = 0; i < before.Length; i++)
            {
                if (BitConverter.HalfToUInt16Bits(before[i]) == BitConverter.HalfToUInt16Bits(now[i])) continue;
                different++;
                var (a, b) = ((double)before[i], (double)now[i]);
                // Each is off by at most 2^-11 of itself (IEEE 754, 3.6).
                excess = Math.Max(excess, double.IsNaN(a - b) ? double.PositiveInfinity : Math.Abs(a - b) - (Math.Abs(a) + Math.Abs(b)) / 2048);
            }
        }
        var (otherSizes, total, off) = (0, 0L, 0L);
        foreach (var (before, now) in sizes.SelectMany(pair => pair.Before.Zip(pair.Now)))
        {
            if (before != now) otherSizes++;
            (total, off) = (total + before, off + now - before);
        }
        return new TraceDifference("", different, excess, alike, otherSizes, total == 0 ? 0 : Math.Abs((double)off / total));
    }

    private static int Answer(ReadOnlySpan<Half> logits) => TensorPrimitives.IndexOfMax(logits);
}
