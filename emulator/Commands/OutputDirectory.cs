using Fleet.Contracts;

namespace Fleet.Emulator.Commands;

/// <summary>Directories that commands leave pages and tables in.</summary>
internal static class OutputDirectory
{
    /// <summary>What a directory shows first.</summary>
    public const string Page = "README.md";

    /// <summary>Before the work, not after it: a directory that cannot be written should not cost it, nor anybody a page of his own.</summary>
    /// <param name="mark">Stands in every README.md that the command writes; null when it writes none.</param>
    /// <exception cref="FaultsException">It cannot be made or written, or holds a README.md of somebody else's.</exception>
    public static void Prepare(string directory, string? mark) => Guard(directory, () =>
    {
        Directory.CreateDirectory(directory);
        File.Create(Path.Combine(directory, ".fleet-writes-here"), bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
        var page = Path.Combine(directory, Page);
        if (mark is not null && File.Exists(page) && !File.ReadAllText(page).Contains(mark, StringComparison.Ordinal))
            throw new FaultsException($"--out {directory}", $"holds a {Page} that {mark} has not written and would take the place of; allowed: another directory");
    });

    /// <param name="files">Contents by name; what was there under these names is gone.</param>
    public static void Write(string directory, IEnumerable<KeyValuePair<string, string>> files) => Guard(directory, () =>
    {
        Directory.CreateDirectory(directory);
        foreach (var (name, content) in files) File.WriteAllText(Path.Combine(directory, name), content);
    });

    /// <summary>A word of a command line as a POSIX shell takes it.</summary>
    public static string Quoted(string word) => word.Length > 0 && word.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./:,=+@".Contains(letter, StringComparison.Ordinal)) ? word : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private static void Guard(string directory, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException($"--out {directory}", e.Message);
        }
    }
}
