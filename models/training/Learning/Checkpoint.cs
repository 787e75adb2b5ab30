using Fleet.Contracts;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// A trained network in a file: a text that says what training made it, then torch's own serialisation of the module. It lets
/// training be repeated from where it stood, and the export without training.
/// </summary>
public static class Checkpoint
{
    /// <summary>Writes beside the file and renames, so that nobody meets half of it.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, nn.Module net, string task)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var unfinished = path + ".tmp";
        using (var writer = new BinaryWriter(File.Create(unfinished)))
        {
            writer.Write(task);
            net.save(writer);
        }
        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>What made the file; null when there is none.</summary>
    /// <exception cref="FaultsException">The file is damaged; the message names it.</exception>
    public static string? TaskOf(string path)
    {
        if (!File.Exists(path)) return null;
        try
        {
            using var reader = new BinaryReader(File.OpenRead(path));
            return reader.ReadString();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new FaultsException(path, $"is not a checkpoint ({fault.Message}); delete it to train again");
        }
    }

    /// <summary>Loads the weights into <paramref name="net"/>; false when there is no checkpoint, or one of another task.</summary>
    /// <exception cref="FaultsException">The file is damaged; the message names it and says why.</exception>
    public static bool TryRead(string path, nn.Module net, string task)
    {
        if (!File.Exists(path)) return false;
        try
        {
            using var reader = new BinaryReader(File.OpenRead(path));
            if (reader.ReadString() != task) return false;
            net.load(reader);
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException or FormatException)
        {
            throw new FaultsException(path, $"is not a checkpoint of this network ({fault.Message}); delete it to train again");
        }
    }
}
