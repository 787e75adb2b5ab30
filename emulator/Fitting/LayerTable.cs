using Fleet.Contracts;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>
/// A network as a table of its layers: kind (conv, conv1x1, dwconv, groupconv, fc; others count their output only), macs, in_shape and
/// out_shape as extents with "x" between them and channels last ("1x48x48x8"). With a column model the table may hold several networks.
/// </summary>
public static class LayerTable
{
    private const int FirstConvChannels = 4;

    /// <summary>See <see cref="Charge.Grouped"/>.</summary>
    private const int WideGroup = 16;

    /// <summary>Layers that compute nothing, or a handful of elements at the network's end.</summary>
    private static readonly HashSet<string> Free = new(StringComparer.OrdinalIgnoreCase) { "", "input", "split", "reshape", "flatten", "dropout", "softmax" };

    /// <param name="path">Of the table.</param>
    /// <param name="model">Which of its networks; empty when it holds one only.</param>
    /// <exception cref="FaultsException">All faults, with line numbers.</exception>
    public static NetworkWork Read(string path, string model = "")
    {
        var faults = new List<string>();
        var counts = new double[Rates.Charges.Count];
        foreach (var line in OfOne(path, model))
        {
            var macs = line["macs"].Length == 0 ? 0 : NetworkTable.Count(line, "macs", faults);
            if (macs == 0 && Free.Contains(line["kind"])) continue;
            var written = Extents(line, "out_shape", faults).Aggregate(1L, (product, extent) => product * extent);
            if (macs == 0)
            {
                counts[(int)Charge.OtherElement] += written;
                continue;
            }
            var channels = Extents(line, "in_shape", faults)[^1];
            counts[(int)Kind(line, channels, macs / written, faults)] += macs;
            counts[(int)Charge.OutputElement] += written;
            counts[(int)Charge.Layer]++;
        }
        if (faults.Count == 0 && counts[(int)Charge.Layer] == 0) faults.Add("holds no layer with MACs");
        FaultsException.ThrowIfAny(path, faults);
        return NetworkTable.Work(counts);
    }

    private static IEnumerable<CsvLine> OfOne(string path, string model)
    {
        var lines = CsvTable.Read(path, "kind", "macs", "in_shape", "out_shape");
        var models = lines.Select(line => line["model"]).Distinct().ToList();
        if (model.Length == 0 && models.Count > 1) throw new FaultsException(path, $"holds {models.Count} networks; say which: {string.Join(", ", models.Select(name => $"{path}#{name}"))}");
        if (model.Length > 0 && !models.Contains(model)) throw new FaultsException(path, $"holds no network \"{model}\"; allowed: {string.Join(", ", models)}");
        return lines.Where(line => model.Length == 0 || line["model"] == model);
    }

    /// <param name="line">Of the layer.</param>
    /// <param name="channels">It reads.</param>
    /// <param name="macsPerElement">The product of its kernel's extents and a group's channels.</param>
    /// <param name="faults">Grows.</param>
    private static Charge Kind(CsvLine line, long channels, double macsPerElement, List<string> faults)
    {
        switch (line["kind"])
        {
            case "conv": return channels < FirstConvChannels ? Charge.FirstConv : Charge.Conv;
            case "conv1x1": return Charge.Pointwise;
            case "dwconv": return Charge.Depthwise;
            case "groupconv": return Grouped(channels, macsPerElement);
            case "fc": return Charge.Dense;
            default:
                faults.Add($"line {line.Line}: kind is \"{line["kind"]}\" with MACs; allowed: conv, conv1x1, dwconv, groupconv, fc");
                return Charge.Conv;
        }
    }

    /// <summary>Wide groups are convolutions of their kind. The kernel is the smallest square by which the groups come out whole.</summary>
    private static Charge Grouped(long channels, double macsPerElement)
    {
        foreach (var extent in (int[])[1, 3, 5, 7])
        {
            var width = macsPerElement / (extent * extent);
            if (width != Math.Floor(width) || width >= channels || channels % width != 0) continue;
            return width < WideGroup ? Charge.Grouped : extent == 1 ? Charge.Pointwise : Charge.Conv;
        }
        return Charge.Grouped;
    }

    private static long[] Extents(CsvLine line, string column, List<string> faults)
    {
        var extents = line[column].Split('x').Select(text => long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var extent) ? extent : 0).ToArray();
        if (extents.All(extent => extent > 0)) return extents;
        faults.Add($"line {line.Line}: {column} is \"{line[column]}\"; expected whole numbers above 0 with x between them, channels last");
        return [1];
    }
}
