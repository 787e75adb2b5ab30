using System.Text.Json;
using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>One way of running a task, measured on its whole test set.</summary>
public sealed record ComparisonPoint
{
    /// <summary>
    /// What was done, in the words of the table: "webp, server retrained", "bottleneck, two stages", "joint". One that begins with a codec's
    /// name or with "bottleneck" stands among all ways of its task as well, if it says how many bytes cross.
    /// </summary>
    [JsonPropertyName("method")] public required string Method { get; init; }

    /// <summary>Which of several: a quality, a size, a threshold.</summary>
    [JsonPropertyName("variant")] public string Variant { get; init; } = "";
    [JsonPropertyName("accuracy_ratio")] public required double Accuracy { get; init; }

    /// <summary>Mean payload an inference, without headers; null where nothing crosses or bytes are not the matter.</summary>
    [JsonPropertyName("wire_bytes")] public Bytes? Wire { get; init; }

    /// <summary>Mean multiply-accumulates of the device an inference; null where they are not the matter.</summary>
    [JsonPropertyName("device_macs")] public Macs? Device { get; init; }

    /// <summary>Weights that the device must hold, in bytes of its files.</summary>
    [JsonPropertyName("device_file_bytes")] public Bytes? DeviceFile { get; init; }

    /// <summary>Anything a reader of the table must know.</summary>
    [JsonPropertyName("note")] public string Note { get; init; } = "";
}

/// <summary>
/// What one experiment of training measured, kept beside the zoo so that the table can be made without training: rivals, ablations,
/// variants that are not shipped.
/// </summary>
public sealed record Comparison
{
    [JsonPropertyName("name")] public required string Name { get; init; }

    /// <summary>"fmnist" or "scenes".</summary>
    [JsonPropertyName("task")] public required string Task { get; init; }

    /// <summary>What is compared, a sentence or two in Markdown.</summary>
    [JsonPropertyName("text")] public required string Text { get; init; }

    /// <summary>The command that measures it again.</summary>
    [JsonPropertyName("command")] public required string Command { get; init; }
    [JsonPropertyName("points")] public required IReadOnlyList<ComparisonPoint> Points { get; init; }

    /// <summary>Reads every comparison of a directory, by file name; none when there is no such directory.</summary>
    /// <exception cref="FaultsException">A file is damaged; the message names it.</exception>
    public static IReadOnlyList<Comparison> ReadAll(string directory) => !Directory.Exists(directory) ? [] :
    [
        .. Directory.EnumerateFiles(directory, "*.json").Order(StringComparer.Ordinal).Select(Read),
    ];

    /// <exception cref="FaultsException">The file is missing or damaged; the message names it.</exception>
    public static Comparison Read(string path) => StrictJson.Read(path, Json.File.Info<Comparison>(), comparison => comparison.Faults());

    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string directory)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, Name + ".json"), JsonSerializer.Serialize(this, Json.File.Info<Comparison>()) + "\n");
    }

    /// <summary>What is wrong with it, one sentence a fault.</summary>
    public IEnumerable<string> Faults()
    {
        if (Points.Count == 0) yield return "points is empty; a comparison has at least one";
        for (var i = 0; i < Points.Count; i++)
            if (!(Points[i].Accuracy is >= 0 and <= 1)) yield return $"points[{i}].accuracy_ratio is {Points[i].Accuracy}; it must be within 0 and 1";
    }
}
