using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Models;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Commands;

/// <summary>The network that a name or a path means: a published network, a model of the zoo, a table of layers (.csv) or an ONNX file.</summary>
internal sealed class NetworkNames(IReadOnlyDictionary<string, Network> published, string zoo)
{
    private static readonly string[] Benchmarks = ["vww", "ic", "kws", "ad", "sww"];

    private readonly Dictionary<string, Network> found = [];
    private IReadOnlyDictionary<string, ModelFiles>? models;

    /// <exception cref="FaultsException">There is no such network, or its file cannot be read.</exception>
    public Network Find(string name) => found.TryGetValue(name, out var known) ? known : found[name] = Look(name);

    private Network Look(string name)
    {
        var key = SystemNames.Key(name);
        if (published.TryGetValue(name, out var exact)) return exact;
        if (published.Values.FirstOrDefault(network => SystemNames.Key(network.Name) == key) is { } spelt) return spelt;
        // "vww_mobilenetv1_0.25_96" and its like: the benchmark's name stands first.
        if (published.TryGetValue(name.Split('_')[0].ToLowerInvariant(), out var benchmark) && Benchmarks.Contains(benchmark.Name)) return benchmark;
        if (File(name) is { } file) return file;
        models ??= ModelFiles.OpenAll(zoo);
        if (models.TryGetValue(name, out var model)) return OfZoo(name, model.Card);
        throw new FaultsException("model", $"is \"{name}\"; allowed: {string.Join(", ", published.Keys.Concat(models.Keys))}, a table of layers (PATH.csv, or PATH.csv#NAME where it holds several networks), an ONNX file (PATH.onnx)");
    }

    /// <summary>Null when the name is no path.</summary>
    private Network? File(string name)
    {
        var (path, part) = name.Split('#', 2) is [var table, var one] && table.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) ? (table, one) : (name, "");
        var (isTable, isGraph) = (path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase), path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase));
        if (!isTable && !isGraph) return null;
        if (!System.IO.File.Exists(path)) throw new FaultsException("model", $"is \"{name}\"; there is no such file");
        try
        {
            return isTable ? Known(name, LayerTable.Read(path, part)) : OfGraph(path);
        }
        catch (FaultsException e) when (e.Subject == path)
        {
            throw new FaultsException("model", [.. e.Faults.Select(fault => fault.StartsWith(path, StringComparison.Ordinal) ? fault : $"{path}: {fault}")]);
        }
    }

    private Network OfGraph(string path)
    {
        var cost = CountedWork.Of(path);
        if (cost.Macs == 0) throw new FaultsException("model", $"is \"{path}\", which holds no convolution or matrix product");
        var kernels = CountedWork.Kernels(cost);
        var wide = kernels with { Conv = new(cost.ConvMacs - cost.NarrowConvMacs), Pointwise = new(cost.PointwiseMacs - cost.NarrowPointwiseMacs) };
        return Known(path, new NetworkWork(wide, cost.NarrowConvMacs + cost.NarrowPointwiseMacs, cost.OtherElements)) with { Int8Share = cost.Int8Macs / cost.Macs };
    }

    /// <summary>The published network of exactly this work, kernel by kernel: donors have measured it. Else one that nobody knows.</summary>
    private Network Known(string name, NetworkWork work) =>
        published.Values.FirstOrDefault(network => network.Work.IsSameAs(work)) ?? new Network(name, work);

    private static Network OfZoo(string name, ModelCard card)
    {
        var work = card.HeadWork(card.StageCount);
        return new Network(name, new NetworkWork(work)) { Int8Share = card.Stages.Where(stage => stage.Precision is Precision.Int8).Sum(stage => stage.Work.Total.Value) / work.Total.Value };
    }
}
