using System.Buffers.Binary;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>A group's model on disk: group.json and the files it names, in one directory.</summary>
public sealed class GroupFiles
{
    public const string CardName = "group.json";

    private GroupFiles(string directory, GroupCard card, string cardSha256)
    {
        (Directory, Card, CardSha256) = (directory, card, cardSha256);
        Hash = BinaryPrimitives.ReadUInt64BigEndian(Convert.FromHexString(cardSha256));
    }

    public string Directory { get; }

    public GroupCard Card { get; }

    /// <inheritdoc cref="ModelFiles.CardSha256"/>
    public string CardSha256 { get; }

    /// <inheritdoc cref="ModelFiles.Hash"/>
    public ulong Hash { get; }

    /// <summary>Reads and checks the card. Throws <see cref="FaultsException"/> with all faults at once.</summary>
    public static GroupFiles Open(string directory)
    {
        var bytes = ModelFiles.ReadFile(Path.Combine(directory, CardName));
        return new GroupFiles(directory, ParseCard(Path.Combine(directory, CardName), bytes), ModelFiles.Sha256(bytes));
    }

    /// <summary>Reads a card strictly.</summary>
    public static GroupCard ParseCard(string path, ReadOnlySpan<byte> bytes) => StrictJson.Parse(path, bytes, Json.File.Info<GroupCard>(), card => card.Faults());

    /// <summary>Every group's model below a directory, by name.</summary>
    public static IReadOnlyDictionary<string, GroupFiles> OpenAll(string zoo) => System.IO.Directory.EnumerateDirectories(zoo)
        .Where(directory => File.Exists(Path.Combine(directory, CardName)))
        .Order(StringComparer.Ordinal)
        .Select(Open)
        .ToDictionary(model => model.Card.Name, StringComparer.Ordinal);

    /// <summary>The network of the device that sees view 1..N.</summary>
    public OnnxPiece LoadView(int view) => Load(Card.View(view).Piece, hasFeatures: true);

    /// <summary>What the device of view 1..N runs, with its file.</summary>
    public Head LoadHead(int view) => Head.Onnx(Card.OfView(view), Hash, [LoadView(view)], ownsPieces: true);

    /// <summary>Local, edge and cloud network.</summary>
    public IReadOnlyList<OnnxPiece> LoadUpper() =>
        ModelFiles.LoadAll([() => Load(Card.Local.Piece, hasFeatures: false), () => Load(Card.Edge.Piece, hasFeatures: true), () => Load(Card.Cloud.Piece, hasFeatures: false)]);

    private OnnxPiece Load(ModelPiece piece, bool hasFeatures) =>
        OnnxPiece.Load(Path.Combine(Directory, piece.File), ModelFiles.ReadChecked(Directory, piece.File, piece.Sha256), piece, hasFeatures);
}
