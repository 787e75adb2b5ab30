using Fleet.Contracts;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Reporting;

/// <summary>A scenario's text, with the files of arrivals that it names, beside a run's results: so that the run can be repeated from there.</summary>
public static class ScenarioCopy
{
    /// <summary>Refuses, before the run, what could not be kept beside its results or would take their place.</summary>
    /// <param name="directory">Of the results.</param>
    /// <exception cref="FaultsException">Files of arrivals that lie elsewhere than beside the scenario's file or below it, or are called as results are.</exception>
    public static void Check(string directory, Scenario scenario) => FaultsException.ThrowIfAny($"--out {directory}", Recordings(scenario).SelectMany(file => Faults(directory, scenario, file)));

    /// <param name="directory">Of the results.</param>
    /// <param name="text">As it was read, comments and all.</param>
    public static void Write(string directory, Scenario scenario, byte[] text)
    {
        File.WriteAllBytes(Path.Combine(directory, Manifest.ScenarioFile), text);
        foreach (var file in Recordings(scenario))
        {
            var (from, to) = Places(directory, scenario, file);
            // A run into the scenario's own directory has it already.
            if (from == to) continue;
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to, overwrite: true);
        }
    }

    /// <summary>Names of the files of arrivals, as the scenario has them.</summary>
    public static IEnumerable<string> Recordings(Scenario scenario) =>
        scenario.Sites.SelectMany(site => site.Devices).Select(group => group.Recorded).Concat(scenario.Stages.Select(stage => stage.Recorded)).OfType<RecordedSpec>().Select(recorded => recorded.File).Distinct();

    private static IEnumerable<string> Faults(string directory, Scenario scenario, string file)
    {
        var (from, to) = Places(directory, scenario, file);
        var name = Path.GetRelativePath(directory, to);
        if (Path.IsPathRooted(file) || name.StartsWith("..", StringComparison.Ordinal))
            yield return $"recorded.file \"{file}\" does not lie beside the scenario's file or below it, so that no copy could stand beside the results and the run could not be repeated from there; allowed: a file there";
        else if (name is Manifest.FileName or Manifest.ScenarioFile || name == Path.GetFileName(name) && ResultWriter.IsReplaced(name))
            yield return $"recorded.file \"{file}\" is called as a file of results; allowed: another name";
        else if (from != to && File.Exists(to) && !File.Exists(Path.Combine(directory, Manifest.FileName)) && !File.ReadAllBytes(to).AsSpan().SequenceEqual(File.ReadAllBytes(from)))
            yield return $"holds {name}, which no run has written and the scenario's recorded.file of that name would take the place of; allowed: another directory";
    }

    private static (string From, string To) Places(string directory, Scenario scenario, string file) => (Path.GetFullPath(Path.Combine(scenario.Directory, file)), Path.GetFullPath(Path.Combine(directory, file)));
}
