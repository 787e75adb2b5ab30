using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Reporting;

/// <summary>A scenario's text, with the files of arrivals that it names, beside a run's results: so that the run can be repeated from there.</summary>
public static class ScenarioCopy
{
    /// <param name="directory">Of the results.</param>
    /// <param name="text">As it was read, comments and all.</param>
    public static void Write(string directory, Scenario scenario, byte[] text)
    {
        File.WriteAllBytes(Path.Combine(directory, Manifest.ScenarioFile), text);
        foreach (var file in Recordings(scenario).Distinct())
        {
            var (from, to) = (Path.GetFullPath(Path.Combine(scenario.Directory, file)), Path.GetFullPath(Path.Combine(directory, file)));
            // What is named by an absolute path, or lies above the scenario, is found where it is; a run into the scenario's own directory has it already.
            if (from == to || !to.StartsWith(Path.GetFullPath(directory) + Path.DirectorySeparatorChar, StringComparison.Ordinal)) continue;
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to, overwrite: true);
        }
    }

    private static IEnumerable<string> Recordings(Scenario scenario) =>
        scenario.Sites.SelectMany(site => site.Devices).Select(group => group.Recorded).Concat(scenario.Stages.Select(stage => stage.Recorded)).OfType<RecordedSpec>().Select(recorded => recorded.File);
}
