using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

[NonParallelizable]
public sealed class ParetoCommandTests : CommandFixture
{
    private const string Scenario = """
        { "name": "two", "duration_s": 40, "sites": [ { "name": "lab", "devices": [ { "board": "pi-zero-2w", "count": 1, "arrivals": "periodic" }, { "board": "stm32h747i-disco", "count": 1, "arrivals": "periodic" } ],
          "edges": [ { "id": "edge-1", "profile": "n5105-mini-pc" } ] } ] }
        """;

    [Test]
    public void Pareto_TwoDevices_WritesTheFrontAndARunKeepsToAPointOfIt()
    {
        var file = Path.Combine(Scratch, "two.json");
        File.WriteAllText(file, Scenario);
        var output = Path.Combine(Scratch, "front");
        var said = Fleet("pareto", file, "--at", "20s", "--ways", "12", "--out", output);
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        Assert.That(said.Out, Does.Contain("accurate").And.Contain("knee").And.Contain("fleet/v1/lab/_objective"));
        Assert.That(Directory.GetFiles(output).Select(Path.GetFileName), Is.EquivalentTo((string[])["front.csv", "front-accuracy.svg", "front-costs.svg", "objectives.json"]));
        var kept = Fleet("run", file, "--objective", Path.Combine(output, "objectives.json") + ":quiet");
        Assert.That(kept.ExitCode, Is.Zero, kept.Error);
        Assert.That(kept.Out, Does.Contain("edge 0.00 %"));
    }

    [Test]
    public void Run_ObjectiveThatNobodyCanMeet_SaysWhatIsMissed()
    {
        var file = Path.Combine(Scratch, "two.json");
        File.WriteAllText(file, Scenario);
        var objectives = Path.Combine(Scratch, "objectives.json");
        File.WriteAllText(objectives, """{ "site": "lab", "points": [ { "name": "perfect", "accuracy_min_ratio": 1 } ] }""");
        var said = Fleet("run", file, "--objective", objectives + ":perfect");
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        Assert.That(said.Error, Does.Contain("limits that the last plan does not keep:").And.Match("lab: accuracy .* instead of 100 %"));
    }

    [TestCase("objectives.json:loud", "--objective: names \"loud\"")]
    [TestCase("none.json:knee", "none.json")]
    [TestCase("objectives.json", "allowed: FILE:NAME")]
    public void Run_ObjectiveThatIsNone_SaysWhatIsWrong(string objective, string message)
    {
        var file = Path.Combine(Scratch, "two.json");
        File.WriteAllText(file, Scenario);
        File.WriteAllText(Path.Combine(Scratch, "objectives.json"), """{ "site": "lab", "points": [ { "name": "knee" } ] }""");
        var said = Fleet("run", file, "--objective", Path.Combine(Scratch, objective));
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain(message));
    }

    [Test]
    public void Pareto_TimeBeyondTheScenario_SaysWhatIsAllowed()
    {
        var file = Path.Combine(Scratch, "two.json");
        File.WriteAllText(file, Scenario);
        var said = Fleet("pareto", file, "--at", "2m");
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain("--at: is 120 s; allowed: above 0 to the scenario's 40 s"));
    }
}
