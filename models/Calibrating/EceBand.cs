namespace Fleet.Models.Calibrating;

/// <summary>
/// How large an ECE chance alone makes. A perfectly calibrated exit has an ECE above 0 on any finite set; one that lies within this band
/// cannot be told from a calibrated exit by its ECE. Source: consistency resampling, Broecker and Smith, Weather and Forecasting 22(3), 2007.
/// </summary>
public static class EceBand
{
    /// <summary>
    /// The <paramref name="quantile"/> of the ECE of a perfectly calibrated exit with these confidences: outcomes are drawn anew, right
    /// with probability confidence, <paramref name="draws"/> times, and binned as in <see cref="ReliabilityDiagram.EqualWidth"/>.
    /// </summary>
    public static double Upper(ReadOnlySpan<double> confidences, Random random, int draws = 1000, double quantile = 0.95)
    {
        var edges = ReliabilityDiagram.EqualWidthEdges(ReliabilityDiagram.DefaultBins);
        var (bins, expected, excess) = (new int[confidences.Length], new double[edges.Length], new double[edges.Length]);
        for (var i = 0; i < bins.Length; i++) expected[bins[i] = ReliabilityDiagram.Bin(edges, confidences[i])] += confidences[i];
        var errors = new double[draws];
        for (var draw = 0; draw < draws; draw++)
        {
            expected.CopyTo(excess, 0);
            for (var i = 0; i < bins.Length; i++)
                if (random.NextDouble() < confidences[i]) excess[bins[i]]--;
            errors[draw] = excess.Sum(Math.Abs) / bins.Length;
        }
        Array.Sort(errors);
        return errors[Math.Clamp((int)Math.Ceiling(quantile * draws) - 1, 0, draws - 1)];
    }
}
