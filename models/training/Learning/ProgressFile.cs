using System.Text.Json;
using Fleet.Contracts;
using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// What an interrupted training goes on from: the reports so far as a string of JSON, the weights, the optimiser's state. It belongs
/// to one task, which a text describes; another task's file is not taken over.
/// </summary>
public sealed class ProgressFile(string path, string task)
{
    /// <summary>Loads what an earlier run left; nothing when there is none of this task.</summary>
    /// <exception cref="FaultsException">The file is damaged; the message names it.</exception>
    public List<EpochReport> Resume(nn.Module module, optim.Optimizer optimiser)
    {
        if (!File.Exists(path)) return [];
        try
        {
            using var reader = new BinaryReader(File.OpenRead(path));
            if (reader.ReadString() != task) return [];
            var reports = JsonSerializer.Deserialize<List<EpochReport>>(reader.ReadString()) ?? [];
            module.load(reader);
            ((TorchSharp.Modules.OptimizerHelper)optimiser).load_state_dict(reader);
            return reports;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException or ArgumentException or FormatException)
        {
            throw new FaultsException(path, $"is a damaged record of an interrupted training ({fault.Message}); delete it to begin again");
        }
    }

    /// <summary>Writes beside the file and renames, so that an interruption leaves the old or the new state.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Keep(nn.Module module, optim.Optimizer optimiser, IReadOnlyList<EpochReport> reports)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var unfinished = path + ".tmp";
        using (var writer = new BinaryWriter(File.Create(unfinished)))
        {
            writer.Write(task);
            writer.Write(JsonSerializer.Serialize(reports));
            module.save(writer);
            ((TorchSharp.Modules.OptimizerHelper)optimiser).save_state_dict(writer);
        }
        File.Move(unfinished, path, overwrite: true);
    }

    public void Forget() => File.Delete(path);
}
