using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Emulator.Tables;
using Fleet.Models.Profiling;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Fitting;

/// <summary>How far predictions of the published rows are off when each is hidden.</summary>
public sealed class LeaveOneOutTests
{
    private static readonly MeasuredTables Tables = MeasuredTables.Shipped();
    private static readonly IReadOnlyList<ErrorLine> Lines = ErrorTable.Lines(Tables);

    private static IEnumerable<TestCaseData> Barred => Lines.Where(line => line.Bar is not null).Select(line => new TestCaseData(line).SetArgDisplayNames(line.Question));

    [TestCaseSource(nameof(Barred))]
    public void Mean_QuestionWithABar_IsBelowIt(ErrorLine line)
    {
        Assert.That(line.Answers, Has.Count.AtLeast(10));
        Assert.That(line.Mean, Is.Positive.And.LessThanOrEqualTo(line.Bar!.Value));
    }

    [Test]
    public void Lines_AsCommitted_StandInTheReadme()
    {
        var readme = File.ReadAllText(Path.Combine(ProjectFiles.Find("hardware-profiles"), "README.md"));
        Assert.That(readme, Does.Contain(Text.Markdown(ErrorTable.Columns, Lines.Select(ErrorTable.Cells))));
    }

    [TestCase(new[] { -0.4, 0.1, 0.2, -0.3 }, 0.25)]
    [TestCase(new[] { -0.4, 0.1, 0.2 }, 0.2)]
    [TestCase(new[] { -0.4 }, 0.4)]
    public void Median_OfErrors_IsThatOfTheirSizes(double[] errors, double median)
    {
        var system = Tables.Systems[0];
        var line = new ErrorLine("any", [.. errors.Select(error => new LeftOut(system, system.Rows[0].Network, error, HasSameStackElsewhere: false))], Bar: null);
        Assert.That(line.Median, Is.EqualTo(median).Within(1e-12));
    }

    [Test]
    public void BySystem_EveryLine_AddsUpToTheLine()
    {
        var figures = ErrorTable.BySystem(Lines).GroupBy(cells => cells[0]).ToDictionary(line => line.Key, line => line.Sum(cells => int.Parse(cells[4], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.That(figures, Is.EquivalentTo(Lines.ToDictionary(line => line.Question, line => line.Answers.Count)));
    }

    // Of the networks built like mobilenet nothing may be known; of the others all.
    [Test]
    public void Latencies_FamilyHidden_AreFurtherOffThanARowHidden()
    {
        bool IsPi4(MeasuredSystem system) => system.Id == "raspberry-pi-4-model-b/ncnn-fp32-1t";
        var left = new LeaveOneOut(Tables);
        double Mean(Hidden hidden) => left.Latencies(IsPi4, hidden).Average(answer => Math.Abs(answer.Error));
        Assert.That(Mean(Hidden.Family), Is.GreaterThan(Mean(Hidden.Row)));
        Assert.That(left.Latencies(IsPi4, Hidden.AllButOne, "mobilenet").Select(answer => answer.Network.Name), Has.No.Member("mobilenet"));
    }

    [Test]
    public void Latencies_RowHidden_DoesNotDependOnIt()
    {
        var system = Tables.System("stm32h747i-disco/stm32cube.ai-10.0.0");
        var answer = new LeaveOneOut(Tables).Latencies(one => one == system, Hidden.Row)[0];
        var row = system.Row(answer.Network.Name)!;
        var rest = system.Times.Where(time => time.Network != answer.Network).ToList();
        var others = Tables.Systems.Where(other => other.Target.BoardKey != system.Target.BoardKey && other.Target.World == system.Target.World).Select(other => new Donor(other));
        var again = StackTransfer.Predict(system.Target, answer.Network, rest, others)!.Time;
        Assert.That(answer.Error, Is.EqualTo(again / row.Latency - 1).Within(1e-12));
        Assert.That(answer.Error, Is.Not.Zero);
    }
}
