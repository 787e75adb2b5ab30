using System.Collections.Concurrent;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator.Reporting;
using Fleet.Emulator.Scenarios;
using Fleet.Models;

namespace Fleet.Emulator.Commands;

/// <summary>The directory that --out names: opened before the run, since one that cannot be written should not cost a run.</summary>
internal sealed class RunOutput : IDisposable
{
    private readonly string directory;
    private readonly Scenario scenario;
    private readonly RunRequest request;
    private readonly Stock stock;
    private readonly byte[] text;
    private readonly ResultWriter writer;
    private readonly ConcurrentDictionary<string, EventSpool> spools = [];
    private readonly long began = TimeProvider.System.GetTimestamp();

    public RunOutput(string directory, Scenario scenario, RunRequest request, Stock stock)
    {
        (this.directory, this.scenario, this.request, this.stock) = (directory, scenario, request, stock);
        text = File.ReadAllBytes(request.File);
        Guard(() =>
        {
            RunDirectory.CheckReplaceable(directory, text);
            ScenarioCopy.Check(directory, scenario);
            return true;
        });
        writer = new ResultWriter(directory, scenario, request.Seed, ExitsOf(scenario, stock), request.Events);
    }

    /// <summary>A site is about to run.</summary>
    public void Begin(SiteWorld world)
    {
        if (request.Events) spools[world.Name] = new EventSpool(directory, world);
    }

    /// <summary>What the tables need of a site that has run.</summary>
    public SiteLeft Left(SiteWorld world) => new(SiteResult.Of(world), [.. world.Devices.Select(DeviceResult.Of)], spools.GetValueOrDefault(world.Name));

    public void Add(SiteLeft site)
    {
        Guard(() =>
        {
            writer.Add(site.Result, site.Devices, site.Spool?.Read());
            if (spools.TryRemove(site.Result.Site, out var spool)) spool.Dispose();
            return true;
        });
    }

    /// <summary>Of the first of them all tables, which were added; of all their figures.</summary>
    public void Write(Replications replications)
    {
        Guard(() =>
        {
            replications.Write(directory);
            return Close();
        });
    }

    public void Add(ScenarioRun run) => Guard(() =>
    {
        foreach (var world in run.Worlds) Add(Left(world));
        return true;
    });

    public void Dispose()
    {
        foreach (var spool in spools.Values) spool.Dispose();
        try
        {
            writer.Dispose();
        }
        catch (IOException)
        {
            // A run that was finished is closed already. This one was not, and why has been told.
        }
    }

    /// <summary>A disk that is full, a directory that went away.</summary>
    private T Guard<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException($"--out {directory}", e.Message);
        }
    }

    public RunResult Finish() => Guard(Close);

    private RunResult Close()
    {
        var result = writer.Close();
        ScenarioCopy.Write(directory, scenario, text);
        if (request.Objective is { } kept) WriteObjective(kept);
        File.WriteAllText(Path.Combine(directory, Manifest.FileName), JsonSerializer.Serialize(ManifestOf(result), Json.File.Info<Manifest>()) + "\n");
        return result;
    }

    /// <summary>Beside the scenario, which does not say it: without it the run could not be repeated.</summary>
    private void WriteObjective(Objective kept)
    {
        var one = new Objectives { Site = scenario.Sites[0].Name, Text = "What this run kept to.", Points = [kept] };
        File.WriteAllText(Path.Combine(directory, ResultWriter.ObjectiveFile), JsonSerializer.Serialize(one, Json.File.Info<Objectives>()) + "\n");
    }

    private Manifest ManifestOf(RunResult result) => new()
    {
        Command = Command(),
        Scenario = scenario.Name,
        ScenarioSha256 = ModelFiles.Sha256(text),
        CardSha256 = stock.Models[scenario.Model].CardSha256,
        Seed = request.Seed,
        Policy = scenario.Control.Policy,
        Inference = scenario.Inference,
        Replications = request.Replications,
        Shard = request.Shard?.ToString(),
        Version = Manifest.ThisVersion,
        TraceHash = result.TraceHash,
        Files = ResultWriter.Hashes(directory, ScenarioCopy.Recordings(scenario)),
        Machine = Machine.This(),
        Threads = request.Threads,
        Wall = Quantity.Rounded(TimeProvider.System.Since(began)),
        Cpu = Quantity.Rounded(Seconds.Of(Environment.CpuUsage.TotalTime)),
        Events = result.Events,
    };

    /// <summary>As it is run in the directory, whatever the scenario's place was.</summary>
    private string Command() => string.Concat(
        $"fleet run {Manifest.ScenarioFile} --seed {request.Seed}",
        request.Objective is { } kept ? $" --objective {ResultWriter.ObjectiveFile}:{kept.Name}" : $" --policy {scenario.Control.Policy}",
        $" --inference {scenario.Inference.ToString().ToLowerInvariant()}",
        request.Placement is { } placement ? $" --placement {placement}" : "",
        " --out again",
        request.Events ? " --events" : "",
        request.Replications > 1 ? $" --replications {request.Replications}" : "",
        request.Shard is { } shard ? $" --shard {shard}" : "");

    private static int ExitsOf(Scenario scenario, Stock stock) => stock.Models[scenario.Model].Card.StageCount;
}

/// <summary>What is left of a site when its world is gone.</summary>
/// <param name="Spool">Its raw events; null when nobody wants them.</param>
internal sealed record SiteLeft(SiteResult Result, IReadOnlyList<DeviceResult> Devices, EventSpool? Spool);
