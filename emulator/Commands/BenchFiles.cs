using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Commands;

/// <summary>A file to be timed.</summary>
/// <param name="Name">The piece, as the output calls it: "stage 1", "tail 0", "encoder small".</param>
/// <param name="IsShipped">Whether the card names the file; else it is the piece's other precision.</param>
/// <param name="Choice">What the export measured when it chose the precision; "" when nothing is kept of it.</param>
internal sealed record BenchFile(string Name, string Path, byte[] Content, ModelPiece Piece, bool IsInt8, bool IsShipped, string Choice = "");

/// <summary>
/// The ONNX files of a model's directory that can be timed: those of the card, and the other precision of any of them. The other
/// precision of NAME.onnx is called NAME.int8.onnx or NAME.fp32.onnx; no card holds it, so nobody runs it.
/// </summary>
internal static class BenchFiles
{
    private const string Int8Mark = ".int8";
    private const string Float32Mark = ".fp32";

    /// <exception cref="FaultsException">A file is missing, or is not what the card says.</exception>
    public static IReadOnlyList<BenchFile> Of(ModelFiles model)
    {
        var choices = PrecisionRecord.Of(model);
        return [.. Pieces(model.Card).SelectMany(named => Precisions(model, named.Name, named.Piece, choices.GetValueOrDefault(named.Piece.File, "")))];
    }

    /// <summary>A group's networks; they come in fp32 only.</summary>
    /// <exception cref="FaultsException">A file is missing, or is not what the card says.</exception>
    public static IReadOnlyList<BenchFile> Of(GroupFiles model) =>
    [
        .. model.Card.Pieces.Select(piece => new BenchFile(
            Path.GetFileNameWithoutExtension(piece.File).Replace('-', ' '), Path.Combine(model.Directory, piece.File), ModelFiles.ReadChecked(model.Directory, piece.File, piece.Sha256),
            piece, piece.Precision is Precision.Int8, IsShipped: true)),
    ];

    private static IEnumerable<(string Name, ModelPiece Piece)> Pieces(ModelCard card)
    {
        foreach (var stage in card.Stages) yield return ($"stage {stage.Index}", stage);
        foreach (var tail in card.Tails) yield return ($"tail {tail.Index}", tail);
        foreach (var bottleneck in card.Bottlenecks)
        {
            yield return ($"encoder {bottleneck.Name}", bottleneck.Encoder);
            yield return ($"tail {bottleneck.Name}", bottleneck.Tail);
        }
    }

    private static IEnumerable<BenchFile> Precisions(ModelFiles model, string name, ModelPiece piece, string choice)
    {
        var isInt8 = piece.Precision is Precision.Int8;
        yield return new BenchFile(name, Path.Combine(model.Directory, piece.File), model.ReadChecked(piece.File, piece.Sha256), piece, isInt8, IsShipped: true, choice);
        var stem = Path.GetFileNameWithoutExtension(piece.File).Replace(Int8Mark, "", StringComparison.Ordinal).Replace(Float32Mark, "", StringComparison.Ordinal);
        string[] names = isInt8 ? [stem + Float32Mark + ".onnx", stem + ".onnx"] : [stem + Int8Mark + ".onnx"];
        var other = names.Where(file => file != piece.File).Select(file => Path.Combine(model.Directory, file)).FirstOrDefault(File.Exists);
        if (other is not null) yield return new BenchFile(name, other, File.ReadAllBytes(other), piece, !isInt8, IsShipped: false);
    }
}
