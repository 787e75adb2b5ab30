using Fleet.Contracts;

namespace Fleet.Models.Profiling;

/// <summary>
/// Rates of one system from its rows: least squares on relative error, no rate negative, every rate drawn towards a prior,
/// min over r of sum over rows ((r · work) / t − 1)² + shrinkage * sum over charges (r / prior − 1)².
/// With few rows the prior decides what the rows cannot; with one row what remains is the prior, scaled.
/// </summary>
public static class RateFit
{
    /// <summary>
    /// Weight of one charge against one row. From 0.003 to 0.3 leave-one-out errors over MLPerf Tiny change by less than a tenth of
    /// themselves; the large networks of ncnn, whose charges are many and rows alike, want more.
    /// </summary>
    public const double Shrinkage = 0.1;

    public const double LargeNetworkShrinkage = 0.3;

    /// <summary>
    /// Ratios to pointwise in int8 on microcontrollers: conv 0.93, depthwise 3.7, dense 1.3 (means over the systems of MLPerf Tiny);
    /// first convolution and output elements from STM32Cube.AI's rows (2.1 and 11.5, elements halved: smaller networks want less when
    /// left out), a layer as a stand-in.
    /// </summary>
    public static Rates MicrocontrollerShape { get; } = new([2, 0.93, 1, 3.7, 1.3, 5, 2000, 1, 0]);

    /// <summary>
    /// Ratios to pointwise of ncnn on Cortex-A: inner convolutions by Winograd's algorithm, depthwise and elementwise work bound by
    /// memory. Read off the free fits to the Raspberry Pis' rows.
    /// </summary>
    public static Rates ApplicationProcessorShape { get; } = new([3.5, 0.4, 1, 2, 4, 12, 3e4, 2, 12]);

    /// <summary>The factor that brings a shape nearest to the rows: the geometric mean of their quotients.</summary>
    /// <param name="rows">At least one.</param>
    /// <param name="shape">What it says of a network, in whatever unit.</param>
    public static double Scale(IReadOnlyList<KnownTime> rows, Func<Network, double> shape) =>
        Math.Exp(rows.Average(row => Math.Log(row.Time.Value / shape(row.Network))));

    /// <summary>The rates nearest to the rows and to the prior.</summary>
    /// <param name="prior">Scaled to seconds; a rate of zero stays zero.</param>
    /// <param name="rows">Possibly none: then the prior.</param>
    /// <param name="shrinkage">Weight of one charge's departure from the prior against one row's error.</param>
    public static Rates Near(Rates prior, IReadOnlyList<KnownTime> rows, double shrinkage)
    {
        if (rows.Count == 0) return prior;
        var charges = Rates.Charges.Where(charge => prior[charge] > 0).ToArray();
        var coefficients = rows.Select(row => charges.Select(charge => prior[charge] * row.Network.Work[charge] / row.Time.Value).ToArray()).ToList();
        var targets = Enumerable.Repeat(1.0, rows.Count).ToList();
        for (var i = 0; i < charges.Length; i++)
        {
            var drawn = new double[charges.Length];
            drawn[i] = Math.Sqrt(shrinkage);
            coefficients.Add(drawn);
            targets.Add(Math.Sqrt(shrinkage));
        }
        var departure = NonNegativeLeastSquares.Solve(coefficients, targets);
        return new Rates(Rates.Charges.Select(charge => Array.IndexOf(charges, charge) is >= 0 and var i ? prior[charge] * departure[i] : 0));
    }
}
