using System.Globalization;
using Fleet.Contracts;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>Networks by name with their work, one a line.</summary>
public static class NetworkTable
{
    private static readonly string[] Counts =
        ["first_conv_macs", "conv_macs", "pointwise_macs", "depthwise_macs", "dense_macs", "output_elements", "layers", "grouped_macs", "other_elements"];

    /// <exception cref="FaultsException">All faults of the file, with line numbers.</exception>
    public static IReadOnlyDictionary<string, Network> Read(string path)
    {
        var faults = new List<string>();
        var networks = new Dictionary<string, Network>(StringComparer.Ordinal);
        foreach (var line in CsvTable.Read(path, [.. Counts, "network", "source"]))
        {
            var counts = Counts.Select(column => Count(line, column, faults)).ToArray();
            if (!networks.TryAdd(line["network"], new Network(line["network"], Work(counts)))) faults.Add($"line {line.Line}: {line["network"]} stands there twice");
        }
        FaultsException.ThrowIfAny(path, faults);
        return networks;
    }

    /// <summary>A whole number of 0 or more; 0 and a fault when it is none.</summary>
    public static double Count(CsvLine line, string column, List<string> faults)
    {
        if (long.TryParse(line[column], NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return count;
        faults.Add($"line {line.Line}: {column} is \"{line[column]}\"; expected a whole number of 0 or more");
        return 0;
    }

    /// <param name="counts">In the order of <see cref="Charge"/>.</param>
    public static NetworkWork Work(IReadOnlyList<double> counts)
    {
        double Of(Charge charge) => counts[(int)charge];
        var kernels = new KernelWork
        {
            FirstConv = new(Of(Charge.FirstConv)),
            Conv = new(Of(Charge.Conv)),
            Pointwise = new(Of(Charge.Pointwise)),
            Depthwise = new(Of(Charge.Depthwise)),
            Dense = new(Of(Charge.Dense)),
            OutputElements = (long)Of(Charge.OutputElement),
            Layers = (int)Of(Charge.Layer),
        };
        return new NetworkWork(kernels, Of(Charge.Grouped), Of(Charge.OtherElement));
    }
}
