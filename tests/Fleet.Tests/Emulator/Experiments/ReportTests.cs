using Fleet.Emulator.Experiments;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Experiments;

public sealed class ReportTests
{
    private static readonly Column<(string Name, double? Value)>[] Columns =
    [
        Column<(string Name, double? Value)>.Word("name", "name", row => row.Name), Column<(string Name, double? Value)>.Ratio("share", "share_ratio", row => row.Value), Column<(string Name, double? Value)>.Number("ms", "time_s", row => row.Value, "0.0", 1e3),
    ];

    [Test]
    public void Sheet_Rows_StandRoundedInTheReportAndPlainInTheCsv()
    {
        var files = new Report().Sheet<(string, double?)>("rows.csv", [("a", 0.12345), ("b", null)], Columns).Files();
        Assert.That(files["README.md"], Does.Contain("| name | share | ms |\n|---|---:|---:|\n| a | 12.35 % | 123.5 |\n| b |  |  |\n").And.Contain("([CSV](rows.csv))"));
        Assert.That(files["rows.csv"], Is.EqualTo("name,share_ratio,time_s\na,0.12345,0.12345\nb,,\n"));
    }

    [Test]
    public void Findings_EachStanding_HasItsMark()
    {
        var text = new Report().Findings([new(Standing.Published, "a", "1", "2", "s"), new(Standing.SameConstruction, "b", "", "2", "s"), new(Standing.OurOwn, "c", "", "2", "s")]).Files()["README.md"];
        Assert.That(text, Does.Contain("| published | a | 1 | 2 | s |\n| same construction | b |").And.Contain("| our own | c |"));
    }

    [Test]
    public void Measured_NotTrainedYet_NamesTheCommand() =>
        Assert.That(new Report().Measured(new Trained([]).Find("scenes-bottlenecks"), "fleet-training train scenes-bottlenecks").Files()["README.md"], Does.StartWith("Not measured yet: `fleet-training train scenes-bottlenecks` writes it"));

    [Test]
    public void Trained_CommittedComparisons_HaveWhatExperimentsShow()
    {
        var trained = Trained.Read();
        Assert.Multiple(() =>
        {
            foreach (var name in (string[])["b-lenet", "ddnn", "rebel", "fmnist-bottlenecks", "fmnist-transfer", "scenes-transfer"]) Assert.That(trained.Find(name), Is.Not.Null, name);
            Assert.That(trained.Points("b-lenet", "joint").Select(point => point.Variant), Is.EqualTo((string[])["final exit", "exit 1"]));
            Assert.That(trained.Points("ddnn", "aggregation, cloud exit"), Has.Count.EqualTo(9));
            Assert.That(trained.Points("ddnn", "of nothing"), Is.Empty);
        });
    }
}
