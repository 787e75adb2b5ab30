using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Reporting;
using Fleet.Emulator.Scenarios;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Reporting;

/// <summary>A short run of two sites, written down and read back.</summary>
public sealed class ResultWriterTests
{
    private const int Exits = 3;

    private string scratch = "";

    [OneTimeSetUp]
    public void CreateScratch() => scratch = Directory.CreateTempSubdirectory("fleet-results").FullName;

    [OneTimeTearDown]
    public void DeleteScratch() => Directory.Delete(scratch, recursive: true);

    [Test]
    public void Write_AnyNumberOfThreads_GivesTheSameBytes()
    {
        var (one, two) = (Written("one", threads: 1), Written("two", threads: 2));
        Assert.That(ResultWriter.Hashes(two.Directory), Is.EqualTo(ResultWriter.Hashes(one.Directory)));
        Assert.That(ResultWriter.Hashes(one.Directory).Keys, Is.SupersetOf(new[] { "result.json", "sites.jsonl", "sites.csv", "timeline.parquet", "events.parquet", "devices.csv", "edges.csv", "messages.csv", "faults.csv", "latency.csv" }));
    }

    [Test]
    public void Write_SitesOfTwoShards_GiveTheWholesBytes()
    {
        var whole = Written("whole", threads: 1);
        var directory = Path.Combine(scratch, "merged");
        var (devices, events) = (Rows(whole.Directory, "devices"), Rows(whole.Directory, "events"));
        using (var writer = new ResultWriter(directory, Small(), 1, Exits, hasEvents: true))
        {
            foreach (var line in File.ReadLines(Path.Combine(whole.Directory, ResultWriter.SitesFile)))
            {
                var site = JsonSerializer.Deserialize(line, Json.Wire.Info<SiteResult>())!;
                writer.Add(site, devices.Where(row => row[0] == site.Site), events.Where(row => row[1] == site.Site));
            }
            Assert.That(writer.Close().TraceHash, Is.EqualTo(whole.Result.TraceHash));
        }
        Assert.That(ResultWriter.Hashes(directory), Is.EqualTo(ResultWriter.Hashes(whole.Directory)));
    }

    [Test]
    public void Tables_OfARun_AddUpToItsResult()
    {
        var (directory, result) = Written("sums", threads: 1);
        var (devices, timeline, events) = (Rows(directory, "devices"), Rows(directory, "timeline"), Rows(directory, "events"));
        double Sum(List<string[]> rows, string table, string column) => rows.Sum(row => Number(row[Column(directory, table, column)]));
        Assert.That(devices, Has.Count.EqualTo((int)result.Devices));
        Assert.That(events, Has.Count.EqualTo((int)result.Figures.Inferences));
        Assert.That(Sum(timeline, "timeline", "answered"), Is.EqualTo(result.Figures.Inferences));
        Assert.That(Sum(devices, "devices", "exits") + Sum(devices, "devices", "offloaded") + Sum(devices, "devices", "fallback"), Is.EqualTo(result.Figures.Inferences));
        Assert.That(Sum(events, "events", "correct") / events.Count, Is.EqualTo(result.Figures.Accuracy).Within(1e-5));
        Assert.That(Sum(timeline, "timeline", "dropped"), Is.EqualTo(result.Messages["dropped"]));
        Assert.That(Sum(Rows(directory, "messages"), "messages", "due"), Is.EqualTo(result.Messages["due"]));
        Assert.That(Sum(Rows(directory, "latency"), "latency", "count"), Is.EqualTo(result.Figures.Inferences));
        Assert.That(Sum(Rows(directory, "edges"), "edges", "served"), Is.EqualTo(result.EdgeServed));
        Assert.That(Rows(directory, "returns"), Has.Count.EqualTo(result.DevicesStruck).And.Count.GreaterThan(0), "the edge server's crash struck somebody");
        foreach (var use in (string[])["idle", "compute", "transmit", "receive"])
            foreach (var (rows, table) in new[] { (devices, "devices"), (timeline, "timeline") })
                Assert.That(Sum(rows, table, use + "_j"), Is.EqualTo(result.Energy[use]).Within(1e-3).Percent, $"{use} of {table}");
        // What a device draws and sends after its last answer is in no row.
        var spent = result.Energy["compute"] + result.Energy["transmit"] + result.Energy["receive"];
        Assert.That(Sum(events, "events", "energy_j"), Is.InRange(0.9 * spent, 1.000001 * spent));
    }

    [Test]
    public void Timeline_BinByBin_KeepsTheEnergyBook()
    {
        var run = ScenarioRun.Execute(Small(), 1, World.Stock);
        foreach (var site in run.Sites)
        {
            var stored = site.Energy.Initial.Value;
            foreach (var (i, bin) in site.Bins.Index())
            {
                var flows = bin.Energy;
                stored += flows.Harvested.Value - flows.Used.Value - flows.Leaked.Value - flows.Spilled.Value;
                Assert.That(bin.Stored.Value, Is.EqualTo(stored).Within(1e-6 * (1 + site.Energy.Used.Value)), $"{site.Site}, bin {i}");
            }
        }
    }

    [Test]
    public void Faults_OfKindsWithFiguresOfTheirOwn_StandInTheTableAsTheyAreInForce()
    {
        FaultSpec Fault(FaultKind kind) => new() { Kind = kind, Site = "farm", At = new Seconds(1), For = new Seconds(2) };
        using (var table = new TableWriter(scratch, "own", ResultTables.Faults))
            foreach (var fault in (FaultSpec[])[Fault(FaultKind.Reorder) with { Ratio = 0.3 }, Fault(FaultKind.SlowConsumer) with { Target = "barn" }, Fault(FaultKind.Partition) with { From = "controller" }, Fault(FaultKind.BrokerRestart), Fault(FaultKind.ClockDrift) with { DriftPpm = -20 }, Fault(FaultKind.BrownOut)])
                ResultTables.Add(table, fault);
        string Cell(int row, string column) => Rows(scratch, "own")[row][Column(scratch, "own", column)];
        Assert.That((Cell(0, "kind"), Cell(0, "ratio"), Cell(0, "delay_s"), Cell(0, "boot_s")), Is.EqualTo(("reorder", "0.3", "1", "")), "one said, one left out, one of another kind");
        Assert.That((Cell(1, "target"), Cell(1, "rate_hz"), Cell(1, "queue_max")), Is.EqualTo(("barn", "10", "100")));
        Assert.That((Cell(2, "from"), Cell(3, "retained"), Cell(4, "drift_ppm"), Cell(4, "offset_s"), Cell(5, "boot_s")), Is.EqualTo(("controller", "kept", "-20", "0", "30")));
    }

    [Test]
    public void Directory_ThatIsAFile_IsToldBeforeTheRun()
    {
        var file = Path.Combine(scratch, "a-file");
        File.WriteAllText(file, "");
        var failure = Assert.Throws<FaultsException>(() => new ResultWriter(file, Small(), 1, Exits, hasEvents: false))!;
        Assert.That(failure.Message, Does.Contain("--out").And.Contain("a-file"));
    }

    internal static Scenario Small()
    {
        var scenario = World.Read("two-sites");
        return scenario with
        {
            Duration = new Seconds(30),
            Sites = [.. scenario.Sites.Select(site => site with { Devices = [.. site.Devices.Select(group => group with { Count = 3, Battery = group.Battery is null ? null : new Joules(3) })] })],
            FaultList = [new FaultSpec { Kind = FaultKind.EdgeCrash, Site = "farm", Target = "barn", At = new Seconds(10), For = new Seconds(8) }],
        };
    }

    private (string Directory, RunResult Result) Written(string name, int threads)
    {
        var directory = Path.Combine(scratch, name);
        using var writer = new ResultWriter(directory, Small(), 1, Exits, hasEvents: true);
        var spools = new Dictionary<string, EventSpool>();
        var run = ScenarioRun.Execute(Small(), 1, World.Stock, threads, begins: world =>
        {
            lock (spools) spools[world.Name] = new EventSpool(directory, world);
        });
        foreach (var (world, site) in run.Worlds.Zip(run.Sites)) writer.Add(site, [.. world.Devices.Select(DeviceResult.Of)], spools[site.Site].Read());
        foreach (var spool in spools.Values) spool.Dispose();
        return (directory, writer.Close());
    }

    private static List<string[]> Rows(string directory, string table) => [.. File.ReadLines(Path.Combine(directory, table + ".csv")).Skip(1).Select(line => line.Split(','))];

    private static int Column(string directory, string table, string column) => Array.IndexOf(File.ReadLines(Path.Combine(directory, table + ".csv")).First().Split(','), column);

    private static double Number(string cell) => cell.Length == 0 ? 0 : double.Parse(cell, System.Globalization.CultureInfo.InvariantCulture);
}
