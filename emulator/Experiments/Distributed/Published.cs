using Fleet.Emulator.Plots;
using Fleet.Models;

namespace Fleet.Emulator.Experiments.Distributed;

/// <summary>
/// Figures of DDNN as its authors give them (Teerapittayanon et al., ICDCS 2017; kunglab/ddnn, commit adbe5c20): the data of their plots under
/// visualize/data, comm.csv, and the README of the branch `pytorch`.
/// </summary>
internal static class Published
{
    /// <summary>With 1 to 6 devices, the worst one first.</summary>
    public static readonly double[] LocalByDevices = [0.37, 0.43, 0.75, 0.94, 0.95, 0.97];
    public static readonly double[] CloudByDevices = [0.55, 0.77, 0.87, 0.95, 0.97, 0.99];
    public static readonly double[] TogetherByDevices = [0.58, 0.80, 0.88, 0.96, 0.99, 0.99];

    /// <summary>MNIST cut into 3 x 2: all devices, and without device 1 to 6.</summary>
    public const double MnistAll = 0.9917;
    public static readonly double[] MnistWithout = [0.9852, 0.9915, 0.7870, 0.8690, 0.8706, 0.9861];

    /// <summary>Local threshold, accuracy of all exits together, bytes by the formula at the share that leaves (0, 22.81, 60.82, 83.04, 100 %).</summary>
    public static readonly (double Below, double Together, double Bytes)[] ByThreshold = [(0.1, 0.96, 140), (0.7, 0.96, 110.8), (0.8, 0.97, 62.2), (0.9, 0.96, 33.7), (1, 0.92, 12)];

    public static readonly IReadOnlyList<Cost> Communication = [new(1, 64, 0.7018, 14), new(2, 64, 0.7368, 16), new(4, 64, 0.7076, 21), new(8, 64, 0.7135, 30), new(4, 256, 0, 140)];

    public static IReadOnlyList<PlotPoint> Points(double[] byDevices) => [.. byDevices.Select((accuracy, i) => new PlotPoint(i + 1, accuracy))];

    /// <summary>A line of comm.csv; the last is the paper's most, section IV-F.</summary>
    internal sealed record Cost(int Filters, int Bits, double Local, double Bytes)
    {
        private const int Classes = 3;

        public double Formula => CommunicationCost.Mean(Classes, Local, Filters, Bits).Value;
    }
}
