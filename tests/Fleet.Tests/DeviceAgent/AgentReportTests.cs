using Fleet.Contracts;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>How often an agent speaks by itself.</summary>
public sealed class AgentReportTests
{
    [Test]
    public void Report_ToldNothing_SaysWhoItIsLessAndLessOften()
    {
        var world = new AgentWorld([]).Run(30_000);
        foreach (var kind in (TopicKind[])[TopicKind.State, TopicKind.Info, TopicKind.Budget])
        {
            var said = world.Said.Where(said => said.Topic.Kind == kind).Select(said => said.At).ToList();
            var pauses = said.Skip(1).Zip(said.Skip(2), (a, b) => b - a).ToList();
            Assert.That(said[0], Is.Zero, $"{kind}");
            Assert.That(said[1], Is.InRange(5, 10), $"{kind}: somewhen in its first two periods");
            Assert.That(pauses.Take(10), Is.EqualTo((double[])[10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]).Within(1e-6), $"{kind}");
            Assert.That(pauses.Skip(10), Is.All.EqualTo(3600).Within(1e-6), $"{kind}");
        }
        Assert.That(world.Budgets.Last().ReportPeriod, Is.EqualTo(new Seconds(3600)), "it says when it will be heard of next");
    }

    [Test]
    public void Report_ToldSomethingAfterALongSilence_ReportsAsOftenAsItIsTold()
    {
        var world = new AgentWorld([]).Run(6000);
        world.Desire(TinyModel.Assign(1));
        world.Run(6031);
        Assert.That(world.Windows.Count(window => window.SentAt.Value > 6000), Is.EqualTo(6), "not after what was left of an hour");
    }

    [Test]
    public void Report_PeriodGrowsShorter_ReportsAsOftenAsItIsTold()
    {
        var world = new AgentWorld([], TinyModel.Assign(1) with { ReportPeriod = new Seconds(3600) }).Run(1000);
        world.Desire(TinyModel.Assign(1) with { Version = 2 });
        world.Run(1031);
        var after = world.Said.Where(said => said is { At: > 1001, Message: InferWindow }).Select(said => said.At).ToList();
        Assert.That(after, Has.Count.EqualTo(6));
        Assert.That(after.Zip(after.Skip(1), (a, b) => b - a), Is.All.EqualTo(5).Within(1e-6));
    }
}
