using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Reporting;
using Fleet.Tests.Emulator.Commands;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Whoever runs which sites, on how many threads: the results are the same bytes.</summary>
public sealed class ShardTests : CommandFixture
{
    private const string Scenario = """
        {
          "name": "shards", "duration_s": 20, "control": { "policy": "static-split" },
          "sites": [
            { "name": "many", "repeat": 3, "devices": [{ "board": "pi-5", "count": 3, "rate_hz": 2 }], "edges": [{ "id": "edge-1", "profile": "n5105-mini-pc" }] },
            { "name": "one", "devices": [{ "board": "pi-4b", "count": 2, "rate_hz": 1 }], "edges": [] }
          ]
        }
        """;

    [SetUp]
    public void WriteScenario() => File.WriteAllText(At("scenario.json"), Scenario);

    [Test]
    public void Run_OnTwoThreadsAndAsMergedShards_WritesTheSameBytes()
    {
        Run("whole", "--threads", "1", "--events");
        Run("threads", "--threads", "2", "--events");
        for (var i = 1; i <= 3; i++) Run($"part-{i}", "--shard", $"{i}/3", "--events");
        Run("all", "--shard", "1/1", "--events");
        Succeed("merge", At("part-2"), At("part-3"), At("part-1"), "--out", At("merged"));
        Succeed("merge", At("all"), "--out", At("merged-all"));
        var whole = Results("whole");
        Assert.That(whole.Keys, Does.Contain("sites.jsonl").And.Contain("result.json").And.Contain("devices.parquet").And.Contain("events.csv"));
        foreach (var other in (string[])["threads", "merged", "merged-all"]) Assert.That(Results(other), Is.EqualTo(whole), other);
    }

    [Test]
    public void Merge_OfWhatDoesNotBelongTogether_NamesEveryCulprit()
    {
        Run("one", "--shard", "1/3");
        Run("again", "--shard", "1/3", "--seed", "2");
        Run("whole");
        var (code, _, error) = Fleet("merge", At("one"), At("again"), At("whole"), "--out", At("one"));
        Assert.That(code, Is.EqualTo(2));
        Assert.That(error, Does.Contain("again: seed is 2").And.Contain("are both shard 1/3").And.Contain("whole is no shard").And.Contain("shard 2/3 is missing").And.Contain("shard 3/3 is missing").And.Contain("is to be merged"));
    }

    [Test]
    public void Merge_OfShardsWithRecordedArrivals_BringsTheirFile()
    {
        Directory.CreateDirectory(At("arrivals"));
        File.WriteAllText(At("arrivals/door.csv"), "time_s\n1\n2\n3\n");
        File.WriteAllText(At("scenario.json"), Scenario.Replace("\"rate_hz\": 1", "\"arrivals\": \"recorded\", \"recorded\": { \"file\": \"arrivals/door.csv\" }", StringComparison.Ordinal));
        Run("part-1", "--shard", "1/2");
        Run("part-2", "--shard", "2/2");
        Succeed("merge", At("part-1"), At("part-2"), "--out", At("merged"));
        Assert.That(File.ReadAllText(At("merged/arrivals/door.csv")), Does.StartWith("time_s"));
    }

    [Test]
    public void Merge_OfShardsThatKeptToDifferentPoints_NamesTheCulprit()
    {
        File.WriteAllText(At("points.json"), """{ "site": "one", "points": [ { "name": "a" }, { "name": "b", "joule_weight": 1 } ] }""");
        Run("part-1", "--shard", "1/2", "--objective", At("points.json:a"));
        Run("part-2", "--shard", "2/2", "--objective", At("points.json:b"));
        var (code, _, error) = Fleet("merge", At("part-1"), At("part-2"), "--out", At("merged"));
        Assert.That((code, error.Contains("objective.json:b", StringComparison.Ordinal)), Is.EqualTo((2, true)), error);
    }

    [TestCase("0/3")]
    [TestCase("4/3")]
    [TestCase("1")]
    [TestCase("a/b")]
    public void Parse_OfNoShard_NamesIt(string text) => Assert.That(() => Shard.Parse(text), Throws.TypeOf<FaultsException>().With.Message.Contains($"\"{text}\""));

    [Test]
    public void Of_AllShards_LaidEndToEndAreTheWhole([Range(1, 7)] int count) =>
        Assert.That(Enumerable.Range(1, count).SelectMany(number => new Shard(number, count).Of([1, 2, 3, 4, 5, 6, 7])), Is.EqualTo(new[] { 1, 2, 3, 4, 5, 6, 7 }));

    private string At(string name) => Path.Combine(Scratch, name);

    private void Run(string output, params string[] more) => Succeed(["run", At("scenario.json"), "--out", At(output), .. more]);

    private static void Succeed(params string[] arguments)
    {
        var (code, _, error) = Fleet(arguments);
        Assert.That(code, Is.Zero, error);
    }

    /// <summary>Every file but the manifest, which says who ran it how long.</summary>
    private SortedDictionary<string, string> Results(string name) => ResultWriter.Hashes(At(name));
}
