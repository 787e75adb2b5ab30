using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

public sealed class CompareCommandTests : CommandFixture
{
    [Test]
    public void Compare_NamesWithSpacesAndQuotes_StandInACommandThatAShellTakes()
    {
        var (scenario, output) = (Written("it's one.json", rate: 5), Path.Combine(Scratch, "the page"));
        var run = Fleet("compare", scenario, "--policies", "local-only,greedy", "--seeds", "1", "--out", output);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(File.ReadAllText(Path.Combine(output, "README.md")), Does.Contain($"'{Scratch}/it'\\''s one.json'").And.Contain($"--out '{output}'").And.Contain("1 seed each"));
        Assert.That(Fleet("compare", scenario, "--policies", "local-only", "--seeds", "1", "--out", output).ExitCode, Is.Zero, "a page of its own may be replaced");
    }

    [Test]
    public void Compare_IntoADirectoryWithSomebodyElsesPage_IsRefusedAndLosesNothing()
    {
        var page = Path.Combine(Scratch, "README.md");
        File.WriteAllText(page, "mine");
        var run = Fleet("compare", Written("one.json", rate: 5), "--seeds", "1", "--out", Scratch);
        Assert.That((run.ExitCode, File.ReadAllText(page)), Is.EqualTo((2, "mine")));
        Assert.That(run.Error, Does.Contain($"--out {Scratch}: holds a README.md that fleet compare has not written"));
        Assert.That(Fleet("experiment", "branchynet", "--out", Scratch).Error, Does.Contain("that fleet experiment branchynet has not written"));
    }

    [Test]
    public void Compare_TwoScenariosOfOneName_AreRefused() =>
        Assert.That(Fleet("compare", Written("a.json", rate: 5), Written("b.json", rate: 4), "--seeds", "1").Error, Does.Contain("2 files are of a scenario called one; allowed: one of each name"));

    [Test]
    public void Compare_ScenarioInWhichNobodyIsAsked_IsRefused() =>
        Assert.That(Fleet("compare", Written("idle.json", rate: 0.0001), "--policies", "greedy", "--seeds", "1").Error, Does.Contain("one: under seed 1 no policy answered any input"));

    [Test]
    public void Compare_OutputThatIsEmpty_IsTold() => Assert.That(Fleet("compare", Written("one.json", rate: 5), "--out", "").Error, Does.Contain("--out is empty; allowed: a path"));

    private string Written(string file, double rate)
    {
        var path = Path.Combine(Scratch, file);
        File.WriteAllText(path, FormattableString.Invariant($$"""{ "name": "one", "duration_s": 5, "sites": [{ "name": "lab", "devices": [{ "board": "pi-4b", "count": 1, "rate_hz": {{rate}} }], "edges": [] }] }"""));
        return path;
    }
}
