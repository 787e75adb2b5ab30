using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Models;

namespace Fleet.Emulator.Reporting;

/// <summary>A run's directory, read back: only when every file is there and is what the manifest says.</summary>
public sealed class RunDirectory
{
    private readonly string path;

    private RunDirectory(string path, Manifest manifest, Scenario scenario, RunResult result) => (this.path, Manifest, Scenario, Result) = (path, manifest, scenario, result);

    /// <summary>Where it lies.</summary>
    public string Place => path;

    public Manifest Manifest { get; }

    /// <summary>As it was run: what the command line said instead is put in.</summary>
    public Scenario Scenario { get; }

    public RunResult Result { get; }

    /// <summary>Each site's results, in the order of the scenario's file; read one by one.</summary>
    public IEnumerable<SiteResult> Sites()
    {
        foreach (var (i, line) in File.ReadLines(Path.Combine(path, ResultWriter.SitesFile)).Index())
            yield return StrictJson.Parse($"{Path.Combine(path, ResultWriter.SitesFile)} line {i + 1}", System.Text.Encoding.UTF8.GetBytes(line), Json.File.Info<SiteResult>(), _ => []);
    }

    /// <summary>Rows of a table, its column names first; nothing when the run has no such table.</summary>
    public IEnumerable<IReadOnlyList<string>> Rows(string table)
    {
        var file = Path.Combine(path, table + ".csv");
        return File.Exists(file) ? File.ReadLines(file).Select(CellsOf) : [];
    }

    /// <exception cref="FaultsException">What is missing, unreadable or not what was written; all at once.</exception>
    public static RunDirectory Open(string path)
    {
        if (!Directory.Exists(path)) throw new FaultsException(path, "no such directory; `fleet run SCENARIO --out DIR` makes one");
        var at = Path.Combine(path, Manifest.FileName);
        if (!File.Exists(at)) throw new FaultsException(path, $"has no {Manifest.FileName}: it is no run's directory, or its run was not finished");
        try
        {
            var manifest = StrictJson.Read(at, Json.File.Info<Manifest>(), _ => []);
            FaultsException.ThrowIfAny(path, Faults(path, manifest));
            var scenario = StrictJson.Read(Path.Combine(path, Manifest.ScenarioFile), Json.File.Info<Scenario>(), _ => []);
            scenario = scenario.Expanded() with { Directory = path, Inference = manifest.Inference, Control = scenario.Control with { Policy = manifest.Policy } };
            return new RunDirectory(path, manifest, scenario, StrictJson.Read(Path.Combine(path, ResultWriter.ResultFile), Json.File.Info<RunResult>(), result => ResultFaults(result, manifest)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(path, e.Message);
        }
    }

    /// <summary>Refuses a directory in which a run would take the place of files that no run has written.</summary>
    /// <param name="scenario">The text that will lie there.</param>
    /// <exception cref="FaultsException">What would be lost.</exception>
    public static void CheckReplaceable(string path, ReadOnlySpan<byte> scenario)
    {
        if (!Directory.Exists(path) || File.Exists(Path.Combine(path, Manifest.FileName)) || File.Exists(Path.Combine(path, ResultWriter.SitesFile))) return;
        var lost = new List<string>();
        foreach (var name in Directory.EnumerateFiles(path).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal))
            if (ResultWriter.IsReplaced(name) || name == Manifest.ScenarioFile && !scenario.SequenceEqual(File.ReadAllBytes(Path.Combine(path, name)))) lost.Add(name);
        if (lost.Count > 0) throw new FaultsException($"--out {path}", $"holds {string.Join(", ", lost)}, which no run has written and this one would take the place of; allowed: another directory");
    }

    private static IEnumerable<string> Faults(string path, Manifest manifest)
    {
        var hashes = ResultWriter.Hashes(path, manifest.Files.Keys.Where(name => File.Exists(Path.Combine(path, name))));
        foreach (var (name, hash) in manifest.Files)
            if (!hashes.TryGetValue(name, out var has)) yield return $"{name} is missing";
            else if (has != hash) yield return $"{name} is not what the run wrote: its SHA-256 is {has}, the manifest says {hash}";
        foreach (var needed in new[] { ResultWriter.SitesFile, ResultWriter.ResultFile }.Except(manifest.Files.Keys)) yield return $"{Manifest.FileName} does not name {needed}";
        var scenario = Path.Combine(path, Manifest.ScenarioFile);
        if (!File.Exists(scenario)) yield return $"{Manifest.ScenarioFile} is missing";
        else if (ModelFiles.Sha256(File.ReadAllBytes(scenario)) is var sha && sha != manifest.ScenarioSha256) yield return $"{Manifest.ScenarioFile} is not what was run: its SHA-256 is {sha}, the manifest says {manifest.ScenarioSha256}";
    }

    private static IEnumerable<string> ResultFaults(RunResult result, Manifest manifest)
    {
        if (result.TraceHash != manifest.TraceHash) yield return $"trace_hash is {result.TraceHash}, the manifest says {manifest.TraceHash}";
        if (result.Seed != manifest.Seed) yield return $"seed is {result.Seed}, the manifest says {manifest.Seed}";
    }

    /// <summary>Cells of one line; names in our tables hold no line breaks.</summary>
    private static List<string> CellsOf(string line)
    {
        if (!line.Contains('"', StringComparison.Ordinal)) return [.. line.Split(',')];
        var (cells, cell, isQuoted) = (new List<string>(), new System.Text.StringBuilder(), false);
        for (var i = 0; i < line.Length; i++)
        {
            if (isQuoted && line[i] == '"' && i + 1 < line.Length && line[i + 1] == '"') cell.Append(line[++i]);
            else if (line[i] == '"') isQuoted = !isQuoted;
            else if (line[i] != ',' || isQuoted) cell.Append(line[i]);
            else
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
        }
        cells.Add(cell.ToString());
        return cells;
    }
}
