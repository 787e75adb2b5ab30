using Fleet.Contracts;

namespace Fleet.Models.Store;

/// <summary>
/// Models on this machine's disk, by version, each with the files somebody needed.
/// <code>
/// .incoming/   &lt;model&gt;/&lt;SHA-256 of card&gt;/card.json, files of stages, tails and bottlenecks
/// </code>
/// A file gets its name only when it is whole, of the promised hash and on the disk; power may go at any moment. One process
/// owns a store, and runs one <see cref="Install"/> at a time.
/// </summary>
public sealed class ModelStore
{
    /// <summary>Cards of real models have some tens of kilobytes.</summary>
    public const int CardBytesMax = 1 << 20;

    /// <summary>Of one piece: far above what a small board can run.</summary>
    public const long FileBytesMax = 256L << 20;

    private const int FileNameLengthMax = 128;
    private const int Sha256Digits = 64;

    private static readonly CardKind<ModelCard> Networks = new(ModelFiles.CardName, (place, bytes) => ModelFiles.ParseCard(place, bytes), card => card.Name);
    private static readonly CardKind<GroupCard> Groups = new(GroupFiles.CardName, (place, bytes) => GroupFiles.ParseCard(place, bytes), card => card.Name);

    private readonly string directory;
    private readonly string artifacts;
    private readonly HttpClient http;
    private readonly TimeProvider time;
    private readonly Seconds deadline;

    /// <param name="directory">The store; made when absent. What an interrupted install left behind is removed.</param>
    /// <param name="artifacts">Models that came with the program, one folder each; used when no artifacts URL is given.</param>
    /// <param name="http">Fetches the others.</param>
    /// <param name="time">Clock of the deadlines.</param>
    /// <param name="deadline">For each file, from request to last byte; 300 s when null.</param>
    public ModelStore(string directory, string artifacts, HttpClient http, TimeProvider time, Seconds? deadline = null)
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

    /// <summary>
    /// Makes sure that a card and the files chosen from it are here, whole; fetches only what is not, so that what was installed once
    /// needs no network. Throws <see cref="FaultsException"/> naming the file or URL at fault; what was here before is untouched.
    /// Trying again is the caller's to decide.
    /// </summary>
    /// <param name="choose">The files needed; throws when the card has none such.</param>
    public async Task<ModelFiles> Install(string model, string cardSha256, string artifactsUrl, Func<ModelCard, IReadOnlyList<StoredFile>> choose, CancellationToken cancel)
        => ModelFiles.Open(await Install(Networks, model, cardSha256, artifactsUrl, choose, cancel));

    /// <summary>Told of each file that came over a network: so many bytes in this time.</summary>
    public event Action<Bytes, Seconds>? Fetched;

    /// <summary>As <see cref="Install"/>, of a group's model.</summary>
    public async Task<GroupFiles> InstallGroup(string model, string cardSha256, string artifactsUrl, Func<GroupCard, IReadOnlyList<StoredFile>> choose, CancellationToken cancel)
        => GroupFiles.Open(await Install(Groups, model, cardSha256, artifactsUrl, choose, cancel));

    private async Task<string> Install<TCard>(CardKind<TCard> kind, string model, string cardSha256, string artifactsUrl, Func<TCard, IReadOnlyList<StoredFile>> choose, CancellationToken cancel)
    {
        FaultsException.ThrowIfAny("assignment", NameFaults(model, cardSha256));
        var source = ArtifactSource.For(artifactsUrl, artifacts, model, http);
        var version = VersionOf(model, cardSha256);
        var card = await InstallCard(kind, source, version, model, cardSha256, cancel);
        var files = choose(card);
        FaultsException.ThrowIfAny(source.Locate(kind.File), files.SelectMany(FileFaults).Concat(Doubles(files)));
        foreach (var file in files) await InstallFile(source, version, file, cancel);
        return version;
    }

    /// <summary>Where a version's files are, or would be.</summary>
    public string VersionOf(string model, string cardSha256) => Path.Combine(directory, model, cardSha256);

    /// <summary>Removes every version that is not among those to keep. Room not won back now is won at the next change of version.</summary>
    public void Prune(IReadOnlyCollection<string> keep)
    {
        try
        {
            foreach (var version in Versions())
                if (!keep.Contains(version)) Directory.Delete(version, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing is wrong with what runs.
        }
    }

    /// <summary>Model and hash become folders: what they may be is checked here, whoever checked before.</summary>
    public static IEnumerable<string> NameFaults(string model, string cardSha256)
    {
        if (!Name.IsValid(model)) yield return Name.Fault("model", model);
        if (!IsSha256(cardSha256)) yield return $"card_sha256 is \"{cardSha256}\"; allowed: {Sha256Digits} lower-case hexadecimal digits";
    }

    private async Task<TCard> InstallCard<TCard>(CardKind<TCard> kind, ArtifactSource source, string version, string model, string cardSha256, CancellationToken cancel)
    {
        var target = Path.Combine(version, kind.File);
        var place = source.Locate(kind.File);
        return await Within(place, async late =>
        {
            var kept = File.Exists(target) ? await File.ReadAllBytesAsync(target, late) : [];
            var isKept = ModelFiles.Sha256(kept) == cardSha256;
            var bytes = isKept ? kept : await FetchCard(source, kind.File, late);
            var found = ModelFiles.Sha256(bytes);
            if (found != cardSha256) throw new FaultsException(place, $"SHA-256 is {found}; the assignment says {cardSha256}: another version, damaged or tampered with");
            var card = kind.Parse(place, bytes);
            if (kind.Name(card) != model) throw new FaultsException(place, $"is the card of \"{kind.Name(card)}\"; the assignment says \"{model}\"");
            if (isKept) return card;
            using var stream = new MemoryStream(bytes);
            await CheckedFile.Land(stream, place, target, TemporaryFor(kind.File), bytes.Length, cardSha256, late);
            return card;
        }, cancel);
    }

    private static async Task<byte[]> FetchCard(ArtifactSource source, string file, CancellationToken cancel)
    {
        var (stream, _) = await source.Open(file, cancel);
        await using var opened = stream;
        var bytes = new byte[CardBytesMax + 1];
        var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        if (length > CardBytesMax) throw new FaultsException(source.Locate(file), $"is longer than {CardBytesMax} bytes, which a card may have");
        return bytes[..length];
    }

    private async Task InstallFile(ArtifactSource source, string version, StoredFile file, CancellationToken cancel)
    {
        var target = Path.Combine(version, file.File);
        if (await Within(target, late => CheckedFile.Holds(target, file.FileBytes, file.Sha256, late), cancel)) return;
        if (await CopyFromOtherVersion(target, file, cancel)) return;
        var place = source.Locate(file.File);
        await Within(place, async late =>
        {
            var (stream, length) = await source.Open(file.File, late);
            await using var opened = stream;
            if (length is { } announced && announced != file.FileBytes) throw new FaultsException(place, $"has {announced} bytes; the card says {file.FileBytes}");
            var began = time.GetTimestamp();
            await CheckedFile.Land(stream, place, target, TemporaryFor(file.File), file.FileBytes, file.Sha256, late);
            if (source.IsRemote) Fetched?.Invoke(new Bytes(file.FileBytes), Seconds.Of(time.GetElapsedTime(began)));
            return true;
        }, cancel);
    }

    /// <summary>
    /// Versions often share files. A copy, not a link: a block that goes bad in one must not take the other with it, and the
    /// copy checks the hash on its way.
    /// </summary>
    private async Task<bool> CopyFromOtherVersion(string target, StoredFile file, CancellationToken cancel)
    {
        foreach (var version in Versions())
        {
            try
            {
                var twin = ModelFiles.Open(version).Card.StoredFiles.FirstOrDefault(other => other.Sha256 == file.Sha256);
                var path = twin is null || FileFaults(twin).Any() ? target : Path.Combine(version, twin.File);
                if (path == target || !File.Exists(path)) continue;
                return await Within(path, async late =>
                {
                    await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
                    await CheckedFile.Land(stream, path, target, TemporaryFor(file.File), file.FileBytes, file.Sha256, late);
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

    private static IEnumerable<string> FileFaults(StoredFile file)
    {
        var isPlain = file.File is { Length: > 0 and <= FileNameLengthMax } && file.File[0] != '.' && file.File is not (ModelFiles.CardName or GroupFiles.CardName)
            && file.File.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
        if (!isPlain) yield return $"file \"{file.File}\" must be 1 to {FileNameLengthMax} letters, digits, dots, dashes and underscores, not starting with a dot and not {ModelFiles.CardName} or {GroupFiles.CardName}";
        if (file.FileBytes is < 1 or > FileBytesMax) yield return $"file \"{file.File}\": file_bytes is {file.FileBytes}; allowed: 1 to {FileBytesMax}";
        if (!IsSha256(file.Sha256)) yield return $"file \"{file.File}\": sha256 is \"{file.Sha256}\"; allowed: {Sha256Digits} lower-case hexadecimal digits";
    }

    private static IEnumerable<string> Doubles(IEnumerable<StoredFile> files) =>
        files.GroupBy(file => file.File).Where(same => same.Select(file => file.Sha256).Distinct().Count() > 1).Select(same => $"file \"{same.Key}\" has several hashes");

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

    /// <summary>A kind of card: its file's name, how it is read, which model it is of.</summary>
    private sealed record CardKind<TCard>(string File, Func<string, byte[], TCard> Parse, Func<TCard, string> Name);
}
