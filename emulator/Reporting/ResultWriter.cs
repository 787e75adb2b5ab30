using System.Security.Cryptography;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Reporting;

/// <summary>
/// Writes a run's results into a directory, site by site in the order of the scenario's file: sites.jsonl with all that can be added up, and
/// tables as CSV and Parquet. What is written depends on the sites alone, so that shards merge to the same bytes.
/// </summary>
public sealed class ResultWriter : IDisposable
{
    public const string SitesFile = "sites.jsonl";
    public const string ResultFile = "result.json";

    /// <summary>The point of a front that the run kept to, where the command line gave one.</summary>
    public const string ObjectiveFile = "objective.json";

    private static readonly string[] TableNames = ["sites", "timeline", "messages", "edges", "devices", "events", "latency", "faults", "returns", "replications", "statistics"];

    private readonly string directory;
    private readonly Scenario scenario;
    private readonly int exits;
    private readonly RunSum sum;
    private readonly StreamWriter lines;
    private readonly TableWriter sites, timeline, messages, edges, devices, returns;
    private readonly TableWriter? events;
    private bool isClosed;

    /// <param name="exits">Of the scenario's models, the most.</param>
    /// <param name="hasEvents">Whether there is a row for each inference.</param>
    /// <exception cref="FaultsException">The directory cannot be written.</exception>
    public ResultWriter(string directory, Scenario scenario, long seed, int exits, bool hasEvents)
    {
        (this.directory, this.scenario, this.exits, sum) = (directory, scenario, exits, new RunSum(scenario, seed));
        try
        {
            Directory.CreateDirectory(directory);
            // Without a manifest the directory is known to be unfinished until this run's is written.
            File.Delete(Path.Combine(directory, Manifest.FileName));
            foreach (var old in Directory.EnumerateFiles(directory).Where(IsReplaced)) File.Delete(old);
            lines = new StreamWriter(Path.Combine(directory, SitesFile)) { NewLine = "\n" };
            (sites, timeline, messages) = (Table("sites", ResultTables.Sites), Table("timeline", ResultTables.Timeline(exits)), Table("messages", ResultTables.Messages));
            (edges, devices, returns) = (Table("edges", ResultTables.Edges), Table("devices", ResultTables.Devices), Table("returns", ResultTables.Returns));
            events = hasEvents ? Table("events", ResultTables.Events) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException($"--out {directory}", e.Message);
        }
    }

    /// <param name="recorded">Null when there is no row for each inference.</param>
    public void Add(SiteResult site, IReadOnlyList<DeviceResult> deviceResults, IEnumerable<AnsweredEvent>? recorded = null)
    {
        Add(site);
        foreach (var device in deviceResults) ResultTables.Add(devices, site.Site, device);
        if (events is not null && recorded is not null) ResultTables.AddEvents(events, site.Site, deviceResults, recorded);
    }

    /// <summary>A site whose rows were written elsewhere: those of devices.csv and events.csv that bear its name, header and all others left out.</summary>
    /// <exception cref="FormatException">A row does not fit the table.</exception>
    public void Add(SiteResult site, IEnumerable<IReadOnlyList<string>> deviceRows, IEnumerable<IReadOnlyList<string>>? eventRows)
    {
        Add(site);
        foreach (var row in deviceRows) devices.AddRow(row);
        foreach (var row in eventRows ?? []) events?.AddRow(row);
    }

    /// <summary>Writes what is known at the end only; gives the run's result.</summary>
    public RunResult Close()
    {
        var result = sum.Result();
        using (var latency = Table("latency", ResultTables.Latency)) ResultTables.Add(latency, SiteBin.Sum(sum.Bins).Latency);
        using (var faults = Table("faults", ResultTables.Faults))
            foreach (var fault in scenario.FaultList) ResultTables.Add(faults, fault);
        File.WriteAllText(Path.Combine(directory, ResultFile), JsonSerializer.Serialize(result, Json.File.Info<RunResult>()) + "\n");
        Dispose();
        return result;
    }

    /// <summary>Of all files of results in a directory, by name.</summary>
    /// <param name="beside">What else the manifest answers for, relative to the directory: files of arrivals.</param>
    public static SortedDictionary<string, string> Hashes(string directory, params IEnumerable<string> beside)
    {
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in Directory.EnumerateFiles(directory).Where(IsResult).Select(path => Path.GetFileName(path)).Union(beside))
        {
            using var file = File.OpenRead(Path.Combine(directory, name));
            hashes[name] = Convert.ToHexStringLower(SHA256.HashData(file));
        }
        return hashes;
    }

    public void Dispose()
    {
        if (isClosed) return;
        isClosed = true;
        lines.Dispose();
        foreach (var table in (TableWriter?[])[sites, timeline, messages, edges, devices, returns, events]) table?.Dispose();
    }

    private void Add(SiteResult site)
    {
        sum.Add(site);
        lines.WriteLine(JsonSerializer.Serialize(site, Json.Wire.Info<SiteResult>()));
        ResultTables.Add(sites, site);
        ResultTables.AddTimeline(timeline, site, exits);
        ResultTables.AddMessages(messages, site);
        ResultTables.AddEdges(edges, site);
        ResultTables.AddReturns(returns, site);
    }

    private TableWriter Table(string name, IReadOnlyList<Column> columns) => new(directory, name, columns);

    /// <summary>Whether a file goes when a run writes its results beside it: those of another run, and the page about it.</summary>
    internal static bool IsReplaced(string path) => IsResult(path) || Path.GetFileName(path) == ReportPage.FileName;

    /// <summary>Whether a file is one that we write: results of an earlier run must not lie among those of this one.</summary>
    private static bool IsResult(string path) =>
        Path.GetFileName(path) is ResultFile or SitesFile or ObjectiveFile || Path.GetExtension(path) is ".csv" or ".parquet" && TableNames.Contains(Path.GetFileNameWithoutExtension(path));
}
