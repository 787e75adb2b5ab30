using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>
/// The directory of a model, made anew: all is written into a directory of its own inside it, and takes its place when it is whole, the card last. Whatever
/// ends the work before leaves the model that stood there. Of what stood there only files are deleted that its card names.
/// </summary>
public static class ModelDirectory
{
    /// <summary>Where files lie until all are there; what an interrupted run left in it is deleted by the next.</summary>
    public const string Unfinished = ".unfinished";

    private static readonly string[] Cards = [ModelFiles.CardName, GroupFiles.CardName];

    /// <param name="directory">Missing, empty, or a model's.</param>
    /// <param name="write">Is given the directory to write to, which is empty; what it leaves there is the model.</param>
    /// <exception cref="FaultsException">The directory holds something else than a model, or cannot be written.</exception>
    public static async Task<T> Write<T>(string directory, Func<string, Task<T>> write)
    {
        var replaced = NamedFiles(directory);
        var unfinished = Path.Combine(directory, Unfinished);
        try
        {
            if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true);
            Directory.CreateDirectory(unfinished);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(directory, "cannot be written: " + e.Message);
        }
        try
        {
            var made = await write(unfinished);
            Place(unfinished, directory, replaced);
            return made;
        }
        finally
        {
            if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true);
        }
    }

    private static void Place(string from, string to, IReadOnlyList<string> replaced)
    {
        var names = Directory.EnumerateFiles(from).Select(path => Path.GetFileName(path)).OrderBy(name => Cards.Contains(name)).ToList();
        foreach (var name in names) File.Move(Path.Combine(from, name), Path.Combine(to, name), overwrite: true);
        foreach (var name in replaced.Except(names)) File.Delete(Path.Combine(to, name));
    }

    /// <summary>The card of the model that stands in a directory, and what it names; nothing when the directory is missing or empty.</summary>
    private static IReadOnlyList<string> NamedFiles(string directory)
    {
        if (File.Exists(directory)) throw new FaultsException(directory, "is a file; a model needs a directory of its own");
        if (!Directory.Exists(directory) || Directory.EnumerateFileSystemEntries(directory).All(path => Path.GetFileName(path) == Unfinished)) return [];
        if (File.Exists(Path.Combine(directory, ModelFiles.CardName)))
            return [ModelFiles.CardName, .. ModelFiles.Open(directory).Card.Files];
        if (File.Exists(Path.Combine(directory, GroupFiles.CardName))) return [GroupFiles.CardName, .. GroupFiles.Open(directory).Card.Pieces.Select(piece => piece.File)];
        throw new FaultsException(directory, $"is not empty and holds no model ({string.Join(" or ", Cards)}); name a new or empty directory, or a model's, which is then replaced");
    }
}
