using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet profile fit` and `check`: the files of a directory of profiles against what their recipes and rows give.</summary>
internal static class ProfileFiles
{
    private const string RecipesDirectory = "recipes";
    private const string MeasuredDirectory = "measured";

    /// <param name="directory">With recipes and measured rows.</param>
    /// <param name="output">Where profiles go; null for the same directory.</param>
    /// <returns>The exit code.</returns>
    public static int Write(string directory, string? output)
    {
        var profiles = Make(directory);
        try
        {
            Directory.CreateDirectory(output ?? directory);
            foreach (var (profile, text) in profiles) File.WriteAllText(Path.Combine(output ?? directory, profile.Id + ".json"), text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException($"--out {output ?? directory}", e.Message);
        }
        ProfileReport.Print(profiles.Select(made => made.Profile));
        return 0;
    }

    /// <returns>The exit code: 1 when a file is not what the fit writes.</returns>
    public static int Check(string directory)
    {
        var read = ProfileFile.ReadAll(directory);
        var made = Make(directory).ToDictionary(made => made.Profile.Id, made => made.Text);
        var wrong = 0;
        var ids = read.Keys.Union(made.Keys).Order(StringComparer.Ordinal).ToList();
        foreach (var id in ids)
        {
            var fault = !made.TryGetValue(id, out var text) ? "has no recipe" : !read.ContainsKey(id) ? "is missing: fleet profile fit writes it" : Difference(File.ReadAllText(Path.Combine(directory, id + ".json")), text);
            Console.Out.WriteLine($"  {id,-24}{fault ?? "is what the fit writes"}");
            if (fault is not null) wrong++;
        }
        Console.Out.WriteLine(wrong == 0 ? $"all {ids.Count} profiles are what the fit writes" : $"{wrong} of {ids.Count} profiles differ");
        return wrong == 0 ? 0 : 1;
    }

    private static List<(HardwareProfile Profile, string Text)> Make(string directory)
    {
        var tables = new MeasuredTables(Path.Combine(directory, MeasuredDirectory));
        var fit = new ProfileFit(tables);
        return [.. ProfileRecipe.ReadAll(Path.Combine(directory, RecipesDirectory), tables).Select(fit.Make).Select(profile => (profile, ProfileText.Of(profile)))];
    }

    /// <summary>The first line that differs; null when none does.</summary>
    private static string? Difference(string found, string expected)
    {
        var (lines, wanted) = (found.Split('\n'), expected.Split('\n'));
        for (var i = 0; i < Math.Max(lines.Length, wanted.Length); i++)
            if (lines.ElementAtOrDefault(i) != wanted.ElementAtOrDefault(i))
                return $"DIFFERS in line {i + 1}: {Short(lines.ElementAtOrDefault(i))}; the fit writes {Short(wanted.ElementAtOrDefault(i))}";
        return null;
    }

    private static string Short(string? line) => line is null ? "nothing" : line.Trim() is { Length: > 80 } text ? text[..80] + "..." : line.Trim();
}
