using System.Text.Json;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.DeviceAgent.Heads;

/// <summary>A head on this device's disk: the card and the files of its first stages, in <paramref name="Directory"/>.</summary>
public sealed record InstalledHead(ModelCard Card, string CardSha256, string Directory);

/// <summary>
/// The heads on this device's disk, and which assignment it last ran, so that it starts again without anybody's help.
/// <code>
/// current.json   previous.json   .incoming/   &lt;model&gt;/&lt;SHA-256 of card&gt;/card.json, stage files
/// </code>
/// A file gets its name only when it is whole, of the promised hash and on the disk; power may go at any moment. One process
/// owns a store, and runs one <see cref="Install"/> at a time.
/// </summary>
public sealed class HeadStore
{
    /// <summary>Cards of real models have some tens of kilobytes.</summary>
    public const int CardBytesMax = 1 << 20;

    /// <summary>Of one stage: far above what a small board can run.</summary>
    public const long FileBytesMax = 256L << 20;

    private const int FileNameLengthMax = 128;
    private const int Sha256Digits = 64;

    private readonly string directory;
    private readonly string artifacts;
    private readonly HttpClient http;
    private readonly TimeProvider time;
    private readonly Seconds deadline;

    /// <param name="directory">The store; made when absent. What an interrupted install left behind is removed.</param>
    /// <param name="artifacts">Models that came with the agent, one folder each; used when an assignment has no artifacts_url.</param>
    /// <param name="http">Fetches the others.</param>
    /// <param name="time">Clock of the deadlines.</param>
    /// <param name="deadline">For each file, from request to last byte; 300 s when null.</param>
    public HeadStore(string directory, string artifacts, HttpClient http, TimeProvider time, Seconds? deadline = null)
    {
        (this.directory, this.artifacts, this.http, this.time) = (Path.GetFullPath(directory), Path.GetFullPath(artifacts), http, time);
        this.deadline = deadline ?? new Seconds(300);
        Guarded(this.directory, () =>
        {
            Directory.CreateDirectory(this.directory);
            if (Directory.Exists(Incoming)) Directory.Delete(Incoming, recursive: true);
        });
    }

    private string Incoming => Path.Combine(directory, ".incoming");

    private string Current => Path.Combine(directory, "current.json");

    private string Previous => Path.Combine(directory, "previous.json");

    /// <summary>
    /// Makes sure that the card and the stages an assignment names are here, whole; fetches only what is not, so that what was
    /// installed once needs no network. Throws <see cref="FaultsException"/> naming the file or URL at fault; what ran before is
    /// untouched. Trying again is the caller's to decide.
    /// </summary>
    public async Task<InstalledHead> Install(Assignment assignment, CancellationToken cancel)
    {
        FaultsException.ThrowIfAny("assignment", Faults(assignment));
        var source = ArtifactSource.For(assignment.ArtifactsUrl, artifacts, assignment.Model, http);
        var version = VersionOf(assignment);
        var card = await InstallCard(source, version, assignment, cancel);
        if (assignment.Head > card.StageCount) throw new FaultsException("head", $"is {assignment.Head}; {card.Name} has stages 1 to {card.StageCount}");
        var stages = card.Stages.Take(assignment.Head).ToList();
        FaultsException.ThrowIfAny(source.Locate(ModelFiles.CardName), stages.SelectMany(PieceFaults).Concat(Doubles(stages)));
        foreach (var stage in stages) await InstallStage(source, version, stage, cancel);
        return new InstalledHead(card, assignment.CardSha256, version);
    }

    /// <summary>
    /// Notes what the device runs now, for the next start. When it is another version, the one before is kept and older ones are
    /// removed. Throws <see cref="FaultsException"/> when the disk refuses.
    /// </summary>
    public void Remember(Assignment assignment)
    {
        FaultsException.ThrowIfAny("assignment", Faults(assignment));
        var last = Last(out _);
        // Flash wears out: an unchanged note is not written again.
        if (last == assignment) return;
        if (last is not null && VersionOf(last) != VersionOf(assignment)) Write(Previous, last);
        Write(Current, assignment);
        if (last is null || VersionOf(last) != VersionOf(assignment)) Prune(assignment);
    }

    /// <summary>What the device ran last; null when there is nothing, or nothing readable, and then <paramref name="fault"/> says why.</summary>
    public Assignment? Last(out string fault) => Read(Current, out fault);

    private async Task<ModelCard> InstallCard(ArtifactSource source, string version, Assignment assignment, CancellationToken cancel)
    {
        var target = Path.Combine(version, ModelFiles.CardName);
        var place = source.Locate(ModelFiles.CardName);
        return await Within(place, async late =>
        {
            var kept = File.Exists(target) ? await File.ReadAllBytesAsync(target, late) : [];
            var isKept = ModelFiles.Sha256(kept) == assignment.CardSha256;
            var bytes = isKept ? kept : await FetchCard(source, late);
            var found = ModelFiles.Sha256(bytes);
            if (found != assignment.CardSha256) throw new FaultsException(place, $"SHA-256 is {found}; the assignment says {assignment.CardSha256}: another version, damaged or tampered with");
            var card = ModelFiles.ParseCard(place, bytes);
            if (card.Name != assignment.Model) throw new FaultsException(place, $"is the card of \"{card.Name}\"; the assignment says \"{assignment.Model}\"");
            if (isKept) return card;
            using var stream = new MemoryStream(bytes);
            await CheckedFile.Land(stream, place, target, TemporaryFor(ModelFiles.CardName), bytes.Length, assignment.CardSha256, late);
            return card;
        }, cancel);
    }

    private static async Task<byte[]> FetchCard(ArtifactSource source, CancellationToken cancel)
    {
        var (stream, _) = await source.Open(ModelFiles.CardName, cancel);
        await using var opened = stream;
        var bytes = new byte[CardBytesMax + 1];
        var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        if (length > CardBytesMax) throw new FaultsException(source.Locate(ModelFiles.CardName), $"is longer than {CardBytesMax} bytes, which a card may have");
        return bytes[..length];
    }

    private async Task InstallStage(ArtifactSource source, string version, ModelPiece stage, CancellationToken cancel)
    {
        var target = Path.Combine(version, stage.File);
        if (await Within(target, late => CheckedFile.Holds(target, stage.FileBytes, stage.Sha256, late), cancel)) return;
        if (await CopyFromOtherVersion(target, stage, cancel)) return;
        var place = source.Locate(stage.File);
        await Within(place, async late =>
        {
            var (stream, length) = await source.Open(stage.File, late);
            await using var opened = stream;
            if (length is { } announced && announced != stage.FileBytes) throw new FaultsException(place, $"has {announced} bytes; the card says {stage.FileBytes}");
            await CheckedFile.Land(stream, place, target, TemporaryFor(stage.File), stage.FileBytes, stage.Sha256, late);
            return true;
        }, cancel);
    }

    /// <summary>
    /// Versions often share stages. A copy, not a link: a block that goes bad in one must not take the other with it, and the
    /// copy checks the hash on its way.
    /// </summary>
    private async Task<bool> CopyFromOtherVersion(string target, ModelPiece stage, CancellationToken cancel)
    {
        foreach (var version in Versions())
        {
            try
            {
                var twin = ModelFiles.Open(version).Card.Stages.FirstOrDefault(other => other.Sha256 == stage.Sha256);
                var path = twin is null || PieceFaults(twin).Any() ? target : Path.Combine(version, twin.File);
                if (path == target || !File.Exists(path)) continue;
                return await Within(path, async late =>
                {
                    await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
                    await CheckedFile.Land(stream, path, target, TemporaryFor(stage.File), stage.FileBytes, stage.Sha256, late);
                    return true;
                }, cancel);
            }
            catch (FaultsException)
            {
                // A damaged or half-installed version has nothing to give; the source has.
            }
        }
        return false;
    }

    private string VersionOf(Assignment assignment) => Path.Combine(directory, assignment.Model, assignment.CardSha256);

    private string TemporaryFor(string file) => Path.Combine(Incoming, file);

    /// <summary>Every version in the store, by path. Only folders of the store's own form are touched: it may have been put beside others' files.</summary>
    private List<string> Versions() =>
    [
        .. Directory.EnumerateDirectories(directory)
            .Where(model => Name.IsValid(Path.GetFileName(model)))
            .SelectMany(Directory.EnumerateDirectories)
            .Where(version => IsSha256(Path.GetFileName(version)))
            .Order(StringComparer.Ordinal),
    ];

    private void Prune(Assignment current)
    {
        var previous = Read(Previous, out _);
        try
        {
            foreach (var version in Versions())
                if (version != VersionOf(current) && (previous is null || version != VersionOf(previous))) Directory.Delete(version, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Room not won back now; the next change of version tries again.
        }
    }

    private static void Write(string path, Assignment assignment) =>
        Guarded(path, () => CheckedFile.Replace(path, JsonSerializer.SerializeToUtf8Bytes(assignment, Json.File.Info<Assignment>())));

    /// <summary>Tolerant as on the wire: a newer agent may have written more, and what it ran still runs.</summary>
    private static Assignment? Read(string path, out string fault)
    {
        fault = "";
        if (!File.Exists(path)) return null;
        try
        {
            var assignment = JsonSerializer.Deserialize(File.ReadAllBytes(path), Json.Wire.Info<Assignment>());
            fault = assignment is null ? $"{path}: is null; allowed: an assignment" : string.Join("; ", assignment.Faults().Concat(Faults(assignment)).Distinct().Select(each => $"{path}: {each}"));
            return fault.Length == 0 ? assignment : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or IOException or UnauthorizedAccessException)
        {
            fault = $"{path}: {e.Message}";
            return null;
        }
    }

    /// <summary>Model and hash become folders: what they may be is checked here, whoever checked before.</summary>
    private static IEnumerable<string> Faults(Assignment assignment)
    {
        if (!Name.IsValid(assignment.Model)) yield return Name.Fault("model", assignment.Model);
        if (!IsSha256(assignment.CardSha256)) yield return $"card_sha256 is \"{assignment.CardSha256}\"; allowed: {Sha256Digits} lower-case hexadecimal digits";
        if (assignment.Head < 0) yield return $"head is {assignment.Head}; allowed: 0 or more";
    }

    private static IEnumerable<string> PieceFaults(ModelPiece piece)
    {
        var isPlain = piece.File is { Length: > 0 and <= FileNameLengthMax } && piece.File[0] != '.' && piece.File != ModelFiles.CardName
            && piece.File.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
        if (!isPlain) yield return $"file \"{piece.File}\" must be 1 to {FileNameLengthMax} letters, digits, dots, dashes and underscores, not starting with a dot and not {ModelFiles.CardName}";
        if (piece.FileBytes is < 1 or > FileBytesMax) yield return $"file \"{piece.File}\": file_bytes is {piece.FileBytes}; allowed: 1 to {FileBytesMax}";
        if (!IsSha256(piece.Sha256)) yield return $"file \"{piece.File}\": sha256 is \"{piece.Sha256}\"; allowed: {Sha256Digits} lower-case hexadecimal digits";
    }

    private static IEnumerable<string> Doubles(IEnumerable<ModelPiece> pieces) =>
        pieces.GroupBy(piece => piece.File).Where(same => same.Select(piece => piece.Sha256).Distinct().Count() > 1).Select(same => $"file \"{same.Key}\" has several hashes");

    private static bool IsSha256(string? text) => text is { Length: Sha256Digits } && text.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'));

    /// <summary>Work on one file with its deadline. Whatever goes wrong is a fault of that file, but for being told to stop.</summary>
    private async Task<T> Within<T>(string place, Func<CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(deadline.Span, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
        try
        {
            return await work(either.Token);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            // The HTTP client has a time limit of its own.
            throw new FaultsException(place, late.IsCancellationRequested ? $"was not complete within {deadline}" : e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or HttpRequestException)
        {
            throw new FaultsException(place, e.Message);
        }
    }

    private static void Guarded(string path, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(path, e.Message);
        }
    }
}
