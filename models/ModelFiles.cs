using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>A model on disk: card.json and the files it names, in one directory.</summary>
public sealed class ModelFiles
{
    public const string CardName = "card.json";

    private ModelFiles(string directory, ModelCard card, string cardSha256)
    {
        (Directory, Card, CardSha256) = (directory, card, cardSha256);
        Hash = BinaryPrimitives.ReadUInt64BigEndian(Convert.FromHexString(cardSha256));
    }

    public string Directory { get; }

    public ModelCard Card { get; }

    /// <summary>SHA-256 of the card's bytes, lower-case hexadecimal: the model's name everywhere else.</summary>
    public string CardSha256 { get; }

    /// <summary>First eight bytes of <see cref="CardSha256"/>, as tensor frames carry it.</summary>
    public ulong Hash { get; }

    /// <summary>Reads and checks the card. Throws <see cref="FaultsException"/> with all faults at once.</summary>
    public static ModelFiles Open(string directory)
    {
        var path = Path.Combine(directory, CardName);
        var bytes = ReadFile(path);
        return new ModelFiles(directory, ParseCard(path, bytes), Sha256(bytes));
    }

    /// <summary>All of a file. Throws <see cref="FaultsException"/> when it cannot be read.</summary>
    public static byte[] ReadFile(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(path, e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : e.Message);
        }
    }

    /// <summary>Reads a card strictly.</summary>
    public static ModelCard ParseCard(string path, ReadOnlySpan<byte> bytes) => StrictJson.Parse(path, bytes, Json.File.Info<ModelCard>(), card => card.Faults());

    /// <summary>Writes a card, beside it first, so that nobody meets half of it.</summary>
    /// <exception cref="FaultsException">The card is not sound.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void WriteCard(string directory, ModelCard card)
    {
        FaultsException.ThrowIfAny(CardName, card.Faults());
        var path = Path.Combine(directory, CardName);
        File.WriteAllText(path + ".tmp", JsonSerializer.Serialize(card, Json.File.Info<ModelCard>()) + "\n");
        File.Move(path + ".tmp", path, overwrite: true);
    }

    /// <summary>Every model below a directory, by name.</summary>
    public static IReadOnlyDictionary<string, ModelFiles> OpenAll(string zoo)
    {
        if (!System.IO.Directory.Exists(zoo)) throw new FaultsException(zoo, "no such directory");
        return System.IO.Directory.EnumerateDirectories(zoo)
            .Where(directory => File.Exists(Path.Combine(directory, CardName)))
            .Order(StringComparer.Ordinal)
            .Select(Open)
            .ToDictionary(model => model.Card.Name, StringComparer.Ordinal);
    }

    /// <summary>A file the card names, its hash checked.</summary>
    public byte[] ReadChecked(string file, string sha256) => ReadChecked(Directory, file, sha256);

    /// <inheritdoc cref="ReadChecked(string, string)"/>
    public static byte[] ReadChecked(string directory, string file, string sha256)
    {
        var path = Path.Combine(directory, file);
        var bytes = ReadFile(path);
        var found = Sha256(bytes);
        return found == sha256 ? bytes : throw new FaultsException(path, $"SHA-256 is {found}; the card says {sha256}: damaged or tampered with");
    }

    public OnnxPiece LoadStage(int stage, int threads = 1)
    {
        var piece = Card.Stage(stage);
        return OnnxPiece.Load(Path.Combine(Directory, piece.File), ReadChecked(piece.File, piece.Sha256), piece, hasFeatures: stage < Card.StageCount, threads);
    }

    /// <summary>The device's side of bottleneck <paramref name="bottleneck"/> (1..).</summary>
    public EncoderPiece LoadEncoder(int bottleneck, int threads = 1)
    {
        var (card, tables) = (Card.Bottleneck(bottleneck), ReadTables(bottleneck));
        var piece = OnnxPiece.Load(Path.Combine(Directory, card.Encoder.File), ReadChecked(card.Encoder.File, card.Encoder.Sha256), card.Encoder, hasFeatures: true, threads, hasLogits: false);
        return new EncoderPiece(bottleneck, piece, tables);
    }

    /// <summary>What the latents of bottleneck <paramref name="bottleneck"/> (1..) are coded with; null when they are not, or it is 0.</summary>
    public EntropyModel? ReadTables(int bottleneck)
    {
        if (bottleneck == 0 || Card.Bottleneck(bottleneck) is not { Tables: { } file } card) return null;
        var path = Path.Combine(Directory, file.File);
        var tables = EntropyModel.Parse(path, ReadChecked(file.File, file.Sha256));
        return tables.Channels == card.Shape[0] ? tables : throw new FaultsException(path, $"has tables for {tables.Channels} channels; the latent of {card.Name} has {card.Shape[0]}");
    }

    public OnnxPiece LoadTail(TailStart start, int threads = 1)
    {
        var piece = Card.Tail(start);
        return OnnxPiece.Load(Path.Combine(Directory, piece.File), ReadChecked(piece.File, piece.Sha256), piece, hasFeatures: false, threads);
    }

    /// <summary>Loads several pieces; when one cannot be read the others are released.</summary>
    public static IReadOnlyList<T> LoadAll<T>(IEnumerable<Func<T>> loads) where T : IDisposable => LoadAll(loads, pieces => pieces);

    /// <summary>Loads several pieces and makes something of them; when one cannot be read, or they do not fit, all are released.</summary>
    public static TMade LoadAll<T, TMade>(IEnumerable<Func<T>> loads, Func<IReadOnlyList<T>, TMade> make) where T : IDisposable
    {
        var pieces = new List<T>();
        try
        {
            foreach (var load in loads) pieces.Add(load());
            return make(pieces);
        }
        catch
        {
            foreach (var piece in pieces) piece.Dispose();
            throw;
        }
    }

    public Trace ReadCalibrationTrace() => ReadTrace(Card.CalibrationTrace, "");

    public Trace ReadTestTrace() => ReadTrace(Card.TestTrace, "");

    /// <summary>The trace of a set whose images have drifted.</summary>
    public Trace ReadTrace(DriftTrace trace) => ReadTrace(new CardFile { File = trace.File, Sha256 = trace.Sha256, Samples = trace.Samples }, trace.Drift);

    /// <summary>SHA-256 over the hashes of all stages and tails, and of the pieces and tables of bottlenecks: what a trace was made with.</summary>
    public static byte[] NetworkHash(ModelCard card) =>
        SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(string.Concat(card.StoredFiles.Select(file => file.Sha256))));

    public static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private Trace ReadTrace(CardFile file, string drift)
    {
        var path = Path.Combine(Directory, file.File);
        ReadChecked(file.File, file.Sha256);
        var trace = Trace.Read(path);
        if (!trace.NetworkHash.AsSpan().SequenceEqual(NetworkHash(Card))) throw new FaultsException(path, "was made with another network than the card's");
        if (trace.Exits != Card.StageCount || trace.Samples != file.Samples) throw new FaultsException(path, $"has {trace.Exits} exits and {trace.Samples} samples; the card says {Card.StageCount} and {file.Samples}");
        if (trace.Drift != drift) throw new FaultsException(path, $"is of drift \"{trace.Drift}\"; the card says \"{drift}\"");
        return trace;
    }
}
