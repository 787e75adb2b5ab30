using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Workload;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

public sealed class ScenarioTests
{
    private static readonly string Directory = ProjectFiles.Find("emulator/scenarios");

    private static IEnumerable<string> Files => System.IO.Directory.EnumerateFiles(Directory, "*.json").Select(path => Path.GetFileName(path)).Where(file => file != ScenarioSchema.FileName).Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Files))]
    public void Scenario_ThatShips_Reads(string file)
    {
        var scenario = ScenarioFile.Read(Path.Combine(Directory, file), World.Stock);
        Assert.That(scenario.Name, Is.EqualTo(Path.GetFileNameWithoutExtension(file)));
        Assert.That(scenario.Description, Is.Not.Empty);
    }

    [Test]
    public void Scenarios_ThatShip_AreAtLeastTenAndStandInTheReadme()
    {
        var names = Files.Select(file => Path.GetFileNameWithoutExtension(file)!).ToList();
        Assert.That(names, Has.Count.GreaterThanOrEqualTo(10));
        var readme = File.ReadAllText(Path.Combine(Directory, "..", "README.md"));
        Assert.That(names.Where(name => !readme.Contains($"| `{name}` |", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Schema_ThatShips_IsThatOfTheRecords() =>
        Assert.That(File.ReadAllText(Path.Combine(Directory, ScenarioSchema.FileName)), Is.EqualTo(ScenarioSchema.Text()), "write it anew: fleet scenario schema --out emulator/scenarios/scenario.schema.json");

    /// <summary>Editors show what a key means while it is typed.</summary>
    [Test]
    public void Schema_EveryKey_IsDescribed()
    {
        var silent = new List<string>();
        Look(JsonNode.Parse(ScenarioSchema.Text())!, "");
        Assert.That(silent, Is.Empty);

        void Look(JsonNode? node, string path)
        {
            if (node is JsonArray array) foreach (var each in array) Look(each, path);
            if (node is not JsonObject schema) return;
            foreach (var (key, value) in schema)
            {
                if (key != "properties") Look(value, path);
                else foreach (var (name, property) in value!.AsObject())
                {
                    if (property is not JsonObject described || !described.ContainsKey("description")) silent.Add($"{path}/{name}");
                    Look(property, $"{path}/{name}");
                }
            }
        }
    }

    /// <summary>The schema knows every key of every scenario that ships: what the reader takes, editors do not mark as wrong.</summary>
    [TestCaseSource(nameof(Files))]
    public void Schema_KeysOfScenario_AreKnown(string file)
    {
        var schema = JsonNode.Parse(ScenarioSchema.Text())!;
        var options = new System.Text.Json.JsonDocumentOptions { CommentHandling = System.Text.Json.JsonCommentHandling.Skip, AllowTrailingCommas = true };
        Assert.That(Unknown(JsonNode.Parse(File.ReadAllText(Path.Combine(Directory, file)), documentOptions: options)!, schema, schema, ""), Is.Empty);
    }

    private static IEnumerable<string> Unknown(JsonNode node, JsonNode schema, JsonNode root, string path)
    {
        if (schema["$ref"] is { } reference)
            schema = reference.GetValue<string>().Split('/').Skip(1).Aggregate(root, (at, step) => (at is JsonArray items ? items[int.Parse(step, CultureInfo.InvariantCulture)] : at[step])!);
        return node switch
        {
            JsonObject members => members.SelectMany(member => schema["properties"]?[member.Key] is { } known ? Unknown(member.Value!, known, root, $"{path}.{member.Key}") : [$"{path}.{member.Key}"]),
            JsonArray items => items.SelectMany((item, i) => Unknown(item!, schema["items"]!, root, $"{path}[{i}]")),
            _ => [],
        };
    }

    [Test]
    public void Scenario_FiveMistakes_ReportsAllFive()
    {
        var faults = FaultsOf("""
            {
              "name": "Five Mistakes", "duration_s": "long", "colour": "red",
              "sites": [{ "name": "lab", "devices": [{ "board": "abacus", "count": 1 }], "edges": [{ "id": "e", "profile": "n5105-mini-pc", "workers": 0 }] }]
            }
            """);
        Assert.That(faults, Has.Some.Contains("duration_s").And.Some.Contains("colour"));
        faults = FaultsOf("""
            {
              "name": "Five Mistakes", "duration_s": 60, "colour": "red", "control": { "policy": "telepathy" },
              "sites": [{ "name": "lab", "devices": [{ "board": "abacus", "count": 1 }], "edges": [{ "id": "e", "profile": "n5105-mini-pc", "workers": 0 }] }]
            }
            """);
        Assert.That(faults, Has.Count.EqualTo(5));
        foreach (var about in (string[])["name is", "colour is unknown", "policy is \"telepathy\"", "board is \"abacus\"", "workers is 0"]) Assert.That(faults, Has.One.Contains(about));
    }

    [Test]
    public void Scenario_UnknownPolicy_IsToldTheOnesThereAre()
    {
        var faults = FaultsOf(Text("\"control\": { \"policy\": \"oracle\" }"));
        Assert.That(faults.Single(), Does.Contain("oracle").And.Contain("greedy").And.Contain("offload-all"));
    }

    [TestCase("\"faults\": [{ \"kind\": \"edge-crash\", \"site\": \"lab\", \"target\": \"nobody\", \"at_s\": 1, \"for_s\": 1 }]", "target is \"nobody\"")]
    [TestCase("\"faults\": [{ \"kind\": \"edge-crash\", \"site\": \"moon\", \"target\": \"e\", \"at_s\": 1, \"for_s\": 1 }]", "site is \"moon\"")]
    [TestCase("\"faults\": [{ \"kind\": \"link-loss\", \"site\": \"lab\", \"at_s\": 60, \"for_s\": 1 }]", "at_s is 60")]
    [TestCase("\"faults\": [{ \"kind\": \"edge-crash\", \"site\": \"lab\", \"target\": \"e\", \"at_s\": 1, \"for_s\": 20 }, { \"kind\": \"edge-crash\", \"site\": \"lab\", \"target\": \"e\", \"at_s\": 10, \"for_s\": 1 }]", "while")]
    [TestCase("\"model\": \"crystal-ball\"", "model is \"crystal-ball\"")]
    [TestCase("\"until_dead_ratio\": 1.5", "until_dead_ratio is 1.5; allowed: above 0 to 1")]
    [TestCase("\"until_dead_ratio\": 0.5", "until_dead_ratio is given where nobody can die")]
    [TestCase("\"control\": { \"deadline_s\": 0 }", "deadline_s is 0")]
    [TestCase("\"control\": { \"energy_horizon_s\": 3599 }", "energy_horizon_s is 3599; allowed: 3600 to 1000000000")]
    [TestCase("\"control\": { \"energy_horizon_s\": 0 }", "energy_horizon_s is 0; allowed: 3600 to 1000000000")]
    [TestCase("\"control\": { \"energy_horizon_s\": -86400 }", "energy_horizon_s is -86400; allowed: 3600 to 1000000000")]
    [TestCase("\"control\": { \"energy_horizon_s\": 2e9 }", "energy_horizon_s is 2000000000; allowed: 3600 to 1000000000")]
    [TestCase("\"control\": { \"exit_risk_ratio\": 0.6 }", "exit_risk_ratio is 0.6; allowed: 0.001 to 0.5")]
    [TestCase("\"control\": { \"exit_risk_ratio\": 0 }", "exit_risk_ratio is 0; allowed: 0.001 to 0.5")]
    [TestCase("\"control\": { \"placement_s\": 0.5 }", "placement_s is 0.5; allowed: 1 to 86400")]
    [TestCase("\"control\": { \"swap_price_s_per_byte\": 2 }", "swap_price_s_per_byte is 2; allowed: 0 to 1")]
    [TestCase("\"control\": { \"cloud_rtt_s\": 61 }", "cloud_rtt_s is 61; allowed: 0 to 60")]
    [TestCase("\"control\": { \"plan_s\": 0.05 }", "plan_s is 0.05; allowed: 0.1 to 3600")]
    [TestCase("\"control\": { \"report_s\": 90000 }", "report_s is 90000; allowed: 0.1 to 86400")]
    [TestCase("\"control\": { \"report_s\": 10, \"budget_s\": 9 }", "budget_s is 9; allowed: report_s (10) to 86400")]
    [TestCase("\"control\": { \"budget_s\": 1e5 }", "budget_s is 100000; allowed: report_s (5) to 86400")]
    public void Scenario_OneMistake_IsNamed(string extra, string expected) => Assert.That(FaultsOf(Text(extra)), Has.One.Contains(expected));

    [Test]
    public void Scenario_TwoEdgeServersOfOneName_IsAFault() =>
        Assert.That(FaultsOf(Text("\"description\": \"\"", "{ \"id\": \"e\", \"profile\": \"n5105-mini-pc\" }, { \"id\": \"e\", \"profile\": \"orange-pi-5\" }")), Has.One.Contains("\"e\" stands 2 times"));

    [TestCase("loss_ratio", 0.95)]
    [TestCase("rate_ratio", 0)]
    [TestCase("rtt_s", -1)]
    public void Scenario_ImpossibleLink_IsNamed(string key, double value)
    {
        var text = Text("\"description\": \"\"").Replace("\"count\": 1", string.Create(CultureInfo.InvariantCulture, $"\"count\": 1, \"link\": {{ \"{key}\": {value} }}"), StringComparison.Ordinal);
        Assert.That(FaultsOf(text).Single(), Does.Contain(key));
    }

    private static string Text(string extra, string edges = "{ \"id\": \"e\", \"profile\": \"n5105-mini-pc\" }") =>
        $$"""{ "name": "x", "duration_s": 60, {{extra}}, "sites": [{ "name": "lab", "devices": [{ "board": "pi-5", "count": 1 }], "edges": [{{edges}}] }] }""";

    private static IReadOnlyList<string> FaultsOf(string text)
    {
        var failure = Assert.Throws<FaultsException>(() =>
            StrictJson.Parse("test", Encoding.UTF8.GetBytes(text), Json.File.Info<Scenario>(), scenario => scenario.Faults(World.Stock)))!;
        return failure.Faults;
    }
}

/// <summary>What ships with Fleet, read once for all tests.</summary>
internal static class World
{
    private static readonly Lazy<Stock> Lazy = new(() => new Stock());

    public static Stock Stock => Lazy.Value;

    /// <summary>What devices with the shipped network see.</summary>
    public static ReplayImages Images => Stock.Replays(Stock.Models["fmnist"].Card, [], InferenceKind.Trace);

    public static Scenario Read(string name) => ScenarioFile.Read(Path.Combine(ProjectFiles.Find("emulator/scenarios"), name + ".json"), Stock);
}
