using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Models;

namespace Fleet.Emulator.Commands;

/// <summary>The network that a name or a path means: a published network, a model of the zoo, a table of layers (.csv) or an ONNX file.</summary>
internal sealed class NetworkNames(IReadOnlyDictionary<string, Network> published, string zoo)
{
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
        if (name.Split('_')[0] is "vww" or "ic" or "kws" or "ad" && published.TryGetValue(name.Split('_')[0], out var benchmark)) return benchmark;
        if ((name.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".csv", StringComparison.OrdinalIgnoreCase)) && !File.Exists(name)) throw new FaultsException("model", $"is \"{name}\"; there is no such file");
        if (name.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)) return new Network(name, new NetworkWork(CountedWork.Kernels(CountedWork.Of(name))));
        if (name.EndsWith(".csv", StringComparison.OrdinalIgnoreCase)) return new Network(name, LayerTable.Read(name));
        models ??= ModelFiles.OpenAll(zoo);
        if (models.TryGetValue(name, out var model)) return new Network(name, new NetworkWork(model.Card.HeadWork(model.Card.StageCount)));
        throw new FaultsException("model", $"is \"{name}\"; allowed: {string.Join(", ", published.Keys.Concat(models.Keys))}, a table of layers (PATH.csv), an ONNX file (PATH.onnx)");
    }
}
