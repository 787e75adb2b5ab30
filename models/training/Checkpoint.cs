using System.Text.Json;
using Fleet.Contracts;

namespace Fleet.Training;

/// <summary>How the weights of a checkpoint came about.</summary>
/// <param name="Model">The model's name, "fmnist".</param>
/// <param name="Command">The command line, without paths.</param>
/// <param name="Seed">Of weights and batches.</param>
/// <param name="Epochs">Passes over the training images.</param>
/// <param name="TrainImages">How many there were.</param>
public sealed record TrainingRecord(string Model, string Command, int Seed, int Epochs, int TrainImages);

/// <summary>
/// A trained network in a file: the training record as a length-prefixed string of JSON, then torch's own serialisation of the
/// module. It lets the export be repeated without training again.
/// </summary>
public static class Checkpoint
{
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, EarlyExitNet net, TrainingRecord record)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var writer = new BinaryWriter(File.Create(path));
        writer.Write(JsonSerializer.Serialize(record));
        net.save(writer);
    }

    /// <summary>Loads the weights into <paramref name="net"/>.</summary>
    /// <exception cref="FaultsException">The file is missing or no checkpoint of this network; the message names it and says why.</exception>
    public static TrainingRecord Read(string path, EarlyExitNet net)
    {
        if (!File.Exists(path)) throw new FaultsException(path, "is missing; `fleet-training train` makes one");
        try
        {
            using var reader = new BinaryReader(File.OpenRead(path));
            var record = JsonSerializer.Deserialize<TrainingRecord>(reader.ReadString());
            net.load(reader);
            return record ?? throw new FaultsException(path, "is not a checkpoint: its record is empty");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException or ArgumentException or FormatException)
        {
            throw new FaultsException(path, $"is not a checkpoint of this network: {fault.Message}");
        }
    }
}
