using Fleet.Contracts;
using Fleet.Emulator.Tables;
using Fleet.Models;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet models table`: the comparison of all ways of all models as Markdown, CSV and plots. The same zoo gives the same bytes.</summary>
internal static class ModelTable
{
    /// <summary>Where training jobs leave their measurements, below the zoo.</summary>
    private const string ComparisonsDirectory = "comparison";

    /// <summary>The share of the whole that reading takes, for the bar.</summary>
    private const double ReadingShare = 0.5;

    /// <exception cref="FaultsException">A file of the zoo is damaged, a card contradicts its traces, there is nothing to compare, or the directory cannot be written.</exception>
    public static int Run(string zoo, string directory)
    {
        var files = ProgressBar.Show("table", progress => Make(zoo, progress));
        OutputDirectory.Write(directory, files);
        Console.Out.WriteLine($"{Path.Combine(directory, ZooDocument.Name)} and {files.Count - 1} files beside it: {string.Join(", ", files.Keys.Where(name => name != ZooDocument.Name).Order(StringComparer.Ordinal))}");
        return 0;
    }

    /// <summary>Whether the directory holds what the zoo gives, and nothing else.</summary>
    /// <returns>0 or, with each file that differs named, 1.</returns>
    /// <exception cref="FaultsException">A file of the zoo is damaged, a card contradicts its traces, or there is nothing to compare.</exception>
    public static int Check(string zoo, string directory)
    {
        var files = ProgressBar.Show("table", progress => Make(zoo, progress));
        var there = Directory.Exists(directory) ? Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path)).ToHashSet(StringComparer.Ordinal) : [];
        var faults = files.Keys.Union(there).Order(StringComparer.Ordinal).Select(Fault).OfType<string>().ToList();
        foreach (var fault in faults) Console.Out.WriteLine(fault);
        Console.Out.WriteLine(faults.Count == 0 ? $"{directory} is what {zoo} gives" : $"{directory} is out of date: run `fleet models table`");
        return faults.Count == 0 ? 0 : 1;

        string? Fault(string name) =>
            !files.TryGetValue(name, out var content) ? $"{name} is left over"
            : !there.Contains(name) ? $"{name} is missing"
            : File.ReadAllText(Path.Combine(directory, name)) != content ? $"{name} differs" : null;
    }

    /// <summary>Every file by its name.</summary>
    public static IReadOnlyDictionary<string, string> Make(string zoo, Action<double> progress)
    {
        var models = ModelFiles.OpenAll(zoo).Values.OrderBy(model => model.Card.Name, StringComparer.Ordinal).ToList();
        var comparisons = Comparison.ReadAll(Path.Combine(zoo, ComparisonsDirectory));
        if (models.Count > 0 && comparisons.Count == 0) throw new FaultsException(Path.Combine(zoo, ComparisonsDirectory), "holds no comparison: without what training measured the table would lack every rival");
        if (models.Count == 0 && comparisons.Count == 0) throw new FaultsException(zoo, "holds no model and no comparison: there is nothing to put into a table");
        var studied = new List<StudiedModel>();
        foreach (var model in models)
        {
            TracedFigures.Require(model);
            studied.Add(new StudiedModel(model));
            progress(ReadingShare * studied.Count / models.Count);
        }
        return ZooDocument.Files(ZooTask.Of(studied, comparisons), done => progress(ReadingShare + (1 - ReadingShare) * done));
    }
}
