using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator.Reporting;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

public sealed class RunCommandTests : CommandFixture
{
    private const string Tiny = """
        {
          // Two boards and nobody to help them.
          "name": "tiny", "duration_s": 20,
          "sites": [{ "name": "lab", "devices": [{ "board": "pi-4b", "count": 2, "rate_hz": 5 }], "edges": [{ "id": "e", "profile": "orange-pi-5" }] }]
        }
        """;

    private string Scenario => Path.Combine(Scratch, "tiny.json");

    [SetUp]
    public void WriteScenario() => File.WriteAllText(Scenario, Tiny);

    [Test]
    public void Run_WithOut_CanBeReportedAndRepeated()
    {
        var (first, again) = (Path.Combine(Scratch, "first"), Path.Combine(Scratch, "again"));
        var run = Fleet("run", Scenario, "--seed", "3", "--out", first, "--events");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var hash = run.Out.TrimEnd().Split('\n')[^1];
        var manifest = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(first, Manifest.FileName)), Json.File.Info<Manifest>())!;
        Assert.That(manifest.TraceHash, Is.EqualTo(hash));
        Assert.That(manifest.Command, Does.StartWith("fleet run scenario.json --seed 3 "));
        Assert.That(File.ReadAllText(Path.Combine(first, "scenario.json")), Is.EqualTo(Tiny), "comments and all");
        Assert.That(File.ReadAllText(Path.Combine(first, Manifest.FileName)), Does.Not.Contain(Scratch), "no path of this machine");

        // What the manifest says, said from the directory itself.
        string[] command = [.. manifest.Command.Split(' ').Skip(1)];
        command[1] = Path.Combine(first, command[1]);
        command[Array.IndexOf(command, "--out") + 1] = again;
        Assert.That(Fleet(command).ExitCode, Is.Zero);
        Assert.That(ResultWriter.Hashes(again), Is.EqualTo(manifest.Files));

        var report = Fleet("report", first);
        Assert.That(report.ExitCode, Is.Zero, report.Error);
        Assert.That(File.ReadAllText(report.Out.Trim()), Does.Contain("tiny").And.Contain(hash));
    }

    [Test]
    public void Run_EndedBeforeAnybodyHasSaidAnything_CanBeReported()
    {
        var (scenario, directory) = (Path.Combine(Scratch, "short.json"), Path.Combine(Scratch, "short"));
        File.WriteAllText(scenario, Tiny.Replace("\"duration_s\": 20", "\"duration_s\": 0.001", StringComparison.Ordinal).Replace("{ \"id\": \"e\", \"profile\": \"orange-pi-5\" }", "", StringComparison.Ordinal));
        var run = Fleet("run", scenario, "--out", directory, "--events", "--replications", "2");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var report = Fleet("report", directory);
        Assert.That(report.ExitCode, Is.Zero, report.Error);
    }

    [Test]
    public void Run_KeepingToAPointOfAFront_CanBeRepeatedFromItsDirectory()
    {
        var points = Path.Combine(Scratch, "points.json");
        File.WriteAllText(points, """{ "site": "lab", "points": [ { "name": "thrifty", "joule_weight": 50, "sent_max_bytes": 150 } ] }""");
        var (first, again) = (Path.Combine(Scratch, "first"), Path.Combine(Scratch, "again"));
        var run = Fleet("run", Scenario, "--objective", points + ":thrifty", "--out", first);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var manifest = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(first, Manifest.FileName)), Json.File.Info<Manifest>())!;
        string[] command = [.. manifest.Command.Split(' ').Skip(1).Select(word => word.StartsWith("scenario.json", StringComparison.Ordinal) || word.StartsWith("objective.json", StringComparison.Ordinal) ? Path.Combine(first, word) : word == "again" ? again : word)];
        Assert.That(Fleet(command).ExitCode, Is.Zero);
        Assert.That(ResultWriter.Hashes(again), Is.EqualTo(manifest.Files));
        var plain = Fleet("run", Scenario).Out.TrimEnd().Split('\n')[^1];
        Assert.That(manifest.TraceHash, Is.Not.EqualTo(plain), "the point makes a difference");
    }

    [Test]
    public void Run_WithRecordedArrivals_KeepsThemAndTheirHashBesideItsResults()
    {
        var directory = Path.Combine(Scratch, "run");
        var run = Fleet("run", Recorded("arrivals/door.csv"), "--out", directory + "/");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Fleet("report", directory).ExitCode, Is.Zero);
        File.AppendAllText(Path.Combine(directory, "arrivals", "door.csv"), "4\n");
        Assert.That(Fleet("report", directory).Error, Does.Contain("arrivals/door.csv is not what the run wrote"));
        File.Delete(Path.Combine(directory, "arrivals", "door.csv"));
        Assert.That(Fleet("report", directory).Error, Does.Contain("arrivals/door.csv is missing"));
    }

    [TestCase("../door.csv", "does not lie beside the scenario's file or below it")]
    [TestCase("/ROOT/door.csv", "does not lie beside the scenario's file or below it")]
    [TestCase("events.csv", "is called as a file of results")]
    public void Run_WithRecordedArrivalsThatCannotBeKept_NamesThemBeforeItRuns(string file, string why)
    {
        file = file.Replace("/ROOT", Scratch, StringComparison.Ordinal);
        var scenario = Recorded(file);
        Assert.That(Fleet("run", scenario).ExitCode, Is.Zero, "without results nothing has to be kept");
        var directory = Path.Combine(Scratch, "run");
        var run = Fleet("run", scenario, "--out", directory);
        Assert.That((run.ExitCode, Directory.Exists(directory)), Is.EqualTo((2, false)));
        Assert.That(run.Error, Does.Contain($"recorded.file \"{file}\" {why}"));
    }

    [Test]
    public void Run_WithRecordedArrivalsWhereAnotherFileLies_IsRefusedAndLosesNothing()
    {
        var directory = Path.Combine(Scratch, "mine");
        Directory.CreateDirectory(Path.Combine(directory, "arrivals"));
        File.WriteAllText(Path.Combine(directory, "arrivals", "door.csv"), "mine");
        var run = Fleet("run", Recorded("arrivals/door.csv"), "--out", directory);
        Assert.That((run.ExitCode, File.ReadAllText(Path.Combine(directory, "arrivals", "door.csv"))), Is.EqualTo((2, "mine")));
        Assert.That(run.Error, Does.Contain("holds arrivals/door.csv"));
    }

    [TestCase("events.csv")]
    [TestCase("scenario.json")]
    [TestCase("report.html")]
    public void Run_OutputWithFilesThatNoRunHasWritten_IsRefusedAndLosesNothing(string name)
    {
        var directory = Path.Combine(Scratch, "mine");
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, name), "mine");
        var run = Fleet("run", Scenario, "--out", directory);
        Assert.That((run.ExitCode, File.ReadAllText(Path.Combine(directory, name))), Is.EqualTo((2, "mine")));
        Assert.That(run.Error, Does.Contain($"--out {directory}: holds {name}"));
    }

    [Test]
    public void Run_DiskFullInTheMiddleOfASite_FaultNamesTheDirectory()
    {
        var (scenario, directory) = (Path.Combine(Scratch, "long.json"), Path.Combine(Scratch, "full"));
        File.WriteAllText(scenario, Tiny.Replace("\"duration_s\": 20", "\"duration_s\": 1000", StringComparison.Ordinal));
        Directory.CreateDirectory(directory);
        File.CreateSymbolicLink(Path.Combine(directory, ".lab.events"), "/dev/full");
        var run = Fleet("run", scenario, "--out", directory, "--events");
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.StartWith($"--out {directory}: No space left").And.Not.Contain("   at "));
        Assert.That(Directory.GetFiles(directory).Select(Path.GetFileName), Has.None.EqualTo(".lab.events").And.None.EqualTo(Manifest.FileName), "nothing that looks like a run that is whole");
        Assert.That(Fleet("run", Scenario, "--out", directory, "--events").ExitCode, Is.Zero, "once there is room again");
    }

    [Test]
    public void Run_IntoTheDirectoryOfAnotherRun_TakesItsPlace()
    {
        var directory = Path.Combine(Scratch, "run");
        Fleet("run", Scenario, "--out", directory, "--events");
        Fleet("report", directory);
        var again = Fleet("run", Scenario, "--seed", "2", "--out", directory);
        Assert.That(again.ExitCode, Is.Zero, again.Error);
        Assert.That(Directory.GetFiles(directory).Select(Path.GetFileName), Has.None.AnyOf("events.csv", "report.html"), "what the first run left is gone");
    }

    [Test]
    public void Record_IntoAFileThatExists_IsRefusedAndLosesNothing()
    {
        var file = Path.Combine(Scratch, "lunch.rec");
        File.WriteAllText(file, "mine");
        var said = Fleet("record", "--broker", "mqtt://127.0.0.1:1", "--out", file);
        Assert.That((said.ExitCode, File.ReadAllText(file)), Is.EqualTo((2, "mine")));
        Assert.That(said.Error, Does.Contain("lunch.rec, which exists already"));
    }

    [Test]
    public void Run_Replications_GivesEachHashAndEveryMeanWithItsInterval()
    {
        var directory = Path.Combine(Scratch, "three");
        var run = Fleet("run", Scenario, "--seed", "5", "--replications", "3", "--threads", "2", "--out", directory);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Out, Does.Contain("seeds 5 to 7").And.Contain("seed 6").And.Contain("95 %").And.Contain("accuracy"));
        var single = Fleet("run", Scenario, "--seed", "7").Out.TrimEnd().Split('\n')[^1];
        Assert.That(run.Out, Does.Contain(single), "a replication is the run of its seed");
        Assert.That(File.ReadLines(Path.Combine(directory, "replications.csv")).Count(), Is.EqualTo(4));
        Assert.That(File.ReadAllText(Path.Combine(directory, "statistics.csv")), Does.Contain("\naccuracy_ratio,3,").And.Match("\nlatency_p50_s,3,[^\n]*,0.025\n"));
        Assert.That(run.Out, Does.Contain("known to within 2.50 %"));
        var page = Fleet("report", directory, "--out", Path.Combine(Scratch, "page.html"));
        Assert.That(page.ExitCode, Is.Zero, page.Error);
        Assert.That(File.ReadAllText(Path.Combine(Scratch, "page.html")), Does.Contain("3 replications").And.Contain(single));
    }

    [Test]
    public void Run_ReplicationsAsJson_IsOneObject()
    {
        var run = Fleet("run", Scenario, "--replications", "2", "--json");
        var said = JsonDocument.Parse(run.Out.TrimEnd().Split('\n')[^1]).RootElement;
        Assert.That(said.GetProperty("seeds").GetArrayLength(), Is.EqualTo(2));
        Assert.That(said.GetProperty("figures").GetProperty("inferences").GetProperty("count").GetInt32(), Is.EqualTo(2));
    }

    [TestCase("--replications 0", "--replications: is 0; allowed: 1 to 10000")]
    [TestCase("--events", "--events: needs --out")]
    [TestCase("--threads 0", "--threads: is 0; allowed: 1 to 1024")]
    public void Run_BadFlags_AreToldWithExitCode2(string flags, string fault)
    {
        var run = Fleet(["run", Scenario, .. flags.Split(' ')]);
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain(fault));
    }

    [Test]
    public void RunAndReport_OutputThatCannotBeWritten_IsTold()
    {
        var blocked = Fleet("run", Scenario, "--out", Scenario);
        Assert.That((blocked.ExitCode, blocked.Error.Contains("--out", StringComparison.Ordinal)), Is.EqualTo((2, true)));
        var directory = Path.Combine(Scratch, "run");
        Fleet("run", Scenario, "--out", directory);
        var report = Fleet("report", directory, "--out", Path.Combine(Scratch, "no", "such", "page.html"));
        Assert.That((report.ExitCode, report.Error.Contains("page.html", StringComparison.Ordinal)), Is.EqualTo((2, true)));
        Assert.That(Fleet("report", Path.Combine(Scratch, "nowhere")).Error, Does.Contain("no such directory"));
    }

    /// <summary>A scenario whose inputs come at the times of a file, which is there.</summary>
    private string Recorded(string file)
    {
        var directory = Path.Combine(Scratch, "scenarios");
        var arrivals = Path.Combine(directory, file);
        Directory.CreateDirectory(directory);
        Directory.CreateDirectory(Path.GetDirectoryName(arrivals)!);
        File.WriteAllText(arrivals, "time_s\n1\n2\n3\n");
        var scenario = Path.Combine(directory, "recorded.json");
        File.WriteAllText(scenario, Tiny.Replace("\"rate_hz\": 5", $"\"arrivals\": \"recorded\", \"recorded\": {{ \"file\": \"{file}\" }}", StringComparison.Ordinal));
        return scenario;
    }
}
