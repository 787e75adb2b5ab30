using System.Text.Json;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Store;

namespace Fleet.DeviceAgent.Heads;

/// <summary>A head on this device's disk: the card and the files of its first stages, and of the bottleneck behind them, in <paramref name="Directory"/>.</summary>
public sealed record InstalledHead(ModelCard Card, string CardSha256, string Directory);

/// <summary>
/// The heads on this device's disk, and which assignment it last ran, so that it starts again without anybody's help: a
/// <see cref="ModelStore"/> with two notes beside it, current.json and previous.json.
/// </summary>
public sealed class HeadStore
{
    private readonly string directory;
    private readonly ModelStore models;

    /// <inheritdoc cref="ModelStore(string, string, HttpClient, TimeProvider, Seconds?)"/>
    public HeadStore(string directory, string artifacts, HttpClient http, TimeProvider time, Seconds? deadline = null)
    {
        this.directory = Path.GetFullPath(directory);
        models = new ModelStore(directory, artifacts, http, time, deadline);
    }

    /// <inheritdoc cref="ModelStore.Fetched"/>
    public event Action<Bytes, Seconds>? Fetched
    {
        add => models.Fetched += value;
        remove => models.Fetched -= value;
    }

    private string Current => Path.Combine(directory, "current.json");

    private string Previous => Path.Combine(directory, "previous.json");

    /// <summary>
    /// Makes sure that the card, the stages and the bottleneck's encoder that an assignment names are here, whole; fetches only what is not, so that what was
    /// installed once needs no network. Throws <see cref="FaultsException"/> naming the file or URL at fault; what ran before is
    /// untouched. Trying again is the caller's to decide.
    /// </summary>
    public async Task<InstalledHead> Install(Assignment assignment, CancellationToken cancel)
    {
        FaultsException.ThrowIfAny("assignment", Faults(assignment));
        var model = await models.Install(assignment.Model, assignment.CardSha256, assignment.ArtifactsUrl, card => Files(card, assignment), cancel);
        return new InstalledHead(model.Card, assignment.CardSha256, model.Directory);
    }

    /// <summary>Likewise of the network that an assignment's view needs of a group's model.</summary>
    public Task<GroupFiles> InstallView(Assignment assignment, CancellationToken cancel)
    {
        FaultsException.ThrowIfAny("assignment", Faults(assignment));
        return models.InstallGroup(assignment.Model, assignment.CardSha256, assignment.ArtifactsUrl, card => [card.View(assignment.View).Piece.Stored], cancel);
    }

    private static List<StoredFile> Files(ModelCard card, Assignment assignment)
    {
        FaultsException.ThrowIfAny("assignment", assignment.FaultsWith(card));
        var stages = card.Stages.Take(assignment.Head).Select(stage => stage.Stored);
        return card.NumberOf(assignment.Bottleneck) is > 0 and var number ? [.. stages, .. card.Bottleneck(number).DeviceFiles] : [.. stages];
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

    private string VersionOf(Assignment assignment) => models.VersionOf(assignment.Model, assignment.CardSha256);

    private void Prune(Assignment current) =>
        models.Prune(Read(Previous, out _) is { } previous ? [VersionOf(current), VersionOf(previous)] : [VersionOf(current)]);

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

    private static IEnumerable<string> Faults(Assignment assignment)
    {
        foreach (var fault in ModelStore.NameFaults(assignment.Model, assignment.CardSha256)) yield return fault;
        if (assignment.Head < 0) yield return $"head is {assignment.Head}; allowed: 0 or more";
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
