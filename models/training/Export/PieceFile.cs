using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Onnx;

namespace Fleet.Training;

/// <summary>Writes a piece's ONNX file.</summary>
public static class PieceFile
{
    /// <returns>What the card says of it.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static ModelPiece Write(Network net, Piece piece, string directory)
    {
        var path = Path.Combine(directory, piece.File);
        OnnxFile.Write(PieceExporter.Export(net, piece), path);
        var bytes = File.ReadAllBytes(path);
        return new ModelPiece
        {
            Index = piece.Index,
            File = piece.File,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
            FileBytes = bytes.Length,
            Parameters = PieceCost.Parameters(piece),
            PeakActivationBytes = PieceCost.PeakActivationBytes(net.Architecture, piece),
            Work = PieceCost.Work(net.Architecture, piece),
        };
    }
}
