using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

[NonParallelizable]
public sealed class ExperimentCommandTests : CommandFixture
{
    [Test]
    public void Experiment_List_NamesEachWithItsSubject()
    {
        var said = Fleet("experiment", "list");
        Assert.That(said.ExitCode, Is.Zero);
        foreach (var name in (string[])["branchynet", "ddnn", "split", "bottlefit", "early-labelling", "calibration", "transfer", "pareto", "hierarchical", "infida", "hedonic-lorawan"]) Assert.That(said.Out, Does.Contain($"{name} "));
    }

    [Test]
    public void Experiment_UnknownName_SaysWhichThereAre()
    {
        var said = Fleet("experiment", "infidelity", "--out", Scratch);
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain("experiment: \"infidelity\" is unknown; allowed: ").And.Contain("infida"));
    }
}
