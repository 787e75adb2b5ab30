using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Reporting;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Reporting;

/// <summary>The page of a short run: whole, self-contained, and small however large the fleet.</summary>
public sealed partial class ReportPageTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private string scratch = "";

    [SetUp]
    public void CreateScratch() => scratch = Directory.CreateTempSubdirectory("fleet-report").FullName;

    [TearDown]
    public void DeleteScratch() => Directory.Delete(scratch, recursive: true);

    [Test]
    public void Page_OfARun_HasEveryPlotAndNeedsNothingElse()
    {
        var run = Written(copies: 0);
        var text = ReportPage.Write(ReportData.Read(scratch));
        var page = XDocument.Parse(text);
        Assert.That(page.Descendants(Svg + "svg").Select(svg => svg.Attribute("aria-labelledby")!.Value.Replace("-t", "", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "accuracy", "answers", "latency", "distribution", "throughput", "power", "power-whole", "batteries", "edge-busy", "edge-queue", "edge-batch", "messages", "dropped" }));
        Assert.That(page.Descendants("figcaption").Select(caption => caption.Value), Has.All.Not.Empty);
        Assert.That(text.Replace(Svg.NamespaceName, "", StringComparison.Ordinal), Does.Not.Contain("://"), "no address of anything");
        Assert.That(page.Descendants().Attributes().Select(attribute => attribute.Name.LocalName), Has.None.AnyOf("src", "href", "onload", "onclick"));
        Assert.That(page.Descendants("script"), Is.Empty);
        Assert.That(text, Does.Contain(run.TraceHash).And.Contain("fleet run scenario.json --seed 1").And.Contain("edge-crash"));
        Assert.That(page.Descendants(Svg + "rect").Count(rect => (string?)rect.Attribute("class") == "span"), Is.EqualTo(12), "the fault stands in every plot over time");
        var ids = page.Descendants().Attributes("id").Select(id => id.Value).ToList();
        Assert.That(ids, Is.Unique);
        Assert.That(NotANumber().Matches(text), Is.Empty, "every number is one");
        Assert.That(ReportPage.Write(ReportData.Read(scratch)), Is.EqualTo(text), "the same directory gives the same bytes");
    }

    [Test]
    public void Page_OfAScenarioWithStages_MarksTheirBegins()
    {
        Written(copies: 0, scenario => scenario with { Stages = [new Fleet.Emulator.Scenarios.StageSpec { At = new Seconds(12), Rate = new Hertz(2) }] });
        var text = ReportPage.Write(ReportData.Read(scratch));
        XDocument.Parse(text);
        Assert.That(text, Does.Contain("Stages").And.Contain("rate_hz").And.Contain("12 s"));
    }

    [Test]
    public void Boards_OfARunWithABrownOut_CountNobodyAsDeadWhoComesBack()
    {
        var run = Written(copies: 0, scenario => scenario with { FaultList = [new Fleet.Emulator.Scenarios.FaultSpec { Kind = Fleet.Emulator.Scenarios.FaultKind.BrownOut, Site = "workshop", At = new Seconds(10), For = new Seconds(5), Boot = new Seconds(2) }] });
        Assert.That(run.PowerLosses, Is.GreaterThan(run.DevicesDied));
        Assert.That(ReportData.Read(scratch).Boards.Sum(board => board.Died), Is.EqualTo(run.DevicesDied));
    }

    [Test]
    public void ScenarioCopy_OfRecordedArrivals_BringsTheirFile()
    {
        var scenario = World.Read("recorded");
        ScenarioCopy.Write(scratch, scenario, File.ReadAllBytes(Path.Combine(scenario.Directory, "recorded.json")));
        Assert.That(Fleet.Emulator.Scenarios.ScenarioFile.Read(Path.Combine(scratch, Manifest.ScenarioFile), World.Stock).Name, Is.EqualTo("recorded"), "it can be read from there");
        Assert.That(File.ReadAllText(Path.Combine(scratch, "arrivals", "doors.csv")), Is.EqualTo(File.ReadAllText(Path.Combine(scenario.Directory, "arrivals", "doors.csv"))));
    }

    [Test]
    public void Page_OfManySites_StaysSmall()
    {
        Written(copies: 0);
        var few = ReportPage.Write(ReportData.Read(scratch)).Length;
        Written(copies: 150);
        var many = ReportPage.Write(ReportData.Read(scratch));
        XDocument.Parse(many);
        Assert.That(many.Length, Is.LessThan(1.5 * few));
        Assert.That(many, Does.Contain("Quantiles over 302 sites").And.Contain("mean of 453 edge servers"));
    }

    [Test]
    public void Page_OfARunWithoutAnyInference_SaysSo()
    {
        Written(copies: 0, scenario => scenario with { FaultList = [], Duration = new Seconds(0.001) });
        XDocument.Parse(ReportPage.Write(ReportData.Read(scratch)));
    }

    [Test]
    public void Directory_TamperedTruncatedOrIncomplete_IsToldWhole()
    {
        Written(copies: 0);
        File.AppendAllText(Path.Combine(scratch, "timeline.csv"), "x");
        File.Delete(Path.Combine(scratch, "edges.parquet"));
        var sites = Path.Combine(scratch, ResultWriter.SitesFile);
        File.WriteAllText(sites, File.ReadAllText(sites)[..1000]);
        var failure = Assert.Throws<FaultsException>(() => ReportData.Read(scratch))!;
        Assert.That(failure.Faults, Has.Count.EqualTo(3));
        Assert.That(failure.Message, Does.Contain("timeline.csv is not what the run wrote").And.Contain("edges.parquet is missing").And.Contain("sites.jsonl is not what the run wrote"));
    }

    [Test]
    public void Directory_MissingOrWithoutManifest_IsTold()
    {
        Assert.That(Assert.Throws<FaultsException>(() => RunDirectory.Open(Path.Combine(scratch, "nowhere")))!.Message, Does.Contain("no such directory"));
        Assert.That(Assert.Throws<FaultsException>(() => RunDirectory.Open(scratch))!.Message, Does.Contain("no manifest.json"));
        File.WriteAllText(Path.Combine(scratch, Manifest.FileName), "{\"seed\": \"one\"}");
        Assert.That(Assert.Throws<FaultsException>(() => RunDirectory.Open(scratch))!.Message, Does.Contain("seed is \"one\"; expected a whole number"));
    }

    /// <param name="copies">How many times the two sites stand there once more, under other names.</param>
    private RunResult Written(int copies, Func<Fleet.Emulator.Scenarios.Scenario, Fleet.Emulator.Scenarios.Scenario>? changed = null)
    {
        var scenario = (changed ?? (same => same))(ResultWriterTests.Small());
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        RunResult result;
        using (var writer = new ResultWriter(scratch, scenario, 1, exits: 3, hasEvents: false))
        {
            for (var copy = 0; copy <= copies; copy++)
                foreach (var (world, site) in run.Worlds.Zip(run.Sites)) writer.Add(copy == 0 ? site : site with { Site = $"{site.Site}-{copy}" }, [.. world.Devices.Select(DeviceResult.Of)]);
            result = writer.Close();
        }
        var text = JsonSerializer.SerializeToUtf8Bytes(scenario, Json.File.Info<Fleet.Emulator.Scenarios.Scenario>());
        File.WriteAllBytes(Path.Combine(scratch, Manifest.ScenarioFile), text);
        var manifest = new Manifest
        {
            Command = "fleet run scenario.json --seed 1",
            Scenario = scenario.Name,
            ScenarioSha256 = ModelFiles.Sha256(text),
            CardSha256 = "c",
            Seed = 1,
            Policy = scenario.Control.Policy,
            Inference = scenario.Inference,
            Version = "0",
            TraceHash = result.TraceHash,
            Files = ResultWriter.Hashes(scratch),
            Machine = Machine.This(),
            Threads = 1,
            Wall = new Seconds(1),
            Cpu = new Seconds(1),
            Events = result.Events,
        };
        File.WriteAllText(Path.Combine(scratch, Manifest.FileName), JsonSerializer.Serialize(manifest, Json.File.Info<Manifest>()));
        return result;
    }

    [GeneratedRegex("NaN|∞|Infinity")]
    private static partial Regex NotANumber();
}
