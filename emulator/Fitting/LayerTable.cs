using Fleet.Contracts;

namespace Fleet.Emulator.Fitting;

/// <summary>
/// A network as a table of its layers: kind (conv, conv1x1, dwconv, groupconv for groups of 2 to 15 channels, fc; others count their output only), macs, in_shape and
/// out_shape as extents with "x" between them and channels last ("1x48x48x8").
/// </summary>
public static class LayerTable
{
    private const int FirstConvChannels = 4;

    /// <exception cref="FaultsException">All faults, with line numbers.</exception>
    public static NetworkWork Read(string path)
    {
        var faults = new List<string>();
        var counts = new double[Rates.Charges.Count];
        foreach (var line in CsvTable.Read(path, "kind", "macs", "in_shape", "out_shape"))
        {
            var macs = line["macs"].Length == 0 ? 0 : NetworkTable.Count(line, "macs", faults);
            var written = Extents(line, "out_shape", faults).Aggregate(1L, (product, extent) => product * extent);
            if (macs == 0)
            {
                counts[(int)Charge.OtherElement] += written;
                continue;
            }
            var channels = Extents(line, "in_shape", faults)[^1];
            counts[(int)Kind(line, channels, faults)] += macs;
            counts[(int)Charge.OutputElement] += written;
            counts[(int)Charge.Layer]++;
        }
        if (faults.Count == 0 && counts[(int)Charge.Layer] == 0) faults.Add("holds no layer with MACs");
        FaultsException.ThrowIfAny(path, faults);
        return NetworkTable.Work(counts);
    }

    private static Charge Kind(CsvLine line, long channels, List<string> faults)
    {
        switch (line["kind"])
        {
            case "conv": return channels < FirstConvChannels ? Charge.FirstConv : Charge.Conv;
            case "conv1x1": return Charge.Pointwise;
            case "dwconv": return Charge.Depthwise;
            case "groupconv": return Charge.Grouped;
            case "fc": return Charge.Dense;
            default:
                faults.Add($"line {line.Line}: kind is \"{line["kind"]}\" with MACs; allowed: conv, conv1x1, dwconv, groupconv, fc");
                return Charge.Conv;
        }
    }

    private static long[] Extents(CsvLine line, string column, List<string> faults)
    {
        var extents = line[column].Split('x').Select(text => long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var extent) ? extent : 0).ToArray();
        if (extents.All(extent => extent > 0)) return extents;
        faults.Add($"line {line.Line}: {column} is \"{line[column]}\"; expected whole numbers above 0 with x between them, channels last");
        return [1];
    }
}
