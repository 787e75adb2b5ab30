using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>A trained bottleneck that belongs to a model.</summary>
/// <param name="Name">As the card names it.</param>
/// <param name="TrainedBy">The method, in one word.</param>
/// <param name="FrozenEncoder">Whether the encoder stayed while the tail was trained.</param>
/// <param name="Net">Encoder, prior, decoder and tail.</param>
public sealed record TrainedBottleneck(string Name, string TrainedBy, bool FrozenEncoder, BottleneckNet Net);

/// <summary>Writes a bottleneck's files: encoder and tail as ONNX, and its prior as tables to code with.</summary>
public static class BottleneckFiles
{
    /// <summary>Integers further from zero than this are coded as exceptions.</summary>
    private const int Reach = 40;

    /// <param name="trained">What to write.</param>
    /// <param name="number">Its place in the card, from 1.</param>
    /// <param name="directory">Where to.</param>
    /// <returns>What the card says of it.</returns>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static BottleneckCard Write(TrainedBottleneck trained, int number, string directory)
    {
        var design = trained.Net.Design;
        var layers = trained.Net.Layers;
        return new BottleneckCard
        {
            Name = trained.Name,
            Cut = design.Cut,
            Shape = design.LatentExtent.ToArray(),
            Scale = 1,
            Encoder = PieceFile.Write(layers, design.Encoder with { File = $"{trained.Name}-encoder.onnx", Index = number }, directory),
            Tail = PieceFile.Write(layers, design.Tail with { File = $"{trained.Name}-tail.onnx", Index = number }, directory),
            Tables = WriteTables(trained, directory),
            FrozenEncoder = trained.FrozenEncoder,
            TrainedBy = trained.TrainedBy,
        };
    }

    private static StoredFile WriteTables(TrainedBottleneck trained, string directory)
    {
        var table = trained.Net.Prior.Table(-Reach, Reach);
        var bytes = EntropyModel.FromProbabilities(table, [.. table.Select(_ => -Reach)]).ToBytes();
        var file = $"{trained.Name}.tables";
        File.WriteAllBytes(Path.Combine(directory, file), bytes);
        return new StoredFile { File = file, Sha256 = ModelFiles.Sha256(bytes), FileBytes = bytes.Length };
    }
}
