using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Reporting;

/// <summary>Joins the directories of all shards of one run to the directory that the whole run would have written, byte for byte but for the manifest.</summary>
public static class ShardMerge
{
    /// <param name="exits">Of the scenario's models, the most.</param>
    /// <exception cref="FaultsException">The directories do not belong together, or one is missing or there twice: all that is wrong at once.</exception>
    public static RunResult Merge(IReadOnlyList<RunDirectory> shards, string output, int exits)
    {
        FaultsException.ThrowIfAny("merge", Faults(shards, output));
        var inOrder = shards.OrderBy(shard => Shard.Parse(shard.Manifest.Shard!).Number).ToList();
        var (manifest, scenario) = (inOrder[0].Manifest, inOrder[0].Scenario);
        var text = File.ReadAllBytes(Path.Combine(inOrder[0].Place, Manifest.ScenarioFile));
        RunDirectory.CheckReplaceable(output, text);
        ScenarioCopy.Check(output, scenario);
        using var writer = new ResultWriter(output, scenario, manifest.Seed, exits, HasEvents(inOrder[0]));
        foreach (var shard in inOrder) Add(writer, shard);
        var result = writer.Close();
        ScenarioCopy.Write(output, scenario, text);
        if (manifest.Files.ContainsKey(ResultWriter.ObjectiveFile)) File.Copy(Path.Combine(inOrder[0].Place, ResultWriter.ObjectiveFile), Path.Combine(output, ResultWriter.ObjectiveFile));
        var whole = manifest with
        {
            Command = CommandOfAll(manifest),
            Shard = null,
            TraceHash = result.TraceHash,
            Files = ResultWriter.Hashes(output, ScenarioCopy.Recordings(scenario)),
            Machine = Machine.This(),
            Threads = inOrder.Sum(shard => shard.Manifest.Threads),
            Wall = new Seconds(inOrder.Sum(shard => shard.Manifest.Wall.Value)),
            Cpu = new Seconds(inOrder.Sum(shard => shard.Manifest.Cpu.Value)),
            Events = result.Events,
        };
        File.WriteAllText(Path.Combine(output, Manifest.FileName), JsonSerializer.Serialize(whole, Json.File.Info<Manifest>()) + "\n");
        return result;
    }

    private static void Add(ResultWriter writer, RunDirectory shard)
    {
        var due = Shard.Parse(shard.Manifest.Shard!).Of(shard.Scenario.Sites);
        var sites = shard.Sites().GetEnumerator();
        var (devices, events) = (new RowsBySite(shard.Rows("devices")), new RowsBySite(shard.Rows("events")));
        foreach (var site in due)
        {
            var found = sites.MoveNext() ? sites.Current.Site : "nothing";
            if (found != site.Name) throw new FaultsException(shard.Place, $"{ResultWriter.SitesFile} holds {found} where {site.Name} is due");
            writer.Add(sites.Current, devices.Of(site.Name), events.Of(site.Name));
        }
        if (sites.MoveNext()) throw new FaultsException(shard.Place, $"{ResultWriter.SitesFile} holds {sites.Current.Site}, which is no site of shard {shard.Manifest.Shard}");
    }

    private static IEnumerable<string> Faults(IReadOnlyList<RunDirectory> shards, string output)
    {
        var first = shards[0];
        foreach (var shard in shards.Where(shard => Path.GetFullPath(shard.Place) == Path.GetFullPath(output))) yield return $"--out is {shard.Place}, a directory that is to be merged";
        foreach (var shard in shards.Skip(1))
            foreach (var ((what, has), (_, expected)) in Identity(shard).Zip(Identity(first)).Where(pair => pair.First.Value != pair.Second.Value))
                yield return $"{shard.Place}: {what} is {has}, that of {first.Place} is {expected}";
        foreach (var shard in shards.Where(shard => shard.Manifest.Shard is null)) yield return $"{shard.Place} is no shard: it was run without --shard";
        var parts = shards.Where(shard => shard.Manifest.Shard is not null).ToLookup(shard => Shard.Parse(shard.Manifest.Shard!));
        foreach (var same in parts.Where(same => same.Count() > 1)) yield return $"{string.Join(" and ", same.Select(shard => shard.Place))} are both shard {same.Key}";
        if (parts.Select(part => part.Key.Count).Distinct().ToList() is not [var count]) yield break;
        foreach (var missing in Enumerable.Range(1, count).Select(number => new Shard(number, count)).Where(part => !parts.Contains(part))) yield return $"shard {missing} is missing";
    }

    /// <summary>What shards of one run have in common.</summary>
    private static IEnumerable<(string What, string Value)> Identity(RunDirectory run) =>
    [
        ("scenario_sha256", run.Manifest.ScenarioSha256), ("seed", $"{run.Manifest.Seed}"), ("policy", run.Manifest.Policy), ("inference", $"{run.Manifest.Inference}"), ("version", run.Manifest.Version),
        ("card_sha256", run.Manifest.CardSha256), ("number of shards", run.Manifest.Shard is { } shard ? $"{Shard.Parse(shard).Count}" : "none"), ("table of events", HasEvents(run) ? "there" : "not there"),
        ("command", CommandOfAll(run.Manifest)), ("SHA-256 of " + ResultWriter.ObjectiveFile, run.Manifest.Files.GetValueOrDefault(ResultWriter.ObjectiveFile, "none")),
    ];

    private static string CommandOfAll(Manifest manifest) => manifest.Command.Replace($" --shard {manifest.Shard}", "", StringComparison.Ordinal);

    private static bool HasEvents(RunDirectory run) => run.Manifest.Files.ContainsKey("events.csv");

    /// <summary>A table whose rows stand site by site; to be read in that order.</summary>
    private sealed class RowsBySite
    {
        private readonly IEnumerator<IReadOnlyList<string>> rows;
        private readonly int column;
        private bool isAhead;

        /// <param name="table">Its column names first; nothing when there is no such table.</param>
        public RowsBySite(IEnumerable<IReadOnlyList<string>> table)
        {
            rows = table.GetEnumerator();
            if (rows.MoveNext()) column = rows.Current.ToList().IndexOf("site");
        }

        public IEnumerable<IReadOnlyList<string>> Of(string site)
        {
            while (isAhead || rows.MoveNext())
            {
                isAhead = rows.Current[column] != site;
                if (isAhead) yield break;
                yield return rows.Current;
            }
        }
    }
}
